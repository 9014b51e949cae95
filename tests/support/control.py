"""D: A client of the control API: staff of one of the ready groups, and JSON both ways."""

from typing import Any

from django.contrib.auth.models import Group

from tests.support.endpoints import Endpoints, account

V1 = "/control/v1"


class Control(Endpoints):
    """One account's. `group` is one of the ready groups; "" gives it none."""

    def __init__(self, name: str = "ada", group: str = "", *, is_superuser: bool = False) -> None:
        super().__init__()
        user = account(name, is_staff=True, is_superuser=is_superuser)
        if group:
            user.groups.add(Group.objects.get(name=group))
        self.user = user
        self.token = str(self.signed_in(name)["access"])
        self.cookies.clear()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer. `if_match="…"` is the field If-Match."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        data = {} if body is None else {"data": body, "content_type": "application/json"}
        return getattr(self, method.lower())(
            f"{V1}/{path}", headers={"authorization": f"Bearer {self.token}", **fields}, **data
        )
