"""Dialogs: a reason, and the way on."""

from django.test import RequestFactory

from routing.admin.dialogs import REASON_LENGTH, ReasonDialog, go


def test_reason_is_optional_and_bounded() -> None:
    """Nothing has to be said; what is said is short."""
    request = RequestFactory().post("/")
    assert ReasonDialog(request=request, data={"_form_submitted": "on"}).is_valid()
    long = {"_form_submitted": "on", "reason": "x" * (REASON_LENGTH + 1)}
    assert list(ReasonDialog(request=request, data=long).errors) == ["reason"]


def test_dialog_that_was_not_sent_is_not_valid() -> None:
    """A request without the dialog's own mark opens it instead of acting."""
    assert not ReasonDialog(request=RequestFactory().post("/"), data={"reason": "x"}).is_valid()


def test_htmx_is_told_to_load_the_page_and_browsers_are_redirected() -> None:
    """A redirect inside a dialog would put a page into the dialog."""
    by_htmx = go(RequestFactory().post("/", headers={"HX-Request": "true"}), "/there/")
    assert (by_htmx.status_code, by_htmx.headers["HX-Redirect"]) == (200, "/there/")
    by_browser = go(RequestFactory().post("/"), "/there/")
    assert (by_browser.status_code, by_browser.headers["Location"]) == (302, "/there/")
