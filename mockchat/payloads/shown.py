"""Values that are shown as the code that makes them, wherever they are printed."""

from typing import Protocol


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
