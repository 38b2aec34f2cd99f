"""One call for a whole check, of a server or of an application in this process."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict, Unpack

from mockchat.conformance.answers import Sent
from mockchat.conformance.asked_probes import LAWFUL, UNLAWFUL, probe_of
from mockchat.conformance.checks import CHECKS, judge
from mockchat.conformance.hosted import Application, client_of
from mockchat.conformance.observed import Finding, Observed
from mockchat.conformance.probes import CHAT, Depth, Probe, chat, probes
from mockchat.conformance.report import Report, fails
from mockchat.conformance.runner import Plan, Run
from mockchat.conformance.target import Client, Target
from mockchat.contract.contract import Contract, contract_for
from mockchat.server.wire import BadBody, decode_json
from mockchat.types import JsonView, Level

AnyDepth: TypeAlias = Depth | Literal["fuzz"]
"""How much is asked: the probes of a depth, or all of them and drawn requests."""

_FALLBACK = "gpt-4o-mini"
_TIMEOUT = 30.0


class Asking(TypedDict, total=False):
    """How a target is reached.

    Attributes:
        api_key: Sent as a bearer token; in no report.
        headers: Further fields of every request; in no report.
        base_path: Of an application: what stands before "/chat/completions"; "/v1" unless given.
        timeout: Seconds one request may take, 30 unless given.
        ca_file: Of a URL: certificates of authorities that are trusted besides the system's.
        is_verified: Of a URL: whether its certificate must be one to trust, as it must unless given.
    """

    api_key: str
    headers: Mapping[str, str] | None
    base_path: str
    timeout: float
    ca_file: Path | None
    is_verified: bool


def check(  # noqa: PLR0913 - the options of the command, by name
    target: str | Application,
    *,
    model: str | None = None,
    profile: str = "openai",
    schemas: Path | None = None,
    level: Level = "observed",
    depth: AnyDepth = "quick",
    seed: int = 0,
    budget_requests: int | None = None,
    budget_tokens: int | None = None,
    checks: frozenset[str] = frozenset(CHECKS),
    concurrency: int = 1,
    retries: int = 0,
    on_progress: Callable[[int], None] | None = None,
    **asking: Unpack[Asking],
) -> Report:
    """Check a target and return the report; `report.conforms` is the verdict.

    Args:
        target: A base URL, or a WSGI or ASGI application, which is asked without a socket.
        model: The model to ask; the first that the target lists without it.
        profile: The variant of the API to judge by.
        schemas: A folder of own profiles, looked at before the built-in ones.
        level: How strictly: "observed" or "documented".
        depth: "quick": under thirty requests; "full": every boundary and every rule; "fuzz": then
            drawn requests, and what they find shrunk.
        seed: The same seed draws the same requests.
        budget_requests: The most requests that are sent, None for no limit.
        budget_tokens: The most tokens that are asked for, by our own estimate.
        checks: The ids of the checks that count.
        concurrency: How many requests are under way at once.
        retries: How often a request is sent again that met a rate limit, a failing server or a lost
            connection.
        on_progress: Called after each probe with how many are done.
        asking: How the target is reached: see `Asking`.

    Raises:
        BadArgument: The URL, the timeout or the certificates cannot be used.
        UnknownProfile: There is no such profile.
    """
    contract = contract_for(profile, schemas)
    client = _client(target, **asking)
    named = model or first_model(client, contract)
    plan = Plan(
        probes=probes(contract, model=named, depth="full" if depth == "fuzz" else depth),
        contract=contract,
        level=level,
        checks=checks,
        concurrency=concurrency,
        retries=retries,
        requests=budget_requests,
        tokens=budget_tokens,
    )
    if depth == "fuzz":
        timeout = asking.get("timeout", _TIMEOUT)
        return _fuzzed(client, plan, named, seed=seed, timeout=timeout, on_progress=on_progress)
    return Run(client, plan, on_progress=on_progress).go()


def _fuzzed(  # noqa: PLR0913 - what `check` was told
    client: Client,
    plan: Plan,
    model: str,
    *,
    seed: int,
    timeout: float,
    on_progress: Callable[[int], None] | None,
) -> Report:
    # Only here: it imports Hypothesis.
    from mockchat.conformance.fuzz import Fuzzing, FuzzRun  # noqa: PLC0415

    fuzzing = Fuzzing(model=model, seed=seed, timeout=timeout)
    return FuzzRun(client, plan, fuzzing, on_progress=on_progress).go()


def check_request(
    target: str | Application,
    request: JsonView | bytes,
    *,
    profile: str = "openai",
    schemas: Path | None = None,
    level: Level = "observed",
    **asking: Unpack[Asking],
) -> tuple[Finding, ...]:
    """Send one request for a chat completion and return what fails it; () where nothing does.

    A request that breaks the contract is one that a right server refuses.

    Args:
        target: A base URL, or a WSGI or ASGI application, which is asked without a socket.
        request: The body: JSON, or bytes that are sent as they are.
        profile: The variant of the API to judge by.
        schemas: A folder of own profiles, looked at before the built-in ones.
        level: How strictly: "observed" or "documented".
        asking: How the target is reached: see `Asking`.

    Raises:
        BadArgument: The URL or the timeout cannot be used.
        UnknownProfile: There is no such profile.
    """
    contract = contract_for(profile, schemas)
    client = _client(target, **asking)
    probe = _probe_of(contract, request)
    answered = client.send(probe.sent)
    seen = Observed(probe=probe, answered=answered, contract=contract, level=level)
    return tuple(filter(fails, judge(seen)[1]))


def _probe_of(contract: Contract, request: JsonView | bytes) -> Probe:
    if not isinstance(request, bytes):
        asked = dict(request)
        return probe_of(contract, chat(asked), asked, name="request", capability=LAWFUL)
    sent = Sent(path=CHAT, body=request)
    try:
        return probe_of(contract, sent, decode_json(request), name="request", capability=LAWFUL)
    except BadBody as bad:
        return Probe(
            id="request", capability=UNLAWFUL, sent=sent, wanted="refusal", reason=bad.detail
        )


def _client(  # noqa: PLR0913 - `Asking`, by name
    target: str | Application,
    *,
    api_key: str = "none",
    headers: Mapping[str, str] | None = None,
    base_path: str = "/v1",
    timeout: float = _TIMEOUT,
    ca_file: Path | None = None,
    is_verified: bool = True,
) -> Client:
    """Return what asks a target."""
    fields = {"authorization": f"Bearer {api_key}", **(headers or {})}
    if isinstance(target, str):
        return Target(
            base_url=target,
            headers=fields,
            timeout=timeout,
            ca_file=ca_file,
            is_verified=is_verified,
        )
    return client_of(target, base_path=base_path, headers=fields, timeout=timeout)


def first_model(client: Client, contract: Contract) -> str:
    """Return the first model the target lists, or else the first of the profile."""
    listed = client.send(Sent(method="GET", path="/models")).json
    models = listed.get("data") if isinstance(listed, Mapping) else None
    for model in models if isinstance(models, list) else ():
        if isinstance(model, Mapping) and isinstance(model.get("id"), str):
            return str(model["id"])
    return next((model.id for model in contract.profile.models), _FALLBACK)
