"""Values that are shown as the code that makes them, wherever they are printed."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from mockchat.types import Json

_WIDTH = 80


class Printer(Protocol):
    """What IPython and Hypothesis hand to `_repr_pretty_`, as far as it is used here."""

    def text(self, text: str, /) -> None:
        """Print text as it is."""
        ...


class ShownAsCode:
    """A value whose repr is code; pretty printers of dataclasses must not take it apart."""

    __slots__ = ()

    def _repr_pretty_(self, printer: Printer, _cycle: bool) -> None:  # noqa: FBT001 - IPython's protocol
        printer.text(repr(self))


def as_code(value: Json, margin: str = "") -> str:
    """Return JSON as Python writes it, a member or an item a line where it is long.

    Args:
        value: What JSON can carry; strings stay in one line.
        margin: What all lines but the first begin with.
    """
    whole = repr(value)
    if len(whole) + len(margin) <= _WIDTH or not value or isinstance(value, str):
        return whole
    inner = f"{margin}    "
    if isinstance(value, Mapping):
        members = (f"{name!r}: {as_code(each, inner)}" for name, each in value.items())
        return f"{{\n{_lines(members, inner)}{margin}}}"
    if isinstance(value, list):
        return f"[\n{_lines((as_code(each, inner) for each in value), inner)}{margin}]"
    return whole


def _lines(lines: Iterable[str], margin: str) -> str:
    return "".join(f"{margin}{line},\n" for line in lines)
