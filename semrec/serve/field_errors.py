"""Validation errors in plain words: the field of the document, what was found, what was expected.

pydantic reports every branch of a union by inner names; here the branch that fits the value speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

from semrec.errors import nearest, preview

MAX_ERRORS, MAX_SHOWN_PARTS = 10, 8
KINDS = {  # the value is of another kind than this branch takes
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "none_required": "null",
}
LIMITS = {
    "greater_than_equal": "at least {ge}",
    "greater_than": "more than {gt}",
    "less_than_equal": "at most {le}",
    "less_than": "less than {lt}",
    "finite_number": "a finite number",
}
SIZES = {
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "too_short": "at least {min_length} entries",
    "too_long": "at most {max_length} entries",
}
CODES = {"missing": "missing_required_parameter", "extra_forbidden": "unknown_parameter"}
Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class FieldError:
    """One thing that is wrong with a request.

    Attributes:
        path: Where: `body`, `query` or `path`, then keys and positions.
        detail: In a sentence.
        code: For clients that look at codes.
    """

    path: Path
    detail: str
    code: str

    @property
    def field(self) -> str:
        """The place with dots between, ``body.session.0.type``; short however deep it lies."""
        parts = [str(part)[:100] for part in self.path]
        deep = len(parts) > MAX_SHOWN_PARTS
        return ".".join([*parts[:MAX_SHOWN_PARTS], "…"] if deep else parts)

    @property
    def pointer(self) -> str:
        """The place as a JSON pointer in a URI fragment (RFC 6901), as RFC 9457 has it."""
        parts = [str(part).replace("~", "~0").replace("/", "~1") for part in self.path[1:]]
        return "#" + "".join(f"/{part}" for part in parts)


def field_errors(
    errors: Sequence[Mapping[str, Any]],
    body: Any,  # noqa: ANN401 (any JSON)
    model: Any = None,  # noqa: ANN401 (any type that pydantic takes)
) -> list[FieldError]:
    """The errors field by field, at most `MAX_ERRORS`; never empty.

    Args:
        errors: As pydantic has them, at least one.
        body: The document.
        model: Its type, whose fields are named where one is unknown.
    """
    by_path: dict[Path, list[Mapping[str, Any]]] = {}
    for error in errors:
        by_path.setdefault(_path(error, body), []).append(error)
    # A branch that doesn't take the value at all says nothing where another found a fault in it.
    deeper = {path[:n] for path in by_path for n in range(1, len(path))}
    listed = [
        _field_error(path, same, model)
        for path, same in by_path.items()
        if path not in deeper or any(error["type"] not in KINDS for error in same)
    ]
    return listed[:MAX_ERRORS]


def _path(error: Mapping[str, Any], body: Any) -> Path:  # noqa: ANN401
    """The place of an error in the document, without the names of a union's branches."""
    source, *parts = error["loc"]
    if source != "body":
        return (source, *parts)
    path, value = [source], body
    for index, part in enumerate(parts):
        if _holds(value, part):
            value = value[part]
        elif index < len(parts) - 1 or error["type"] not in ("missing", "unusable"):
            continue  # the name of a branch
        path.append(part)
    return tuple(path)


def _holds(value: Any, part: str | int) -> bool:  # noqa: ANN401
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int) and part < len(value)


def _field_error(path: Path, errors: Sequence[Mapping[str, Any]], model: Any) -> FieldError:  # noqa: ANN401
    fitting = [error for error in errors if error["type"] not in KINDS] or errors
    error, kind = fitting[0], fitting[0]["type"]
    value = preview(error.get("input"))
    if kind == "missing":
        detail = "is missing"
    elif kind == "extra_forbidden":
        detail = f"unknown field{nearest(str(path[-1]), _known(model, path[1:-1]))}"
    elif kind in KINDS:
        kinds = dict.fromkeys(KINDS[error["type"]] for error in fitting)
        detail = f"found {value}, expected {' or '.join(kinds)}"
    elif kind == "literal_error":
        listed = (str(error["ctx"]["expected"]) for error in fitting if error["type"] == kind)
        detail = f"found {value}, expected {' or '.join(listed).replace(' or ', ', ')}"
    elif kind in LIMITS:
        detail = f"found {value}, expected {LIMITS[kind].format(**error['ctx'])}"
    elif kind in SIZES:
        detail = f"found {_size(error)}, expected {SIZES[kind].format(**error['ctx'])}"
    else:
        detail = str(error["msg"]).removeprefix("Value error, ")
    code = CODES.get(kind, kind if kind.startswith("unsupported") else "invalid_value")
    return FieldError(path=path, detail=detail, code=code)


def _size(error: Mapping[str, Any]) -> str:
    n = len(error["input"])
    return f"{n} characters" if isinstance(error["input"], str) else f"{n} entries"


def _known(model: Any, path: Iterable[str | int]) -> set[str]:  # noqa: ANN401
    """Names of the fields that a model's document has at `path`."""
    if model is None:
        return set()
    schema = _schema(model)
    nodes = list(_branches(schema, schema))
    for part in path:
        step = "items" if isinstance(part, int) else "properties"
        inner = [node.get(step, {}) for node in nodes]
        if not isinstance(part, int):
            inner = [properties.get(part, {}) for properties in inner]
        nodes = [branch for node in inner for branch in _branches(node, schema)]
    return {name for node in nodes for name in node.get("properties", ())}


def _branches(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in node:
        node = schema["$defs"][str(node["$ref"]).rsplit("/", 1)[1]]
    yield node
    for name in ("anyOf", "oneOf"):
        for branch in node.get(name, ()):
            yield from _branches(branch, schema)


@lru_cache(maxsize=64)
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return TypeAdapter(model).json_schema()
