"""From a request to a delivery, without a socket: the journey every adapter shares."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from http import HTTPStatus

from mockchat.contract.contract import contract_of
from mockchat.errors import MockchatError
from mockchat.exchange import ApiError, Delivery, Headers, Incoming, header
from mockchat.payloads.encodings import tokenizer_named
from mockchat.payloads.stream_style import stream_style
from mockchat.scripting.entries import Entry
from mockchat.scripting.failures import LateRequest, carried
from mockchat.scripting.script import Script
from mockchat.scripting.scripts import Scripts
from mockchat.scripting.sharing import Accounts, StateLost
from mockchat.server import chat, models, stored_operations
from mockchat.server.again import Agains, again_of
from mockchat.server.cors import preflight_fields, shared
from mockchat.server.credentials import problem_with
from mockchat.server.deliveries import delivery_of
from mockchat.server.kin import Families
from mockchat.server.limiting import Limiter
from mockchat.server.memory import Memory
from mockchat.server.repeats import Repeats
from mockchat.server.reports import report
from mockchat.server.requests import read_query
from mockchat.server.routes import NotRouted, Routes, key_headers
from mockchat.server.service import NEVER_RETRY, Call, Refusal, Result, Service
from mockchat.server.service_headers import ServiceHeaders
from mockchat.server.settings import Settings
from mockchat.server.stored import Stores
from mockchat.server.ticket import Ticket, forget

__all__ = ["App", "Ticket"]

OPERATIONS: Mapping[str, Callable[[Service, Call], Result]] = {
    "createChatCompletion": chat.create_completion,
    "createDeploymentChatCompletion": chat.create_completion,
    "listChatCompletions": stored_operations.list_completions,
    "getChatCompletion": stored_operations.get_completion,
    "updateChatCompletion": stored_operations.update_completion,
    "deleteChatCompletion": stored_operations.delete_completion,
    "getChatCompletionMessages": stored_operations.list_messages,
    "listModels": models.list_models,
    "retrieveModel": models.retrieve_model,
    "deleteModel": models.delete_model,
}
"""What answers each `operationId` of the profiles' OpenAPI documents."""


_SOON = ("retry-after", "1")


_MOST_PATHS = 256
_SHARE = 4
"""A quarter of what may be remembered goes to requests that are known with their heads."""


