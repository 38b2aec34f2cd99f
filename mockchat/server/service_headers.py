"""The response fields of the real service: request id, version, quotas, as the profile lists them.

`profile.json` has "headers", an object of field name to {"value": template, "on": "every" or
"completion"}, and "quotas", the limits that the templates' figures come from. Values are outside
the purity law: they belong to one exchange.
"""

import math
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
        for name, entry in settings.get("headers", {}).items():
            self._add(name, entry, where)

    def _add(self, name: str, entry: Json, where: str) -> None:
        at = pointer_of(("headers", name))
        if not isinstance(entry, dict) or not isinstance(entry.get("value"), str):
            raise BrokenProfile(where, at, "a header needs a `value` of text")
        if entry.get("on", "every") not in {"every", "completion"}:
            raise BrokenProfile(where, f"{at}/on", '"every" or "completion" is wanted')
        known = {"request_id", "request_hex", "request_uuid", "processing_ms"}
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
        unique = uuid.uuid4()
        request = unique.hex
        values = {
            "request_id": f"req_{request}",
            "request_hex": request,
            "request_uuid": str(unique),
            "processing_ms": str(max(1, round(seconds * 1000))),
        }
        is_told = used is not None or bool(standings)
        if is_told:
            for name, quota in self._quotas.items():
                standing = (standings or {}).get(name)
                counted = quota.figures((used or {}).get(name, 0))
                figures = counted if standing is None else _figures(standing)
                values |= {
                    f"{name}_{key}": figure for key, figure in zip(_FIGURES, figures, strict=True)
                }
        templates = self._completion if is_told else self._every
        return tuple((name, template.format_map(values)) for name, template in templates)


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
