"""One call for a whole check, of a server or of an application in this process."""

from collections.abc import Callable, Mapping
from pathlib import Path

from mockchat.conformance.answers import Sent
from mockchat.conformance.checks import CHECKS
from mockchat.conformance.hosted import Application, client_of
from mockchat.conformance.probes import Depth, probes
from mockchat.conformance.report import Report
from mockchat.conformance.runner import Plan, Run
from mockchat.conformance.target import Client, Target
from mockchat.contract.contract import Contract, contract_for
from mockchat.types import Level

_FALLBACK = "gpt-4o-mini"


def check(  # noqa: PLR0913 - the options of the command, by name
    target: str | Application,
    *,
    model: str | None = None,
    api_key: str = "none",
    headers: Mapping[str, str] | None = None,
    profile: str = "openai",
    schemas: Path | None = None,
    level: Level = "observed",
    depth: Depth = "quick",
    checks: frozenset[str] = frozenset(CHECKS),
    base_path: str = "/v1",
    timeout: float = 30.0,
    concurrency: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> Report:
    """Check a target and return the report; `report.conforms` is the verdict.

    Args:
        target: A base URL, or a WSGI or ASGI application, which is asked without a socket.
        model: The model to ask; the first that the target lists without it.
        api_key: Sent as a bearer token; in no report.
        headers: Further fields of every request; in no report.
        profile: The variant of the API to judge by.
        schemas: A folder of own profiles, looked at before the built-in ones.
        level: How strictly: "observed" or "documented".
        depth: "quick": under thirty requests; "full": every boundary and every rule.
        checks: The ids of the checks that count.
        base_path: Of an application: what stands before "/chat/completions".
        timeout: Seconds one request may take.
        concurrency: How many requests are under way at once.
        on_progress: Called after each probe with how many are done.

    Raises:
        BadArgument: The URL or the timeout cannot be used.
        UnknownProfile: There is no such profile.
    """
    contract = contract_for(profile, schemas)
    fields = {"authorization": f"Bearer {api_key}", **(headers or {})}
    client = (
        Target(base_url=target, headers=fields, timeout=timeout)
        if isinstance(target, str)
        else client_of(target, base_path=base_path, headers=fields, timeout=timeout)
    )
    asked = probes(contract, model=model or first_model(client, contract), depth=depth)
    plan = Plan(
        probes=asked, contract=contract, level=level, checks=checks, concurrency=concurrency
    )
    return Run(client, plan, on_progress=on_progress).go()


def first_model(client: Client, contract: Contract) -> str:
    """Return the first model the target lists, or else the first of the profile."""
    listed = client.send(Sent(method="GET", path="/models")).json
    models = listed.get("data") if isinstance(listed, Mapping) else None
    for model in models if isinstance(models, list) else ():
        if isinstance(model, Mapping) and isinstance(model.get("id"), str):
            return str(model["id"])
    return next((model.id for model in contract.profile.models), _FALLBACK)
