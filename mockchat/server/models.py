"""The operations on models: list, retrieve, delete."""

from mockchat.contract.profile import Model
from mockchat.server.service import Call, Result, Service
from mockchat.types import JsonObject


def list_models(service: Service, call: Call) -> Result:  # noqa: ARG001 - every operation takes a call
    """Answer with every model of the profile."""
    models = [_listed(model) for model in service.contract.profile.models]
    return Result(body={"object": "list", "data": models})


def retrieve_model(service: Service, call: Call) -> Result:
    """Answer with one model; under `models="any"` every name is one."""
    return Result(body=_listed(find_model(service, call.parameters["model"])))


def delete_model(service: Service, call: Call) -> Result:
    """Say that a model is deleted; the list stays as the profile has it."""
    model = find_model(service, call.parameters["model"])
    return Result(body={"id": model.id, "object": "model", "deleted": True})


def find_model(service: Service, name: str) -> Model:
    """Return the model called `name`.

    Raises:
        Refusal: The profile does not have it, under `models="known"`.
    """
    profile = service.contract.profile
    known = profile.model(name)
    if known is not None:
        return known
    if service.settings.models == "known":
        raise service.error("model_not_found", model=name)
    return profile.unlisted_model(name)


def _listed(model: Model) -> JsonObject:
    return {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.owned_by,
    }
