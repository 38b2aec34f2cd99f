"""Put right what a schema cannot say: a value drawn from a document alone keeps its rules as well.

Each rule that a drawn value can break has its own small amends here; what a target aims at stays
where it is, or is followed to where it moves.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mockchat.contract.contract import Contract
from mockchat.contract.pointers import tokens_of
from mockchat.exchange import Violation
from mockchat.payloads.request_document import asking
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.targets import Path
from mockchat.types import Json, JsonObject, Level

UNKNOWN_MODEL = "some-model"
"""A model no profile knows, so that no rule asks what it can do."""

_ROUNDS = 200
_EMPTY_SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


@dataclass(slots=True, kw_only=True)
class Draft:
    """A value on its way to keep the rules.

    Attributes:
        contract: Whose rules.
        body: The value; changed in place.
        path: Where the target is in it.
    """

    contract: Contract
    body: JsonObject
    path: Path

    def insert_message(self, position: int, message: JsonObject) -> None:
        """Insert a message of the conversation, and move the path along."""
        self.body["messages"].insert(position, message)
        if self.path[:1] == ("messages",) and len(self.path) > 1:
            index = int(self.path[1])
            self.path = ("messages", index + (index >= position), *self.path[2:])


Amends = Callable[[Draft, Violation], None]


def keeping_rules(
    contract: Contract, document: str, value: Json, path: Path, *, level: Level = "observed"
) -> tuple[Json, Path]:
    """Return `value` with all rules kept, and where `path` leads to now.

    Args:
        contract: Whose rules.
        document: What `value` is valid as: "request", "response" …
        value: The value; it is changed.
        path: Where a target is in it.
        level: At which level rules count.

    Raises:
        AssertionError: A rule is broken that nothing here puts right.
    """
    draft = Draft(contract=contract, body=value, path=path)
    for _ in range(_ROUNDS):
        found = contract.violations(document, draft.body, level=level)
        broken = [violation for violation in found if not violation.is_note]
        if not broken:
            return draft.body, draft.path
        if broken[0].rule not in AMENDS:
            break
        AMENDS[broken[0].rule](draft, broken[0])
    raise AssertionError((document, broken[0], draft.body))


def _message(draft: Draft, violation: Violation) -> JsonObject:
    message: JsonObject = draft.body["messages"][int(tokens_of(violation.pointer)[1])]
    return message


def _give_content(draft: Draft, violation: Violation) -> None:
    _message(draft, violation)["content"] = "text"


def _call_before(draft: Draft, violation: Violation) -> None:
    """Let an assistant make the call that a tool message answers, right before the answers."""
    messages = draft.body["messages"]
    position = int(tokens_of(violation.pointer)[1])
    call = _call(messages[position]["tool_call_id"])
    while position and messages[position - 1]["role"] == "tool":
        position -= 1
    before = messages[position - 1] if position else {}
    if before.get("role") == "assistant" and before.get("tool_calls"):
        before["tool_calls"].append(call)
    else:
        said = {"role": "assistant", "content": "text", "tool_calls": [call]}
        draft.insert_message(position, said)


def _call(call_id: str) -> JsonObject:
    return {"id": call_id, "type": "function", "function": {"name": "f", "arguments": "{}"}}


def _answer_behind(draft: Draft, violation: Violation) -> None:
    position = int(tokens_of(violation.pointer)[1])
    for call_id in dict.fromkeys(violation.actual):
        answer = {"role": "tool", "tool_call_id": call_id, "content": "text"}
        draft.insert_message(position + 1, answer)


def _offer_tool(draft: Draft, _: Violation) -> None:
    draft.body["tools"] = [{"type": "function", "function": _function()}]


def _offer_named(draft: Draft, violation: Violation) -> None:
    # What names a tool may be any text, what offers one has a pattern to follow.
    body, kind = draft.body, tokens_of(violation.pointer)[1]
    if violation.pointer.startswith("/tool_choice"):
        body["tool_choice"][kind]["name"] = "f"
        offered = _function() if kind == "function" else {"name": "f"}
        body["tools"].append({"type": kind, kind: offered})
    else:
        body["function_call"]["name"] = "f"
        body.setdefault("functions", []).append(_function())


def _function() -> JsonObject:
    # Older profiles want the parameters, newer ones do without.
    return {"name": "f", "parameters": {"type": "object", "properties": {}}}


def _switch_on(name: str) -> Amends:
    def amends(draft: Draft, _: Violation) -> None:
        draft.body[name] = True

    return amends


def _drop_other_limit(draft: Draft, _: Violation) -> None:
    kept = draft.path[0] if draft.path else ""
    del draft.body["max_completion_tokens" if kept == "max_tokens" else "max_tokens"]


def _say_json(draft: Draft, _: Violation) -> None:
    messages = draft.body["messages"]
    draft.insert_message(len(messages), {"role": "user", "content": "Answer in JSON."})


def _say_how_it_sounds(draft: Draft, _: Violation) -> None:
    making = asking(draft.contract.profile, SimplestDraw(), "plain")
    draft.body["audio"] = making.plain_value(making.root.properties["audio"])


def _number_tokens(draft: Draft, _: Violation) -> None:
    bias = draft.body["logit_bias"]
    draft.body["logit_bias"] = {str(number): each for number, each in enumerate(bias.values())}


def _empty_schema(draft: Draft, violation: Violation) -> None:
    tokens = tokens_of(violation.pointer)
    name = "schema" if tokens[0] == "response_format" else "parameters"
    holder: Json = draft.body
    for token in tokens[: tokens.index(name)]:
        holder = holder[int(token)] if isinstance(holder, list) else holder[token]
    holder[name] = dict(_EMPTY_SCHEMA)


def _ask_another_model(draft: Draft, _: Violation) -> None:
    draft.body["model"] = UNKNOWN_MODEL


def _choice(draft: Draft, violation: Violation) -> JsonObject:
    choice: JsonObject = draft.body["choices"][int(tokens_of(violation.pointer)[1])]
    return choice


def _number_choices(draft: Draft, _: Violation) -> None:
    for position, choice in enumerate(draft.body["choices"]):
        choice["index"] = position


def _tell_calls(draft: Draft, violation: Violation) -> None:
    choice = _choice(draft, violation)
    said = choice.get("message", {})
    made = [name for name in ("tool_calls", "function_call") if said.get(name)]
    choice["finish_reason"] = "length" if len(made) > 1 else [*made, "stop"][0]


def _say_something(draft: Draft, violation: Violation) -> None:
    choice = _choice(draft, violation)
    if "message" in choice:
        choice["message"]["content"] = "text"
    else:
        choice["finish_reason"] = "content_filter"  # what may leave nothing of a message


def _tell_calls_apart(draft: Draft, violation: Violation) -> None:
    for number, call in enumerate(_choice(draft, violation)["message"]["tool_calls"]):
        call["id"] = f"call_{number}"


def _add_up(draft: Draft, violation: Violation) -> None:
    draft.body["usage"]["total_tokens"] = violation.expected


def _raise_total(draft: Draft, violation: Violation) -> None:
    _, details, part = tokens_of(violation.pointer)
    usage = draft.body["usage"]
    usage[details.removesuffix("_details")] = usage[details][part]


AMENDS: Mapping[str, Amends] = {
    "request.content-is-given": _give_content,
    "request.tool-answers-call": _call_before,
    "request.calls-are-answered": _answer_behind,
    "request.tool-choice-needs-tools": _offer_tool,
    "request.parallel-tool-calls-needs-tools": _offer_tool,
    "request.named-tool-exists": _offer_named,
    "request.top-logprobs-needs-logprobs": _switch_on("logprobs"),
    "request.stream-options-needs-stream": _switch_on("stream"),
    "request.metadata-needs-store": _switch_on("store"),
    "request.one-token-limit": _drop_other_limit,
    "request.json-object-needs-the-word": _say_json,
    "request.audio-needs-its-options": _say_how_it_sounds,
    "request.logit-bias-names-tokens": _number_tokens,
    "request.function-parameters-are-a-schema": _empty_schema,
    "request.function-is-strict": _empty_schema,
    "request.response-format-is-a-schema": _empty_schema,
    "request.response-format-is-strict": _empty_schema,
    **dict.fromkeys(
        [
            "request.reasoning-refuses",
            "request.reasoning-refuses-while-thinking",
            "request.reasoning-fixes",
            "request.reasoning-counts-completion-tokens",
            "request.effort-is-supported",
            "request.effort-without-tools",
            "request.role-is-supported",
            "request.web-search-is-supported",
            "request.n-within-model",
            "request.top-logprobs-within-model",
            "request.max-tokens-within-model",
        ],
        _ask_another_model,
    ),
    "reply.choice-indices": _number_choices,
    "reply.finish-reason-tells-calls": _tell_calls,
    "reply.content-or-something": _say_something,
    "reply.call-ids-differ": _tell_calls_apart,
    "reply.usage-adds-up": _add_up,
    "reply.usage-details-fit": _raise_total,
}
"""How each rule is kept; rules that only give notes, and those a schema repeats, need none."""
