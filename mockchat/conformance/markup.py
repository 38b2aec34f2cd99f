"""HTML made of elements: text is escaped where it enters, so that nothing said is ever markup."""

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

Child: TypeAlias = str | Iterable[str]
"""A text, or markup, or several of both."""

_EMPTY = frozenset({"br", "input", "link", "meta"})
_PLAIN = "\n\t"


class Markup(str):
    """A text that is HTML already, made by `element` alone."""

    __slots__ = ()


def element(name: str, /, *children: Child, **attributes: str | int | bool | None) -> Markup:
    """Return one element.

    Args:
        name: Its name.
        children: What stands in it; a plain text is escaped.
        attributes: By name, `_` for `-` and a trailing `_` for a word of Python's; True stands
            without a value, False and None are left out.
    """
    told = "".join(
        f" {_named(key)}" if value is True else f' {_named(key)}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in _EMPTY:
        return Markup(f"<{name}{told}>")
    return Markup(f"<{name}{told}>{joined(*children)}</{name}>")


def joined(*children: Child) -> Markup:
    """Return several texts and elements as one."""
    return Markup("".join(map(_flat, children)))


def verbatim(name: str, text: str) -> Markup:
    """Return an element whose text HTML does not read: `style` and `script`, of our own making."""
    return Markup(f"<{name}>{text}</{name}>")


def visible(text: str) -> Markup:
    r"""Return `text` with what cannot be seen written out and told apart from what was written.

    Control characters, separators of lines and directions, and bytes that are no UTF-8 (as
    `surrogateescape` decodes them) become `\x00`, `\u2028`, `\xff` in an element of their own.
    """
    parts: list[str] = []
    start = 0
    for at, character in enumerate(text):
        if character.isprintable() or character in _PLAIN:
            continue
        parts += [escape(text[start:at]), element("span", _written(character), class_="byte")]
        start = at + 1
    return Markup("".join([*parts, escape(text[start:])]))


def prose(text: str) -> Markup:
    """Return a sentence; what stands between backticks is code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return visible(text)
    return joined(
        *(
            element("code", visible(part)) if at % 2 else visible(part)
            for at, part in enumerate(parts)
        )
    )


def _written(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # noqa: PLR2004 - where surrogateescape puts the bytes
        return f"\\x{code - 0xDC00:02x}"
    if code > 0xFFFF:  # noqa: PLR2004 - the end of the basic plane
        return f"\\U{code:08x}"
    return f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}"  # noqa: PLR2004


def _flat(child: Child) -> str:
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return escape(child)
    return "".join(map(_flat, child))


def _named(key: str) -> str:
    return key.rstrip("_").replace("_", "-")
