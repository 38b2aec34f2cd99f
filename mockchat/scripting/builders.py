"""The words a test builds replies from."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypedDict, Unpack, get_args

from mockchat.errors import BadArgument
from mockchat.payloads.mutation import Mutant
from mockchat.payloads.shapes import checked_shapes
from mockchat.scripting.arguments import is_field, is_filled_text, is_seconds
from mockchat.scripting.contents import (
    Call,
    Choices,
    Failure,
    Generated,
    Mutated,
    Reply,
    Replying,
    Said,
    reply_of,
)
from mockchat.scripting.quotas import retry_fields
from mockchat.scripting.request_view import is_list
from mockchat.types import Json, JsonView, Kind


def text(
    content: str,
    *,
    finish_reason: str | None = None,
    usage: JsonView | None = None,
    reasoning: str | None = None,
    logprobs: JsonView | Sequence[tuple[str, float]] | None = None,
) -> Reply:
    """Answer with text. A plain string says the same; this one takes overrides.

    Args:
        content: The text.
        finish_reason: Replaces "stop".
        usage: Members that replace those of the counted usage.
        reasoning: What the model thought before, for profiles whose messages show it.
        logprobs: Log probabilities in place of made-up ones: a pair for each token, or the object
            of the choice.

    Raises:
        BadArgument: An argument is not of its type.
    """
    __tracebackhide__ = True
    if not isinstance(content, str):
        raise BadArgument("text()", content, "a string")
    if reasoning is not None and not isinstance(reasoning, str):
        raise BadArgument("text(reasoning=)", reasoning, "a string")
    said = Said(text=content, reasoning=reasoning, logprobs=_logprobs(logprobs))
    return Reply(content=said, finish_reason=finish_reason, usage=usage)


def _logprobs(given: object) -> JsonView | None:
    __tracebackhide__ = True
    if given is None or isinstance(given, Mapping):
        return given
    pairs = list(given) if is_list(given) else []
    if not pairs or not all(map(_is_pair, pairs)):
        allowed = "pairs of a token and its log probability, or an object with `content`"
        raise BadArgument("text(logprobs=)", given, allowed)
    entries = [
        {"token": token, "logprob": value, "bytes": list(token.encode("utf-8", "replace"))}
        for token, value in pairs
    ]
    return {"content": [{**entry, "top_logprobs": []} for entry in entries], "refusal": None}


def _is_pair(value: object) -> bool:
    if not isinstance(value, tuple | list) or [type(part) for part in value[:1]] != [str]:
        return False
    is_number = isinstance(value[-1], int | float) and not isinstance(value[-1], bool)
    return len(value) == len(("token", "logprob")) and is_number


def tool_call(name: str, arguments: JsonView | str | None = None, /, **kwargs: Json) -> Reply:
    """Answer with a call of a tool; several in a list are parallel calls.

    Args:
        name: The tool's name.
        arguments: The arguments as a mapping, or as text that is sent as it is: JSON text of a
            function's arguments, or the input of a custom tool.
        **kwargs: The arguments by name, instead of a mapping.

    Raises:
        BadArgument: The arguments are given twice, or are no JSON.
    """
    __tracebackhide__ = True
    if not is_filled_text(name):
        raise BadArgument("tool_call(name)", name, "a non-empty string")
    if arguments is not None and kwargs:
        raise BadArgument("tool_call(arguments)", arguments, "nothing beside arguments by name")
    if isinstance(arguments, str):
        return Reply(content=Said(calls=(Call(name=name, input=arguments, is_text=True),)))
    given = kwargs if arguments is None else arguments
    if not isinstance(given, Mapping):
        raise BadArgument("tool_call(arguments)", given, "a mapping or text")
    try:
        encoded = json.dumps(dict(given), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError):
        raise BadArgument("tool_call(arguments)", given, "values that JSON can carry") from None
    return Reply(content=Said(calls=(Call(name=name, input=encoded, is_text=False),)))


def refusal(explanation: str) -> Reply:
    """Answer with a refusal, as a model does that will not fill in the wanted structure.

    Raises:
        BadArgument: `explanation` is not a string.
    """
    __tracebackhide__ = True
    if not isinstance(explanation, str):
        raise BadArgument("refusal()", explanation, "a string")
    return Reply(content=Said(refusal=explanation))


def audio(transcript: str, *, data: str | None = None) -> Reply:
    """Answer with speech: a tenth of a second of silence in the format the request asks for.

    Args:
        transcript: What is said.
        data: Bytes of your own, in base64.

    Raises:
        BadArgument: An argument is not a string.
    """
    __tracebackhide__ = True
    if not isinstance(transcript, str):
        raise BadArgument("audio()", transcript, "a string")
    if data is not None and not isinstance(data, str):
        raise BadArgument("audio(data=)", data, "a string, in base64")
    own = {} if data is None else {"data": data}
    return Reply(content=Said(members={"audio": {"transcript": transcript, **own}}))


def message(members: JsonView, /) -> Reply:
    """Answer with a message as it is on the wire: content parts, annotations, a vendor's members.

    Role, content, refusal, and what calls and audio leave out, are filled in.

    Raises:
        BadArgument: `members` is not a mapping with something in it.
    """
    __tracebackhide__ = True
    given: object = members
    if not isinstance(given, Mapping) or not given:
        raise BadArgument("message()", members, "a mapping of members")
    return Reply(content=Said(members=dict(given)))


def choices(replies: Sequence[Replying], /) -> Reply:
    """Answer a request for several choices with a message of its own for each.

    Args:
        replies: Texts, tool calls or lists of them, refusals, messages, in the order of choices.
            Each may have a `finish_reason`.

    Raises:
        BadArgument: One of them is no message.
    """
    __tracebackhide__ = True
    given: object = replies
    made = [reply_of(reply) for reply in given] if is_list(given) else []
    plain = [Reply(content=one.content, finish_reason=one.finish_reason) for one in made]
    checked = [replace(one, is_checked=True) for one in made]
    if not made or checked != plain or not all(isinstance(one.content, Said) for one in made):
        allowed = "a list of texts, tool calls, refusals and messages, without other overrides"
        raise BadArgument("choices()", replies, allowed)
    return Reply(
        content=Choices(replies=tuple(made)), is_checked=all(one.is_checked for one in made)
    )


def mutated(mutation: str | Mutant, /) -> Reply:
    """Answer with a reply that breaks the contract in one known place; the rest of it is lawful.

    Args:
        mutation: The id of a mutation, as `cases.invalid_cases("response")` lists them for replies
            in one piece and `("stream")` for streams, or a mutant that
            `strategies.invalid_completions()` or `invalid_streams()` has drawn.

    Raises:
        BadArgument: It is neither. (An id that is not there is found by `reply`, which knows the
            profile.)
    """
    __tracebackhide__ = True
    if not isinstance(mutation, str | Mutant):
        raise BadArgument("mutated()", mutation, "the id of a mutation, or a mutant")
    return Reply(content=Mutated(mutation=mutation), is_checked=False)


class ErrorChanges(TypedDict, total=False):
    """Members of the error object, in place of the catalogue's."""

    message: str
    type: str | None
    code: str | int | None
    param: str | None


