"""What a running server was told about one session, as data that workers can share."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

from mockchat.types import Json, JsonObject

_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A scenario, or some stubs, that came over the wire.

    Attributes:
        name: How messages and stubs name it: "request.json", or with the suffix of YAML.
        text: The text as it came.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """What was said about a session since it began.

    Attributes:
        epoch: How often it began anew: all replies are there again.
        has_files: Whether the server's scenario files count.
        said: What was added since, in order.
        removed: The places of stubs that were taken away.
        settings: Options of the script that count more than those of any scenario.
    """

    epoch: int = 0
    has_files: bool = True
    said: tuple[Said, ...] = ()
    removed: tuple[int, ...] = ()
    settings: Mapping[str, Json] = field(default_factory=dict)

    def extends(self, earlier: Self) -> bool:
        """Tell whether this is an earlier one with more scenarios behind, and nothing else."""
        same = (self.epoch, self.has_files, self.removed, self.settings)
        return (
            same == (earlier.epoch, earlier.has_files, earlier.removed, earlier.settings)
            and self.said[: len(earlier.said)] == earlier.said
        )

    def as_json(self) -> JsonObject:
        """Return it as JSON."""
        return {
            "epoch": self.epoch,
            "has_files": self.has_files,
            "said": [[one.name, one.text] for one in self.said],
            "removed": list(self.removed),
            "settings": dict(self.settings),
        }

    @classmethod
    def of(cls, written: JsonObject) -> Self:
        """Return what `as_json` has written."""
        return cls(
            epoch=written["epoch"],
            has_files=written["has_files"],
            said=tuple(Said(name=name, text=text) for name, text in written["said"]),
            removed=tuple(written["removed"]),
            settings=written["settings"],
        )


class Steerings(Protocol):
    """What was said about each session."""

    def get(self, session: str) -> Steering:
        """Return what was said about a session so far."""

    def change(self, session: str, change: Callable[[Steering], Steering]) -> Steering:
        """Replace it by what `change` makes of it, and return that.

        Nobody else changes it meanwhile; `change` may be called again where somebody did.
        """


_NOTHING = Steering()


class OwnSteerings:
    """What was said to this process alone; safe to use from many threads.

    The sessions that nobody spoke of for longest are forgotten.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Steering] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, session: str) -> Steering:
        """Return what was said about a session so far."""
        return self._kept.get(session, _NOTHING)

    def change(self, session: str, change: Callable[[Steering], Steering]) -> Steering:
        """Replace it, as `Steerings` says."""
        with self._lock:
            changed = change(self.get(session))
            self._kept[session] = changed
            self._kept.move_to_end(session)
            if len(self._kept) > _REMEMBERED:
                self._kept.popitem(last=False)
            return changed
