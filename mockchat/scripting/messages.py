"""What a test says, as a message on the wire; and whether the request lets a model say that."""

import json
from collections.abc import Mapping

from mockchat.contract.contract import Contract
from mockchat.contract.stream_axes import stream_axes
from mockchat.contract.validation import schema_violations
from mockchat.errors import BadArgument
from mockchat.payloads.asked import asked_of
from mockchat.scripting.contents import Call, Said
from mockchat.scripting.failures import InvalidReply
from mockchat.scripting.request_view import RequestView, objects
from mockchat.types import JsonObject, JsonView


def message_of(said: Said, view: RequestView, contract: Contract) -> JsonObject:
    """Return the message as the request wants it: calls of tools, or of one older function.

    Raises:
        BadArgument: It tells reasoning, and the profile's messages have no member for that.
    """
    __tracebackhide__ = True
    message: JsonObject = {"role": "assistant", "content": said.text, **said.members}
    if said.refusal is not None:
        message["refusal"] = said.refusal
    if said.reasoning is not None:
        message[_reasoning_field(said.reasoning, contract)] = said.reasoning
    custom = _offered(view, "custom")
    calls = [
        _wire_call(call, is_custom=call.is_text and call.name in custom) for call in said.calls
    ]
    legacy = _offered(view, None)
    if len(calls) == 1 and said.calls[0].name in legacy:
        message["function_call"] = calls[0]["function"]
    elif calls:
        message["tool_calls"] = calls
    return message


def _reasoning_field(reasoning: str, contract: Contract) -> str:
    __tracebackhide__ = True
    name = stream_axes(contract.profile.settings).reasoning_field
    if name is None:
        allowed = f"nothing under profile {contract.profile.name!r}: its messages show no reasoning"
        raise BadArgument("text(reasoning=)", reasoning, allowed)
    return name


def check_asked(said: Said, view: RequestView, contract: Contract, source: str) -> None:
    """Raise if the request offers no such tool, or asks for no audio.

    Args:
        said: The message.
        view: The request.
        contract: Whose request it is.
        source: The stub's name.

    Raises:
        InvalidReply: With what the request offers.
    """
    for call in said.calls:
        _check_call(call, view, source)
    if "audio" in said.members and asked_of(view.body, contract.profile).audio_format is None:
        raise InvalidReply(f"{source} speaks; the request does not ask for audio.")


def _wire_call(call: Call, *, is_custom: bool) -> JsonObject:
    if is_custom:
        return {"type": "custom", "custom": {"name": call.name, "input": call.input}}
    return {"type": "function", "function": {"name": call.name, "arguments": call.input}}


def _offered(view: RequestView, tool_type: str | None) -> Mapping[str, JsonView]:
    """Return the definitions of the offered tools of one type; None: of the older functions."""
    if tool_type is None:
        definitions = objects(view.body.get("functions"))
    else:
        tools = objects(view.body.get("tools"))
        definitions = objects(
            [tool.get(tool_type) for tool in tools if tool.get("type") == tool_type]
        )
    return {str(definition.get("name")): definition for definition in definitions}


def _check_call(call: Call, view: RequestView, source: str) -> None:
    functions = {**_offered(view, "function"), **_offered(view, None)}
    if call.name not in functions:
        if call.name in _offered(view, "custom"):
            return
        offered = ", ".join(view.tool_names) or "no tools"
        raise InvalidReply(f"{source} calls {call.name!r}; the request offers {offered}.")
    try:
        arguments = json.loads(call.input)
    except ValueError as error:
        raise InvalidReply(
            f"{source} calls {call.name!r} with arguments that are not JSON.",
            [f"{call.input!r}: {error}"],
        ) from None
    violations = schema_violations(functions[call.name].get("parameters", {}), arguments)
    if violations:
        raise InvalidReply(
            f"{source} calls {call.name!r} with arguments that its parameters refuse: {call.input}",
            [f"{violation.pointer or '/'}: {violation.message}" for violation in violations],
        )
