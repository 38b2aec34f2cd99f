"""Files of other tools as scenarios: recordings become requests and their answers, rules stubs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from mockchat.contract.contract import Contract, contract_for
from mockchat.contract.stream_axes import stream_axes
from mockchat.recording.from_aimock import OWN_KEYS as AIMOCK_KEYS
from mockchat.recording.from_aimock import aimock_stubs
from mockchat.recording.from_har import har_exchanges
from mockchat.recording.from_stubllm import OWN_KEYS as STUBLLM_KEYS
from mockchat.recording.from_stubllm import fixtures_of, stubllm_stubs
from mockchat.recording.from_vcr import cassette, is_cassette, vcr_exchanges
from mockchat.recording.imported import Note, Notes, Ruled, Taken, Unimportable
from mockchat.recording.scenario_text import is_replayable, recorded_stub, scenario_of
from mockchat.recording.settling import settled
from mockchat.scripting.scenario_file import LARGEST as LARGEST_SCENARIO
from mockchat.scripting.scenario_file import located_bytes
from mockchat.scripting.scenario_places import BrokenScenario
from mockchat.server.wire import BadBody, decode_json
from mockchat.types import Json, JsonObject

Format: TypeAlias = Literal["har", "vcr", "aimock", "stubllm"]
"""What is read: HTTP archives, cassettes of vcrpy, fixtures of aimock and of stubllm."""

FORMATS: tuple[Format, ...] = get_args(Format)

LARGEST = 32 * 1024 * 1024
"""The largest file that is read, in bytes."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A scenario made of somebody else's file.

    Attributes:
        format: What the file was read as.
        scenario: What is to be written.
        notes: What could not be kept, by place.
    """

    format: Format
    scenario: JsonObject
    notes: tuple[Note, ...]


def imported(
    data: bytes,
    name: str,
    *,
    format_: Format | None = None,
    profile: str = "openai",
    schemas: Path | None = None,
) -> Imported:
    """Return the scenario that answers as a file of another tool says.

    Args:
        data: The file's bytes.
        name: Its name; JSON where it ends so (or in `.har`), else YAML.
        format_: What it is; None to tell by its content.
        profile: The variant of the API that is answered in.
        schemas: A folder of the caller's own profiles.

    Raises:
        Unimportable: It is nothing of that kind, malformed, or too large.
        UnknownProfile: There is no such profile.
    """
    if len(data) > LARGEST:
        raise Unimportable(f"the file has {len(data):,} bytes; at most {LARGEST:,} are read")
    contract = contract_for(profile, schemas)
    value = _value(data, name)
    kind = format_ or _format_of(value)
    if kind in {"har", "vcr"}:
        taken = har_exchanges(value) if kind == "har" else vcr_exchanges(value)
        scenario, notes = _recorded(taken, contract, schemas)
    else:
        scenario, notes = _ruled(data, name, kind, contract)
    return Imported(format=kind, scenario=scenario, notes=notes)


def exchanges_in(data: bytes, name: str) -> Taken | None:
    """Return the exchanges of an archive or a cassette, None where the file is neither.

    Raises:
        Unimportable: It is one of them and malformed, or too large.
    """
    if len(data) > LARGEST:
        raise Unimportable(f"the file has {len(data):,} bytes; at most {LARGEST:,} are read")
    try:
        value = _value(data, name)
    except Unimportable:
        if Path(name).suffix.lower() == ".har":
            raise
        return None  # whoever reads scenarios tells what is wrong with it, and where
    if is_cassette(value):
        return vcr_exchanges(value)
    is_har = isinstance(value, dict) and "log" in value
    return har_exchanges(value) if is_har else None


def _value(data: bytes, name: str) -> Json:
    if Path(name).suffix.lower() not in {".json", ".har"}:
        return cassette(data)
    try:
        return decode_json(data.removeprefix(_BOM))
    except BadBody as bad:
        raise Unimportable(f"no JSON: {bad.detail}") from None


def _format_of(value: Json) -> Format:
    if isinstance(value, dict) and "log" in value:
        return "har"
    if is_cassette(value):
        return "vcr"
    found: list[Json] = [one for _, one in fixtures_of(value)]
    fixtures = [one for one in found if isinstance(one, dict)]
    said = {key for one in fixtures for half in ("match", "response") for key in _keys(one, half)}
    said |= {key for one in fixtures for key in one if key == "sequence"}
    likely: list[Format] = [
        *(("aimock",) if said & AIMOCK_KEYS else ()),
        *(("stubllm",) if said & {*STUBLLM_KEYS, "sequence"} else ()),
    ]
    if len(likely) == 1:
        return likely[0]
    raise Unimportable(f"the format is not clear; name it: --format {'|'.join(FORMATS)}")


def _keys(fixture: JsonObject, half: str) -> Iterable[str]:
    value = fixture.get(half)
    return value if isinstance(value, dict) else ()


def _recorded(
    taken: Taken, contract: Contract, schemas: Path | None
) -> tuple[JsonObject, tuple[Note, ...]]:
    notes = list(taken.notes)
    for exchange, place in zip(taken.exchanges, taken.places, strict=True):
        if not is_replayable(exchange):
            what = f"{exchange.method} {exchange.path} is no request for a chat completion"
            notes.append(Note(place=place, message=f"it is not imported: {what}"))
            continue
        stub = recorded_stub(exchange, contract)
        notes += [
            Note(place=place, message=f"it is unchecked: {wrong.removeprefix('! ')}")
            for wrong in (() if stub is None else stub.notes[1:])
        ]
    scenario = scenario_of(taken.exchanges, profile=contract.profile.name, schemas=schemas)
    return scenario, tuple(notes)


def _ruled(
    data: bytes, name: str, kind: Format, contract: Contract
) -> tuple[JsonObject, tuple[Note, ...]]:
    if len(data) > LARGEST_SCENARIO:
        fact = f"the file has {len(data):,} bytes; at most {LARGEST_SCENARIO:,} of rules are read"
        raise Unimportable(fact)
    try:
        notes = Notes(said=located_bytes(data, name))
    except BrokenScenario as broken:
        problem = broken.problems[0]
        where = f"{problem.place.line}:{problem.place.column}"
        raise Unimportable(f"{where}: {problem.message}") from None
    rules: Sequence[Ruled]
    if kind == "aimock":
        has_reasoning = stream_axes(contract.profile.settings).reasoning_field is not None
        rules = aimock_stubs(notes, has_reasoning=has_reasoning)
    else:
        rules = stubllm_stubs(notes)
    head: JsonObject = {
        "profile": contract.profile.name,
        "validation": "warn",  # neither tool judges requests
        "unmatched": "fail",
        "unused": "ignore",
    }
    kept = settled(rules, contract, notes)
    return {**head, "stubs": kept}, tuple(notes.taken)
