"""A test double for OpenAI-style Chat Completions, driven by JSON Schema documents.

Names are imported when they are first used (PEP 562): `import mockchat` itself loads nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockchat.contract.contract import Contract, contract_for
    from mockchat.contract.profile import Profile, load_profile, profile_names
    from mockchat.errors import (
        BadArgument,
        BrokenProfile,
        ImpossibleSchema,
        MockchatError,
        UnknownProfile,
    )
    from mockchat.exchange import ApiError, Delivery, Ending, Exchange, Outcome, Violation, Write
    from mockchat.payloads.chunking import join, split
    from mockchat.payloads.plans import Plan, at_once, by_token, by_word, chunks_of, exactly
    from mockchat.scripting.builders import (
        error,
        generated,
        refusal,
        text,
        tool_call,
        unchecked,
    )
    from mockchat.scripting.contents import Reply
    from mockchat.scripting.failures import (
        InvalidReply,
        LateRequest,
        NoStubMatched,
        ServerFailed,
        UnusedReply,
    )
    from mockchat.scripting.faults import CutStream, Fault, FaultMissed, Pacing
    from mockchat.scripting.journal import Journal
    from mockchat.scripting.matching import contains
    from mockchat.scripting.script import Script, Stub
    from mockchat.server.mock_server import Mockchat, MockServer

__all__ = [
    "ApiError",
    "BadArgument",
    "BrokenProfile",
    "Contract",
    "CutStream",
    "Delivery",
    "Ending",
    "Exchange",
    "Fault",
    "FaultMissed",
    "ImpossibleSchema",
    "InvalidReply",
    "Journal",
    "LateRequest",
    "MockServer",
    "Mockchat",
    "MockchatError",
    "NoStubMatched",
    "Outcome",
    "Pacing",
    "Plan",
    "Profile",
    "Reply",
    "Script",
    "ServerFailed",
    "Stub",
    "UnknownProfile",
    "UnusedReply",
    "Violation",
    "Write",
    "at_once",
    "by_token",
    "by_word",
    "chunks_of",
    "contains",
    "contract_for",
    "error",
    "exactly",
    "generated",
    "join",
    "load_profile",
    "profile_names",
    "refusal",
    "split",
    "text",
    "tool_call",
    "unchecked",
]

_HOMES = {
    "contract.contract": ("Contract", "contract_for"),
    "contract.profile": ("Profile", "load_profile", "profile_names"),
    "errors": (
        "BadArgument",
        "BrokenProfile",
        "ImpossibleSchema",
        "MockchatError",
        "UnknownProfile",
    ),
    "exchange": ("ApiError", "Delivery", "Ending", "Exchange", "Outcome", "Violation", "Write"),
    "payloads.chunking": ("join", "split"),
    "payloads.plans": ("Plan", "at_once", "by_token", "by_word", "chunks_of", "exactly"),
    "scripting.builders": ("error", "generated", "refusal", "text", "tool_call", "unchecked"),
    "scripting.contents": ("Reply",),
    "scripting.failures": (
        "InvalidReply",
        "LateRequest",
        "NoStubMatched",
        "ServerFailed",
        "UnusedReply",
    ),
    "scripting.faults": ("CutStream", "Fault", "FaultMissed", "Pacing"),
    "scripting.journal": ("Journal",),
    "scripting.matching": ("contains",),
    "scripting.script": ("Script", "Stub"),
    "server.mock_server": ("MockServer", "Mockchat"),
}
_MODULES = {name: f"mockchat.{module}" for module, names in _HOMES.items() for name in names}
"""Where each public name lives."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'mockchat' has no attribute {name!r}")
    # Not kept here: whoever reloads modules (pytest's own pytester does) must get the new ones.
    value: object = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
