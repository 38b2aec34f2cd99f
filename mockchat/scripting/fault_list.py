"""Every fault that has a name: an enumeration for parametrized tests, the same on every run."""

import difflib
from typing import get_args

from mockchat.errors import BadArgument
from mockchat.scripting.faults import NamedFault, Occasion
from mockchat.scripting.faults_chunks import CHUNK_FAULTS
from mockchat.scripting.faults_connection import CONNECTION_FAULTS
from mockchat.scripting.faults_endings import ENDING_FAULTS
from mockchat.scripting.faults_events import EVENT_FAULTS
from mockchat.scripting.faults_framing import FRAMING_FAULTS
from mockchat.scripting.faults_http import HTTP_FAULTS
from mockchat.scripting.faults_timing import TIMING_FAULTS

_ALL = (
    *HTTP_FAULTS,
    *CONNECTION_FAULTS,
    *TIMING_FAULTS,
    *FRAMING_FAULTS,
    *EVENT_FAULTS,
    *ENDING_FAULTS,
    *CHUNK_FAULTS,
)
_BY_NAME = {fault.name: fault for fault in _ALL}


def stream_faults(*occasions: Occasion) -> tuple[NamedFault, ...]:
    """Return every named fault, in an order that stays; `str` of each is its id.

    Args:
        *occasions: Only those that happen to such replies: any "stream", one with "tool calls",
            one with "usage". None given: all.

    Raises:
        BadArgument: There is no such occasion.
    """
    for occasion in occasions:
        if occasion not in get_args(Occasion):
            raise BadArgument("stream_faults()", occasion, ", ".join(get_args(Occasion)))
    return tuple(fault for fault in _ALL if not occasions or fault.occasion in occasions)


def stream_fault(name: str) -> NamedFault:
    """Return the fault called `name`.

    Raises:
        BadArgument: There is none; the closest name is suggested.
    """
    __tracebackhide__ = True
    if name not in _BY_NAME:
        close = difflib.get_close_matches(str(name), _BY_NAME, n=1)
        raise BadArgument("stream_fault()", name, ", ".join(_BY_NAME), close[0] if close else None)
    return _BY_NAME[name]
