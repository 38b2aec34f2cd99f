"""The response fields of the real service: request id, version, quotas, as the profile lists them.

`profile.json` has "headers", an object of field name to {"value": template, "on": "every" or
"completion"}, and "quotas", the limits that the templates' figures come from. Values are outside
the purity law: they belong to one exchange.
"""

import math
import os
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from mockchat.contract.pointers import pointer_of
from mockchat.errors import BrokenProfile
from mockchat.exchange import Headers
from mockchat.scripting.quotas import Standing
from mockchat.types import Json, JsonView

_MINUTE = 60
_HOUR = 3600
_FIGURES = ("limit", "remaining", "reset", "reset_seconds")
_OF_ONE_REPLY = frozenset({"request_id", "request_hex", "request_uuid", "processing_ms"})
_MOST_REMEMBERED = 1024
_NAME = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A limit as the profile tells it; where none is set, nothing is counted across requests.

    Attributes:
        limit: How much may be used in a window.
        window: The window's length in seconds.
    """

    limit: int
    window: float

    def figures(self, used: int) -> tuple[str, str, str, str]:
        """Return limit, what is left, and how long until all is free again, as the API says them.

        The time comes twice: as a duration, and in whole seconds as Azure has it.
        """
        left = max(0, self.limit - used)
        wait = (self.limit - left) * self.window / self.limit
        return _figures(Standing(limit=self.limit, left=left, wait=wait))


def _figures(standing: Standing) -> tuple[str, str, str, str]:
    left, wait = str(standing.left), standing.wait
    return str(standing.limit), left, duration(wait), str(math.ceil(round(wait, 6)))


class _Uuid:
    """Random digits as a UUID of version 4, put together when somebody writes it."""

    def __init__(self, digits: str) -> None:
        self._digits = digits

    def __str__(self) -> str:
        return str(uuid.UUID(self._digits, version=4))


class ServiceHeaders:
    """The fields that one profile adds to its replies.

    Args:
        settings: `profile.json`, parents merged in.

    Raises:
        BrokenProfile: When "headers" or "quotas" is malformed, or a template names what is unknown.
    """

    def __init__(self, settings: JsonView) -> None:
        where = f"{settings.get('name', 'profile')}/profile.json"
        self._quotas = _quotas(settings.get("quotas", {}), where)
        self._every: list[tuple[str, str]] = []
        self._completion: list[tuple[str, str]] = []
        self._remembered: dict[_Told, Prepared] = {}
        for name, entry in settings.get("headers", {}).items():
            self._add(name, entry, where)

    def _add(self, name: str, entry: Json, where: str) -> None:
        at = pointer_of(("headers", name))
        if not isinstance(entry, dict) or not isinstance(entry.get("value"), str):
            raise BrokenProfile(where, at, "a header needs a `value` of text")
        if entry.get("on", "every") not in {"every", "completion"}:
            raise BrokenProfile(where, f"{at}/on", '"every" or "completion" is wanted')
        known = _OF_ONE_REPLY
        known |= {f"{quota}_{figure}" for quota in self._quotas for figure in _FIGURES}
        for unknown in sorted(set(_NAME.findall(entry["value"])) - known):
            raise BrokenProfile(where, f"{at}/value", f"{{{unknown}}} is not known here")
        if entry.get("on", "every") == "every":
            self._every.append((name, entry["value"]))
        self._completion.append((name, entry["value"]))

    def fields(
        self,
        *,
        seconds: float,
        used: Mapping[str, int] | None = None,
        standings: Mapping[str, Standing] | None = None,
    ) -> Headers:
        """Return the fields of one reply, in the profile's order.

        Args:
            seconds: How long answering took.
            used: What a completion used of each quota ("requests", "tokens"); None for any other
                reply, which carries no quotas.
            standings: How the limits that are set stand, in place of the profile's quotas; a reply
                that met them tells them, errors too.
        """
        return self.prepared(used, standings).filled(own_of(seconds))

    def prepared(
        self, used: Mapping[str, int] | None, standings: Mapping[str, Standing] | None = None
    ) -> "Prepared":
        """Return the fields of replies as far as they are alike; arguments as for `fields`."""
        told = tuple((used or {}).items()) if used is not None or standings else None
        if standings:
            return self._prepared(told, standings)
        return self._remembered.get(told) or self._remember(told)

    def _remember(self, told: "_Told") -> "Prepared":
        prepared = self._prepared(told, {})
        if len(self._remembered) >= _MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[told] = prepared
        return prepared

    def _prepared(self, told: "_Told", standings: Mapping[str, Standing]) -> "Prepared":
        """Fill in all that is known before the reply is."""
        values: dict[str, str] = {}
        used = dict(told or ())
        for name, quota in self._quotas.items() if told is not None else ():
            standing = standings.get(name)
            figures = quota.figures(used.get(name, 0)) if standing is None else _figures(standing)
            values |= {
                f"{name}_{key}": figure for key, figure in zip(_FIGURES, figures, strict=True)
            }
        templates = self._every if told is None else self._completion
        is_open = [bool(_OF_ONE_REPLY.intersection(_NAME.findall(text))) for _, text in templates]
        fields = [
            (name, template if is_left else template.format_map(values))
            for (name, template), is_left in zip(templates, is_open, strict=True)
        ]
        return Prepared(
            fields=tuple(fields),
            open=tuple((place, *fields[place]) for place, is_left in enumerate(is_open) if is_left),
            figures=values,
        )


_Told = tuple[tuple[str, int], ...] | None
Own = tuple[str, int]
"""Random digits of a reply's own, and the milliseconds it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Fields as far as they are known, and those that are filled in for each reply.

    Attributes:
        fields: All of them, in the profile's order.
        open: Place, name and template of those that belong to one reply alone.
        figures: What templates may say of quotas.
    """

    fields: Headers
    open: tuple[tuple[int, str, str], ...]
    figures: Mapping[str, str]

    def said(self, own: Own) -> list[str]:
        """Return what the open ones say in one reply."""
        request, milliseconds = own
        values = {
            **self.figures,
            "request_id": f"req_{request}",
            "request_hex": request,
            "request_uuid": _Uuid(request),
            "processing_ms": milliseconds,
        }
        return [template.format_map(values) for _, _, template in self.open]

    def filled(self, own: Own) -> Headers:
        """Return all fields of one reply."""
        fields = list(self.fields)
        for (place, name, _), value in zip(self.open, self.said(own), strict=True):
            fields[place] = (name, value)
        return tuple(fields)


def own_of(seconds: float) -> Own:
    """Return what belongs to one reply alone: how long it took is no less than a millisecond."""
    return os.urandom(16).hex(), max(1, round(seconds * 1000))


def duration(seconds: float) -> str:
    """Return a duration as the service writes it: "0s", "6ms", "8.64s", "1m26.4s", "1h8m25.745s"."""
    milliseconds = math.ceil(round(seconds * 1000, 6))
    if milliseconds == 0:
        return "0s"
    if milliseconds < 1000:  # noqa: PLR2004 - a second
        return f"{milliseconds}ms"
    whole, rest = divmod(milliseconds, 1000)
    hours, whole = divmod(whole, _HOUR)
    minutes, whole = divmod(whole, _MINUTE)
    text = f"{whole}.{rest:03}".rstrip("0").rstrip(".") + "s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def _quotas(entries: Json, where: str) -> dict[str, Quota]:
    quotas: dict[str, Quota] = {}
    for name, entry in entries.items():
        limit, window = entry.get("limit"), entry.get("window")
        if not isinstance(limit, int) or not isinstance(window, int | float) or limit < 1:
            problem = "a quota needs a `limit` of 1 or more and a `window` in seconds"
            raise BrokenProfile(where, pointer_of(("quotas", name)), problem)
        quotas[name] = Quota(limit=limit, window=window)
    return quotas
