"""An exchange as a test in Python: the same request, answered the same, for one's own client."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from mockchat.contract.contract import contract_of
from mockchat.contract.profile import Profile
from mockchat.errors import MockchatError
from mockchat.payloads.shown import as_code
from mockchat.scripting.request_view import objects
from mockchat.server.control import conversation
from mockchat.server.routes import NotRouted, Routes
from mockchat.server.settings import Settings
from mockchat.types import Json, JsonView

_REFUSED = 400
_CHAT = "createChatCompletion"
_OWN = (_CHAT, "listModels", "retrieveModel")
"""Operations whose answers need nothing that was stored before."""
_BODILESS = ("GET", "HEAD", "DELETE", "OPTIONS")
_ERROR = ("message", "type", "param", "code")
_KEPT_FIELDS = ("content-type", "retry-after", "retry-after-ms", "x-should-retry")
NO_STUB = "mockchat_no_stub_matched"
"""The type of the error that answers a request without a stub."""
_LAST = "mockchat.journal.last"
_TEXT = '''\
"""Exchange {index} as a test: {told}."""

import http.client
import json
import urllib.error
import urllib.request

{imports}REQUEST = {request}


def status_of(url):
    """Send the request and return the status, None where the reply breaks off."""
    headers = {{"content-type": "application/json", "authorization": "Bearer sk-mockchat"}}
    request = urllib.request.Request(url, {data}, headers, method={method!r})
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            response.read()
            return response.status
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code
    except (http.client.HTTPException, OSError):
        return None


{constants}{marker}def test_exchange_{index}(mockchat):
    """{title}"""
{stub}    status = status_of(mockchat.url + {path})  # your own client may stand here

    assert status {status}
{expected}'''


class NoTest(MockchatError):
    """An exchange that no test can repeat.

    Args:
        index: Which.
        reason: Why not.
    """

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(index, reason)
        self.index = index
        self.reason = reason

    def __str__(self) -> str:
        return f"exchange {self.index} makes no test: {self.reason}."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """How a test has the same answered.

    Attributes:
        reply: What `reply` is given, "" where the server itself answers so.
        names: What that imports of mockchat.
        constant: The value of REPLY, None where it is not named.
        expected: What the reply is equal to: an expression on the journal, and its value.
        status: What the client gets, None where the connection breaks.
        remarks: What is said above the stub.
    """

    status: int | None
    reply: str = ""
    names: tuple[str, ...] = ()
    constant: Json = None
    expected: tuple[str, str] | None = None
    remarks: tuple[str, ...] = ()


def as_test(line: JsonView, settings: Settings) -> str:
    """Return the test; it needs mockchat and pytest alone, and passes as it stands.

    What was scripted, made up or damaged is scripted in it; what the server refused is refused
    again. A request that no stub matched gets one to be filled in. Times are not repeated.

    Args:
        line: The exchange as `exchange_lines` writes it.
        settings: Those of the server that answered.

    Raises:
        NoTest: The request's bytes, or what it needs, are not kept.
    """
    index, request, method = line["index"], line["request"], line["method"]
    operation = _operation(line, settings.profile)
    if request is None and operation is not None and method not in _BODILESS:
        raise NoTest(index, "the request had no body, or none that is JSON, and is not kept")
    answer = _answer(line, operation, settings)
    told = f"{method} {line['path']} -> {line['status']}"
    marker = _marker(line, settings)
    imports = ["import pytest\n"] if marker else []
    imports += [f"from mockchat import {', '.join(sorted(answer.names))}\n"] if answer.names else []
    made_up = "generated" if operation == _CHAT and line["status"] < _REFUSED else ""
    told_by = line.get("stub") or line.get("fault") or made_up or "by the server itself"
    stub = [f"# {_one_line(remark)}" for remark in answer.remarks]
    stub += [f"mockchat.reply({answer.reply})"] if answer.reply else []
    query = f"?{line['query']}" if line.get("query") else ""
    wanted = answer.expected
    return _TEXT.format(
        index=index,
        told=_docstring(told),
        title=_docstring(f"{told}, {told_by}."),
        imports="".join(imports) + ("\n" if imports else ""),
        request=as_code(request),
        data="None" if request is None else "json.dumps(REQUEST).encode()",
        method=method,
        constants="" if answer.constant is None else f"REPLY = {as_code(answer.constant)}\n\n\n",
        marker=marker,
        stub="".join(f"    {each}\n" for each in stub) + ("\n" if stub else ""),
        path=repr(f"{line['path']}{query}"),
        status="is None" if answer.status is None else f"== {answer.status}",
        expected=f"    assert {_LAST}.{wanted[0]} == {wanted[1]}\n" if wanted else "",
    )


def _answer(line: JsonView, operation: str | None, settings: Settings) -> _Answer:
    status = line["status"]
    is_refused = bool(line.get("violations")) and settings.validation in ("strict", "schema")
    if operation != _CHAT or (is_refused and status >= _REFUSED):
        if operation not in _OWN and status < _REFUSED:
            raise NoTest(line["index"], "it needs what was stored before")
        return _Answer(status=status)
    is_whole = not line.get("fault") and line["ending"] == "complete"
    completion = conversation.completion_of(line["body"], str(line.get("content_type")))
    if not is_whole or not isinstance(completion, Mapping):
        return _verbatim(line)
    failure = completion.get("error")
    if isinstance(failure, Mapping):
        is_open = "stub" not in line and failure.get("type") == NO_STUB
        return _open(line) if is_open else _failed(line, failure, settings.profile)
    is_said = status < _REFUSED and "choices" in completion and failure is None
    return _said(line, completion, settings) if is_said else _verbatim(line)


def _said(line: JsonView, completion: JsonView, settings: Settings) -> _Answer:
    status, contract = line["status"], contract_of(settings.profile)
    is_lawful = contract.is_valid("response", completion) and not contract.exchange_violations(
        line["request"], completion
    )
    choices = list(objects(completion.get("choices")))
    message = choices[0].get("message") if len(choices) == 1 else None
    first = "reply['choices'][0]['message']"
    if is_lawful and isinstance(message, Mapping) and _is_simple(choices[0], message):
        content, calls = message.get("content"), list(objects(message.get("tool_calls")))
        if not calls:
            text = repr(content)
            return _Answer(status=status, reply=text, expected=(f"{first}['content']", text))
        called = [call["function"] for call in calls]
        said = [f"tool_call({each['name']!r}, {each['arguments']!r})" for each in called]
        said = [*([] if content is None else [repr(content)]), *said]
        wanted = repr(called[0]["arguments"])
        return _Answer(
            status=status,
            reply=said[0] if len(said) == 1 else f"[{', '.join(said)}]",
            names=("tool_call",),
            expected=(f"{first}['tool_calls'][0]['function']['arguments']", wanted),
        )
    return _Answer(
        status=status,
        reply="unchecked(REPLY)",
        names=("unchecked",),
        constant=completion,
        expected=("reply['choices']", "REPLY['choices']"),
    )


def _is_simple(choice: JsonView, message: JsonView) -> bool:
    """Tell whether a text and calls of functions say all that a choice says."""
    calls = message.get("tool_calls") or []
    told = {name for name, value in message.items() if value not in (None, [])}
    functions = [call.get("function") for call in objects(calls)]
    is_callable = all(
        isinstance(each, Mapping)
        and bool(each.get("name"))
        and all(isinstance(each.get(name), str) for name in ("name", "arguments"))
        for each in functions
    )
    is_said = isinstance(message.get("content"), str) or (bool(calls) and "content" not in told)
    natural = "tool_calls" if calls else "stop"
    return (
        told <= {"role", "content", "tool_calls"}
        and is_said
        and is_callable
        and choice.get("finish_reason") in (None, natural)
        and choice.get("logprobs") is None
    )


def _failed(line: JsonView, failure: JsonView, profile: Profile) -> _Answer:
    status = line["status"]
    usual = profile.settings.get("scripted_errors", {}).get("usual", {})
    is_usual = str(status) in usual or f"{str(status)[0]}xx" in usual
    if not is_usual or not set(failure) <= {*_ERROR} or "message" not in failure:
        return _verbatim(line)
    members = ", ".join(f"{name}={failure[name]!r}" for name in _ERROR if name in failure)
    return _Answer(
        status=status,
        reply=f"error({status}, {members})",
        names=("error",),
        expected=("reply['error']['message']", repr(failure["message"])),
    )


def _open(line: JsonView) -> _Answer:
    reasons = line.get("mismatches") or ("there was none",)
    text = repr("what it should be answered")
    return _Answer(
        status=200,
        reply=text,
        expected=("reply['choices'][0]['message']['content']", text),
        remarks=("No stub matched this request; what is answered is yours to say.", *reasons),
    )


def _verbatim(line: JsonView) -> _Answer:
    """Return what left, as bytes: what no other words can say."""
    body = line["body"]
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    fields = [tuple(pair) for pair in line.get("reply_headers", ()) if pair[0] in _KEPT_FIELDS]
    is_stream = "event-stream" in str(line.get("content_type"))
    ends = "\n\n" if is_stream else None
    pieces = [each + ends for each in text.split(ends)] if ends else [text]
    if ends:
        pieces[-1] = pieces[-1].removesuffix(ends)
    sent: Json = [[0, each] for each in pieces if each]
    options = f"status={line['status']}, headers={fields!r}, pieces=REPLY, is_stream={is_stream}"
    if line["ending"] != "complete":
        options += f", ending={line['ending']!r}"
    return _Answer(
        status=line["status"] if line["ending"] == "complete" else None,
        reply=f"'', fault=Verbatim({options})",
        names=("Verbatim",),
        constant=sent,
        expected=("sent.decode()", "''.join(text for _, text in REPLY)"),
    )


def _operation(line: JsonView, profile: Profile) -> str | None:
    try:
        return Routes(profile.documents).find(line["method"], line["path"]).operation.id
    except NotRouted:
        return None


def _marker(line: JsonView, settings: Settings) -> str:
    options = {"profile": settings.profile.name} if settings.profile.name != "openai" else {}
    if line.get("violations") and settings.validation != "strict":
        options["validation"] = settings.validation
    told = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return f"@pytest.mark.mockchat({told})\n" if told else ""


def _one_line(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in " ".join(text.split()))


def _docstring(sentence: str) -> str:
    return _one_line(sentence).replace("\\", "\\\\").replace('"', "'")
