"""The page of live connections: who is connected, and an operator's word to end some or all."""

import pytest
from django.test import Client
from django.urls import reverse

from realtime.models import SocketEnding
from tests.support.accesspages import choose, dialog, listed
from tests.support.adminpages import signed_in
from tests.support.livesockets import live

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/realtime/livesocket/"
HISTORY = "/admin/realtime/socketending/"


@pytest.fixture
def operator() -> Client:
    return signed_in("anna", permissions=("routing.operate",))


def test_list_shows_who_is_connected(operator: Client) -> None:
    """With the route, since when, and how much went over it; it can be narrowed down."""
    live(1, user="<b>ada", received=2048, sent=5)
    live(2, user="", route="other")
    text = operator.get(LIST).content.decode()
    for part in ("&lt;b&gt;ada", "anonymous", "192.0.2.1", "2.0\xa0KB", "5\xa0bytes", "w1"):
        assert part in text
    assert [row.number for row in listed(operator, LIST, "route=other")] == [2]
    assert [row.number for row in listed(operator, LIST, "q=ada")] == [1]


def test_an_operator_ends_one_some_or_all_in_dialogs(operator: Client) -> None:
    """Each with a reason, which the history keeps."""
    one, other = live(1), live(2, user="bert")
    dialog(operator, reverse("admin:realtime_livesocket_end", args=[one.pk]), reason="stuck")
    choose(operator, LIST, "end_selected", [one, other], confirmed="1", reason="both")
    dialog(operator, reverse("admin:realtime_livesocket_end_every_one"), reason="deploy")
    ended = [(row.what, row.by, row.reason) for row in listed(operator, HISTORY)]
    assert ended[0] == ("all connections", "anna", "deploy")
    assert sorted(ended[1:]) == [
        ("ada on live, 192.0.2.1", "anna", "both"),
        ("ada on live, 192.0.2.1", "anna", "stuck"),
        ("bert on live, 192.0.2.1", "anna", "both"),
    ]


def test_others_look_at_most() -> None:
    """Whoever may see callers may look; ending takes the right to operate."""
    row = live()
    viewer = signed_in("vera", permissions=("authproxy.view_limitedcaller",))
    assert viewer.get(LIST).status_code == 200
    viewer.post(reverse("admin:realtime_livesocket_end", args=[row.pk]), {"_form_submitted": "True"})
    viewer.post(reverse("admin:realtime_livesocket_end_every_one"), {"_form_submitted": "True"})
    viewer.post(LIST, {"action": "end_selected", "_selected_action": [row.pk], "confirmed": "1"})
    assert not SocketEnding.objects.exists()
    assert signed_in("otto", permissions=("routing.view_plan",)).get(LIST).status_code == 403
