"""The forms of services and targets: each fault at its field, values as written."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from routing.admin.forms.service import TARGET_LEAVES, ServiceForm, TargetForm, said_of
from routing.descriptortexts import packed
from routing.document.honoured import is_honoured
from routing.models import Service, Target
from tests.support.grpcserver import echo_set

pytestmark = pytest.mark.django_db


def bound(**changes: Any) -> ServiceForm:
    return ServiceForm({"name": "orders", **changes})


def test_only_what_is_honoured_is_shown() -> None:
    """What waits for later work is not there to be refused."""
    names = {leaf.name for leaf in ServiceForm.leaves}
    assert all(is_honoured("services", ".".join(leaf.path)) for leaf in ServiceForm.leaves)
    assert {"name", "protocol", "max_connections", "timeout__connect", "tls__verify", "tls__sni"} <= names
    assert {"load_balancing", "hash_on", "breaker__enabled", "health__path", "retries__on"} <= names
    assert [leaf.name for leaf in TARGET_LEAVES] == ["url", "weight", "zone", "backup", "drain"]
    [protocol] = [leaf for leaf in ServiceForm.leaves if leaf.name == "protocol"]
    assert protocol.choices == ("http", "https", "h2", "h2c", "grpc")


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"name": ""}, "name", "missing"),
        ({"name": "a/b"}, "name", "name"),
        ({"protocol": "ftp"}, "protocol", "http"),
        ({"timeout__connect": "2"}, "timeout__connect", '"2s"'),
        ({"timeout__read": "soon"}, "timeout__read", "duration"),
        ({"timeout__total": "0s"}, "timeout__total", "longer than 0"),
        ({"max_connections": "0"}, "max_connections", "at least 1"),
        ({"max_connections": "many"}, "max_connections", "whole number"),
        ({"max_connections": "${MOST:-5}"}, "max_connections", "written out"),
        ({"tls__sni": "*.a.test"}, "tls__sni", "wildcard"),
        ({"tls__verify": "often"}, "tls__verify", "true or false"),
        ({"tls__key": "-----BEGIN PRIVATE KEY-----\nabc"}, "tls__key", "${"),
    ],
)
def test_each_fault_is_at_its_field(changes: dict[str, str], field: str, says: str) -> None:
    """The message stands where it can be mended."""
    form = bound(**changes)
    assert not form.is_valid()
    assert field in form.errors
    assert says in " ".join(form.errors[field])


def test_secret_is_not_repeated_in_a_message() -> None:
    """A private key that was pasted is refused without being shown again in the message."""
    form = bound(tls__key="-----BEGIN PRIVATE KEY-----\nSECRETSECRET")
    assert "SECRETSECRET" not in str(form.errors)


def test_values_are_stored_as_written() -> None:
    """Sections hold the keys that were filled in, and nothing else."""
    form = bound(timeout__connect="250ms", tls__verify="no", max_connections="64", protocol="http")
    assert form.is_valid(), form.errors
    service = form.save()
    service.refresh_from_db()
    assert (service.timeout, service.tls) == ({"connect": "250ms"}, {"verify": False})
    assert (service.max_connections, service.protocol) == (64, "http")


def test_emptied_section_becomes_null() -> None:
    """Emptying the last field of a section removes the section."""
    service = Service.objects.create(name="orders", timeout={"connect": "1s"})
    form = ServiceForm({"name": "orders", "seen_version": service.version}, instance=service)
    assert form.is_valid(), form.errors
    assert form.save().timeout is None


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("127.0.0.1:8001", 'say "http://127.0.0.1:8001"'),
        ("ftp://h", "http://"),
        ("http://user:pw@h", "user name"),
        ("http://h/?q=1", "query"),
        ("", ""),
    ],
)
def test_faulty_target_is_told_at_its_url(url: str, says: str) -> None:
    """A target is judged as a target of its service."""
    target = Target(service=Service.objects.create(name="s"))
    form = TargetForm({"url": url}, instance=target)
    assert not form.is_valid()
    assert says in " ".join(form.errors.get("url", form.errors.get("__all__", [])))


def test_a_descriptor_file_takes_the_place_of_the_text() -> None:
    """It is kept as text, so that revisions hold it; one that is too large is refused at its field."""
    file = SimpleUploadedFile("echo.binpb", echo_set())
    form = ServiceForm(
        {"name": "calls", "protocol": "grpc", "descriptors": "old"}, {"descriptors_file": file}
    )
    assert form.is_valid(), form.errors
    assert form.entry["descriptors"] == packed(echo_set())
    large = SimpleUploadedFile("echo.binpb", bytes((4 << 20) + 1))
    form = ServiceForm({"name": "calls", "protocol": "grpc"}, {"descriptors_file": large})
    assert list(form.errors) == ["descriptors_file"]
    wrong = SimpleUploadedFile("echo.binpb", b"nonsense")
    form = ServiceForm({"name": "calls", "protocol": "grpc"}, {"descriptors_file": wrong})
    assert list(form.errors) == ["descriptors_file"]
    form = ServiceForm({"name": "calls", "protocol": "grpc", "descriptors": "AAAA"})
    assert list(form.errors) == ["descriptors"]


def test_what_a_set_has_in_it_is_said() -> None:
    """Beside the field, in words and no more of them than a page has room for."""
    assert said_of(packed(echo_set())).startswith("echo.Echo (Say, ")
    assert [said_of(text) for text in (None, "", "nonsense")] == ["", "", ""]
    service = Service(name="calls", protocol="grpc", descriptors=packed(echo_set()))
    service.save()
    assert "Now: echo.Echo (" in str(ServiceForm(instance=service).fields["descriptors_file"].help_text)
    assert "Now" not in str(ServiceForm().fields["descriptors_file"].help_text)