_LOWEST_ERROR, _HIGHEST_ERROR = 400, 599


def error(
    what: int | str,
    *,
    retry_after: float | None = None,
    headers: Mapping[str, str] | None = None,
    fields: JsonView | None = None,
    **changes: Unpack[ErrorChanges],
) -> Reply:
    """Answer with an error of the API.

    Args:
        what: A status, such as 429, or a name in the profile's catalogue, such as
            "rate_limit_requests". A status takes the profile's usual error of that status.
        retry_after: Seconds to wait, sent as `retry-after` (rounded up) and `retry-after-ms`.
        headers: Further response fields.
        fields: What the catalogue's message needs, such as `{"model": "gpt-x"}`.
        **changes: Members of the error object, `message` `type` `code` `param`, that replace the
            catalogue's.

    Raises:
        BadArgument: A value is out of range, or a keyword unknown. (A name that the catalogue lacks is found by `reply`,
            which knows the profile.)
    """
    __tracebackhide__ = True
    is_status = isinstance(what, int) and not isinstance(what, bool)
    if is_status and not _LOWEST_ERROR <= int(what) <= _HIGHEST_ERROR:
        raise BadArgument("error()", what, "a status from 400 to 599, or a name of the catalogue")
    if not is_status and not isinstance(what, str):
        raise BadArgument("error()", what, "a status from 400 to 599, or a name of the catalogue")
    for key in changes.keys() - ErrorChanges.__annotations__.keys():
        close = difflib.get_close_matches(key, ErrorChanges.__annotations__, n=1)
        known = ", ".join(ErrorChanges.__annotations__)
        raise BadArgument("keyword of error()", key, known, close[0] if close else None)
    sent: list[tuple[str, str]] = []
    if retry_after is not None:
        if not is_seconds(retry_after):
            raise BadArgument("error(retry_after=)", retry_after, "a number of seconds, 0 or more")
        sent += retry_fields(retry_after)
    for field in (headers or {}).items():
        if not is_field(*field):
            raise BadArgument(
                "error(headers=)", dict([field]), "names to lines of text, as in HTTP"
            )
        sent.append(field)
    return Reply(
        content=Failure(
            name=what if isinstance(what, str) else None,
            status=what if isinstance(what, int) else None,
            changes=dict(changes),
            fields=fields or {},
            headers=tuple(sent),
        )
    )


def generated(
    *,
    kind: Kind | None = None,
    shapes: Mapping[str, float] | None = None,
    seed: int | None = None,
) -> Reply:
    """Answer with a completion made up for the request: lawful, seeded, never the same text twice.

    Args:
        kind: "plain" or "wild"; the script's if not given.
        shapes: Weights of the shapes a reply can have.
        seed: Replaces the script's; the request then decides nothing but what fits it.

    Raises:
        BadArgument: There is no such kind or shape, or the seed is not a whole number.
    """
    __tracebackhide__ = True
    if kind is not None and kind not in get_args(Kind):
        raise BadArgument("generated(kind=)", kind, " or ".join(map(repr, get_args(Kind))))
    if isinstance(seed, bool) or not isinstance(seed, int | None):
        raise BadArgument("generated(seed=)", seed, "a whole number")
    checked_shapes(shapes)
    return Reply(content=Generated(kind=kind, shapes=shapes, seed=seed))


def unchecked(reply: Replying) -> Reply:
    """Send a reply as it is, even if it breaks the contract or the tool's parameters."""
    __tracebackhide__ = True
    return replace(reply_of(reply), is_checked=False)
