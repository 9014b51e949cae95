"""Policies on the way in, as specifications."""

import pytest
from pydantic import ValidationError

from routing.document.access import (
    AuthSpec,
    HeaderOpsSpec,
    HeaderRuleSpec,
    IpSpec,
    LimitsSpec,
    QuotaUseSpec,
    RequireHeadersSpec,
    RewriteSpec,
    ValidateSpec,
)


def test_a_route_is_closed_by_default() -> None:
    """An auth section without a level asks for a user."""
    auth = AuthSpec()

    assert (auth.level, auth.methods, auth.mode) == ("user", ("jwt", "api_key", "session"), "enforce")


def test_required_headers_beside_the_mode() -> None:
    """`mode` is a key; every other key is a header with a rule."""
    required = RequireHeadersSpec.model_validate(
        {"mode": "log", "x-privacy-level": {"one_of": ["strict"]}, "x-a": {}}
    )

    assert required.mode == "log"
    assert required.__pydantic_extra__ == {
        "x-privacy-level": HeaderRuleSpec(one_of=("strict",)),
        "x-a": HeaderRuleSpec(),
    }
    with pytest.raises(ValidationError):
        RequireHeadersSpec.model_validate({"x-a": {"oneof": []}})


@pytest.mark.parametrize("model", [AuthSpec, IpSpec, LimitsSpec, RequireHeadersSpec, ValidateSpec])
def test_policies_can_be_tried_out(model: type[AuthSpec]) -> None:
    """Each takes `mode: log`."""
    assert model.model_validate({"mode": "log"}).mode == "log"


def test_quota_by_name_or_with_a_mode() -> None:
    """A text alone is the quota's name."""
    assert QuotaUseSpec.model_validate("a") == QuotaUseSpec(name="a", mode="enforce")
    assert QuotaUseSpec.model_validate({"name": "a", "mode": "log"}).mode == "log"


def test_sizes_networks_and_schemas() -> None:
    """Sizes are bytes, networks are spelt in one way, JSON Schemas stay as they are."""
    assert LimitsSpec.model_validate({"max_body": "10MB"}).max_body == 10 << 20
    assert IpSpec.model_validate({"allow": ["10.0.0.0/8", "::1"]}).allow == ("10.0.0.0/8", "::1/128")
    validate = ValidateSpec.model_validate(
        {
            "body_schema": {"const": None},
            "upload": {"types": ["image/png"], "max_file": "5MB"},
            "data_urls": ["/image"],
        }
    )
    assert validate.body_schema == {"const": None}
    assert validate.upload is not None
    assert validate.upload.max_file == 5 << 20


def test_rewrite_and_headers() -> None:
    """Every key of a rewrite and of header changes."""
    rewrite = RewriteSpec.model_validate(
        {"regex": {"pattern": "^/a/(.*)", "to": "/b/\\1"}, "host": "h:80", "preserve_host": False}
    )
    assert (rewrite.regex and rewrite.regex.to, rewrite.host, rewrite.strip_prefix) == (
        "/b/\\1",
        "h:80",
        False,
    )

    headers = HeaderOpsSpec.model_validate({"set": {"X-A": "1"}, "add": {"X-B": "2"}, "remove": ["X-C"]})
    assert (headers.set, headers.add, headers.remove) == ({"X-A": "1"}, {"X-B": "2"}, ("X-C",))
