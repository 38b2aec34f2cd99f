"""How we know what a check asks: the short signs of the rules written out for readers."""

import re
from collections.abc import Mapping

_SIGNS: Mapping[str, str] = {
    "S": "the official document",
    "W": "recorded traffic",
    "K": "code of clients and servers, read or run",
    "R": "public reports",
    "D": "vendors' documents",
}
_SECTION = re.compile(r"\b[Ff]acts \d(?:\.\d)?(?:, \d\.\d)*,? ?|(?<=\), )\d\.\d (?=\()")
_LIST = re.compile(r"\(([SWKRD](?:, [SWKRD])*)(?=[):]| of )")
_LAST = re.compile(r", ([SWKRD])(?=\))")
_OPENING = re.compile(r"^\(([^()]+)\)")


def source_in_words(text: str) -> str:
    """Return a rule's evidence as a sentence for people who do not have our notes."""
    text = _SECTION.sub("", text)
    text = _LIST.sub(lambda found: "(" + ", ".join(_words(found[1])), text)
    text = _LAST.sub(lambda found: f", {_SIGNS[found[1]]}", text)
    return _OPENING.sub(lambda found: found[1][:1].upper() + found[1][1:], text)


def _words(signs: str) -> list[str]:
    return [_SIGNS[sign] for sign in signs.split(", ")]
