"""The operation `createChatCompletion`: judge the request, find or make its answer."""

from http import HTTPStatus

from mockchat.errors import ImpossibleSchema
from mockchat.exchange import ApiError
from mockchat.payloads.completions import complete
from mockchat.payloads.plans import random_plan
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.streams import stream_of
from mockchat.scripting.arguments import is_whole_number
from mockchat.scripting.failures import NoStubMatched
from mockchat.scripting.faults import Effects, check_playable
from mockchat.scripting.matching import RequestView
from mockchat.scripting.replies import Answer, answer
from mockchat.server.models import find_model
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
    heeded = service.contract.profile.heeded(body)
    if isinstance(body.get("model"), str):
        find_model(service, body["model"])
    made, draw = _answered(service, call, body)
    effects = Effects(pacing=made.pacing, fault=made.fault, draw=draw)
    if made.error is not None:
        return Result(
            status=made.error.status,
            body=service.contract.envelope(made.error),
            headers=made.error.headers,
            effects=effects,
        )
    if made.completion is not None and heeded.get("store") is True:
        service.stores.of(call.script).keep(Stored.of(made.completion, body))
    return Result(
        body=made.completion,
        chunks=_chunks(service, made, heeded, draw) if heeded.get("stream") is True else None,
        used=_used(made),
        effects=effects,
    )


def _answered(service: Service, call: Call, body: JsonObject) -> tuple[Answer, SeededDraw]:
    """Answer within the limits: what the reply used is counted, a reply that failed used nothing."""
    view = RequestView(
        method=call.incoming.method, path=call.path, headers=call.incoming.headers, body=body
    )
    admission = service.limiter.admit(call.script, view)
    if admission is None:
        return _answer(service, call, view)
    call.standings = admission.standings
    if admission.error is not None:
        raise Refusal(admission.error)
    used = 0
    try:
        made, draw = _answer(service, call, view)
        used = _used(made)["tokens"]
    finally:
        admission.settle(used)
        call.standings = admission.standings
    return made, draw


def _answer(service: Service, call: Call, view: RequestView) -> tuple[Answer, SeededDraw]:
    settings = service.settings
    if call.script is not None:
        try:
            selection = call.script.select(view)
        except NoStubMatched as unmatched:
            call.mismatches = unmatched.lines
            if call.script.unmatched == "fail":
                raise _no_stub(unmatched) from None
        else:
            call.stub = selection.stub.name
            draw = service.draw(call, repeat=selection.ordinal)
            made = answer(
                selection.reply,
                view,
                contract=service.contract,
                draw=draw,
                kind=settings.kind,
                level=settings.level,
                source=selection.stub.name,
                tokenizer=service.tokenizer,
            )
            # What a callable returned was not there to be looked at when the reply was written.
            check_playable(made.pacing, made.fault, call.script.abilities)
            return made, draw
    draw = service.draw(call)
    return _generated(service, view.body, draw), draw


def _generated(service: Service, body: JsonObject, draw: SeededDraw) -> Answer:
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
