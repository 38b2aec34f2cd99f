"""What HTTP adds to the contract: that there is an answer, its status, its label, its refusals."""

import re
from collections.abc import Iterator, Mapping
from functools import partial

from mockchat.conformance.answers import JSON_TYPE
from mockchat.conformance.observed import Observed
from mockchat.conformance.records import payload_of
from mockchat.conformance.written import WrittenCheck, written, wrong
from mockchat.contract.stream_framing import MEDIA_TYPE
from mockchat.exchange import ApiError, Violation, header
from mockchat.types import Json, Level

CHECKS: dict[str, WrittenCheck] = {}
"""The checks of this module by id."""

_written = partial(written, CHECKS)
_SECONDS = re.compile(r"[1-9][0-9]*", re.ASCII)
_COUNT = re.compile(r"(?P<name>x-ratelimit-(?:limit|remaining)-(?:requests|tokens))")
_NUMBER = re.compile(r"[0-9]+", re.ASCII)


def _always(_: Observed) -> bool:
    return True


def _must_refuse(seen: Observed) -> bool:
    return seen.is_whole and seen.probe.wanted == "refusal" and not seen.is_limited


@_written(
    "answer.whole",
    "Every request is answered, whole and in time.",
    source="RFC 9112: a message ends where its length or its last chunk says.",
    applies=_always,
    clients=("openai-python retries twice and raises APIConnectionError or APITimeoutError",),
)
def _answer_whole(seen: Observed) -> Iterator[Violation]:
    answered = seen.answered
    if answered.failure is not None:
        message = f"The answer is not whole ({answered.failure.value}): {answered.detail}."
        yield wrong("", message, "a whole answer", answered.failure.value, "observed")


@_written(
    "answer.no-server-error",
    "No request makes the server fail: a status of 500 and above says it did.",
    source="OpenAI's error guide: 5xx are the service's own faults.",
    applies=lambda seen: seen.is_whole,
    clients=("openai-python repeats the request twice before it raises InternalServerError",),
)
def _no_server_error(seen: Observed) -> Iterator[Violation]:
    status = seen.answered.status or 0
    if status >= 500:  # noqa: PLR2004 - HTTP's range
        wanted = "2xx" if seen.probe.wanted == "completion" else "4xx"
        yield wrong("", f"The server failed with status {status}.", wanted, status, "observed")


@_written(
    "answer.at-home",
    "A request is answered where it was sent, not redirected.",
    source="The official document lists no status 3xx; recorded traffic has none.",
    applies=lambda seen: seen.is_whole and seen.sent_to_api,
    clients=(
        "openai-python follows 301, 302 and 303 with GET: the request is lost",
        "openai-python and openai-node give up a loop with a connection error",
    ),
)
def _at_home(seen: Observed) -> Iterator[Violation]:
    if seen.is_redirect:
        place = header(seen.answered.headers, "location")
        message = f"The answer leads elsewhere, with status {seen.answered.status}: {place!r}."
        yield wrong("", message, "2xx, or 4xx", seen.answered.status, "observed")


@_written(
    "answer.encoding",
    "A body is not compressed for who asks for `identity`.",
    source="RFC 9110, 12.5.3: an encoding that the request does not accept is not to be sent.",
    applies=lambda seen: seen.is_whole,
    clients=("clients without the decoder, such as most embedded ones, read garbage",),
)
def _encoding(seen: Observed) -> Iterator[Violation]:
    given = (header(seen.answered.headers, "content-encoding") or "identity").strip().lower()
    if given != "identity":
        yield wrong("", f"The body is encoded as {given!r}.", "identity", given, "observed")


@_written(
    "answer.content-type",
    "A JSON body is labelled application/json.",
    source="The official document lists application/json for every answer but streams.",
    applies=lambda seen: seen.is_whole and seen.sent_to_api and seen.answered.json is not None,
    clients=("openai-python returns the body as a string when it is labelled otherwise",),
)
def _content_type(seen: Observed) -> Iterator[Violation]:
    given = seen.answered.content_type
    if given != JSON_TYPE:
        # A kind of JSON by its suffix (RFC 6839, 3.1) is read as JSON by clients.
        level: Level = "documented" if given.endswith("+json") else "observed"
        yield wrong("", f"The JSON body is labelled {given!r}.", JSON_TYPE, given, level)


