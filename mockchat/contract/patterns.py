"""Run ECMA-262 regular expressions: the one reading of `pattern` for judge and generator alike."""

import re
from functools import lru_cache

from mockchat.contract.regex_syntax import BadPattern, UnsupportedPattern, parse
from mockchat.contract.regex_tree import (
    Alternatives,
    Assertion,
    BackReference,
    Chars,
    Expression,
    Group,
    Repeat,
    Sequence,
)

_REMEMBERED = 1024


@lru_cache(maxsize=_REMEMBERED)
def regular_expression(pattern: str) -> re.Pattern[str]:
    r"""Return a Python expression that means what `pattern` means in ECMA-262.

    Classes such as `\d` and `\w` are ASCII, `$` is the very end, `.` is no line end.

    Raises:
        BadPattern: It is not a regular expression.
        UnsupportedPattern: It is one, but Python has no equivalent.
    """
    tree = parse(pattern)
    try:
        return re.compile(_python(tree), re.ASCII)
    except (re.error, OverflowError, RecursionError) as problem:
        raise UnsupportedPattern(f"not supported: {problem}") from None


@lru_cache(maxsize=_REMEMBERED)
def _runnable(pattern: str) -> re.Pattern[str] | None:
    try:
        return regular_expression(pattern)
    except UnsupportedPattern:
        return None


def is_found(pattern: str, text: str, *, untold: bool = True) -> bool:
    """Tell whether `pattern` is found anywhere in `text`.

    Args:
        pattern: The expression.
        text: Where to look.
        untold: What is answered for an expression that cannot be run here.

    Raises:
        BadPattern: It is not a regular expression.
    """
    expression = _runnable(pattern)
    return untold if expression is None else expression.search(text) is not None


def pattern_problem(pattern: str) -> str | None:
    """Return why `pattern` is not a regular expression; None where it is one, runnable or not."""
    try:
        parse(pattern)
    except UnsupportedPattern:
        return None
    except BadPattern as problem:
        return str(problem)
    return None


def _python(node: Expression) -> str:  # noqa: PLR0911 - one for each kind of node
    match node:
        case Chars():
            return _python_class(node)
        case Sequence():
            return "".join([_python(item) for item in node.items])
        case Alternatives():
            return "(?:" + "|".join([_python(option) for option in node.options]) + ")"
        case Repeat():
            most = "" if node.most is None else str(node.most)
            return f"(?:{_python(node.item)}){{{node.least},{most}}}"
        case Group():
            return f"({_python(node.item)})"
        case BackReference():
            # To a group that took nothing it is found everywhere, in ECMA-262.
            flag = "i" if node.ignores_case else ""
            return f"(?({node.number})(?{flag}:\\{node.number}))"
        case Assertion():
            return node.python
        case _:
            return _python_look(node.item, node.opening)


def _python_look(item: Expression, opening: str) -> str:
    is_behind = opening.startswith("(?<")
    if not is_behind or not isinstance(item, Alternatives):
        return f"{opening}{_python(item)})"
    # Python looks behind for one width at a time.
    between = "|" if opening == "(?<=" else ""
    return f"(?:{between.join([f'{opening}{_python(option)})' for option in item.options])})"


def _python_class(node: Chars) -> str:
    if not node.ranges:
        return "(?!)"
    (low, high), *others = node.ranges
    if low == high and not others:
        return re.escape(chr(low))
    spans = [f"\\U{low:08x}-\\U{high:08x}" for low, high in node.ranges]
    return f"[{''.join(spans)}]"
