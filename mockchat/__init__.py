"""A test double for OpenAI-style Chat Completions, driven by JSON Schema documents.

Names are imported when they are first used (PEP 562): `import mockchat` itself loads nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mockchat.conformance.checking import check, check_request
    from mockchat.conformance.report import Report
    from mockchat.contract.contract import Contract, contract_for
    from mockchat.contract.profile import Profile, load_profile, profile_names
    from mockchat.control import Control, ControlRefused, ServerNotThere
    from mockchat.errors import (
        BadArgument,
        BrokenProfile,
        ImpossibleSchema,
        MockchatError,
        UnknownProfile,
    )
    from mockchat.exchange import ApiError, Delivery, Ending, Exchange, Outcome, Violation, Write
    from mockchat.machine_turns import Turn
    from mockchat.machines import ChatMachine, chat_machine
    from mockchat.payloads.chunking import join, split
    from mockchat.payloads.mutation import Mutant, Mutation
    from mockchat.payloads.plans import (
        Plan,
        at_once,
        at_random,
        by_token,
        by_word,
        chunks_of,
        exactly,
    )
    from mockchat.pytest_plugin import script_fixture
    from mockchat.scripting.builders import (
        audio,
        choices,
        error,
        generated,
        message,
        mutated,
        refusal,
        text,
        tool_call,
        unchecked,
    )
    from mockchat.scripting.contents import Reply
    from mockchat.scripting.dialogue import ConversationBroken
    from mockchat.scripting.failures import (
        CarelessClient,
        InvalidReply,
        LateRequest,
        NoStubMatched,
        RequestsDiffer,
        ServerFailed,
        UnfinishedDelivery,
        UnusedReply,
    )
    from mockchat.scripting.fault_list import stream_fault, stream_faults
    from mockchat.scripting.faults import (
        Ability,
        CannotPlay,
        Fault,
        FaultMissed,
        NamedFault,
        sometimes,
        together,
    )
    from mockchat.scripting.faults_connection import ByteCuts, CutStream
    from mockchat.scripting.faults_endings import EndEarly, ErrorFrame
    from mockchat.scripting.faults_events import (
        ControlField,
        DropChunk,
        DuplicateChunk,
        EmptyData,
        KeepAlive,
        MalformedJson,
    )
    from mockchat.scripting.faults_framing import Framing
    from mockchat.scripting.faults_http import (
        EmptyBody,
        JsonForStream,
        ProxyError,
        TruncatedJson,
        WrongContentType,
    )
    from mockchat.scripting.faults_timing import Pacing, SlowHeaders, Stall
    from mockchat.scripting.faults_verbatim import Verbatim
    from mockchat.scripting.journal import Journal
    from mockchat.scripting.matching import contains, matches_schema
    from mockchat.scripting.quotas import Limits
    from mockchat.scripting.scenario_places import BrokenScenario
    from mockchat.scripting.script import Script
    from mockchat.scripting.shadowing import UnreachableStub
    from mockchat.scripting.stubs import Stub
    from mockchat.scripting.verdicts import Verdict
    from mockchat.server.face import Mockchat
    from mockchat.server.mock_server import MockServer
    from mockchat.server.transports.libraries import MissingPackage
    from mockchat.server.unscripted import (
        async_client,
        async_http_client,
        client,
        http_client,
    )

__all__ = [
    "Ability",
    "ApiError",
    "BadArgument",
    "BrokenProfile",
    "BrokenScenario",
    "ByteCuts",
    "CannotPlay",
    "CarelessClient",
    "ChatMachine",
    "Contract",
    "Control",
    "ControlField",
    "ControlRefused",
    "ConversationBroken",
    "CutStream",
    "Delivery",
    "DropChunk",
    "DuplicateChunk",
    "EmptyBody",
    "EmptyData",
    "EndEarly",
    "Ending",
    "ErrorFrame",
    "Exchange",
    "Fault",
    "FaultMissed",
    "Framing",
    "ImpossibleSchema",
    "InvalidReply",
    "Journal",
    "JsonForStream",
    "KeepAlive",
    "LateRequest",
    "Limits",
    "MalformedJson",
    "MissingPackage",
    "MockServer",
    "Mockchat",
    "MockchatError",
    "Mutant",
    "Mutation",
    "NamedFault",
    "NoStubMatched",
    "Outcome",
    "Pacing",
    "Plan",
    "Profile",
    "ProxyError",
    "Reply",
    "Report",
    "RequestsDiffer",
    "Script",
    "ServerFailed",
    "ServerNotThere",
    "SlowHeaders",
    "Stall",
    "Stub",
    "TruncatedJson",
    "Turn",
    "UnfinishedDelivery",
    "UnknownProfile",
    "UnreachableStub",
    "UnusedReply",
    "Verbatim",
    "Verdict",
    "Violation",
    "Write",
    "WrongContentType",
    "async_client",
    "async_http_client",
    "at_once",
    "at_random",
    "audio",
    "by_token",
    "by_word",
    "chat_machine",
    "check",
    "check_request",
    "choices",
    "chunks_of",
    "client",
    "contains",
    "contract_for",
    "error",
    "exactly",
    "generated",
    "http_client",
    "join",
    "load_profile",
    "matches_schema",
    "message",
    "mutated",
    "profile_names",
    "refusal",
    "script_fixture",
    "sometimes",
    "split",
    "stream_fault",
    "stream_faults",
    "text",
    "together",
    "tool_call",
    "unchecked",
]

_HOMES = {
    "conformance.checking": ("check", "check_request"),
    "conformance.report": ("Report",),
    "contract.contract": ("Contract", "contract_for"),
    "control": ("Control", "ControlRefused", "ServerNotThere"),
    "contract.profile": ("Profile", "load_profile", "profile_names"),
    "errors": (
        "BadArgument",
        "BrokenProfile",
        "ImpossibleSchema",
        "MockchatError",
        "UnknownProfile",
    ),
    "exchange": ("ApiError", "Delivery", "Ending", "Exchange", "Outcome", "Violation", "Write"),
    "machine_turns": ("Turn",),
    "machines": ("ChatMachine", "chat_machine"),
    "payloads.chunking": ("join", "split"),
    "payloads.mutation": ("Mutant", "Mutation"),
    "payloads.plans": (
        "Plan",
        "at_once",
        "at_random",
        "by_token",
        "by_word",
        "chunks_of",
        "exactly",
    ),
    "pytest_plugin": ("script_fixture",),
    "scripting.builders": (
        "audio",
        "choices",
        "error",
        "generated",
        "message",
        "mutated",
        "refusal",
        "text",
        "tool_call",
        "unchecked",
    ),
    "scripting.contents": ("Reply",),
    "scripting.dialogue": ("ConversationBroken",),
    "scripting.failures": (
        "CarelessClient",
        "InvalidReply",
        "LateRequest",
        "NoStubMatched",
        "RequestsDiffer",
        "ServerFailed",
        "UnfinishedDelivery",
        "UnusedReply",
    ),
    "scripting.fault_list": ("stream_fault", "stream_faults"),
    "scripting.faults": (
        "Ability",
        "CannotPlay",
        "Fault",
        "FaultMissed",
        "NamedFault",
        "sometimes",
        "together",
    ),
    "scripting.faults_connection": ("ByteCuts", "CutStream"),
    "scripting.faults_endings": ("EndEarly", "ErrorFrame"),
    "scripting.faults_events": (
        "ControlField",
        "DropChunk",
        "DuplicateChunk",
        "EmptyData",
        "KeepAlive",
        "MalformedJson",
    ),
    "scripting.faults_framing": ("Framing",),
    "scripting.faults_http": (
        "EmptyBody",
        "JsonForStream",
        "ProxyError",
        "TruncatedJson",
        "WrongContentType",
    ),
    "scripting.faults_timing": ("Pacing", "SlowHeaders", "Stall"),
    "scripting.faults_verbatim": ("Verbatim",),
    "scripting.journal": ("Journal",),
    "scripting.matching": ("contains", "matches_schema"),
    "scripting.quotas": ("Limits",),
    "scripting.scenario_places": ("BrokenScenario",),
    "scripting.script": ("Script",),
    "scripting.stubs": ("Stub",),
    "scripting.shadowing": ("UnreachableStub",),
    "scripting.verdicts": ("Verdict",),
    "server.face": ("Mockchat",),
    "server.mock_server": ("MockServer",),
    "server.transports.libraries": ("MissingPackage",),
    "server.unscripted": ("async_client", "async_http_client", "client", "http_client"),
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
