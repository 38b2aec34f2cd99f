"""Hypothesis strategies for everything that travels: lawful payloads, and unlawful ones on purpose.

```python
@given(reply=strategies.replies())
def test_agent_takes_any_legal_reply(mockchat_server, reply): ...
```

All options are named. `profile` is the variant of the API, by name or as a `Contract`; `kind` is
"wild" unless said, as finding trouble is their job: everything the contract allows. What is drawn
shrinks to the smallest payload that still fails; no draw is ever thrown away. What is wrong with an
argument is told when the test runs, as Hypothesis' own strategies do.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias, cast

from hypothesis import strategies as st

from mockchat.contract.contract import Contract, contract_for
from mockchat.errors import BadArgument
from mockchat.payloads import drawn
from mockchat.payloads.answerable import answerable_request
from mockchat.payloads.completions import complete
from mockchat.payloads.drawn import HypothesisDraw
from mockchat.payloads.encoding import DONE, encode_chunk
from mockchat.payloads.members import reply_members
from mockchat.payloads.mutants import Making, mutations_of
from mockchat.payloads.mutation import Mutant, Mutation
from mockchat.payloads.plans import Plan, at_once, by_token, by_word, chunks_of, exactly
from mockchat.payloads.requests import make_request
from mockchat.payloads.streams import for_any_reader, stream_of
from mockchat.payloads.values import Prepared
from mockchat.scripting.builders import error, generated, refusal, text
from mockchat.scripting.contents import Failure, Reply
from mockchat.scripting.replies import api_error
from mockchat.types import Chunk, Completion, Json, JsonObject, JsonView, Kind, Level

__all__ = [
    "Mutant",
    "Mutation",
    "byte_splits",
    "chunk_streams",
    "completions",
    "errors",
    "from_schema",
    "invalid_completions",
    "invalid_requests",
    "invalid_streams",
    "plans",
    "replies",
    "requests",
]

ProfileOf: TypeAlias = str | Contract
"""A profile by name, or a contract made of one."""

_STREAMING = ("stream", "stream_options")
_MOST_SEED = 2**32 - 1
_MOST_CUTS = 12
_MOST_SIZE = 40
_ERRORS_FROM = 400


def _contract(profile: ProfileOf) -> Contract:
    return profile if isinstance(profile, Contract) else contract_for(profile)


@st.composite
def requests(draw: st.DrawFn, *, profile: ProfileOf = "openai", kind: Kind = "wild") -> JsonObject:
    """Draw the body of a request that the strictest server accepts, over all members there are.

    Args:
        draw: Given by Hypothesis.
        profile: Whose requests.
        kind: "wild": whatever is accepted; "plain": what most clients send.
    """
    return make_request(_contract(profile), HypothesisDraw(draw), kind=kind)


@st.composite
def completions(
    draw: st.DrawFn,
    *,
    request: JsonView | None = None,
    profile: ProfileOf = "openai",
    kind: Kind = "wild",
    shapes: Mapping[str, float] | None = None,
) -> Completion:
    """Draw a completion that answers `request`, as a `chat.completion` object.

    Args:
        draw: Given by Hypothesis.
        request: The body that is answered: n, stop, limits, tools, formats … have their effect.
            None: a request is drawn as well.
        profile: Whose completions.
        kind: "wild": everything the contract allows; "plain": what every client accepts.
        shapes: Weights of "text", "tool_calls", "refusal", "length" and "content_filter".

    Raises:
        ImpossibleSchema: The request asks for a value no draw can make.
        BadArgument: `shapes` are not weights of shapes.
    """
    contract, source = _contract(profile), HypothesisDraw(draw)
    body = answerable_request(contract, source, kind=kind) if request is None else request
    # A completion in one piece is what a request without a stream gets.
    body = {name: value for name, value in body.items() if name not in _STREAMING}
    return complete(body, source, contract=contract, kind=kind, shapes=shapes)


@st.composite
def chunk_streams(
    draw: st.DrawFn,
    *,
    request: JsonView | None = None,
    profile: ProfileOf = "openai",
    kind: Kind = "wild",
    shapes: Mapping[str, float] | None = None,
) -> list[Chunk]:
    """Draw the chunks of a lawful stream, without `[DONE]`: any completion, cut in any way.

    `mockchat.join(chunks)` is the completion they say, to compare a client's result with.

    Args:
        draw: Given by Hypothesis.
        request: The body that is answered, its `stream_options` included. None: a request is
            drawn as well, one whose answers can be read without it.
        profile: Whose streams.
        kind: "wild": single characters, empty deltas, odd sizes, several choices in turn;
            "plain": a few tokens at a time.
        shapes: Weights, as in `completions`.

    Raises:
        ImpossibleSchema: The request asks for a value no draw can make.
        BadArgument: `shapes` are not weights of shapes.
    """
    contract, source = _contract(profile), HypothesisDraw(draw)
    if request is None:
        request = for_any_reader(answerable_request(contract, source, kind=kind))
    body = contract.profile.heeded(request) | {"stream": True}
    completion = complete(body, source, contract=contract, kind=kind, shapes=shapes)
    plan = draw(plans(kind=kind))
    chunks = stream_of(completion, plan, request=body, profile=contract.profile, draw=source)
    return [*chunks]


def replies(*, profile: ProfileOf = "openai", kind: Kind = "wild") -> st.SearchStrategy[Reply]:
    """Draw replies for `mockchat.reply(...)` that answer any request: text, refusals, generated ones.

    A generated reply is made for the request it meets: tool calls where tools are offered, `n`
    choices, structured output.

    Args:
        profile: Whose replies; one without refusals gets none.
        kind: What is generated.
    """

    def known() -> st.SearchStrategy[Reply]:
        words = st.text() if kind == "wild" else st.text(min_size=1)
        seeds = st.integers(0, _MOST_SEED)
        options = [st.builds(text, words)]
        if "refusal" in reply_members(_contract(profile).profile).message and kind == "wild":
            options.append(st.builds(refusal, st.text(min_size=1)))
        options.append(st.builds(generated, kind=st.just(kind), seed=seeds))
        return st.one_of(options)

    return st.deferred(known)


def errors(*, profile: ProfileOf = "openai") -> st.SearchStrategy[Reply]:
    """Draw errors for `mockchat.reply(...)`: every entry of the profile's catalogue, and statuses.

    Args:
        profile: Whose errors.
    """

    def known() -> st.SearchStrategy[Reply]:
        contract = _contract(profile)
        names = [name for name in contract.profile.errors if _is_complete(contract, name)]
        usual = contract.profile.settings.get("scripted_errors", {}).get("usual", {})
        statuses = [int(status) for status in usual if status.isdecimal()]
        return st.builds(error, st.sampled_from([*statuses, *names]))

    return st.deferred(known)


def _is_complete(contract: Contract, name: str) -> bool:
    """Tell whether an entry of the catalogue can be scripted without further words."""
    failure = Failure(name=name, status=None, changes={}, fields={}, headers=())
    try:
        return api_error(failure, contract).status >= _ERRORS_FROM
    except BadArgument:
        return False


@st.composite
def plans(
    draw: st.DrawFn, *, completion: Completion | JsonView | None = None, kind: Kind = "wild"
) -> Plan:
    """Draw a plan that cuts a completion into chunks; it shrinks to all at once.

    Args:
        draw: Given by Hypothesis.
        completion: What will be cut: sizes are then drawn up to its longest text.
        kind: "wild": single characters, odd sizes, empty deltas; "plain": whole tokens or words.
    """
    if kind == "plain":
        return draw(st.sampled_from([at_once(), by_word(), by_token()]))
    longest = _MOST_SIZE if completion is None else max(1, _longest(completion))
    sizes = st.lists(st.integers(0, longest), max_size=_MOST_CUTS)
    return draw(
        st.one_of(
            st.just(at_once()),
            st.builds(exactly, sizes),
            st.builds(chunks_of, st.integers(1, longest)),
            st.sampled_from([by_word(), by_token()]),
        )
    )


def _longest(value: Json) -> int:
    """Return the length of the longest text in `value`."""
    if isinstance(value, str):
        return len(value)
    inside = value.values() if isinstance(value, Mapping) else value
    return max(map(_longest, inside), default=0) if isinstance(value, Mapping | list) else 0


@st.composite
def byte_splits(
    draw: st.DrawFn, stream: bytes | Sequence[Chunk] | Sequence[JsonView], *, done: bool = True
) -> list[bytes]:
    """Draw the bytes of a stream as a network may deliver them: cut anywhere, joined the same.

    Cuts fall inside UTF-8 sequences, escapes, field names and line ends more often than chance
    would have it. A read of nothing is no cut. Shrinks to fewer cuts.

    Args:
        draw: Given by Hypothesis.
        stream: The bytes, or the chunks to frame as server-sent events first.
        done: Whether framed chunks end with `data: [DONE]`.
    """
    data = stream if isinstance(stream, bytes) else _framed(stream, done=done)
    if len(data) < 2:  # noqa: PLR2004 - one byte cannot be cut
        return [data]
    awkward = [at for at in range(1, len(data)) if _is_awkward(data, at)]
    anywhere = st.integers(1, len(data) - 1)
    places = st.one_of(st.sampled_from(awkward), anywhere) if awkward else anywhere
    cuts = [0, *sorted(draw(st.sets(places, max_size=_MOST_CUTS))), len(data)]
    return [data[start:end] for start, end in pairwise(cuts)]


def _framed(chunks: Sequence[Chunk] | Sequence[JsonView], *, done: bool) -> bytes:
    events = b"".join(encode_chunk(cast("JsonView", chunk)) for chunk in chunks)
    return events + DONE if done else events


def _is_awkward(data: bytes, at: int) -> bool:
    """Tell whether a cut before byte `at` falls inside what careless readers take for whole."""
    is_in_character = 0x80 <= data[at] < 0xC0  # noqa: PLR2004 - UTF-8's continuation bytes
    return is_in_character or data[at - 1] in b"\\\r" or data[at - 1 : at + 1] == b"\n\n"


def from_schema(
    schema: JsonView | bool,  # noqa: FBT001 - a schema may be true or false
    *,
    kind: Kind = "wild",
) -> st.SearchStrategy[Json]:
    """Draw a value that is valid against any JSON Schema, drafts 4 to 2020-12.

    Args:
        schema: The schema as it is when the first value is drawn; references lead into itself.
        kind: "plain": text is not empty and objects have no members the schema does not name.

    Raises:
        ImpossibleSchema: It is not a schema, or has no value of a reasonable size.
    """
    return drawn.from_schema(Prepared(schema), kind=kind)


@st.composite
def invalid_requests(
    draw: st.DrawFn,
    *,
    profile: ProfileOf = "openai",
    kind: Kind = "wild",
    mutation: str | None = None,
) -> Mutant:
    """Draw requests that a server must refuse, each with what is wrong with it and where.

    Args:
        draw: Given by Hypothesis.
        profile: Whose contract they break.
        kind: What the rest of the request is like.
        mutation: The id of one mutation (see `cases.invalid_cases`), None for any.

    Raises:
        BadArgument: There is no such mutation.
    """
    known = mutations_of(_contract(profile), "request")
    return _chosen(draw, known, mutation)(HypothesisDraw(draw), kind)


@st.composite
def invalid_completions(
    draw: st.DrawFn,
    *,
    profile: ProfileOf = "openai",
    kind: Kind = "wild",
    level: Level = "observed",
    mutation: str | None = None,
) -> Mutant:
    """Draw completions that no server may send, each with what is wrong with it and where.

    Args:
        draw: Given by Hypothesis.
        profile: Whose contract they break.
        kind: What the rest of the completion is like.
        level: At which level they are wrong; their parents are not.
        mutation: The id of one mutation (see `cases.invalid_cases`), None for any.

    Raises:
        BadArgument: There is no such mutation.
    """
    known = mutations_of(_contract(profile), "response", level=level)
    return _chosen(draw, known, mutation)(HypothesisDraw(draw), kind)


@st.composite
def invalid_streams(
    draw: st.DrawFn,
    *,
    profile: ProfileOf = "openai",
    level: Level = "observed",
    mutation: str | None = None,
) -> Mutant:
    """Draw the bytes of streams that no server may send, each with what is wrong with it and where.

    The pointer of the mutation names the event: "/3/choices/0/delta" is in the fourth.

    Args:
        draw: Given by Hypothesis.
        profile: Whose contract they break.
        level: At which level they are wrong; their parents are not.
        mutation: The id of one mutation (see `cases.invalid_cases`), None for any.

    Raises:
        BadArgument: There is no such mutation.
    """
    known = mutations_of(_contract(profile), "stream", level=level)
    return _chosen(draw, known, mutation)(HypothesisDraw(draw), "wild")


def _chosen(draw: st.DrawFn, known: Mapping[str, Making], name: str | None) -> Making:
    """Return the mutation called `name`, or one drawn: the nearest to the root are the simplest."""
    if name is not None and name not in known:
        raise BadArgument("mutation", name, "an id that mockchat.cases.invalid_cases() lists")
    return known[draw(st.sampled_from([*known])) if name is None else name]
