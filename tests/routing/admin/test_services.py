"""The pages of services: targets beside them, routes counted, as few queries at any size."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from routing.descriptortexts import packed
from routing.drafts import Actor
from routing.models import Revision, Service, Target
from routing.publishing import apply_document
from tests.support.adminpages import errors, filled, page, signed_in, submit, viewer
from tests.support.configuration import large, route, service
from tests.support.grpcserver import echo_set

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST_QUERIES = (
    8  # session, user, pending badge, whether any is managed, two counts, the page, its rows' children
)


@pytest.fixture
def admin() -> Client:
    return signed_in()


def several() -> None:
    targets = [{"url": f"http://127.0.0.1:{port}"} for port in range(9000, 9005)]
    services = [
        service("empty", targets=[]),
        service("many", targets=targets),
        service("safe", targets=[{"url": "https://s.test"}], protocol="https"),
    ]
    apply_document(
        {"version": 1, "services": services, "routes": [route("r", to="many")]}, actor=Actor("first")
    )


def listed(client: Client, query: str = "") -> list[str]:
    response = client.get(f"{page('service', 'changelist')}?{query}")
    return [row.name for row in response.context["cl"].result_list]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["empty", "many", "safe"]),
        ("protocol=http", ["empty", "many"]),
        ("protocol=https", ["safe"]),
        ("q=9004", ["many"]),
        ("q=s.test", ["safe"]),
        ("o=-4", ["many", "empty", "safe"]),
    ],
)
def test_filters_search_and_order(admin: Client, query: str, names: list[str]) -> None:
    """A service is found by its name or a target; one that says nothing speaks HTTP."""
    several()
    assert listed(admin, query) == names


def test_list_says_what_stands_behind_a_service(admin: Client) -> None:
    """A few targets, how many more, a warning where there is none, and the number of its routes."""
    several()
    text = admin.get(page("service", "changelist")).content.decode()
    assert "http://127.0.0.1:9002" in text
    assert "http://127.0.0.1:9003" not in text
    assert "and 2 more" in text
    assert "none: every request fails" in text
    assert f'service__id__exact={Service.objects.get(name="many").pk}">1</a>' in text


def test_list_counts_routes_that_give_a_service_a_share(admin: Client) -> None:
    """Beside those that lead to it alone: who deletes it should know."""
    shared = route("q", "/q") | {"backends": [{"service": "many"}, {"service": "safe"}]}
    shared.pop("service")
    several()
    apply_document({"version": 1, "routes": [shared]}, actor=Actor("first"))
    text = admin.get(page("service", "changelist")).content.decode()
    assert text.count(" and 1 with a share") == 2
    assert f'service__id__exact={Service.objects.get(name="safe").pk}">0</a> and 1 with a share' in text


@pytest.mark.parametrize("size", [2, 70])
def test_list_takes_the_same_queries_at_any_size(admin: Client, size: int) -> None:
    """No query per row."""
    apply_document(large(size, services=size), actor=Actor("first"))
    admin.get(page("service", "changelist"))
    with CaptureQueriesContext(connection) as queries:
        admin.get(page("service", "changelist"))
    assert len(queries) == LIST_QUERIES, [query["sql"][:100] for query in queries]


def test_duplicate_takes_the_targets_along(admin: Client) -> None:
    """The form is filled in with them, and saving it makes a second service with the same targets."""
    several()
    url = f"{page('service', 'add')}?copy_of={Service.objects.get(name='many').pk}"
    data = filled(admin, url)
    assert data["name"] == "many-copy"
    assert [data[f"targets-{n}-url"][-4:] for n in range(5)] == ["9000", "9001", "9002", "9003", "9004"]
    assert submit(admin, url, {}).status_code == 302
    assert Target.objects.filter(service__name="many-copy").count() == 5


def test_faulty_target_is_told_at_its_row(admin: Client) -> None:
    """Of several targets, the wrong one is marked, and nothing is saved."""
    data = {"name": "s", "targets-TOTAL_FORMS": "2", "targets-0-url": "http://h:1", "targets-1-url": "h:2"}
    response = submit(admin, page("service", "add"), data)
    [(field, [text])] = errors(response).items()
    assert field == "targets-1-url"
    assert "http://" in text
    assert (Service.objects.count(), Revision.objects.count()) == (0, 0)


def test_target_that_does_not_fit_the_protocol_is_told(admin: Client) -> None:
    """Protocol https wants https targets; the message is at the target."""
    data = {"name": "s", "protocol": "https", "targets-0-url": "http://h:1"}
    found = errors(submit(admin, page("service", "add"), data))
    assert "https" in " ".join(text for texts in found.values() for text in texts)
    assert set(found) <= {"targets-0-url", "protocol"}


def test_viewer_sees_targets_and_changes_nothing() -> None:
    """Read-only pages show what inputs would."""
    several()
    client = viewer()
    text = client.get(page("service", "change", Service.objects.get(name="many").pk)).content.decode()
    assert "http://127.0.0.1:9004" in text
    assert 'name="_save"' not in text
    assert client.get(page("service", "add")).status_code == 403


def test_a_descriptor_set_is_uploaded_with_the_form(admin: Client) -> None:
    """What is none is told at its field, and nothing is saved."""
    there = page("service", "add")
    fields = {"name": "calls", "protocol": "grpc", "targets-0-url": "http://127.0.0.1:50051"}
    found = errors(submit(admin, there, fields | {"descriptors_file": upload(b"nonsense")}))
    assert "descriptor set" in " ".join(found["descriptors_file"])
    assert not Service.objects.exists()
    assert submit(admin, there, fields | {"descriptors_file": upload(echo_set())}).status_code == 302
    saved = Service.objects.get(name="calls")
    assert saved.descriptors == packed(echo_set())
    assert 'enctype="multipart/form-data"' in admin.get(page("service", "change", saved.pk)).content.decode()


def upload(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("set.binpb", data)


MANY = 120  # three pages of targets


def with_many(protocol: str = "http") -> str:
    """A service with more targets than a page shows; the path of its page."""
    targets = [{"url": f"{protocol}://10.0.0.{n}:80"} for n in range(MANY)]
    apply_document({"version": 1, "services": [service("big", targets=targets)]}, actor=Actor("first"))
    return page("service", "change", Service.objects.get().pk)


def urls() -> list[str]:
    return [target.url for target in Service.objects.get().targets.all()]


def test_a_page_shows_some_of_very_many_targets(admin: Client) -> None:
    """The rows of fifty, however many there are; a page that there is not is the first."""
    there = with_many()
    sizes = []
    for number in ("1", "3", "4", "0", "²", "x", "9" * 40):
        response = admin.get(f"{there}?targets-page={number}")
        [inline] = response.context["inline_admin_formsets"]
        sizes.append(len(inline.formset.forms))
    assert sizes == [50, 20, 50, 50, 50, 50, 50]


def test_saving_a_page_leaves_the_targets_of_others(admin: Client) -> None:
    """What is changed, removed and added is of that page."""
    there = f"{with_many()}?targets-page=2"
    before = urls()
    data = filled(admin, there)
    changes = {
        "targets-0-url": "http://10.0.1.1:80",
        "targets-1-DELETE": "on",
        "targets-TOTAL_FORMS": "51",
        "targets-50-url": "http://10.0.1.2:80",
        "targets-50-service": data["targets-0-service"],
    }
    assert admin.post(there, data | changes).status_code == 302
    assert set(urls()) == {*before, "http://10.0.1.1:80", "http://10.0.1.2:80"} - set(before[50:52])


def test_what_is_sent_back_is_of_the_rows_that_it_names(admin: Client) -> None:
    """Although others were removed since, and pages begin elsewhere."""
    there = f"{with_many()}?targets-page=2"
    data = filled(admin, there)
    last = data["targets-49-url"]
    Target.objects.filter(url__in=urls()[:10]).delete()
    assert admin.post(there, data | {"targets-49-url": "http://10.0.1.1:80"}).status_code == 302
    assert (last in urls(), "http://10.0.1.1:80" in urls()) == (False, True)


def test_what_is_wrong_with_targets_of_other_pages_is_told(admin: Client) -> None:
    """Of the first few; those of this page are marked. One that stands on another page already is not taken twice."""
    there = with_many()
    response = submit(admin, there, {"protocol": "https"})
    [inline] = response.context["inline_admin_formsets"]
    told = inline.formset.non_form_errors()
    assert [text.partition(": ")[0] for text in told] == [f"http://10.0.0.{n}:80" for n in range(50, 60)]
    assert len([form for form in inline.formset.forms if form.errors]) == 50
    assert "http://10.0.0.50:80: " in response.content.decode()
    twice = submit(admin, there, {"targets-3-url": "http://10.0.0.119:80"})
    assert list(errors(twice)) == ["targets-3-url"]
    assert Revision.objects.count() == 1


def test_a_service_of_very_many_targets_is_duplicated(admin: Client) -> None:
    """With all of them, which make more fields than a form has otherwise."""
    targets = [{"url": f"http://10.0.0.{n}:80"} for n in range(200)]
    apply_document({"version": 1, "services": [service("big", targets=targets)]}, actor=Actor("first"))
    url = f"{page('service', 'add')}?copy_of={Service.objects.get().pk}"
    assert submit(admin, url, {}).status_code == 302
    assert Target.objects.filter(service__name="big-copy").count() == len(targets)
