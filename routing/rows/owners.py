"""D: Owner: who may edit one service with its routes, or one route, without being an editor of them all."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models
from django.db.models import Q

from routing.rows.routes import Route
from routing.rows.services import Service


def _either(one: str, other: str) -> Q:
    return Q(**{f"{one}__isnull": False, f"{other}__isnull": True}) | Q(
        **{f"{one}__isnull": True, f"{other}__isnull": False}
    )


class Owner(models.Model):
    """One account or group, and one service or route. Owning a service is owning the routes that lead to it."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    group = models.ForeignKey(Group, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    service = models.ForeignKey(
        Service, null=True, blank=True, on_delete=models.CASCADE, related_name="owners"
    )
    route = models.ForeignKey(Route, null=True, blank=True, on_delete=models.CASCADE, related_name="owners")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=_either("user", "group"),
                name="owner_is_one",
                violation_error_message="Choose either an account or a group.",
            ),
            models.CheckConstraint(
                condition=_either("service", "route"),
                name="owner_of_one",
                violation_error_message="Choose either a service or a route.",
            ),
            *(
                models.UniqueConstraint(
                    fields=[who, what],
                    name=f"owner_{who}_{what}",
                    violation_error_message="That is so already.",
                )
                for who in ("user", "group")
                for what in ("service", "route")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user or self.group} owns {self.service or self.route}"
