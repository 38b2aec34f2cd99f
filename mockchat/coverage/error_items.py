"""The items of errors: the entries of a profile's catalogue, and the statuses they come with."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from string import Formatter

from mockchat.contract.contract import Contract
from mockchat.exchange import ApiError, Headers, header
from mockchat.scripting.credentials import redact_json
from mockchat.types import Json, JsonView

_BLANK = "\0"
_TEMPLATES = ("message", "code", "param")

RETRY_AFTER = frozenset({429, 503})
"""Statuses that may tell when to ask again (RFC 6585 section 4, RFC 9110 section 15.6.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What a body looks like that carries one entry: blanks stand for any text."""

    item: str
    body: Json
    any_message: Json
    size: int


class ErrorItems:
    """The error catalogue of a contract.

    Args:
        contract: Whose.

    Attributes:
        ids: The ids of the items.
        excluded: The ids of those that nobody meets, each with the reason.
    """

    def __init__(self, contract: Contract) -> None:
        self.ids: list[str] = []
        self.excluded: dict[str, str] = {}
        self._forms: dict[int, list[_Form]] = defaultdict(list)
        grammar = contract.profile.settings.get("errors", {}).get("grammar", "modern")
        for name in contract.profile.errors:
            blanks = dict.fromkeys(fields_of(contract, name), _BLANK)
            error = contract.error(name, **blanks)
            item = f"errors/{name}"
            self.ids.append(item)
            if name.startswith("legacy_") and grammar == "modern":
                self.excluded[item] = "only services of 2023 word their errors so"
            self._forms[error.status].append(_form(contract, item, error))
        for status in sorted(self._forms):
            self.ids.append(f"status/{status}")
            if status in RETRY_AFTER:
                self.ids += [f"status/{status}/retry-after#{state}" for state in _STATES]

    def mark(self, status: int, body: Json, headers: Headers, marks: set[str]) -> None:
        """Add what an answer with an error meets."""
        forms = self._forms.get(status)
        if forms is None:
            return
        marks.add(f"status/{status}")
        if status in RETRY_AFTER:
            is_told = header(headers, "retry-after") is not None
            marks.add(f"status/{status}/retry-after#{_STATES[is_told]}")
        found = [form for form in forms if _fits(form.body, body)]
        if found:
            # Of several templates that fit, the one that says most.
            most = max(form.size for form in found)
            marks.update(form.item for form in found if form.size == most)
            return
        worded = [form for form in forms if _fits(form.any_message, body)]
        if len(worded) == 1:
            marks.add(worded[0].item)


_STATES = ("absent", "given")


def fields_of(contract: Contract, name: str) -> list[str]:
    """Return the names of the fields that an entry's templates need."""
    entry: JsonView = contract.profile.errors[name]
    texts = [entry[part] for part in _TEMPLATES if isinstance(entry.get(part), str)]
    found = [field for text in texts for _, field, _, _ in Formatter().parse(text) if field]
    return list(dict.fromkeys(found))


def _form(contract: Contract, item: str, error: ApiError) -> _Form:
    # Journals hold no credentials: what looks like one in a template is not there either.
    return _Form(
        item=item,
        body=redact_json(contract.envelope(error), ()),
        any_message=redact_json(contract.envelope(replace(error, message=_BLANK)), ()),
        size=len(error.message.replace(_BLANK, "")),
    )


def _fits(form: Json, body: Json) -> bool:
    """Tell whether a body is of a form; it may have members besides."""
    if isinstance(form, Mapping):
        return isinstance(body, Mapping) and all(
            key in body and _fits(part, body[key]) for key, part in form.items()
        )
    if isinstance(form, list):
        return (
            isinstance(body, list)
            and len(body) == len(form)
            and all(_fits(*pair) for pair in zip(form, body, strict=True))
        )
    if not isinstance(form, str) or _BLANK not in form:
        return bool(form == body)
    if form == _BLANK and body is None:
        return True
    return isinstance(body, str) and _pattern(form).fullmatch(body) is not None


@cache
def _pattern(form: str) -> re.Pattern[str]:
    # Where a key stood, journals may have lost the stop behind it.
    first, *rest = form.split(_BLANK)
    parts = [first, *(part.lstrip(".,") for part in rest)]
    return re.compile(".*".join(map(re.escape, parts)), re.DOTALL)
