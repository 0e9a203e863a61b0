"""Bodies in other services' forms: every field that these document is taken.

A field that can't be honoured and would change the answer is refused; what has no effect is named
in a header. A null is as if it weren't there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from semrec.serve.wire import Body

IGNORED_HEADER = "x-semrec-ignored"
MODEL = "semrec"


_INERT: JsonDict = {"x-semrec-effect": "none"}


def inert(why: str = "") -> Any:  # noqa: ANN401 (as pydantic's Field)
    """A field that the form documents, and that has nothing to do here."""
    return Field(default=None, description=f"Has no effect{why}", json_schema_extra=_INERT)


class Form(Body):
    """A body in another service's form."""

    def ignored(self) -> list[str]:
        """Names of the fields that ask for something and have no effect."""
        fields = type(self).model_fields
        given = (name for name in fields if fields[name].json_schema_extra is _INERT)
        return sorted(name for name in given if getattr(self, name) not in (None, False, [], {}))


def ignored_header(names: Iterable[str]) -> dict[str, str]:
    """The header that names what was ignored; none if nothing was."""
    listed = ", ".join(names).encode("ascii", "replace").decode()
    return {IGNORED_HEADER: listed} if listed else {}


def unsupported(message: str) -> PydanticCustomError:
    """An error of a field that can't be honoured; raised in its validator."""
    return PydanticCustomError("unsupported_parameter", "{message}", {"message": message})


def takes_nothing(value: Any, message: str) -> Any:  # noqa: ANN401 (any JSON)
    """`value`, unless it asks for something.

    Raises:
        PydanticCustomError: With `message`, if it does.
    """
    if value not in (None, False, 0, [], {}):
        raise unsupported(message)
    return value
