"""`Proxy-Status` (RFC 9209): every refusal has a type of the standard, and a service's own error says its status."""

import re

import pytest

from authproxy.grpc.statuses import error_of, status_of
from authproxy.proxystatus import made
from authproxy.rejections import Code, Rejection
from resilience.outcomes import Outcome

# RFC 9209 section 2.3: what IANA's registry began with.
TYPES = frozenset(
    re.findall(
        r"\w+",
        """
        dns_timeout dns_error destination_not_found destination_unavailable destination_ip_prohibited
        destination_ip_unroutable connection_refused connection_terminated connection_timeout
        connection_read_timeout connection_write_timeout connection_limit_reached tls_protocol_error
        tls_certificate_error tls_alert_received http_request_error http_request_denied
        http_response_incomplete http_response_header_section_size http_response_header_size
        http_response_body_size http_response_trailer_section_size http_response_trailer_size
        http_response_transfer_coding http_response_content_coding http_response_timeout
        http_upgrade_failed http_protocol_error proxy_internal_response proxy_internal_error
        proxy_configuration_error proxy_loop_detected
        """,
    )
)
WRITTEN = re.compile(r'torana; error=([a-z_]+); details="([A-Z_]+)(?: ([a-z_]+))?"')


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("reason", [None, *(outcome.value for outcome in Outcome), 'x"\r\n', 7])
def test_every_refusal_has_a_type(code: Code, reason: object) -> None:
    """Whatever its details are, it is one line of the form that the standard has."""
    details = {} if reason is None else {"reason": reason}
    found = WRITTEN.fullmatch(made(Rejection(code, "", details=details)).decode())

    assert found is not None
    assert found[1] in TYPES
    assert found[2] == code.value
    assert found[3] == (reason if reason in {outcome.value for outcome in Outcome} else None)


def test_a_grpc_services_own_status_is_not_the_gateways() -> None:
    """It has no `error`, by which the standard says that the intermediary made the answer."""
    said = error_of(status_of(5), "no such thing", [], service="shop")
    assert made(said) == b'torana; details="NOT_FOUND grpc"'
