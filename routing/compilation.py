"""P: Compiling the entries of a document: checked a few at a time, reused where they are what they were.

Theory of operation. Entries are checked by `routing.validation` in small documents that hold a few of
them and what they refer to. So no step is long, and an entry that is equal to the one from which the
previous snapshot was made is neither checked nor compiled again. When a small check finds a problem,
the whole document is checked once, and every problem is reported with its own place. A route is made
anew, too, when its service was: its plan may hold the old one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Protocol, TypeVar

from routing.access import NOTHING, Access, assemble_access
from routing.assembly import assemble_route, assemble_service
from routing.document.interpolation import fill
from routing.document.routes import RouteSpec
from routing.document.schema import DocumentSpec
from routing.document.services import ServiceSpec
from routing.problems import ConfigurationInvalid, Problem
from routing.snapshot import CompiledProvider, CompiledRoute, CompiledService, Snapshot, services_of
from routing.targets import find_overrides, overridden, override_key
from routing.topicassembly import assemble_topics
from routing.topics import NO_RULES, TopicRules
from routing.traffic import Quotas, TrafficDefaults, assemble_plans, assemble_quota
from routing.validation import Checked, check_document

Raw = Mapping[str, Any]
Steps = Generator[None, None, None]

_BATCH = 20  # entries between two turns for others: a millisecond or two
_TARGETS = re.compile(r"services\[([0-9]+)\]\.targets")
_POLICIES = ("quotas", "plans", "roles", "identity_providers", "topics")
_NAMING_SERVICES = ("backends", "aggregate", "mirror")  # beside `service` itself
_T = TypeVar("_T")
_Compiled = TypeVar("_Compiled", CompiledService, CompiledRoute)


class Options(Protocol):
    """The part of CompileOptions that entries need."""

    @property
    def env(self) -> Mapping[str, str]: ...
    @property
    def service_timeout_s(self) -> float: ...
    @property
    def traffic(self) -> TrafficDefaults: ...
    @property
    def providers(self) -> tuple[CompiledProvider, ...]: ...
    @property
    def read_secret(self) -> Callable[[str], str | None]: ...
    @property
    def prepare_route(self) -> Callable[[CompiledRoute], Any]: ...
    @property
    def prepare_service(self) -> Callable[[CompiledService], Any]: ...


class Compilation:
    """One document on its way; `run` fills what others read."""

    def __init__(self, raw: Raw, options: Options, previous: Snapshot | None) -> None:
        self.services: dict[str, CompiledService] = {}
        self.routes: dict[str, CompiledRoute] = {}
        self.disabled: dict[str, CompiledRoute] = {}
        self.defaults: Mapping[str, Any] = {}
        self.access: Access = NOTHING
        self.quotas: Quotas = {}
        self.plans: Mapping[str, Quotas] = {}
        self.topics: TopicRules = NO_RULES
        self._raw = raw
        self._options = options
        self._previous = previous
        self._whole: DocumentSpec | None = None  # only when the small checks were not enough
        self._overrides: dict[str, str] = {}

    def run(self) -> Steps:
        """Compile in steps. Raises ConfigurationInvalid with every problem of the whole document."""
        if not _is_well_formed(self._raw):
            raise self._refusal()
        self.defaults = self._raw.get("defaults") or {}
        apart = ("services", "routes", *_POLICIES)
        self._rest = {key: value for key, value in self._raw.items() if key not in apart}
        self._overrides = find_overrides(self._options.env)
        self._specs("routes", [], {})
        yield from self._compile_access()
        yield from self._compile_quotas()
        yield from self._compile_topics()
        yield from self._compile_services(self._raw.get("services") or [])
        yield from self._compile_routes(self._raw.get("routes") or [])
        if len(self.routes) + len(self.disabled) < len(self._raw.get("routes") or []):
            raise self._refusal()

    # Roles, identity providers, quotas and plans

    def _compile_access(self) -> Steps:
        roles = yield from self._checked("roles")
        providers = yield from self._checked("identity_providers")
        self.access = assemble_access(
            roles,
            list(zip(providers, self._raw.get("identity_providers") or [], strict=True)),
            built_in=self._options.providers,
            read_secret=self._options.read_secret,
            previous=self._previous,
        )

    def _compile_quotas(self) -> Steps:
        quotas = yield from self._checked("quotas")
        self.quotas = {spec.name: assemble_quota(spec) for spec in quotas}
        plans = yield from self._checked("plans")
        self.plans = assemble_plans(plans, self.quotas)

    def _compile_topics(self) -> Steps:
        specs = yield from self._checked("topics")
        self.topics = assemble_topics(specs, self._previous.topics if self._previous else NO_RULES)

    def _checked(self, kind: str) -> Generator[None, None, list[Any]]:
        """The specifications of a whole section."""
        entries = self._raw.get(kind) or []
        found: list[Any] = []
        for batch in _batches(entries):
            found += self._specs(kind, batch, self._quotas_for(batch))
            yield
        if len({spec.name for spec in found}) < len(entries):
            raise self._refusal()
        return found

    def _quotas_for(self, entries: Iterable[Raw]) -> Raw:
        """The quotas that entries name, for a small document: they were checked before."""
        named = {fill(name, self._options.env).value for entry in entries for name in _quota_names(entry)}
        known = [{"name": name, "limit": 1, "per": "1s"} for name in named if name in self.quotas]
        return {"quotas": known} if known else {}

    # Services

    def _compile_services(self, entries: Sequence[Raw]) -> Steps:
        known = _by_written_name(self._previous.services.values()) if self._previous else {}
        variables = {id(entry): self._variable(entry) for entry in entries}
        for batch in _batches(entries):
            changed = []
            for entry in batch:
                before, variable = known.get(entry["name"]), variables[id(entry)]
                checked = entry if variable is None else overridden(entry, variable, self._options.env)
                if before is None or before.source != entry or before.overridden_by != variable:
                    changed.append((entry, checked))
                else:
                    self.services[before.name] = before
            if changed:
                specs = self._specs("services", [checked for _, checked in changed], {})
                for (entry, _), spec in zip(changed, specs, strict=True):
                    self._add_service(spec, entry, variables[id(entry)])
            yield
        if len(self.services) < len(entries):
            raise self._refusal()

    def _add_service(self, spec: ServiceSpec, source: Raw, variable: str | None) -> None:
        service = assemble_service(
            spec,
            source=source,
            overridden_by=variable,
            total_timeout_s=self._options.service_timeout_s,
            defaults=self._options.traffic,
        )
        _attach(service, "runtime", self._options.prepare_service(service))
        self.services[service.name] = service

    # Routes

    def _compile_routes(self, entries: Sequence[Raw]) -> Steps:
        known = self._reusable()
        for batch in _batches(entries):
            changed = []
            for entry in batch:
                before = known.get(entry["name"])
                if before is None or before.source != entry or not self._means_the_same(before):
                    changed.append(entry)
                else:
                    self._keep(before, is_enabled=before.name in self._previous_routes())
            if changed:
                for entry, spec in zip(changed, self._route_specs(changed), strict=True):
                    self._add_route(spec, entry)
            yield

    def _reusable(self) -> dict[str, CompiledRoute]:
        previous = self._previous
        if previous is None or previous.defaults != self.defaults:
            return {}
        return _by_written_name([*previous.routes.values(), *previous.disabled.values()])

    def _previous_routes(self) -> Mapping[str, CompiledRoute]:
        return self._previous.routes if self._previous else {}

    def _means_the_same(self, route: CompiledRoute) -> bool:
        """Whether what the route names is what it was."""
        return self._has_same_service(route) and self._has_same_quotas(route)

    def _has_same_quotas(self, route: CompiledRoute) -> bool:
        before = self._previous.quotas if self._previous else {}
        return all(before.get(each.name) == self.quotas.get(each.name) for each in route.quotas)

    def _has_same_service(self, route: CompiledRoute) -> bool:
        if self._previous is None:
            return True
        before = self._previous.services
        return all(
            name in self.services and self.services[name] is before.get(name)
            for name in services_of(route.destination)
        )

    def _route_specs(self, changed: Sequence[Raw]) -> Sequence[RouteSpec]:
        names = {name for entry in (self.defaults, *changed) for name in _service_names(entry)}
        filled = {fill(name, self._options.env).value for name in names}
        # Routes are checked against the names of services only; those were checked before.
        known = [{"name": name} for name in filled if name in self.services]
        around = self._quotas_for((self.defaults, *changed))
        return self._specs("routes", changed, {**around, "services": known})

    def _add_route(self, spec: RouteSpec, source: Raw) -> None:
        route = assemble_route(
            spec,
            source=source,
            from_defaults=frozenset(self.defaults.keys() - source.keys()),
            quotas=self.quotas,
            defaults=self._options.traffic,
        )
        _attach(route, "plan", self._options.prepare_route(route))
        self._keep(route, is_enabled=spec.enabled)

    def _keep(self, route: CompiledRoute, *, is_enabled: bool) -> None:
        (self.routes if is_enabled else self.disabled)[route.name] = route

    # Checking

    def _specs(self, kind: str, entries: Sequence[Raw], others: Raw) -> Sequence[Any]:
        """The specifications of some entries, which are right or else the whole document is refused."""
        if self._whole is None:
            checked = self._check({**self._rest, **others, kind: list(entries)})
            if checked.spec is not None and not checked.problems:
                return tuple(getattr(checked.spec, kind))
            self._whole = self._check_whole()
        by_name = {spec.name: spec for spec in getattr(self._whole, kind)}
        return [by_name[self._filled_name(entry)] for entry in entries]

    def _check_whole(self) -> DocumentSpec:
        written: object = self._raw
        if self._overrides:
            services = [self._with_override(entry) for entry in self._raw.get("services") or []]
            written = {**self._raw, "services": services}
        checked = self._check(written)
        if checked.spec is None or checked.problems:
            raise ConfigurationInvalid(self._naming_variable(problem) for problem in checked.problems)
        return checked.spec

    def _naming_variable(self, problem: Problem) -> Problem:
        """A problem with an address that is not in the document says where it is."""
        found = _TARGETS.match(problem.path) if self._overrides else None
        if found is None:
            return problem
        variable = self._variable(self._raw["services"][int(found[1])])
        return replace(problem, message=f"{problem.message} (from {variable})") if variable else problem

    def _variable(self, entry: Raw) -> str | None:
        """The environment variable that replaces a service's targets."""
        return self._overrides.get(override_key(self._filled_name(entry))) if self._overrides else None

    def _filled_name(self, entry: Raw) -> str:
        return str(fill(entry["name"], self._options.env).value)

    def _with_override(self, entry: Raw) -> Raw:
        variable = self._variable(entry)
        return entry if variable is None else overridden(entry, variable, self._options.env)

    def _check(self, document: object) -> Checked:
        return check_document(document, env=self._options.env)

    def _refusal(self) -> ConfigurationInvalid:
        """What the whole document is refused for; it is known to be wrong."""
        try:
            self._check_whole()
        except ConfigurationInvalid as refusal:
            return refusal
        return ConfigurationInvalid([Problem("gateway.E001", "", "the document cannot be read")])


