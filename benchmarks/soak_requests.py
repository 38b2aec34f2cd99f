"""What a soak asks: every kind of request with what must come back, and the scenario that answers.

Kinds are drawn by weight from a seeded generator. A check returns what is wrong, "" if nothing is.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from soak_book import HEADER, Line

KEY = "soak"
QUESTIONS = 20
POOL = 40
ANY = frozenset({"delivered", "client left", "failed"})
BROKEN = frozenset({"delivered"})
LONG = " ".join(f"word{number}" for number in range(10))
SLOW = " ".join(f"word{number}" for number in range(40))
FAULTS = {
    "cut": "short",
    "cut-in-event": "short",
    "reset": "broken",
    "error-frame": "whole",
    "malformed-json": "whole",
    "missing-done": "whole",
    "done-twice": "whole",
    "byte-cuts": "whole",
    "keep-alive-comments": "whole",
    "duplicate-chunk": "whole",
    "crlf": "whole",
    "html-502": "whole",
}
"""Named faults, and how the body ends: whole, too early, or the connection breaks anywhere."""


def scenario():
    """Return the stubs, as a scenario file holds them."""
    stubs = [
        {"when": {"last_text": f"question {n}"}, "reply": f"answer {n} {LONG}", "forever": True}
        for n in range(QUESTIONS)
    ]
    stubs += [
        {
            "when": {"last_text": f"fault {name}"},
            "reply": LONG,
            "plan": "by_word",
            "fault": name,
            "forever": True,
        }
        for name in FAULTS
    ]
    stall = {"Stall": {"seconds": 0.2, "after_chunks": 3}}
    slow = {"plan": "by_word", "pacing": {"inter_token": 0.01}, "forever": True}
    stubs += [
        {"when": {"last_text": "stall"}, "reply": LONG, "fault": stall, "forever": True},
        {"when": {"last_text": "slow"}, "reply": SLOW, **slow},
        {
            "when": {"last_text": "busy"},
            "reply": {"error": 429, "retry_after": 0.01},
            "forever": True,
        },
    ]
    return {"seed": 8, "unmatched": "generate", "stubs": stubs}


@dataclass(frozen=True, slots=True)
class Seen:
    """What arrived: no status where the connection broke before; whether the body was whole."""

    status: int | None
    body: bytes
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """One request.

    Attributes:
        kind: In a word.
        data: The bytes, with the number to be filled in.
        line: What is expected in the journal; None: it is no request to be journaled.
        check: What is wrong with what arrived, "" if nothing.
        leaves: The client closes after so many bytes of the body.
        ends: The client closes its side after the bytes, which are not all.
    """

    kind: str
    data: bytes
    line: Line | None
    check: Callable[[Seen], str]
    leaves: int | None = None
    ends: bool = False


def http(method, path, body=None, *, fields=()):
    """Return the bytes of a request with a blank number."""
    head = [f"{method} {path} HTTP/1.1", "host: soak", f"authorization: Bearer {KEY}"]
    head += [f"{HEADER}: %(number)d", *fields]
    if body is not None:
        head += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + (body or b"").replace(b"%", b"%%")


def is_answered(status):
    """Check that a whole answer of this status arrived."""

    def check(seen):
        if seen.status != status or not seen.is_whole:
            return f"wanted a whole {status}, got {seen.status}, {seen.body[:200]!r}"
        return ""

    return check


def content_of(body):
    """Return the text that a JSON answer or a stream carries; None where it carries none."""
    if body.startswith(b"data: "):
        events = [line[6:] for line in body.decode().split("\n\n") if line]
        if events[-1:] != ["[DONE]"]:
            return None
        deltas = [json.loads(event)["choices"] for event in events[:-1]]
        return "".join(part[0]["delta"].get("content") or "" for part in deltas if part)
    return json.loads(body)["choices"][0]["message"]["content"]


class Mix:
    """Draws requests; the same seed draws the same ones."""

    def __init__(self, seed):
        self._random = random.Random(seed)
        self._made_up = {}
        self._drawn = 0
        weighted = {
            self._question: 30,
            self._made: 20,
            self._fault: 10,
            self._stall: 1,
            self._abort: 3,
            self._busy: 5,
            self._broken_body: 4,
            self._against_rules: 4,
            self._elsewhere: 3,
            self._no_key: 2,
            self._stored: 4,
            self._large: 1,
            self._broken_head: 2,
            self._half: 2,
            self._control: 2,
        }
        self._kinds, self._weights = list(weighted), list(weighted.values())

    def next(self):
        """Return the next request."""
        self._drawn += 1
        return self._random.choices(self._kinds, self._weights)[0]()

    def _chat(self, kind, text, check, *, stream=None, more=None, **line):
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}
        if self._random.random() < 0.3:
            body["user"] = f"user-{self._drawn}"  # no request that is known already
        if stream is None:
            stream = self._random.random() < 0.5
        if stream:
            body["stream"] = True
        body |= more or {}
        status = line.pop("status", 200)
        leaves = line.pop("leaves", None)
        return Ask(
            kind=kind,
            data=http("POST", "/v1/chat/completions", json.dumps(body).encode()),
            line=Line(kind=kind, request=body, status=status, **line),
            check=check,
            leaves=leaves,
        )

    def _question(self):
        number = self._random.randrange(QUESTIONS)

        def check(seen):
            wanted = is_answered(200)(seen)
            if not wanted and content_of(seen.body) != f"answer {number} {LONG}":
                return f"not the answer {number}: {seen.body[:300]!r}"
            return wanted

        return self._chat("scripted", f"question {number}", check, is_scripted=True)

    def _made(self):
        number = self._random.randrange(POOL)
        more = {"user": f"pool-{number}"}

        def check(seen):
            wanted = is_answered(200)(seen)
            if wanted:
                return wanted
            content = content_of(seen.body)
            if self._made_up.setdefault(number, content) != content:
                return f"another reply than before to the same request: {seen.body[:300]!r}"
            return ""

        return self._chat("generated", f"tell me about {number}", check, more=more)

    def _fault(self):
        name = self._random.choice(list(FAULTS))
        ending = FAULTS[name]

        def check(seen):
            is_short = ending != "whole"
            if ending != "broken" and seen.status != (502 if name == "html-502" else 200):
                return f"status {seen.status} under {name}"
            return f"whole: {seen.is_whole} under {name}" if seen.is_whole is is_short else ""

        return self._chat(
            f"fault {name}",
            f"fault {name}",
            check,
            stream=True,
            is_scripted=True,
            has_fault=True,
            status=None,
            outcomes=ANY if ending == "broken" else BROKEN,
        )

    def _stall(self):
        return self._chat(
            "stall", "stall", is_answered(200), stream=True, is_scripted=True, has_fault=True
        )

    def _abort(self):
        return self._chat(
            "client leaves",
            "slow",
            lambda seen: "" if seen.status == 200 else f"status {seen.status}",
            stream=True,
            is_scripted=True,
            outcomes=ANY,
            leaves=self._random.randrange(1, 1500),
        )

    def _busy(self):
        return self._chat("429", "busy", is_answered(429), is_scripted=True, status=429)

    def _stored(self):
        return self._chat(
            "stored", "question 1", is_answered(200), more={"store": True}, is_scripted=True
        )

    def _large(self):
        text = "x" * self._random.randrange(70_000, 90_000)
        return self._chat("large", text, is_answered(200), more={"max_completion_tokens": 9})

    def _against_rules(self):
        wrong = self._random.choice([{"temperature": 9}, {"messages": []}, {"n": 0}, {"tools": 5}])
        return self._chat("refused", "hi", is_answered(400), more=wrong, status=400)

    def _plain(self, kind, status, method, path, body=None):
        data = http(method, path, body)
        return Ask(kind, data, Line(kind=kind, status=status), is_answered(status))

    def _broken_body(self):
        body = self._random.choice([b'{"model": "gpt-4o-mini", "messages": [', b"\xff", b'"text'])
        return self._plain("broken JSON", 400, "POST", "/v1/chat/completions", body)

    def _elsewhere(self):
        return self._random.choice(
            [
                self._plain("not there", 404, "GET", "/v1/nothing"),
                self._plain("wrong method", 405, "PUT", "/v1/models", b"{}"),
                self._plain("models", 200, "GET", "/v1/models"),
                self._plain("list", 200, "GET", "/v1/chat/completions?limit=3"),
            ]
        )

    def _no_key(self):
        ask = self._chat("no key", "question 1", is_answered(401), stream=False, status=401)
        data = ask.data.replace(f"authorization: Bearer {KEY}\r\n".encode(), b"")
        line = Line(kind="no key", status=401)
        return Ask("no key", data, line, ask.check)

    def _broken_head(self):
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: soak\r\n"
        rest = self._random.choice([b"no field\r\n\r\n", b"x: a\rb\r\n\r\n"])
        return Ask("broken head", head + rest, None, is_answered(400))

    def _control(self):
        path = self._random.choice(["health", "stubs", "settings", "journal?limit=3", "verdict"])
        data = http("GET", f"/_mockchat/{path}").replace(b"host: soak", b"host: 127.0.0.1")
        return Ask("control API", data, None, is_answered(200))

    def _half(self):
        whole = self._question()
        data = whole.data[: -self._random.randrange(1, 20)]
        line = Line(kind="half a request", status=400)
        return Ask("half a request", data, line, is_answered(400), ends=True)
