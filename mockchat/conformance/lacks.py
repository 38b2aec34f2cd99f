"""What a target does not offer, and drawn requests without it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain

from mockchat.conformance.answers import Answered
from mockchat.conformance.probes import Probe, asked_of, chat
from mockchat.contract.contract import Contract
from mockchat.contract.pointers import tokens_of
from mockchat.types import JsonObject

_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "stream": ("stream",),
    "stream usage": ("stream_options",),
    "token limit": ("max_tokens", "max_completion_tokens"),
    "logprobs": ("logprobs", "top_logprobs"),
    "tools": ("tools", "functions"),
    "json_object": ("response_format",),
    "json_schema": ("response_format",),
}
"""The members that ask for a capability that is not called like its member."""

_ALWAYS = frozenset({"model", "messages"})
_STEPS = 5
_LIMITED, _NOT_IMPLEMENTED = 429, 501


def capability_of(member: str) -> str:
    """Return what a member of a request is called among the capabilities."""
    return f"member {member}"


def refused_member(probe: Probe, answered: Answered) -> str | None:
    """Return the member of a lawful request that its refusal names, None where it names none."""
    body, asked = answered.json, asked_of(probe)
    error = body.get("error") if isinstance(body, Mapping) else None
    param = error.get("param") if isinstance(error, Mapping) else None
    if not isinstance(param, str) or asked is None:
        return None
    name = param.strip("/").partition(".")[0].partition("[")[0].partition("/")[0]
    return name if name in asked and name not in _ALWAYS else None


def is_refused(probe: Probe, answered: Answered) -> bool:
    """Tell whether a target says that it does not offer what a lawful request asks for."""
    is_told = answered.is_refusal and answered.status != _LIMITED
    is_answered = answered.failure is None and probe.wanted == "completion"
    return is_answered and (is_told or answered.status == _NOT_IMPLEMENTED)


def members_of(capabilities: Iterable[str]) -> frozenset[str]:
    """Return the members by which capabilities are asked for."""
    named = (_MEMBERS.get(each, (each.removeprefix("member "),)) for each in capabilities)
    return frozenset(chain.from_iterable(named)) - _ALWAYS


def without(contract: Contract, probe: Probe, members: frozenset[str]) -> Probe | None:
    """Return a lawful probe without `members`, and without what needs them; None if it cannot be.

    What breaks the contract on purpose stays as it is.
    """
    body = probe.asked
    if probe.wanted != "completion" or not isinstance(body, dict) or not members & body.keys():
        return probe
    kept = _lawful(contract, {name: value for name, value in body.items() if name not in members})
    return None if kept is None else replace(probe, asked=kept, sent=chat(kept))


def _lawful(contract: Contract, body: JsonObject) -> JsonObject | None:
    """Return what is left of a request when all that is wrong at its top is taken away."""
    for _ in range(_STEPS):
        found = [each for each in contract.request_violations(body) if not each.is_note]
        if not found:
            return body
        wrong = {next(iter(tokens_of(each.pointer)), "") for each in found} - _ALWAYS
        body = {name: value for name, value in body.items() if name not in wrong}
    return None


def told_members(probe: Probe) -> tuple[str, ...]:
    """Return the members of a request besides those that all requests have, or may have."""
    names = asked_of(probe) or {}
    return tuple(
        name for name in names if name not in _ALWAYS and name not in _MEMBERS["token limit"]
    )


def smaller(probe: Probe) -> Iterator[tuple[str, JsonObject]]:
    """Yield a request without each of its members, and without each item of these, last ones first.

    Each comes with the pointer to what is left out.
    """
    asked = dict(asked_of(probe) or {})
    for name in [name for name in asked if name not in _ALWAYS]:
        yield f"/{name}", {other: value for other, value in asked.items() if other != name}
    for name, value in asked.items():
        if isinstance(value, list):
            for at in reversed(range(len(value))):
                yield f"/{name}/{at}", {**asked, name: [*value[:at], *value[at + 1 :]]}