@_written(
    "answer.json",
    "A body that is no stream is JSON.",
    source="The official document: application/json for completions, models and errors.",
    applies=lambda seen: (
        seen.is_whole
        and seen.sent_to_api
        and not seen.is_redirect
        and not seen.is_broken
        and seen.answered.content_type != MEDIA_TYPE
        and not (seen.is_accepted and seen.asks_stream)
    ),
    clients=("openai-python raises JSONDecodeError, or returns text where an object is expected",),
)
def _json(seen: Observed) -> Iterator[Violation]:
    payload = payload_of("error", seen.answered.body)
    if payload.problem is not None:
        message = f"The body is no JSON: {payload.problem}."
        shown = seen.answered.body[:80].decode("utf-8", "replace")
        yield wrong("", message, "JSON", shown, "observed")


@_written(
    "answer.request-id",
    "Every answer names itself in x-request-id.",
    source="Recorded answers of api.openai.com all carry it; the SDKs show it in errors.",
    applies=lambda seen: (
        seen.is_whole
        and seen.sent_to_api
        and "x-request-id" in seen.contract.profile.settings.get("headers", {})
    ),
    level="documented",
    severity="advice",
)
def _request_id(seen: Observed) -> Iterator[Violation]:
    if not header(seen.answered.headers, "x-request-id"):
        message = "There is no x-request-id."
        yield wrong("", message, "x-request-id", None, "documented")


@_written(
    "answer.quota-fields",
    "Quotas are told in whole numbers.",
    source="Recorded answers of api.openai.com and api.groq.com: x-ratelimit-limit-requests, "
    "-remaining-requests, -limit-tokens and -remaining-tokens are integers.",
    applies=lambda seen: seen.is_whole and any(_quota_fields(seen)),
    level="documented",
    clients=("whoever slows down by these fields reads them as numbers",),
)
def _quotas(seen: Observed) -> Iterator[Violation]:
    for name, value in _quota_fields(seen):
        if not _NUMBER.fullmatch(value):
            yield wrong("", f"{name} is {value!r}.", "a whole number", value, "documented")


def _quota_fields(seen: Observed) -> Iterator[tuple[str, str]]:
    for name, value in seen.answered.headers:
        if _COUNT.fullmatch(name.lower()):
            yield name.lower(), value.strip()


@_written(
    "limit.retry-after",
    "Who is told to slow down is told for how long, in seconds from 1.",
    source="The official document: `Retry-After` of a 429 is an integer of at least 1; it may be "
    "missing.",
    applies=lambda seen: seen.is_limited and _wait(seen) is not None,
    clients=("openai-python falls back to waiting times of its own",),
)
def _retry_after(seen: Observed) -> Iterator[Violation]:
    given = _wait(seen)
    if given is not None and not _SECONDS.fullmatch(given):
        yield wrong("", f"retry-after is {given!r}.", "seconds from 1", given, "observed")


def _wait(seen: Observed) -> str | None:
    return header(seen.answered.headers, "retry-after")


@_written(
    "request.accepted",
    "A lawful request for something the server can do is answered with 200.",
    source="The official document: the only success of the endpoint is 200.",
    applies=lambda seen: seen.is_accepted and seen.sent_to_api and seen.probe.wanted != "refusal",
)
def _accepted(seen: Observed) -> Iterator[Violation]:
    status = seen.answered.status
    if status != 200:  # noqa: PLR2004 - HTTP's OK
        yield wrong("", f"The status is {status}.", 200, status, "observed")


@_written(
    "refusal.refused",
    "A request that breaks the contract is refused.",
    source="api.openai.com answers 4xx; see the rule or keyword that the probe names.",
    applies=_must_refuse,
)
def _refused(seen: Observed) -> Iterator[Violation]:
    if seen.answered.is_success:
        message = f"The request was accepted, although {seen.probe.reason}."
        yield wrong("", message, "4xx", seen.answered.status, seen.probe.level)


@_written(
    "refusal.status",
    "A refusal has the status of the API.",
    source="The error catalogue of the profile.",
    applies=lambda seen: (
        _must_refuse(seen)
        and seen.is_refused
        and seen.answered.is_refusal
        and seen.probe.error is not None
    ),
    level="documented",
    clients=("openai-python raises another class of exception than for the real service",),
)
def _status(seen: Observed) -> Iterator[Violation]:
    wanted = _error_of(seen)
    if seen.answered.status != wanted.status:
        message = f"The status is {seen.answered.status}."
        yield wrong("", message, wanted.status, seen.answered.status, "documented")


def _names_error(seen: Observed) -> bool:
    is_told = seen.answered.is_refusal and seen.probe.error is not None
    return _must_refuse(seen) and is_told and isinstance(seen.answered.json, Mapping)


