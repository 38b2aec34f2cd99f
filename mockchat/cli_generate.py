"""The command `mockchat generate`: payloads on stdout, as many as asked for."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack, get_args

import click

from mockchat.cli_options import (
    Refusal,
    Weights,
    kind_option,
    level_option,
    locale_option,
    profile_option,
    refusing,
    schemas_option,
    shape_option,
    tokenizer_option,
)
from mockchat.types import Completion, Json, JsonObject, Kind, Level

if TYPE_CHECKING:
    from mockchat.contract.contract import Contract
    from mockchat.payloads.seeded import SeededDraw

What = Literal["requests", "completions", "streams", "invalid"]

_STDIN = "-"
_LONG = 500
"""From how many payloads on a progress bar is worth its line."""


class _Options(TypedDict):
    """The options of `mockchat generate`, as click hands them over."""

    what: What
    count: int
    seed: int
    profile: str
    schemas: Path | None
    kind: Kind
    level: Level
    locale: str
    shapes: Weights
    tokenizer: str
    request: str | None
    document: str
    is_jsonl: bool


@click.command()
@click.argument("what", type=click.Choice(get_args(What)))
@click.option("-n", "count", default=1, type=click.IntRange(min=0), help="How many to make.")
@click.option("--seed", default=0, help="Same seed, same options: same payloads.")
@profile_option("Variant of the API.")
@schemas_option
@kind_option
@locale_option
@shape_option
@tokenizer_option
@click.option(
    "--for",
    "request",
    metavar="FILE",
    help='Request that completions and streams answer; "-" is stdin. Made up without it.',
)
@click.option(
    "--document",
    default="request",
    metavar="NAME",
    help="What is invalid: request, response, stream, chunk, error or another document.",
)
@level_option(
    "How replies are wrong: as no real server sends them, or as the official pages forbid."
)
@click.option("--jsonl", "is_jsonl", is_flag=True, help="Print each stream as one line of chunks.")
def generate(**options: Unpack[_Options]) -> None:
    """Make payloads: requests, completions, streams, or invalid ones with their reason.

    One JSON text a line; streams as server-sent events, each ended by [DONE].
    """
    from mockchat.contract.contract import contract_for
    from mockchat.payloads.text import DEFAULT_LOCALE, language

    with refusing():
        contract = contract_for(options["profile"], options["schemas"])
        if options["locale"] != DEFAULT_LOCALE:  # looking into Faker takes 50 ms
            language(options["locale"])
        request = _request(contract, options)
        make = _MAKERS[options["what"]](contract, options, request)
        for data in _shown(make, options):
            sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def _shown(make: "Callable[[SeededDraw], bytes]", options: _Options) -> Iterator[bytes]:
    """Yield what is made, with a progress bar where somebody watches and waits."""
    from mockchat.payloads.seeded import SeededDraw

    is_watched = options["count"] >= _LONG and sys.stderr.isatty() and not sys.stdout.isatty()
    numbers = range(options["count"])
    with click.progressbar(numbers, file=sys.stderr, hidden=not is_watched) as steps:
        for number in steps:
            seed = f"{options['what']} {options['seed']} {number}"
            yield make(SeededDraw(seed, locale=options["locale"]))


def _request(contract: "Contract", options: _Options) -> JsonObject | None:
    file = options["request"]
    if file is None:
        return None
    if options["what"] not in {"completions", "streams"}:
        raise Refusal(f"--for goes with completions and streams, not with {options['what']}")
    try:
        text = sys.stdin.read() if file == _STDIN else Path(file).read_text(encoding="utf-8")
        body: Json = json.loads(text)
    except OSError as error:
        raise Refusal(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise Refusal(f"{file}: {error}") from error
    found = contract.request_violations(body)
    if found:
        raise Refusal(f"{file}{found[0].pointer}: {found[0].message} ({found[0].rule})")
    return dict(body)


def _requests(
    contract: "Contract", options: _Options, _: JsonObject | None
) -> "Callable[[SeededDraw], bytes]":
    from mockchat.payloads.requests import make_request

    return lambda draw: _line(make_request(contract, draw, kind=options["kind"]))


def _completions(
    contract: "Contract", options: _Options, request: JsonObject | None
) -> "Callable[[SeededDraw], bytes]":
    from mockchat.payloads.answerable import answerable_request

    def make(draw: "SeededDraw") -> bytes:
        body = request or answerable_request(contract, draw, kind=options["kind"])
        asked = {name: value for name, value in body.items() if name != "stream"}
        return _line(_completed(asked, draw, contract, options))

    return make


def _completed(
    asked: JsonObject, draw: "SeededDraw", contract: "Contract", options: _Options
) -> "Completion":
    from mockchat.payloads.completions import complete
    from mockchat.payloads.encodings import tokenizer_named

    return complete(
        asked,
        draw,
        contract=contract,
        kind=options["kind"],
        shapes=options["shapes"],
        tokenizer=tokenizer_named(options["tokenizer"]),
    )


def _streams(
    contract: "Contract", options: _Options, request: JsonObject | None
) -> "Callable[[SeededDraw], bytes]":
    from mockchat.contract.stream_axes import DONE
    from mockchat.payloads.answerable import answerable_request
    from mockchat.payloads.plans import random_plan
    from mockchat.payloads.stream_mutants import encoded
    from mockchat.payloads.stream_style import stream_style
    from mockchat.payloads.streams import stream_of

    profile, kind = contract.profile, options["kind"]
    ending = [DONE] if stream_style(profile).done else []

    def make(draw: "SeededDraw") -> bytes:
        body = request or answerable_request(contract, draw, kind=kind)
        asked = profile.heeded(body) | {"stream": True}
        completion = _completed(asked, draw, contract, options)
        plan = random_plan(draw, kind=kind)
        chunks = stream_of(completion, plan, request=asked, profile=profile, draw=draw)
        return _line(chunks) if options["is_jsonl"] else encoded([*chunks, *ending])

    return make


def _invalid(
    contract: "Contract", options: _Options, _: JsonObject | None
) -> "Callable[[SeededDraw], bytes]":
    from mockchat.payloads.mutants import mutations_of

    known = mutations_of(contract, options["document"], level=options["level"])
    makings = [*known.items()]

    def make(draw: "SeededDraw") -> bytes:
        name, making = makings[draw.index(len(makings))]
        mutant = making(draw, options["kind"])
        request = {"request": mutant.request} if mutant.request else {}
        told = {"id": name, "mutation": asdict(mutant.mutation), **request}
        payload = mutant.payload
        if isinstance(payload, bytes):
            # What is no UTF-8 stands as the escape that Python turns back into the byte.
            payload = payload.decode("utf-8", "surrogateescape")
        return _line({**told, "payload": payload})

    return make


_MAKERS: "dict[What, Callable[[Contract, _Options, JsonObject | None], Callable[[SeededDraw], bytes]]]" = {
    "requests": _requests,
    "completions": _completions,
    "streams": _streams,
    "invalid": _invalid,
}


def _line(value: Json) -> bytes:
    # ASCII, so that half a character and a line separator survive every terminal and pipe.
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
