"""Rate limits at the door of the chat operation: let a request in, or tell it to wait."""

import hashlib
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from mockchat.contract.contract import Contract
from mockchat.exchange import ApiError, Headers
from mockchat.payloads.asked import asked_of
from mockchat.payloads.tokens import Tokenizer, prompt_tokens
from mockchat.scripting.contents import Failure
from mockchat.scripting.credentials import is_credential
from mockchat.scripting.quotas import Limits, Quotas, Refused, Standing, retry_fields
from mockchat.scripting.replies import api_error
from mockchat.scripting.request_view import RequestView
from mockchat.scripting.script import Script
from mockchat.scripting.sharing import Accounts
from mockchat.server.service_headers import duration

_STATUS = {"context_length_exceeded": HTTPStatus.BAD_REQUEST}
_SHORT = {"requests": "R", "tokens": "T"}
_WINDOWS = {60: ("min", "M"), 3600: ("hour", "H"), 86400: ("day", "D")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What became of a request at the door.

    Attributes:
        quotas: What counts it.
        client: Who asked.
        charged: The tokens that it was charged for.
        error: What it is answered where it was not let in.
    """

    quotas: Quotas
    client: str
    charged: int = 0
    error: ApiError | None = None

    @property
    def standings(self) -> Mapping[str, Standing]:
        """How the limits stand now."""
        return self.quotas.standings(self.client)

    def settle(self, used: int) -> None:
        """Count the tokens that the request did use."""
        self.quotas.settle(self.client, charged=self.charged, used=used)


class Limiter:
    """The limits of one app; each script has quotas of its own, and so has the rest.

    Args:
        limits: None: nothing is counted.
        contract: Whose errors are answered.
        tokenizer: What counts the tokens of prompts.
        accounts: What clients have used, where workers share it: one for all scripts.
    """

    def __init__(
        self,
        limits: Limits | None,
        contract: Contract,
        tokenizer: Tokenizer,
        accounts: Accounts | None = None,
    ) -> None:
        self._limits = limits
        self._contract = contract
        self._tokenizer = tokenizer
        self._accounts = accounts
        self._shared = Quotas(limits or Limits(), accounts)
        self._of: weakref.WeakKeyDictionary[Script, Quotas] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def admit(self, script: Script | None, view: RequestView) -> Admission | None:
        """Let a request in, or say what it is answered; None where there are no limits."""
        if self._limits is None:
            return None
        client, quotas = _client(view.headers), self._quotas(self._limits, script)
        prompt = prompt_tokens(view.body, self._tokenizer)
        window = self._window(self._limits, view)
        if window is not None and prompt > window:
            error = self._error("context_length_exceeded", view, {"limit": window, "n": prompt})
            return Admission(quotas=quotas, client=client, error=error)
        asked = asked_of(view.body, self._contract.profile)
        charged = prompt + asked.n * (asked.limit or 0)
        refused = quotas.take(client, tokens=charged)
        if refused is not None:
            error = self._told(refused, self._limits.window, view)
            return Admission(quotas=quotas, client=client, error=error)
        return Admission(quotas=quotas, client=client, charged=charged)

    def _quotas(self, limits: Limits, script: Script | None) -> Quotas:
        with self._lock:
            if script is None:
                return self._shared
            quotas = self._of.get(script)
            if quotas is None:
                quotas = self._of[script] = Quotas(limits, self._accounts)
            return quotas

    def _window(self, limits: Limits, view: RequestView) -> int | None:
        """Return how many tokens the messages may have, None where nobody says."""
        if limits.context_window != "model":
            return limits.context_window
        model = self._contract.profile.model(str(view.body.get("model")))
        return None if model is None else model.capabilities.get("context_window")

    def _told(self, refused: Refused, window: float, view: RequestView) -> ApiError:
        if refused.what == "total_tokens":
            return self._error("insufficient_quota", view, {})
        fields = {
            "rate": _rate(refused.what, window),
            "limit": refused.limit,
            "used": refused.used,
            "requested": refused.requested,
        }
        if refused.wait is None:
            return self._error("request_too_large", view, fields)
        fields["duration"] = duration(refused.wait)
        return self._error(f"rate_limit_{refused.what}", view, fields, retry_fields(refused.wait))

    def _error(
        self, name: str, view: RequestView, fields: Mapping[str, object], headers: Headers = ()
    ) -> ApiError:
        """Return the catalogue's error; of a profile that lacks it, the usual one of its status."""
        is_known = name in self._contract.profile.errors
        status = None if is_known else _STATUS.get(name, HTTPStatus.TOO_MANY_REQUESTS)
        failure = Failure(
            name=name if is_known else None,
            status=status,
            changes={},
            fields=fields,
            headers=headers,
        )
        return api_error(failure, self._contract, view)


def _client(headers: Headers) -> str:
    """Return what tells clients apart: a digest of their credentials, which are not kept."""
    said = sorted(
        f"{name}: {value}"
        for name, value in headers
        if is_credential(name) and "cookie" not in name.lower()
    )
    return hashlib.sha256("\n".join(said).encode("utf-8", "replace")).hexdigest()


def _rate(what: str, window: float) -> str:
    """Return a limit as the service names it: "requests per min (RPM)"."""
    if window not in _WINDOWS:
        return f"{what} per {duration(window)}"
    word, letter = _WINDOWS[int(window)]
    return f"{what} per {word} ({_SHORT[what]}P{letter})"
