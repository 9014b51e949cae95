"""P: Checks a raw document and reports everything that is wrong with it, at once, each with its place.

The same checks serve `gateway validate` and `apply`, the admin forms and the compiler.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from routing.document.entries import CheckedEntry, Surroundings, check_entry
from routing.document.findings import Finding, Location, repeated
from routing.document.grpc_rules import check_grpc, check_grpc_service
from routing.document.honoured import unhonoured_section
from routing.document.interpolation import FilledDocument, Unset, fill
from routing.document.reserved_rules import ReservedPaths
from routing.document.schema import KINDS, DefaultsSpec, DocumentSpec
from routing.document.socket_rules import check_sockets
from routing.document.topic_rules import check_topics_apart
from routing.problems import Problem, did_you_mean, format_path, quote

MAX_PROBLEMS: Final = 500
_PASSED: Final = CheckedEntry(None, ())
Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """What is known of a document. Without a spec and without problems, `${…}` could not be filled in, or not all of
    it was looked at. `noticed`: of which entries, by kind and name, something was found.
    """

    spec: DocumentSpec | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    noticed: frozenset[tuple[str, str]] = frozenset()


def check_document(
    raw: object,
    *,
    env: Mapping[str, str],
    require_env: bool = True,
    api_prefix: str = "/api/v1",
    jwt_algorithm: str | None = None,
    unchanged: Collection[int] = frozenset(),
) -> Checked:
    """Checks a whole document with `env` filled in. Never raises for a JSON-like value.

    Unset variables are problems, or with `require_env` False warnings; what stands there is not judged then. Without
    `jwt_algorithm`, nothing is said of what depends on it. `unchanged` are identities of entries that are known to be
    without fault and have nothing to be filled in (see `routing.soundness`): they are only looked at beside others.
    """
    if not isinstance(raw, Mapping):
        message = f"must be a mapping with keys such as services and routes, not {quote(raw)}"
        return Checked(None, (Problem("gateway.E001", "", message),), ())
    filled = fill(raw, env, unchanged)
    report = _Report(filled, require_env=require_env)
    check = _DocumentCheck(filled.value, report, ReservedPaths(api_prefix), jwt_algorithm, unchanged)
    spec = check.run()
    problems, warnings = report.finished()
    return Checked(None if problems else spec, problems, warnings, frozenset(check.noticed))


def check_service(raw: object, *, env: Mapping[str, str] | None = None) -> tuple[Problem, ...]:
    """The problems of one service; paths are relative to it. Without `env`, variables are not judged."""
    return _check_one("services", raw, Surroundings(), env, check_grpc_service)


def check_route(
    raw: object,
    *,
    known_services: Collection[str] | None,
    known_quotas: Collection[str] | None = None,
    defaults: Raw | None = None,
    env: Mapping[str, str] | None = None,
) -> tuple[Problem, ...]:
    """The problems of one route under these defaults; paths are relative to it, such as `rewrite.regex.pattern`."""
    filled_defaults = fill(defaults or {}, env or {}).value
    around = Surroundings(services=known_services, quotas=known_quotas, defaults=filled_defaults)
    return _check_one("routes", raw, around, env)


def _check_one(
    kind: str,
    raw: object,
    around: Surroundings,
    env: Mapping[str, str] | None,
    check_more: Callable[[object], Iterable[Finding]] | None = None,
) -> tuple[Problem, ...]:
    filled = fill(raw, env or {})
    report = _Report(filled, require_env=env is not None)
    report.add(check_entry(kind, filled.value, around).findings, ())
    if check_more is not None:
        report.add(list(check_more(filled.value)), ())
    return report.finished()[0]


class _Report:
    """Collects findings, leaves out what cannot be judged, and knows when it is enough."""

    __slots__ = ("_require_env", "_unset", "problems", "warnings")

    def __init__(self, filled: FilledDocument, *, require_env: bool) -> None:
        self.problems: list[Problem] = list(filled.problems[:MAX_PROBLEMS])
        self.warnings: list[Problem] = []
        self._unset = {unset.location for unset in filled.unset}
        self._require_env = require_env
        for unset in filled.unset:
            (self.problems if require_env else self.warnings).append(self._unset_problem(unset))

    @property
    def is_full(self) -> bool:
        return len(self.problems) >= MAX_PROBLEMS

    def add(self, findings: Collection[Finding], place: Location) -> None:
        """Takes findings of the entry at a place of the document."""
        for finding in findings:
            if self._unset and self._is_unset((*place, *finding.location)):
                continue
            found = self.warnings if finding.is_warning else self.problems
            found.append(finding.problem(place))

    def finished(self) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
        """Problems and warnings, bounded."""
        if len(self.problems) > MAX_PROBLEMS:
            rest = Problem("gateway.E099", "", f"there are more problems; these are the first {MAX_PROBLEMS}")
            self.problems[MAX_PROBLEMS:] = [rest]
        return tuple(self.problems), tuple(self.warnings[:MAX_PROBLEMS])

    def _is_unset(self, location: Location) -> bool:
        return any(location[:end] in self._unset for end in range(1, len(location) + 1))

    def _unset_problem(self, unset: Unset) -> Problem:
        message = (
            f"the environment variable {unset.variable} is not set; "
            f"${{{unset.variable}:-…}} gives a default, $${{ is a literal ${{"
        )
        problem_id = "gateway.E027" if self._require_env else "gateway.W001"
        return Problem(problem_id, format_path(unset.location), message)


class _DocumentCheck:
    __slots__ = ("_jwt_algorithm", "_raw", "_report", "_reserved", "_unchanged", "noticed")

    def __init__(
        self,
        raw: Raw,
        report: _Report,
        reserved: ReservedPaths,
        jwt_algorithm: str | None,
        unchanged: Collection[int],
    ) -> None:
        self._raw = raw
        self._report = report
        self._reserved = reserved
        self._jwt_algorithm = jwt_algorithm
        self._unchanged = unchanged
        self.noticed: set[tuple[str, str]] = set()

    def run(self) -> DocumentSpec | None:
        """Checks section by section; None when some entry has no specification."""
        self._report.add(self._top_level(), ())
        defaults = self._defaults()
        around = Surroundings(
            services=self._names("services"),
            quotas=self._names("quotas"),
            roles=self._names("roles"),
            defaults=self._mapping("defaults"),
            reserved=self._reserved,
            jwt_algorithm=self._jwt_algorithm,
        )
        seen = frozenset(defaults.findings)
        sections = {kind: self._section(kind, around, seen) for kind in KINDS}
        self._report.add(self._cookies(), ())
        self._report.add(list(check_topics_apart(self._list("topics"))), ())
        sockets = check_sockets(self._list("routes"), self._list("services"), self._mapping("defaults"))
        self._report.add(list(sockets), ())
        calls = check_grpc(self._list("routes"), self._list("services"), self._mapping("defaults"))
        self._report.add(list(calls), ())
        if defaults.spec is None or any(None in specs for specs in sections.values()):
            return None
        values: dict[str, Any] = {"version": 1, "defaults": defaults.spec, **sections}
        return DocumentSpec.model_construct(**values)

    def _top_level(self) -> list[Finding]:
        known = list(DocumentSpec.model_fields)
        unknown = [name for name in self._raw if name not in known]
        findings = [
            Finding("gateway.E002", (name,), f"unknown key{did_you_mean(name, known)}") for name in unknown
        ]
        version = self._raw.get("version")
        if version is not None and (version != 1 or isinstance(version, bool)):
            message = f"this gateway reads version 1, not {quote(version)}"
            findings.append(Finding("gateway.E034", ("version",), message))
        for kind in KINDS:
            entries = self._raw.get(kind)
            if entries is not None and not isinstance(entries, list):
                message = f"must be a list of entries, each with its name, not {quote(entries)}"
                findings.append(Finding("gateway.E004", (kind,), message))
            elif entries and (finding := unhonoured_section(kind)) is not None:
                findings.append(finding)
        return findings

    def _defaults(self) -> CheckedEntry:
        raw = self._raw.get("defaults")
        if not raw and raw in (None, {}):
            return CheckedEntry(DefaultsSpec(), ())
        around = Surroundings(
            services=self._names("services"),
            quotas=self._names("quotas"),
            roles=self._names("roles"),
            jwt_algorithm=self._jwt_algorithm,
        )
        checked = check_entry("defaults", raw, around)
        self._report.add(checked.findings, ("defaults",))
        return checked

    def _section(self, kind: str, around: Surroundings, seen: frozenset[Finding]) -> tuple[Any, ...]:
        specs: list[Any] = []
        first: dict[str, int] = {}
        for index, raw in enumerate(self._list(kind)):
            if self._report.is_full:
                self._report.problems.append(Problem("gateway.E099", kind, "not all entries were looked at"))
                break
            name = raw.get("name") if isinstance(raw, Mapping) else None
            checked = _PASSED if id(raw) in self._unchanged else check_entry(kind, raw, around)
            specs.append(checked.spec)
            # What comes from the defaults was reported there.
            if new := [found for found in checked.findings if found not in seen]:
                self._report.add(new, (kind, index))
                self.noticed.add((kind, str(name)))
            if isinstance(name, str) and (other := first.setdefault(name, index)) != index:
                message = f"{quote(name)} is the name of {kind}[{other}] already"
                self._report.add([Finding("gateway.E010", ("name",), message, name)], (kind, index))
        return tuple(specs)

    def _cookies(self) -> list[Finding]:
        """A cookie says by its name whose token it holds, so two providers never share one."""
        providers = [
            entry if isinstance(entry, Mapping) else {} for entry in self._list("identity_providers")
        ]
        cookies = [provider.get("cookie") for provider in providers]
        return list(repeated(cookies, ("identity_providers",), "cookie"))

    def _names(self, kind: str) -> frozenset[str]:
        return frozenset(
            name
            for entry in self._list(kind)
            if isinstance(entry, Mapping) and isinstance(name := entry.get("name"), str)
        )

    def _list(self, kind: str) -> list[Any]:
        entries = self._raw.get(kind)
        return entries if isinstance(entries, list) else []

    def _mapping(self, key: str) -> Raw:
        value = self._raw.get(key)
        return value if isinstance(value, Mapping) else {}