def _told(body: Json, member: str) -> Json:
    error = body.get("error") if isinstance(body, Mapping) else None
    return error.get(member) if isinstance(error, Mapping) else None


def _differs(seen: Observed, member: str) -> Iterator[Violation]:
    """Compare a member of the error with what the profile's envelope carries there."""
    wanted = _told(seen.contract.envelope(_error_of(seen)), member)
    given = _told(seen.answered.json, member)
    if wanted is not None and given != wanted:
        message = f"`{member}` is {given!r}."
        yield wrong(f"/error/{member}", message, wanted, given, "documented")


@_written(
    "refusal.param",
    "A refusal names the member at fault in `param`.",
    source="The error catalogue of the profile.",
    applies=_names_error,
    level="documented",
)
def _param(seen: Observed) -> Iterator[Violation]:
    yield from _differs(seen, "param")


@_written(
    "refusal.code",
    "A refusal has the code of the API.",
    source="The error catalogue of the profile.",
    applies=_names_error,
    level="documented",
    clients=("openai-python hands it on as `error.code`, by which programs decide",),
)
def _code(seen: Observed) -> Iterator[Violation]:
    yield from _differs(seen, "code")


@_written(
    "refusal.allow",
    "A refused method is answered with the methods there are.",
    source="RFC 9110, 15.5.6: a 405 has the field `Allow`.",
    applies=lambda seen: seen.is_whole and seen.answered.status == 405,  # noqa: PLR2004
    level="documented",
    severity="advice",
)
def _allow(seen: Observed) -> Iterator[Violation]:
    if header(seen.answered.headers, "allow") is None:
        yield wrong("", "There is no field `Allow`.", "Allow", None, "documented")


@_written(
    "refusal.type",
    "A refusal has the type of the API.",
    source="The error catalogue of the profile.",
    applies=_names_error,
    level="documented",
)
def _type(seen: Observed) -> Iterator[Violation]:
    yield from _differs(seen, "type")


@_written(
    "refusal.not-a-stream",
    "A refused request for a stream is answered with JSON, not with events.",
    source="Recorded refusals of api.openai.com are JSON, whatever was asked for.",
    applies=lambda seen: seen.is_refused and seen.asks_stream,
    clients=("openai-python reads the status and a JSON body; events are lost",),
)
def _not_a_stream(seen: Observed) -> Iterator[Violation]:
    given = seen.answered.content_type
    if given == MEDIA_TYPE:
        yield wrong("", "The refusal is a stream.", JSON_TYPE, given, "observed")


@_written(
    "auth.refused",
    "Where keys are asked for, a missing or wrong one is answered with 401.",
    source="Recorded answers of api.openai.com; the SDKs raise AuthenticationError for 401.",
    applies=lambda seen: (
        seen.is_refused and not seen.is_limited and seen.probe.id in {"auth.missing", "auth.wrong"}
    ),
    clients=("openai-python raises AuthenticationError for 401 alone",),
)
def _unauthorized(seen: Observed) -> Iterator[Violation]:
    status = seen.answered.status
    if status not in {401, 403}:
        message = f"The status is {status}, although {seen.probe.reason}."
        yield wrong("", message, 401, status, "observed")


@_written(
    "models.not-found",
    "Where models are known by name, an unknown one is answered with 404.",
    source="Recorded answers of api.openai.com: code model_not_found.",
    applies=lambda seen: (
        seen.is_refused and not seen.is_limited and seen.probe.capability == "unknown models"
    ),
    level="documented",
)
def _not_found(seen: Observed) -> Iterator[Violation]:
    status = seen.answered.status
    if status != 404:  # noqa: PLR2004 - HTTP's Not Found
        yield wrong("", f"The status is {status}.", 404, status, "documented")


@_written(
    "stream.is-one",
    "A request for a stream is answered with events.",
    source="The official document: text/event-stream where `stream` is true.",
    applies=lambda seen: seen.is_accepted and seen.asks_stream,
    clients=("openai-python yields no chunk and no error when it is given JSON",),
)
def _stream_is_one(seen: Observed) -> Iterator[Violation]:
    if isinstance(seen.answered.json, Mapping):
        message = "The answer is one JSON object."
        yield wrong("", message, MEDIA_TYPE, seen.answered.content_type, "observed")


def _error_of(seen: Observed) -> ApiError:
    error = seen.probe.error
    assert error is not None  # noqa: S101 - what `applies` made sure of, told to the type checker
    return error
