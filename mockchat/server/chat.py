"""The operation `createChatCompletion`: judge the request, find or make its answer."""

from copy import deepcopy
from dataclasses import replace
from http import HTTPStatus

from mockchat.errors import ImpossibleSchema
from mockchat.exchange import ApiError
from mockchat.payloads.completions import complete
from mockchat.payloads.plans import random_plan
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.streams import stream_of
from mockchat.scripting.arguments import is_whole_number
from mockchat.scripting.contents import Reply
from mockchat.scripting.failures import NoStubMatched
from mockchat.scripting.faults import Effects, check_playable
from mockchat.scripting.matching import RequestView
from mockchat.scripting.replies import Answer, answer
from mockchat.scripting.script import Script, Selection
from mockchat.server import wire
from mockchat.server.kin import Family, name_of
from mockchat.server.memory import Known
from mockchat.server.models import find_model
from mockchat.server.ready import Ready
from mockchat.server.requests import read_body
from mockchat.server.service import NEVER_RETRY, Call, Refusal, Result, Service
from mockchat.server.stored import Stored
from mockchat.types import Json, JsonObject, JsonView


def create_completion(service: Service, call: Call) -> Result:
    """Answer a conversation: as scripted, else made up for it.

    Raises:
        Refusal: The request breaks the contract, names an unknown model, is over a limit, or
            matches no stub.
        MockchatError: A scripted reply is no answer to it; whatever a scripted callable raises.
    """
    body = read_body(service, call, "request")
    if "model" in call.parameters:
        body = {**body, "model": call.parameters["model"]}  # the path decides, not the body
    known = call.known
    if isinstance(body.get("model"), str) and (known is None or not known.has_model):
        find_model(service, body["model"])
        if known is not None:
            known.has_model = True
    view = RequestView(
        method=call.incoming.method, path=call.path, headers=call.incoming.headers, body=body
    )
    return _answered(service, call, view)


def _answered(service: Service, call: Call, view: RequestView) -> Result:
    """Answer within the limits: what the reply used is counted, a reply that failed used nothing."""
    admission = service.limiter.admit(call.script, view)
    if admission is None:
        return _answer(service, call, view)
    call.standings = admission.standings
    if admission.error is not None:
        raise Refusal(admission.error)
    used = 0
    try:
        result = _answer(service, call, view)
        used = (result.used or {}).get("tokens", 0)
    finally:
        admission.settle(used)
        call.standings = admission.standings
    return result


def _answer(service: Service, call: Call, view: RequestView) -> Result:
    # Without a stub there is nothing to ask, and no reason to word.
    if call.script is not None and (call.script.has_stubs or call.script.unmatched == "fail"):
        if call.script.may_block:
            call.known = None  # somebody's own code is given the request, and may change it
        try:
            selection = call.script.select(view)
        except NoStubMatched as unmatched:
            call.mismatches = unmatched.lines
            if call.script.unmatched == "fail":
                raise _no_stub(unmatched) from None
        else:
            return _scripted(service, call, view, call.script, selection)
    return _generated(service, call, view)


def _scripted(
    service: Service, call: Call, view: RequestView, script: Script, selection: Selection
) -> Result:
    call.stub, call.selection = selection.stub.name, selection
    draw = service.draw(call, repeat=selection.ordinal)
    ready, size = _ready(service, call.known, view, selection.reply)
    if ready is not None:
        result = _result(service, call, view, ready.answer(draw), draw, ready=ready)
        if ready.size != size and call.known is not None:
            service.memory.grow(call.path, call.known, ready.size - size)
        return result
    made = answer(
        selection.reply,
        view,
        contract=service.contract,
        draw=draw,
        kind=service.settings.kind,
        level=service.settings.level,
        source=selection.stub.name,
        tokenizer=service.tokenizer,
        is_flawless=call.known is not None,
    )
    # What a callable returned was not there to be looked at when the reply was written.
    check_playable(made.pacing, made.fault, script.abilities)
    if call.known is not None and (first := Ready.of(selection.reply, made)) is not None:
        call.known.keep(first)
        _relate(service, view, selection.reply)
    return _result(service, call, view, made, draw)


def _ready(
    service: Service, known: Known | None, view: RequestView, reply: Reply
) -> tuple[Ready | None, int]:
    """Return the reply if it was made before, for this request or for one of its family.

    With it comes how much of its size is counted already.
    """
    if known is None:
        return None, 0
    ready = known.ready(reply)
    if ready is not None:
        return ready, ready.size
    family = service.families.find(name_of(view.body), reply)
    if family is None:
        return None, 0
    ready = family.ready(view.body, service.tokenizer)
    known.keep(ready)
    return ready, 0