class App:
    """Answers requests as the service of one profile; safe to use from many threads.

    Args:
        settings: How it answers.
        scripts: The open scripts; a request that belongs to none is answered as `settings` say.
        accounts: What clients have used, where workers share it.
        memory: The requests that came before; its own unless given.

    Raises:
        BrokenProfile: The profile cannot be read as a contract.
    """

    def __init__(
        self,
        settings: Settings,
        scripts: Scripts,
        accounts: Accounts | None = None,
        *,
        memory: Memory | None = None,
    ) -> None:
        profile = settings.profile
        self._settings = settings
        self._scripts = scripts
        self._routes = Routes(profile.documents)
        self._find = lru_cache(maxsize=_MOST_PATHS)(self._routes.find)
        self._key_headers = key_headers(profile.documents)
        self._headers = ServiceHeaders(profile.settings)
        contract = contract_of(profile)
        tokenizer = tokenizer_named(settings.tokenizer)
        self._service = Service(
            settings=settings,
            contract=contract,
            style=stream_style(profile),
            stores=Stores(settings.stored_limit),
            repeats=Repeats(counts=settings.vary_repeats),
            limiter=Limiter(settings.limits, contract, tokenizer, accounts),
            memory=Memory(settings.memory_bytes) if memory is None else memory,
            families=Families(settings.memory_bytes // _SHARE),
        )
        self._agains = Agains(settings.memory_bytes // _SHARE)

    @property
    def body_limit(self) -> int:
        """The largest request body to be read, in bytes."""
        return self._settings.body_limit

    def may_block(self, incoming: Incoming) -> bool:
        """Tell whether somebody's own code may be asked for the answer, which may take its time."""
        script = self._scripts.owner(incoming.path)
        return script is not None and script.may_block

    def handle(self, incoming: Incoming, script: Script | None = None) -> Ticket:
        """Answer a request; the exchange is journaled when this returns, before a byte leaves.

        Whatever a scripted reply meets is charged to its script and answered with status 500.

        Args:
            incoming: The request.
            script: Whose it is; None: its path tells.
        """
        received = time.monotonic()
        again = self._agains.find(incoming) if incoming.mark else None
        if again is not None:
            ticket = again.ticket(script or self._scripts.owner(incoming.path), received)
            if ticket is not None:
                return ticket
        call = Call(incoming=incoming, path=incoming.path, script=script)
        try:
            if script is None:
                call.script, call.path = self._resolved(incoming)
            call.revision = 0 if call.script is None else call.script.revision
            result = self._result(call)
            delivery = self._delivery(call, result, received)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the client gets an answer
            result = self._error(self._told(call, problem))
            delivery = self._delivery(call, result, received)
        return self._ticket(call, result, delivery, received)

    def refuse(self, status: int, message: str, incoming: Incoming | None = None) -> Ticket:
        """Answer what an adapter could not make a whole request of, or could not answer.

        Args:
            status: The HTTP status.
            message: The sentence for the client.
            incoming: The request as far as it was read; it is journaled, where its script is open.
        """
        call = Call(incoming=incoming or Incoming(method="", path=""), path="", script=None)
        error = self._refused(status, message, call.incoming)
        # Status 410 means that there is no script to journal in: asking again would charge twice.
        if incoming is not None and status != HTTPStatus.GONE:
            try:
                call.script, call.path = self._resolved(incoming)
            except LateRequest as late:
                error = _late(late)
        result, received = self._error(error), time.monotonic()
        return self._ticket(call, result, self._delivery(call, result, received), received)

    def _resolved(self, incoming: Incoming) -> tuple[Script | None, str]:
        script, path = self._scripts.resolve(incoming.path, method=incoming.method)
        if script is None and self._settings.unmatched == "fail":
            raise self._scripts.refuse(f"{incoming.method} {path}", None)
        return script, path

    def _result(self, call: Call) -> Result:
        incoming = call.incoming
        if len(incoming.body) > self.body_limit:
            raise Refusal(self._refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "", incoming))
        if incoming.method == "OPTIONS":
            return self._options(call)
        try:
            route = self._find(incoming.method, call.path)
        except NotRouted as missing:
            raise self._unrouted(missing) from None
        problem = problem_with(incoming.headers, self._settings.api_keys, self._key_headers)
        if problem is not None:
            name, fields = problem
            raise self._service.error(name, **fields)
        call.parameters = route.parameters
        read_query(self._service, call, route.operation.query)
        return OPERATIONS[route.operation.id](self._service, call)

    def _options(self, call: Call) -> Result:
        """Tell what may be asked of a path; a browser sends no key with its question."""
        methods = self._routes.methods(call.path)
        if not methods:
            raise self._unrouted(NotRouted("OPTIONS", call.path))
        headers = (
            ("allow", ", ".join(methods)),
            *preflight_fields(call.incoming, self._settings.cors, methods),
        )
        return Result(status=HTTPStatus.NO_CONTENT, headers=headers)

    def _refused(self, status: int, message: str, incoming: Incoming) -> ApiError:
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            size = header(incoming.headers, "content-length") or f"over {self.body_limit}"
            limit = self.body_limit
            return self._service.contract.error("body_too_large", n=size, limit=limit)
        server_failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        kind = "server_error" if server_failed else "invalid_request_error"
        headers = (_SOON,) if status == HTTPStatus.SERVICE_UNAVAILABLE else ()
        return ApiError(status=status, type=kind, message=message, headers=headers)

    def _unrouted(self, missing: NotRouted) -> Refusal:
        fields = {"method": missing.method, "path": missing.path}
        contract = self._service.contract
        if not missing.allowed:
            return Refusal(contract.error("invalid_url", **fields))
        error = contract.error("method_not_allowed", **fields)
        allow = ("allow", ", ".join(missing.allowed))
        return Refusal(replace(error, headers=(*error.headers, allow)))

    def _error(self, error: ApiError) -> Result:
        body = self._service.contract.envelope(error)
        return Result(status=error.status, body=body, headers=error.headers)

    def _told(self, call: Call, problem: Exception) -> ApiError:
        """Return what is answered where there is no result; charge the script if it is at fault."""
        if isinstance(problem, LateRequest):
            return _late(problem)
        if isinstance(problem, Refusal):
            return problem.error
        if isinstance(problem, StateLost):
            return _lost(problem)
        if call.script is None:
            report(f"{call.incoming.method} {call.path!r} could not be answered", problem)
            return self._service.contract.error("server_error")
        charged = carried(problem, f"{call.incoming.method} {call.path}", stub=call.stub)
        call.script.charge(charged)
        return ApiError(
            status=HTTPStatus.INTERNAL_SERVER_ERROR,
            type="server_error",
            message=f"{type(charged).__name__}: {charged}",
            headers=(NEVER_RETRY,),
        )

    def _delivery(self, call: Call, result: Result, received: float) -> Delivery:
        seconds = time.monotonic() - received
        fields: Headers = self._headers.fields(
            seconds=seconds, used=result.used, standings=call.standings
        )
        delivery = delivery_of(result, fields, self._service.style)
        return shared(call.incoming, delivery, self._settings.cors)

    def _ticket(self, call: Call, result: Result, delivery: Delivery, received: float) -> Ticket:
        if call.script is None:
            self._repeat(call, result, delivery, None)
            return Ticket(delivery=delivery, finish=forget)
        journal = call.script.journal
        entry = Entry(
            method=call.incoming.method,
            path=call.path,
            query=call.incoming.query,
            headers=call.incoming.headers,
            request=call.request,
            status=delivery.status,
            told=result.told,
            same=call.known,
            stub=call.stub,
            mismatches=call.mismatches,
            violations=call.violations,
            ending=delivery.ending,
            delivery=delivery,
            fault=_fault(result),
            received=journal.clock() - (time.monotonic() - received),
        )
        try:
            index = journal.note(entry)
        except StateLost as lost:
            refused = self._delivery(call, self._error(_lost(lost)), received)
            return Ticket(delivery=refused, finish=forget)
        self._repeat(call, result, delivery, entry)
        return Ticket(
            delivery=delivery,
            finish=partial(journal.finish, index),
            wrote=partial(journal.wrote, index),
        )

    def _repeat(self, call: Call, result: Result, delivery: Delivery, entry: Entry | None) -> None:
        """Answer the same request again at once, if its answer goes by nothing else."""
        if call.known is None or not call.incoming.mark:
            return
        if not self._agains.has_met(call.incoming):
            return
        prepared = self._headers.prepared(result.used)
        again = again_of(
            self._service, prepared, call, result=result, delivery=delivery, entry=entry
        )
        if again is not None:
            self._agains.keep(call.incoming, again)


def _fault(result: Result) -> str | None:
    damage = None if result.effects is None else result.effects.fault
    return None if damage is None else repr(damage)


def _lost(lost: StateLost) -> ApiError:
    return ApiError(
        status=HTTPStatus.SERVICE_UNAVAILABLE,
        type="mockchat_state_lost",
        message=str(lost),
        headers=(("retry-after", "1"),),
    )


def _late(late: MockchatError) -> ApiError:
    return ApiError(
        status=HTTPStatus.GONE,
        type="mockchat_late_request",
        message=str(late),
        headers=(NEVER_RETRY,),
    )
