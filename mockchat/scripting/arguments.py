"""Checks of what a test hands over: its author may not run a type checker."""


def is_whole_number(value: object, *, lowest: int) -> bool:
    """Tell whether the value is an integer, not a boolean, and at least `lowest`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= lowest


def is_seconds(value: object) -> bool:
    """Tell whether the value is a finite number, not a boolean, and not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value < float("inf")


def is_share(value: object) -> bool:
    """Tell whether the value is a number from 0 to 1, not a boolean."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 <= value <= 1


def is_line(value: object) -> bool:
    """Tell whether the value is a string without a line break."""
    return (
        isinstance(value, str) and len(value.splitlines()) <= 1 and not value.endswith(("\n", "\r"))
    )


def is_filled_text(value: object) -> bool:
    """Tell whether the value is a string with something in it."""
    return isinstance(value, str) and value != ""
