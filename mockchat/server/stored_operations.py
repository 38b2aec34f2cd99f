"""The operations on stored completions.

Under `validation="strict"` they exist only after `store: true`; under any other an id that is not
known gets an object made up for it, since most clients' tests never store one first.
"""

from mockchat.payloads.completions import complete
from mockchat.server.requests import read_body
from mockchat.server.service import Call, Result, Service
from mockchat.server.stored import Stored, page

_ID = "completion_id"


def list_completions(service: Service, call: Call) -> Result:
    """Answer with a page of the stored completions."""
    return Result(body=page(service.stores.of(call.script).find(call.query), call.query))


def get_completion(service: Service, call: Call) -> Result:
    """Answer with a stored completion."""
    return Result(body=_find(service, call).completion)


def update_completion(service: Service, call: Call) -> Result:
    """Replace a completion's labels."""
    metadata = read_body(service, call, "stored-update").get("metadata")
    updated = service.stores.of(call.script).update(call.parameters[_ID], metadata)
    completion = (updated or _find(service, call)).completion
    return Result(body={**completion, "metadata": metadata or {}})


def delete_completion(service: Service, call: Call) -> Result:
    """Forget a completion."""
    completion = _find(service, call).completion
    service.stores.of(call.script).delete(completion["id"])
    return Result(
        body={"object": "chat.completion.deleted", "id": completion["id"], "deleted": True}
    )


def list_messages(service: Service, call: Call) -> Result:
    """Answer with a page of the messages that led to a stored completion."""
    return Result(body=page(_find(service, call).messages, call.query))


def _find(service: Service, call: Call) -> Stored:
    wanted = call.parameters[_ID]
    found = service.stores.of(call.script).get(wanted)
    if found is not None:
        return found
    if service.settings.validation == "strict":
        raise service.error("completion_not_found", id=wanted)
    models = service.contract.profile.models
    draw = service.draw(call, repeat=0)
    # The official document lists assistant messages alone, though the service lists users' as well;
    # the SDK's strict clients believe the document.
    request = {
        "model": models[draw.index(len(models))].id if models else "model",
        "messages": [{"role": "assistant", "content": draw.text(1, 60, "prose")}],
    }
    completion = complete(request, draw, contract=service.contract, kind=service.settings.kind)
    return Stored.of({**completion, "id": wanted}, request)