def _relate(service: Service, view: RequestView, reply: Reply) -> None:
    """Look for the family of a request when it is the second of its kind."""
    name, family = name_of(view.body), None
    if service.families.is_met(name, reply):
        family = Family.of(
            reply,
            view,
            contract=service.contract,
            level=service.settings.level,
            tokenizer=service.tokenizer,
        )
    service.families.keep(name, reply, family)


def _result(  # noqa: PLR0913 - all that is known of an answer
    service: Service,
    call: Call,
    view: RequestView,
    made: Answer,
    draw: SeededDraw,
    *,
    ready: Ready | None = None,
) -> Result:
    is_plain = made.pacing is None and made.fault is None
    effects = None if is_plain else Effects(pacing=made.pacing, fault=made.fault, draw=draw)
    if made.error is not None:
        return Result(
            status=made.error.status,
            body=service.contract.envelope(made.error),
            headers=made.error.headers,
            effects=effects,
        )
    heeded = service.contract.profile.heeded(view.body)
    if made.completion is not None and heeded.get("store") is True:
        kept = made.completion if made.frame is None else deepcopy(made.completion)
        service.stores.of(call.script).keep(Stored.of(kept, view.body))
    is_stream = heeded.get("stream") is True
    written = None
    if ready is not None:
        written = ready.events(made.drawn, draw) if is_stream else ready.body(made.drawn)
    chunks = None
    if is_stream and written is None:
        chunks = _chunks(service, made, heeded, draw)
        if ready is not None and call.known is not None and call.known.is_repeated:
            ready.learn(chunks, made.drawn, heeded, service.contract.profile)
    return Result(
        body=made.completion,
        chunks=chunks,
        used=_used(made),
        effects=effects,
        written=written,
        is_stream=is_stream,
        is_shared=made.frame is not None,
    )


def _generated(service: Service, call: Call, view: RequestView) -> Result:
    """Answer with what is made up for the request: the same again, unless repeats are to differ."""
    known = call.known
    if known is not None and known.generated is not None:
        return known.generated
    draw = service.draw(call)
    result = _result(service, call, view, _made_up(service, view.body, draw), draw)
    is_kept = view.body.get("store") is True
    if known is None or service.settings.vary_repeats or is_kept:
        return result
    chunks = None if result.chunks is None else tuple(map(wire.encode_chunk, result.chunks))
    written = (wire.encode_json(result.body),) if chunks is None else chunks
    known.generated = replace(result, chunks=None, effects=None, written=written, is_shared=True)
    service.memory.grow(call.path, known, sum(map(len, written)))
    return known.generated


def _made_up(service: Service, body: JsonObject, draw: SeededDraw) -> Answer:
    settings = service.settings
    try:
        completion = complete(
            body,
            draw,
            contract=service.contract,
            kind=settings.kind,
            shapes=settings.shapes,
            tokenizer=service.tokenizer,
        )
    except ImpossibleSchema as impossible:
        message = f"mockchat can make no value for a schema of this request: {impossible.reason}"
        raise Refusal(_impossible(message, impossible)) from None
    return Answer(completion=completion, plan=random_plan(draw, kind=settings.kind))


def _impossible(message: str, impossible: ImpossibleSchema) -> ApiError:
    return ApiError(
        status=HTTPStatus.BAD_REQUEST,
        type="invalid_request_error",
        code="mockchat_impossible_schema",
        param=impossible.pointer or None,
        message=message,
    )


def _no_stub(unmatched: NoStubMatched) -> Refusal:
    return Refusal(
        ApiError(
            status=HTTPStatus.BAD_REQUEST,
            type="mockchat_no_stub_matched",
            message=str(unmatched),
            headers=(NEVER_RETRY,),
        )
    )


def _chunks(
    service: Service, made: Answer, body: JsonObject, draw: SeededDraw
) -> tuple[JsonView, ...]:
    if made.completion is None:
        return made.chunks
    if not isinstance(made.completion.get("choices"), list):
        return (made.completion,)  # not a completion, and sent unchecked: one event as it is
    return stream_of(
        made.completion, made.plan, request=body, profile=service.contract.profile, draw=draw
    )


def _used(made: Answer) -> dict[str, int]:
    usage = (made.completion or {}).get("usage")
    total: Json = usage.get("total_tokens") if isinstance(usage, dict) else None
    # What is sent unchecked may say anything here.
    is_count = isinstance(total, int) and is_whole_number(total, lowest=0)
    return {"requests": 1, "tokens": int(total) if is_count else 0}
