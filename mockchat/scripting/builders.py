"""The words a test builds replies from."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TypedDict, Unpack

from mockchat.errors import BadArgument
from mockchat.scripting.arguments import is_field, is_filled_text, is_seconds
from mockchat.scripting.contents import (
    Call,
    Failure,
    Generated,
    Reply,
    Replying,
    Said,
    reply_of,
)
from mockchat.scripting.quotas import retry_fields
from mockchat.types import Json, JsonView, Kind


def text(content: str, *, finish_reason: str | None = None, usage: JsonView | None = None) -> Reply:
    """Answer with text. A plain string says the same; this one takes overrides.

    Raises:
        BadArgument: `content` is not a string.
    """
    __tracebackhide__ = True
    if not isinstance(content, str):
        raise BadArgument("text()", content, "a string")
    return Reply(content=Said(text=content), finish_reason=finish_reason, usage=usage)


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
    """
    return Reply(content=Generated(kind=kind, shapes=shapes, seed=seed))


def unchecked(reply: Replying) -> Reply:
    """Send a reply as it is, even if it breaks the contract or the tool's parameters."""
    __tracebackhide__ = True
    return replace(reply_of(reply), is_checked=False)
