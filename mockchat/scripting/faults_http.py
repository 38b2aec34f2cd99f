"""Faults of the HTTP answer: what stands between a client and the API speaks instead of it."""

from dataclasses import dataclass, replace
from http.client import responses
from typing import ClassVar

from mockchat.errors import BadArgument
from mockchat.exchange import Delivery, Headers, Write
from mockchat.payloads.draw import Draw
from mockchat.payloads.encoding import encode_json
from mockchat.payloads.joining import join
from mockchat.scripting.arguments import is_filled_text, is_whole_number
from mockchat.scripting.faults import NOTHING, Ability, FaultMissed, NamedFault, as_written
from mockchat.scripting.sent_events import EVENT_END, SentStream, halves

_LOWEST_ERROR, _HIGHEST_ERROR = 400, 599


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyError:
    """Answer as a proxy does that has lost the API: an HTML page, none of the API's fields.

    For an error in the API's own words, reply with `error(...)`.

    Attributes:
        status: The HTTP status, from 400 to 599.
        headers: Further response fields.
    """

    status: int = 502
    headers: Headers = ()
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def __post_init__(self) -> None:
        is_number = is_whole_number(self.status, lowest=_LOWEST_ERROR)
        if not is_number or self.status > _HIGHEST_ERROR:
            raise BadArgument("ProxyError(status=)", self.status, "a status from 400 to 599")

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the page in place of the delivery, as late as it would have been."""
        del draw
        title = f"{self.status} {responses.get(self.status, 'Unknown')}"
        page = (
            f"<html>\n<head><title>{title}</title></head>\n<body><h1>{title}</h1></body>\n</html>\n"
        )
        fields = (("content-type", "text/html"), *self.headers)
        return Delivery(
            status=self.status, headers=fields, writes=_at_once(delivery, page.encode())
        )

    __repr__ = as_written


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyBody:
    """Answer with the status and fields of the reply, and nothing behind them."""

    needs: ClassVar[frozenset[Ability]] = NOTHING

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery without a body, as late as it would have been."""
        del draw
        return replace(delivery, writes=_at_once(delivery, b""), is_stream=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TruncatedJson:
    """Break off in the middle of JSON, with an HTTP body that is whole.

    A JSON reply is cut in half. A stream ends inside its last chunk.
    """

    needs: ClassVar[frozenset[Ability]] = NOTHING

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery without its end.

        Raises:
            FaultMissed: The stream has no chunk.
        """
        del draw
        if not delivery.is_stream:
            return replace(delivery, writes=halves(delivery)[0])
        stream = SentStream.of(delivery, self)
        place = stream.place(max(0, len(stream.places) - 1))
        event = stream.events[place]
        text = event.data.removesuffix(EVENT_END).decode()
        half = replace(event, data=text[: len(text) // 2].encode())
        return stream.sending((*stream.events[:place], half))


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongContentType:
    """Answer with the right body under a wrong content type.

    Attributes:
        content_type: The field's value.
    """

    content_type: str
    needs: ClassVar[frozenset[Ability]] = NOTHING

    def __post_init__(self) -> None:
        if not is_filled_text(self.content_type):
            message = "a non-empty string"
            raise BadArgument("WrongContentType(content_type=)", self.content_type, message)

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the delivery under the content type.

        Raises:
            FaultMissed: It is the reply's own.
        """
        del draw
        fields = _typed(delivery.headers, self.content_type)
        if fields == delivery.headers:
            raise FaultMissed(repr(self), "the reply has this content type, or none")
        return replace(delivery, headers=fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonForStream:
    """Answer a request for a stream with a JSON body, as servers do that ignore `stream`."""

    needs: ClassVar[frozenset[Ability]] = NOTHING

    def apply(self, delivery: Delivery, draw: Draw) -> Delivery:
        """Return the completion as one body, as late as its first chunk would have been.

        Raises:
            FaultMissed: The reply is no stream, or has no chunk.
        """
        del draw
        stream = SentStream.of(delivery, self)
        stream.place(0)
        body = encode_json(join(stream.chunks()))
        return replace(
            delivery,
            headers=_typed(delivery.headers, "application/json"),
            writes=_at_once(delivery, body),
            is_stream=False,
        )


def _typed(headers: Headers, content_type: str) -> Headers:
    return tuple(
        (name, content_type if name.lower() == "content-type" else value) for name, value in headers
    )


def _at_once(delivery: Delivery, body: bytes) -> tuple[Write, ...]:
    return (Write(data=body, delay=delivery.writes[0].delay if delivery.writes else 0.0),)


HTTP_FAULTS = (
    NamedFault(
        name="html-502",
        meaning="A proxy answers with status 502 and a page of HTML.",
        source="a preset; reports of gateways",
        fault=ProxyError(status=502),
    ),
    NamedFault(
        name="status-429",
        meaning="A proxy answers with status 429 and no word on when to ask again.",
        source="OpenAI's document of 2026: `Retry-After` may be absent",
        fault=ProxyError(status=429),
    ),
    NamedFault(
        name="status-429-retry-after",
        meaning="A proxy answers with status 429 and `retry-after: 1`.",
        source="OpenAI's document of 2026; openai 1.109 to 3.51, run: waits and asks again",
        fault=ProxyError(status=429, headers=(("retry-after", "1"),)),
    ),
    NamedFault(
        name="status-429-retry-after-ms",
        meaning="A proxy answers with status 429 and `retry-after-ms: 20`.",
        source="Azure, reported; openai 1.109 to 3.51, read: goes before retry-after",
        fault=ProxyError(status=429, headers=(("retry-after-ms", "20"),)),
    ),
    NamedFault(
        name="status-429-retry-after-long",
        meaning="A proxy answers with status 429 and `retry-after: 600`.",
        source="openai 2.54 and 3.51, run: gives up; 1.109, run: asks again at once",
        fault=ProxyError(status=429, headers=(("retry-after", "600"),)),
    ),
    NamedFault(
        name="status-500-never-retry",
        meaning="A proxy answers with status 500 and `x-should-retry: false`.",
        source="openai 1.109 to 3.51, run: does not ask again",
        fault=ProxyError(status=500, headers=(("x-should-retry", "false"),)),
    ),
    NamedFault(
        name="status-400-retry",
        meaning="A proxy answers with status 400 and `x-should-retry: true`.",
        source="openai 1.109 to 3.51, run: asks again, the status notwithstanding",
        fault=ProxyError(status=400, headers=(("x-should-retry", "true"),)),
    ),
    NamedFault(
        name="empty-200",
        meaning="Status 200 and an empty body.",
        source="a preset; reports of gateways",
        fault=EmptyBody(),
        breaks=frozenset({"stream.ending", "stream.done-missing", "stream.choice-missing"}),
    ),
    NamedFault(
        name="truncated-json",
        meaning="The last JSON breaks off in its middle; the HTTP body is whole.",
        source="a preset; reports of gateways",
        fault=TruncatedJson(),
        breaks=frozenset({"stream.ending", "stream.done-missing", "stream.finish-missing"}),
    ),
    NamedFault(
        name="wrong-content-type",
        meaning="A stream under the content type `application/json`.",
        source="a preset; reports of gateways",
        fault=WrongContentType(content_type="application/json"),
        is_survivable=True,
        breaks=frozenset({"stream.content-type"}),
    ),
    NamedFault(
        name="json-for-stream",
        meaning="A JSON body where a stream was asked for.",
        source="openai 1.109 to 3.51, run: no chunk and no error, AssertionError in the helper",
        fault=JsonForStream(),
        breaks=frozenset(
            {
                "stream.content-type",
                "stream.field",
                "stream.ending",
                "stream.done-missing",
                "stream.choice-missing",
            }
        ),
    ),
)
"""The named faults of this room."""
