"""The contract of one profile: the one judge of requests, replies, exchanges, chunks and errors."""

from functools import cache
from pathlib import Path

from mockchat.contract.api_errors import ApiErrors
from mockchat.contract.capability_rules import BY_MODEL
from mockchat.contract.check_order import CheckOrder
from mockchat.contract.exchange_rules import EXCHANGE, Exchanged
from mockchat.contract.outlines import ValidTexts
from mockchat.contract.pointers import tokens_of
from mockchat.contract.profile import LEVELS, Profile, load_profile
from mockchat.contract.reply_rules import REPLY
from mockchat.contract.request_rules import REQUEST, RESTATING, AskedFor
from mockchat.contract.stream_rules import StreamJudge
from mockchat.contract.validation import DocumentJudge
from mockchat.errors import BadArgument, BrokenProfile
from mockchat.exchange import ApiError, Violation
from mockchat.types import Json, JsonObject, JsonView, Level


class Contract:
    """Everything a profile asks of what travels, as questions.

    Safe to share between threads: nothing changes after construction.

    Args:
        profile: The profile; its documents and settings are all this judges by.

    Raises:
        BrokenProfile: A reference in one of its documents leads nowhere.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self._judges = {level: _judge(profile, level) for level in LEVELS}
        self._rules: JsonView = profile.settings.get("rules", {})
        settings = profile.settings
        self._order = CheckOrder(settings.get("check_order", ()), settings.get("member_order", ()))
        self._omits_nulls = bool(settings.get("nulls_as_omitted", False))
        request = profile.documents["request"]
        self._optional = request.get("properties", {}).keys() - set(request.get("required", ()))
        books = (RESTATING.rules, REQUEST.rules, BY_MODEL.rules)
        self._requests = ValidTexts()  # that break no schema
        self._flawless = ValidTexts()  # that break no rule either
        self._errors = ApiErrors(
            profile, {rule.id: rule.error for book in books for rule in book.values()}
        )

    def violations(
        self, document: str, value: Json, *, level: Level = "observed", rules: bool = True
    ) -> tuple[Violation, ...]:
        """Return what `value` breaks as a `document` ("request", "response", "chunk" …).

        Notes are among them: violations with `is_note`, worth saying and not wrong at `level`.

        Args:
            document: The name of a schema document of the profile.
            value: Any JSON value.
            level: How strictly replies are judged; requests are judged the same at both.
            rules: Whether rules are asked too, or the schema alone.

        Raises:
            BadArgument: The profile has no such document.
        """
        if document == "request":
            return self.request_violations(value, rules=rules)
        found = self._schema_violations(document, value, level)
        if not rules or document != "response":
            return found
        if not found if level == "observed" else self._is_readable(value):
            found += tuple(REPLY.violations(value, self._rules, level))
        return found

    def is_valid(
        self, document: str, value: Json, *, level: Level = "observed", rules: bool = True
    ) -> bool:
        """Say whether `value` breaks nothing but notes; the arguments are those of `violations`."""
        found = self.violations(document, value, level=level, rules=rules)
        return all(violation.is_note for violation in found)

    def request_violations(self, body: Json, *, rules: bool = True) -> tuple[Violation, ...]:
        """Return what a request breaks, in the order the API checks: it answers the first.

        A null in an optional member of the top is read as if the member were absent, where the
        profile says so.
        """
        sent = self._without_nulls(body)
        text = self._requests.text(sent)
        if rules and text in self._flawless:
            return ()
        found = list(self._request_violations(sent, text))
        if not rules or not isinstance(sent, dict):
            return self._order.sorted(found)
        asked, restated, found = self._asked(sent, found)
        found += restated
        found += REQUEST.violations(asked, self._rules, given=asked.given)
        found += BY_MODEL.violations(asked, self._rules, given=asked.given)
        if not found:
            self._flawless.add(text)
        return self._order.sorted(found)

    def exchange_violations(
        self,
        request: JsonView,
        completion: Json,
        *,
        level: Level = "observed",
        is_flawless: bool = False,
    ) -> tuple[Violation, ...]:
        """Return what a completion breaks as the answer to `request`, notes included.

        What it breaks by itself is for `violations("response", …)`; a completion that its schema
        refuses is not looked at here.

        Args:
            request: The decoded body.
            completion: What it is answered.
            level: How strictly.
            is_flawless: Whether the request is known to break nothing, so that all of it counts.
        """
        sent = self._without_nulls(dict(request))
        if not self._is_readable(completion):
            return ()
        if is_flawless:
            asked = self._read(sent, frozenset())
        else:
            text = self._requests.text(sent)
            asked, _, _ = self._asked(sent, list(self._request_violations(sent, text)))
        exchanged = Exchanged(request=asked.body, completion=completion, model=asked.model)
        return tuple(EXCHANGE.violations(exchanged, self._rules, level, given=asked.given))

    def _asked(
        self, sent: JsonObject, found: list[Violation]
    ) -> tuple[AskedFor, tuple[Violation, ...], list[Violation]]:
        restated = tuple(RESTATING.violations(sent.get("messages"), self._rules))
        places = tuple(f"{violation.pointer}/" for violation in restated)
        found = [violation for violation in found if not f"{violation.pointer}/".startswith(places)]
        faulty = {tokens_of(violation.pointer)[0] for violation in found if violation.pointer}
        return self._read(sent, frozenset(faulty)), restated, found

    def _read(self, sent: JsonObject, faulty: frozenset[str]) -> AskedFor:
        heeded = self.profile.heeded(sent)
        given = [name for name, value in heeded.items() if value is not None]
        model = sent.get("model")
        return AskedFor(
            body={name: sent[name] for name in given if name not in faulty},
            given=frozenset(given),
            model=self.profile.model(model) if isinstance(model, str) else None,
        )

    def stream_judge(
        self, *, request: JsonView | None = None, level: Level = "observed"
    ) -> StreamJudge:
        """Return a judge for one stream, fed event by event.

        Args:
            request: What was asked; without it nothing that depends on it is judged.
            level: How strictly.
        """

        def check_chunk(chunk: JsonView) -> tuple[Violation, ...]:
            return self._schema_violations("chunk", chunk, level)

        asked = None if request is None else self.profile.heeded(request)
        return StreamJudge(
            self.profile.settings, request=asked, level=level, check_chunk=check_chunk
        )

    def api_error(self, violation: Violation, body: Json = None) -> ApiError:
        """Return what the API answers to a violation of a request.

        Args:
            violation: One of `request_violations(body)`.
            body: The request, for spelling paths and for suggesting members it lacks.
        """
        return self._errors.of(violation, body)

    def error(self, name: str, /, **fields: object) -> ApiError:
        """Return an error of the catalogue ("model_not_found", "invalid_json" …).

        Args:
            name: The entry of the profile's `errors.json`.
            **fields: What its template needs (`model=`, `method=`, `path=` …).

        Raises:
            BadArgument: No such entry, or a field is missing.
        """
        return self._errors.named(name, fields)

    def envelope(self, error: ApiError) -> Json:
        """Return the body that carries `error` in this profile."""
        return self._errors.envelope(error)

    def _request_violations(self, sent: Json, text: str | None) -> tuple[Violation, ...]:
        """Return what a request breaks of its schema; the valid ones met last are known again.

        A request is judged when it comes, and its reply is judged by it.
        """
        if text in self._requests:
            return ()
        found = self._schema_violations("request", sent, "observed")
        if not found:
            self._requests.add(text)
        return found

    def _schema_violations(self, document: str, value: Json, level: Level) -> tuple[Violation, ...]:
        judge = self._judges[level]
        if document not in judge:
            raise BadArgument("document", document, ", ".join(judge.names))
        return judge.violations(document, value)

    def _is_readable(self, completion: Json) -> bool:
        """Say whether rules can rely on the response schema, as level `observed` has it."""
        return self._judges["observed"].is_valid("response", completion)

    def _without_nulls(self, body: Json) -> Json:
        if not self._omits_nulls or not isinstance(body, dict):
            return body
        optional = self._optional
        return {
            name: value for name, value in body.items() if value is not None or name not in optional
        }


def contract_for(name: str = "openai", directory: Path | None = None) -> Contract:
    """Return the contract of the profile called `name`, made once per process.

    Args:
        name: The profile.
        directory: A folder of the caller's own profiles, looked at before ours.

    Raises:
        UnknownProfile: No folder has that name.
        BrokenProfile: The profile cannot be read as a contract.
    """
    return contract_of(load_profile(name, directory))


@cache
def contract_of(profile: Profile) -> Contract:
    """Return the contract of a profile, made once for each."""
    return Contract(profile)


def _judge(profile: Profile, level: Level) -> DocumentJudge:
    try:
        return DocumentJudge(profile.levels[level], level)
    except LookupError as error:
        document, pointer, reference = error.args
        where = f"{profile.name}/{document}.json"
        raise BrokenProfile(where, pointer, f"{reference!r} leads nowhere") from None