def _is_well_formed(raw: object) -> bool:
    """Whether the sections are lists of named entries, which everything here relies on."""
    return (
        isinstance(raw, Mapping)
        and isinstance(raw.get("defaults", {}), Mapping | None)
        and all(_is_section(raw.get(kind)) for kind in ("services", "routes", *_POLICIES))
    )


def _is_section(section: object) -> bool:
    return section is None or (isinstance(section, list) and all(map(_is_named, section)))


def _is_named(entry: object) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("name"), str)


def _by_written_name(compiled: Iterable[_Compiled]) -> dict[str, _Compiled]:
    return {entry.source["name"]: entry for entry in compiled}


def _service_names(entry: Raw) -> Iterator[str]:
    """The services that a route names, or that the defaults name for it."""
    if isinstance(name := entry.get("service"), str):
        yield name
    for key in _NAMING_SERVICES:
        if key in entry:
            yield from _names_within(entry[key])


def _names_within(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        if isinstance(name := part.get("service"), str):
            yield name
        part = list(part.values())
    if isinstance(part, list):
        for below in part:
            yield from _names_within(below)


def _quota_names(entry: Raw) -> Iterator[str]:
    """The quotas that a route, the defaults or a plan names, as a text or as {name: …}."""
    uses = entry.get("quotas")
    for use in uses if isinstance(uses, list) else ():
        name = use.get("name") if isinstance(use, Mapping) else use
        if isinstance(name, str):
            yield name


def _batches(entries: Iterable[_T]) -> Iterator[list[_T]]:
    pending = iter(entries)
    while batch := list(islice(pending, _BATCH)):
        yield batch


def _attach(compiled: object, name: str, value: object) -> None:
    """Set the one field of a frozen value that another layer fills, before anybody else sees the value."""
    object.__setattr__(compiled, name, value)
