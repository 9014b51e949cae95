"""D: The roles that every account has are configuration; a revision that changes them changes every account."""

import orjson

from authproxy import revocation
from authproxy.liveroles import roles_of
from routing.models import Revision
from routing.publishing import PublishedEvent


def record_changes(event: PublishedEvent) -> None:
    """Listens to publishing, inside its transaction."""
    if event.revision is None or all(entry.kind != "roles" for entry in event.changes.entries):
        return
    newest = Revision.objects.filter(number__lte=event.revision).order_by("-number")[:2]
    roles = [roles_of(orjson.loads(revision.document)).default for revision in newest]
    if len(set(roles)) > 1 or (len(roles) == 1 and roles[0]):
        revocation.record(revocation.DEFAULT_ROLES, reason=f"revision {event.revision}")
