"""What a probe is: one request to a target, with what a right server answers. It judges nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias
from urllib.parse import quote

from mockchat.conformance.answers import Answered, Sent
from mockchat.contract.contract import Contract
from mockchat.exchange import ApiError
from mockchat.payloads.tokens import approximate_tokens, prompt_tokens
from mockchat.types import Json, JsonObject, JsonView, Level

Depth: TypeAlias = Literal["quick", "full"]
"""How much is asked: a first look, or everything."""

Wanted: TypeAlias = Literal[
    "completion",
    "refusal",
    "model",
    "model-list",
    "stored-list",
    "stored-messages",
    "stored-deleted",
    "anything",
]
"""What a right server answers: the document of its body, or a refusal."""

CHAT = "/chat/completions"
ID = "{id}"
"""In the path of a probe: the id in the first answer that it builds on."""

_LIMIT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One request to a target, and what a right server answers.

    Attributes:
        id: Its stable name, "tools.required".
        capability: What it needs of the target.
        depth: From which depth on it is sent.
        sent: The request.
        asked: Its body as JSON; None where it has none, or is no JSON on purpose.
        wanted: What a right server answers.
        error: The refusal the API answers, as the contract words it; None for a lawful request.
        reason: Why a right server refuses it, in words; "" for a lawful request.
        level: The lowest level at which not refusing it counts.
        after: The probes whose answers it builds on, or is compared with: sent after them.
        group: Probes of one group follow each other and are sent at the same moment.
    """

    id: str
    capability: str
    depth: Depth = "full"
    sent: Sent
    asked: Json = None
    wanted: Wanted = "completion"
    error: ApiError | None = field(default=None)
    reason: str = ""
    level: Level = "observed"
    after: tuple[str, ...] = ()
    group: str = ""

    @property
    def tokens(self) -> int:
        """About how many tokens the target will spend on it."""
        if self.wanted != "completion" or not isinstance(self.asked, Mapping):
            return 0
        told = (self.asked.get(name) for name in ("max_completion_tokens", "max_tokens"))
        limit = next((limit for limit in told if isinstance(limit, int)), _LIMIT)
        choices = int(self.asked.get("n") or 1)
        return prompt_tokens(self.asked, approximate_tokens()) + limit * choices

    def built_on(self, earlier: Mapping[str, Answered]) -> "Probe | None":
        """Return the probe with what it needs of earlier answers; None where they lack it.

        Args:
            earlier: The answers so far, by the ids of their probes.
        """
        if any(name not in earlier for name in self.after):
            return None
        if ID not in self.sent.path:
            return self
        body = earlier[self.after[0]].json
        found = body.get("id") if isinstance(body, Mapping) else None
        if not isinstance(found, str) or not found:
            return None
        path = self.sent.path.replace(ID, quote(found, safe=""))
        return replace(self, sent=replace(self.sent, path=path))


def base_request(contract: Contract, model: str, **members: Json) -> JsonObject:
    """Return a short request with `members`, its reply limited as the model allows."""
    body: JsonObject = {
        "model": model,
        "messages": [{"role": "user", "content": "Say hello."}],
        **members,
    }
    for limit in ("max_tokens", "max_completion_tokens"):
        if limit in body:
            return body
    for limit in ("max_tokens", "max_completion_tokens"):
        if not contract.request_violations({**body, limit: _LIMIT}):
            return {**body, limit: _LIMIT}
    return body


def chat(body: Json) -> Sent:
    """Return the request for a chat completion."""
    return Sent(path=CHAT, body=json.dumps(body, ensure_ascii=False).encode())


def asked_of(probe: Probe) -> JsonView | None:
    """Return what a probe asked, where it is an object."""
    return probe.asked if isinstance(probe.asked, Mapping) else None
