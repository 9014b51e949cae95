"""D: Which targets take nothing new: a change of the configuration like any other. Every door comes through here."""

from collections.abc import Collection

from django.db.models import F
from django.utils import timezone

from routing.diff import Changes
from routing.drafts import Actor, live_revision
from routing.locking import writing
from routing.models import Lease, Service, Target
from routing.ordering import OrderRefused, require_service
from routing.problems import ConfigurationInvalid, did_you_mean
from routing.publishing import Outcome, publish_rows_after_edit


def drain(
    service: str, url: str, *, undo: bool = False, actor: Actor, reason: str = "", source: str = "api"
) -> Outcome:
    """Publishes that a target drains, or takes requests again; under review it is a draft.

    Raises OrderRefused for what is not there, or what the configuration as it stands does not allow.
    """
    with writing():
        require_service(service)
        row = Service.objects.get(name=service)
        target = _target(row, url)
        if bool(target.drain) is not undo:
            live = live_revision()
            return Outcome("unchanged", Changes(), live.number if live else None)
        switch(row, [target])
        message = reason or f"{'Use again' if undo else 'Drain'} {url} of {service}"
        try:
            return publish_rows_after_edit(actor=actor, message=message, source=source)
        except ConfigurationInvalid as error:
            raise OrderRefused("service", f"nothing was changed: {error.problems[0]}") from error


def switch(service: Service, targets: Collection[Target]) -> None:
    """Those that drain take requests again, and the other way round. The caller publishes the rows."""
    for each in targets:
        Target.objects.filter(pk=each.pk).update(drain=None if each.drain else True)
    Service.objects.filter(pk=service.pk).update(version=F("version") + 1, updated_at=timezone.now())


def _target(service: Service, url: str) -> Target:
    """Of its configuration: what registered itself leaves by itself."""
    rows = {each.url: each for each in Target.objects.filter(service=service)}
    if (found := rows.get(url)) is not None:
        return found
    if "\0" not in url and Lease.objects.filter(service=service.name, url=url, ended_at=None).exists():
        raise OrderRefused("url", f'"{url}" registered itself: end its lease instead')
    raise OrderRefused("url", f'"{service.name}" has no target "{url}"{did_you_mean(url, rows)}')
