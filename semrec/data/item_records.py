"""Items that are added to a catalogue: records of the right types, or an error that says which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from semrec.errors import DataError, QueryError, nearest, preview
from semrec.types.checks import as_list, id_text


def item_records(items: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 (whatever a caller has)
    """Items as mappings, from a sequence of these or from a frame (pandas, Polars, Arrow).

    Raises:
        DataError: If it is anything else.
    """
    if hasattr(items, "__arrow_c_stream__"):
        # What is missing in a row isn't there: a null is no value.
        rows = pa.table(items).to_pylist()
        return [{key: of for key, of in row.items() if of is not None} for row in rows]
    records = _listed(items, "items")
    for n, record in enumerate(records, start=1):
        if not isinstance(record, Mapping):
            raise DataError(f"item {n} is {preview(record)}, expected a mapping of its columns")
    return records


def item_ids_of(item_ids: Any) -> list[str]:  # noqa: ANN401 (whatever a caller has)
    """Ids as text, from a sequence of text or whole numbers.

    Raises:
        DataError: If it is anything else, such as one id ("318" would be three).
    """
    try:
        return [id_text(item_id, "item_ids") for item_id in _listed(item_ids, "item_ids")]
    except QueryError as error:
        raise DataError(str(error)) from None


def _listed(values: Any, name: str) -> list[Any]:  # noqa: ANN401
    try:
        return as_list(values, name, limit=None)
    except QueryError as error:
        raise DataError(str(error)) from None


def checked_records(items: Sequence[Mapping[str, Any]], schema: pa.Schema) -> list[dict[str, Any]]:
    """Items with values of their columns' types, ids as text.

    Raises:
        DataError: On an unknown column, a missing id, or a value that its column can't hold.
    """
    return [_checked(item, f"item {n}", schema) for n, item in enumerate(items, start=1)]


def _checked(item: Mapping[str, Any], which: str, schema: pa.Schema) -> dict[str, Any]:
    for name in item:
        if name not in schema.names:
            hint = nearest(str(name), schema.names)
            raise DataError(f"{which} has an unknown field {preview(name)}{hint}")
    try:
        item_id = id_text(item.get("item_id"), "item_id")
    except QueryError as error:
        raise DataError(f"{which}: {error}") from None
    values = {name: _value(item[name], which, schema.field(name)) for name in item}
    return {**values, "item_id": item_id}


def _value(value: Any, which: str, field: pa.Field) -> Any:  # noqa: ANN401
    kind = field.type
    if value is None or field.name == "item_id":
        return value
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        value = value.tolist()
    if isinstance(value, float) and value != value:
        return None
    fits, expected = _fits(value, kind)
    if not fits:
        if isinstance(value, str) and _is_list(kind):
            expected += f": write [{preview(value)}]"
        wrong = f"{which}: {field.name} is {preview(value)}, of another type than its column"
        raise DataError(f"{wrong}: expected {expected}")
    try:
        return pa.scalar(int(value) if pa.types.is_integer(kind) else value, type=kind).as_py()
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        wrong = f"{which}: {field.name} is {preview(value)}"
        raise DataError(f"{wrong}, which doesn't fit into its column of {kind}: {error}") from None


def _fits(value: object, kind: pa.DataType) -> tuple[bool, str]:
    """True if a column takes a value as it is; and what it takes, in words."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if pa.types.is_boolean(kind):
        return isinstance(value, bool), "True or False"
    if pa.types.is_integer(kind):
        return whole or (isinstance(value, float) and value.is_integer()), "a whole number"
    if pa.types.is_floating(kind):
        return whole or isinstance(value, float), "a number"
    if _is_list(kind):
        if not isinstance(value, list | tuple):
            return False, "a list of text"
        return all(isinstance(label, str) for label in value), "a list of text"
    return isinstance(value, str), "text"


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))
