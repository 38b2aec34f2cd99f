"""Small clients of chat completions on the standard library: a careful one, and one for each bug."""

# ruff: noqa: D102 - the class says what its one method does wrong

import json
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

_OPENER = build_opener(ProxyHandler({}))


class Careful:
    """Send the conversation, take any lawful answer, raise what is an error."""

    retries = 0

    def __init__(self, base_url, api_key):
        self.url = f"{base_url}/chat/completions"
        self.api_key = api_key

    def __call__(self, messages, *, tools, stream):
        """Return the choice that answers."""
        body = self.body(messages, tools, stream)
        for left in reversed(range(self.retries + 1)):
            try:
                return self.choice(self.sent(body), stream)
            except HTTPError as error:
                error.close()
                if not left:
                    raise
        raise AssertionError

    def body(self, messages, tools, stream):
        """Return the request."""
        offered = {"tools": tools} if tools else {}
        return {"model": "gpt-4o-mini", "messages": messages, "stream": stream, **offered}

    def sent(self, body):
        """Return the bytes of the answer."""
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.api_key}"}
        with _OPENER.open(Request(self.url, json.dumps(body).encode(), headers)) as response:
            return response.read()

    def choice(self, data, stream):
        """Return the first choice of the answer."""
        if not stream:
            return json.loads(data)["choices"][0]
        message, finish_reason = {"role": "assistant"}, None
        for choice in choices(data):
            self.add(message, choice["delta"])
            finish_reason = choice["finish_reason"] or finish_reason
        if "tool_calls" in message:
            message["tool_calls"] = [*message["tool_calls"].values()]
        return {"message": message, "finish_reason": finish_reason}

    def add(self, message, delta):
        """Add a delta to what has been said."""
        for name in ("content", "refusal"):
            if delta.get(name) is not None:
                message[name] = (message.get(name) or "") + delta[name]
        for piece in delta.get("tool_calls", ()):
            calls = message.setdefault("tool_calls", {})
            self.add_call(calls, piece)

    def add_call(self, calls, piece):
        """Add a piece to its call."""
        call = calls.setdefault(piece["index"], {})
        kind = call.setdefault("type", piece.get("type"))
        call.setdefault("id", piece.get("id"))
        said = call.setdefault(kind, {})
        for name, text in piece[kind].items():
            said[name] = said.get(name, "") + text


def choices(data):
    """Yield the choices of each event of a stream."""
    for event in data.decode().split("\n\n"):
        text = event.removeprefix("data: ")
        if text and text != "[DONE]":
            yield from json.loads(text)["choices"]


class Retrying(Careful):
    """Try three times."""

    retries = 2


class ForgettingIds(Careful):
    """Count the calls instead of keeping their ids."""

    def choice(self, data, stream):
        choice = super().choice(data, stream)
        for place, call in enumerate(choice["message"].get("tool_calls") or ()):
            call["id"] = f"call_{place}"
        return choice


class MergingCalls(Careful):
    """Take the pieces of all calls for those of one."""

    def add_call(self, calls, piece):
        super().add_call(calls, {"type": "function", **piece, "index": 0})


class KeepingLastPiece(Careful):
    """Let each piece of the arguments replace the one before."""

    def add_call(self, calls, piece):
        calls.get(piece["index"], {}).get("function", {}).pop("arguments", None)
        super().add_call(calls, piece)


class DeafToRefusals(Careful):
    """Know text and calls alone."""

    def choice(self, data, stream):
        choice = super().choice(data, stream)
        choice["message"].pop("refusal", None)
        return choice


class BreakingOnNull(Careful):
    """Believe that content is text."""

    def choice(self, data, stream):
        choice = super().choice(data, stream)
        choice["message"]["content"] = choice["message"]["content"].strip()
        return choice


class Stripping(Careful):
    """Trim what the model says."""

    def choice(self, data, stream):
        choice = super().choice(data, stream)
        choice["message"]["content"] = (choice["message"].get("content") or "").strip()
        return choice


class Forgetful(Careful):
    """Send what was said last."""

    def body(self, messages, tools, stream):
        return super().body(messages[-1:], tools, stream)


class Rewording(Careful):
    """Send the user's words in other words."""

    def body(self, messages, tools, stream):
        last = messages[-1] | {"content": messages[-1]["content"].upper()}
        return super().body([*messages[:-1], last], tools, stream)


class WithoutTools(Careful):
    """Never offer the tools."""

    def body(self, messages, tools, stream):
        return {"model": "gpt-4o-mini", "messages": messages, "stream": stream}


class NeverStreaming(Careful):
    """Take the whole answer where a stream was wanted."""

    def __call__(self, messages, *, tools, stream):
        return super().__call__(messages, tools=tools, stream=False)


class TooWarm(Careful):
    """Ask for a temperature the API does not have."""

    def body(self, messages, tools, stream):
        return super().body(messages, tools, stream) | {"temperature": 3}


class AskingTwice(Careful):
    """Ask once more, to be sure."""

    def sent(self, body):
        data = super().sent(body)
        try:
            super().sent(body)
        except HTTPError as error:
            error.close()
        return data


class Swallowing(Careful):
    """Take an error for silence."""

    def sent(self, body):
        try:
            return super().sent(body)
        except HTTPError as error:
            error.close()
            body["stream"] = False
            message = {"role": "assistant", "content": ""}
            return json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()

    def choice(self, data, stream):
        return super().choice(data, stream and data.startswith(b"data:"))


class NeverCutOff(Careful):
    """Take every text for a whole one."""

    def choice(self, data, stream):
        return super().choice(data, stream) | {"finish_reason": "stop"}


class Silent(Careful):
    """Report nothing."""

    def choice(self, data, stream):
        return None


CARELESS = {
    ForgettingIds: "The client reports other tool calls than were sent.",
    MergingCalls: "The client reports other tool calls than were sent.",
    KeepingLastPiece: "The client reports other tool calls than were sent.",
    DeafToRefusals: "The client reports another refusal than was sent.",
    BreakingOnNull: "object has no attribute 'strip'|'content'|another text",
    Stripping: "The client reports another text than was sent.",
    Forgetful: "Request [0-9]+ has more or fewer messages|Message 0 of request|Request [0-9]+ breaks the contract",
    Rewording: "Message [0-9]+ of request [0-9]+ has another text than was sent.",
    WithoutTools: "has other tools than asked for.",
    NeverStreaming: "has another stream than asked for.",
    TooWarm: "Request 0 breaks the contract at /temperature.",
    AskingTwice: "another number of requests",
    Swallowing: "The client reports a message where it got an error.",
    NeverCutOff: "The client reports another finish_reason than was sent.",
    Silent: "The client reports what is no message.",
    Retrying: "another number of requests than with retries = 0",
}
"""Each careless client, and what is said of it."""
