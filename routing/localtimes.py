"""P: Times as people write them, in a named time zone; those that a clock change makes unclear are refused."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST: Final = 40


class BadTime(ValueError):  # noqa: N818 - a finding about what somebody wrote
    """The time cannot be used; str(error) says why and what would help."""


def zone_named(name: str) -> ZoneInfo:
    """Raises BadTime."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadTime(f'"{name}" is not a time zone: write one such as Europe/Berlin or UTC') from None


def moment(text: str, zone: str) -> datetime:
    """`2026-11-27 09:00` in a zone, as UTC. An offset (`02:30+01:00`) says which of two times is meant.

    Raises BadTime for a time that a clock change leaves out, or that comes twice and has no offset.
    """
    place = zone_named(zone)
    try:
        written = datetime.fromisoformat(text.strip()[:LONGEST])
    except ValueError:
        raise BadTime(f'"{text[:LONGEST]}" is not a time: write one such as 2026-11-27 09:00') from None
    if not 1970 < written.year < 9000:
        raise BadTime(f"the year {written.year} is too far away")
    wall = written.replace(tzinfo=None)
    possible = _possible(wall, place)
    if not possible:
        raise BadTime(f"{wall} does not exist in {zone}: the clocks are put forward past it")
    if written.tzinfo is not None:
        return _meant(written, zone, possible)
    if len(possible) > 1:
        choices = " or ".join(each.isoformat(sep=" ") for each in possible)
        raise BadTime(f"{wall} comes twice in {zone}, as the clocks are put back: write {choices}")
    return possible[0].astimezone(UTC)


def shown(at: datetime, zone: str) -> str:
    """`2026-11-27 09:00 CET`, as the zone's clocks show it."""
    local = at.astimezone(zone_named(zone))
    return f"{local:%Y-%m-%d %H:%M}{f'{local:%H:%M:%S}'[5:] if local.second else ''} {local.tzname()}"


def _meant(written: datetime, zone: str, possible: list[datetime]) -> datetime:
    fitting = [each for each in possible if each.utcoffset() == written.utcoffset()]
    if not fitting:
        offsets = " or ".join(f"{each:%z}" for each in possible)
        raise BadTime(f"{written} has another offset than {zone} has then ({offsets})")
    return fitting[0].astimezone(UTC)


def _possible(wall: datetime, place: ZoneInfo) -> list[datetime]:
    """The one or two moments at which the zone's clocks show this, in order; none if they leave it out."""
    found: list[datetime] = []
    for fold in (0, 1):
        each = wall.replace(tzinfo=place, fold=fold)
        back = each.astimezone(UTC).astimezone(place)
        if back.replace(tzinfo=None) == wall and all(
            each.utcoffset() != other.utcoffset() for other in found
        ):
            found.append(each)
    return found
