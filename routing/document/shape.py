"""P: The document's tree of keys, read off the schema once: order, defaults, what is below each key."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from pydantic import PlainValidator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, PydanticUndefined

from routing.document.base import Spec
from routing.document.schema import DocumentSpec

Form = Literal["scalar", "section", "list", "map"]


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the document. `form` says what holds `below`: itself, list items or map values."""

    name: str
    order: int
    description: str
    required: bool
    secret: bool
    always_written: bool
    form: Form
    below: "Shape | None" = None
    default: Any = None
    parse: Callable[[Any], Any] | None = field(default=None, repr=False)

    def is_default(self, value: Any) -> bool:
        """Whether a raw value says the same as leaving the key out."""
        if value is None:
            return True
        if self.required or self.default is None:
            return False
        if isinstance(value, list) and isinstance(self.default, tuple) and self.parse is None:
            return tuple(value) == self.default
        if isinstance(value, dict) and not value:
            return self.form != "scalar" or self.default == {}
        if self.parse is not None:
            return self._parses_to_default(value)
        return value == self.default and isinstance(value, bool) == isinstance(self.default, bool)

    def _parses_to_default(self, value: Any) -> bool:
        assert self.parse is not None
        try:
            return bool(self.parse(value) == self.default)
        except PydanticCustomError:
            return False


@dataclass(frozen=True, slots=True)
class Shape:
    """The keys of one part of the document, in the order in which they are written."""

    title: str
    keys: Mapping[str, Key]
    empty_is_absent: bool
    # What unknown keys hold, where they are names and not mistakes.
    extra: "Shape | None" = None


def find(shape: Shape, location: Iterable[str | int]) -> tuple[Shape | None, Key | None]:
    """The part of the document in which the last step of a path is, and the key that it names there.

    No key: the step is a list position, a name in a map, or unknown. No part: nothing is known of it.
    """
    inside: Shape | None = shape
    part: Shape | None = None
    key: Key | None = None
    for step in location:
        part = None
        if key is not None and key.form in ("list", "map"):
            inside, key = key.below, None  # the step is a position or a name
        elif inside is not None:
            part, key = inside, inside.keys.get(str(step))
            inside = key.below if key is not None else part.extra
    return part, key


@cache
def shape_of(model: type[Spec]) -> Shape:
    """The shape of a part of the schema."""
    fields = dict(model.model_fields)
    if "name" in fields:  # a name comes first
        fields = {"name": fields["name"], **fields}
    keys = [_key(model, order, name, info) for order, (name, info) in enumerate(fields.items())]
    extra_type = model.__annotations__.get("__pydantic_extra__")
    extra = _model_in(extra_type)[0] if extra_type is not None else None
    return Shape(
        title=(model.__doc__ or "").strip(),
        keys={key.name: key for key in keys},
        empty_is_absent=model.EMPTY_IS_ABSENT,
        extra=shape_of(extra) if extra is not None else None,
    )


def document_shape() -> Shape:
    """The shape of the whole document."""
    return shape_of(DocumentSpec)


def entry_shape(kind: str) -> Shape:
    """The shape of one entry of a kind, such as `routes`; `defaults` has a shape of its own."""
    below = document_shape().keys[kind].below
    assert below is not None
    return below


def _key(model: type[Spec], order: int, name: str, info: FieldInfo) -> Key:
    below, form = _model_in(info.annotation)
    written = info.alias or name
    parsers = [m.func for m in (*info.metadata, *_metadata(info.annotation)) if isinstance(m, PlainValidator)]
    if parsers:
        form = "scalar"  # a list or a map that is read as a whole
    required = info.is_required()
    default = None if required else info.get_default(call_default_factory=True)
    return Key(
        name=written,
        order=order,
        description=info.description or "",
        required=required,
        secret=written in model.SECRET,
        always_written=written in model.ALWAYS_WRITTEN,
        form=form,
        below=shape_of(below) if below is not None else None,
        default=None if default is PydanticUndefined else default,
        parse=cast(Callable[[Any], Any], parsers[0]) if parsers else None,
    )


def _model_in(annotation: Any, form: Form = "section") -> tuple[type[Spec] | None, Form]:
    """The model that an annotation holds, and how: directly, in a list or in a map."""
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return annotation, form
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _model_in(arguments[0], form)
    if origin in (Union, UnionType):
        found = [_model_in(argument, form) for argument in arguments if argument is not type(None)]
        return found[0] if len(found) == 1 else (None, "scalar")
    if origin is tuple:
        return _model_in(arguments[0], "list")[0], "list"
    if origin is dict and arguments[1] is not Any:  # what holds anything is a value, not a part
        return _model_in(arguments[1], "map")[0], "map"
    return None, "scalar"


def _metadata(annotation: Any) -> Iterable[Any]:
    """What annotates `Annotated[…] | None`."""
    for argument in get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ():
        if get_origin(argument) is Annotated:
            yield from argument.__metadata__
