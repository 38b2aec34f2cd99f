"""Steer a running server from Python: a small client of its control API."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode, urlsplit

from mockchat.errors import BadArgument, MockchatError
from mockchat.types import Json, JsonObject

_PREFIX = "/_mockchat"
_PATIENCE = 10.0
"""Seconds for an answer, beyond what the server is asked to wait."""


class ControlRefused(MockchatError):
    """The control API did not do what it was asked for.

    Args:
        status: The HTTP status.
        type: The kind of problem, as the server names it.
        message: Its sentence.
    """

    def __init__(self, status: int, type: str, message: str) -> None:  # noqa: A002 - the API's word
        super().__init__(status, type, message)
        self.status = status
        self.type = type
        self.message = message

    def __str__(self) -> str:
        return f"{self.message} ({self.type}, status {self.status})"


class ServerNotThere(MockchatError):
    """No server answers where one should be steered.

    Args:
        url: Where.
        reason: What was met.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url = url
        self.reason = reason

    def __str__(self) -> str:
        return f"no mockchat answers at {self.url}: {self.reason}; start one with `mockchat serve`."


class Control:
    """A session of a running server.

    Args:
        url: Where the server is, such as "http://127.0.0.1:4010"; a base URL with a path will do.
        session: Whose script is steered; None: that of all who name no session.
        key: What the server was given as `--control-key`.

    Raises:
        BadArgument: `url` is none of HTTP.
    """

    def __init__(self, url: str, *, session: str | None = None, key: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadArgument("url", url, "a URL such as http://127.0.0.1:4010")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._url = f"{parts.scheme}://{parts.netloc}"
        self._session = session
        self._key = key

    @property
    def headers(self) -> Mapping[str, str]:
        """What a client of the API must send besides, so that its requests belong to the session."""
        name = self._session
        return MappingProxyType({} if name is None else {"x-mockchat-session": name})

    def stubs(self) -> list[JsonObject]:
        """Return the stubs in the order in which they are tried."""
        listed: list[JsonObject] = self._ask("GET", "/stubs")["stubs"]
        return listed

    def add(self, stub: Mapping[str, Json]) -> JsonObject:
        """Add a stub behind the others, written as in a scenario file, and return it as listed.

        Raises:
            ControlRefused: It breaks the form or the contract, or could never answer.
        """
        added: JsonObject = self._ask("POST", "/stubs", dict(stub))
        return added

    def remove(self, place: int | None = None) -> None:
        """Take one stub away by its `place`, or all of them.

        Raises:
            ControlRefused: There is no such stub.
        """
        self._ask("DELETE", "/stubs" if place is None else f"/stubs/{place}")

    def load(self, scenario: Mapping[str, Json] | str | PathLike[str]) -> list[JsonObject]:
        """Let a scenario take the place of all stubs and options, and return its stubs.

        Args:
            scenario: What a scenario file holds, or the path of one.

        Raises:
            ControlRefused: It is none.
            OSError: The file cannot be read.
        """
        body, kind = json.dumps(scenario).encode() if isinstance(scenario, Mapping) else b"", "json"
        if not isinstance(scenario, Mapping):
            path = Path(scenario)
            body = path.read_bytes()
            kind = "json" if path.suffix.lower() == ".json" else "yaml"
        loaded: list[JsonObject] = self._send(
            "PUT", "/scenario", body, content_type=f"application/{kind}"
        )["stubs"]
        return loaded

    def settings(self, **changes: Json) -> JsonObject:
        """Change options of the session, and return those in force.

        Raises:
            ControlRefused: One does not exist, or has a value that is not allowed.
        """
        method = "PATCH" if changes else "GET"
        settings: JsonObject = self._ask(method, "/settings", changes or None)
        return settings

    def journal(self, *, wait: float = 0.0, **wanted: Json) -> list[JsonObject]:
        """Return exchanges, oldest first.

        Args:
            wait: The longest wait in seconds for `count` of them.
            **wanted: `after`, `limit`, `model`, `status`, `unmatched`, `count`, as the API's
                document says.

        Raises:
            ControlRefused: One of them does not exist, or has a value that is not allowed.
        """
        query = {**wanted, **({"seconds": wait} if wait else {})}
        read = self._ask("GET", f"/journal{_query(query)}", patience=wait)
        exchanges: list[JsonObject] = read["exchanges"]
        return exchanges

    def clear(self) -> None:
        """Drop all exchanges."""
        self._ask("DELETE", "/journal")

    def archive(self) -> JsonObject:
        """Return all exchanges as an HTTP archive (HAR 1.2)."""
        har: JsonObject = self._ask("GET", "/journal.har")
        return har

    def problems(self) -> list[JsonObject]:
        """Return what would fail a test: each with `type` and `message`."""
        told: list[JsonObject] = self._ask("GET", "/verdict")["problems"]
        return told

    def reset(self) -> None:
        """Begin the session anew: stubs as the files say, no exchange."""
        self._ask("POST", "/reset")

    def is_ready(self) -> bool:
        """Tell whether the server can answer requests.

        Raises:
            ServerNotThere: Nobody answers.
        """
        try:
            self._ask("GET", "/ready")
        except ControlRefused as refused:
            if refused.status != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            return False
        return True

    def __repr__(self) -> str:
        named = "" if self._session is None else f", session={self._session!r}"
        return f"Control({self._url!r}{named})"

    def _ask(
        self, method: str, path: str, body: JsonObject | None = None, *, patience: float = 0.0
    ) -> Any:
        data = b"" if body is None else json.dumps(body).encode()
        kind = None if body is None else "application/json"
        return self._send(method, path, data, content_type=kind, patience=patience)

    def _send(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        content_type: str | None = None,
        patience: float = 0.0,
    ) -> Any:
        headers = dict(self.headers)
        if self._key is not None:
            headers["authorization"] = f"Bearer {self._key}"
        if content_type is not None:
            headers["content-type"] = content_type
        kind = HTTPSConnection if self._secure else HTTPConnection
        connection = kind(self._host, self._port, timeout=patience + _PATIENCE)
        try:
            connection.request(method, f"{_PREFIX}{path}", body or None, headers)
            response = connection.getresponse()
            status, data = response.status, response.read()
        except (OSError, HTTPException) as error:
            raise ServerNotThere(self._url, str(error) or type(error).__name__) from None
        finally:
            connection.close()
        return self._read(status, data)

    def _read(self, status: int, data: bytes) -> Any:
        if status == HTTPStatus.NO_CONTENT:
            return None
        try:
            answer = json.loads(data)
            problem = answer.get("error")
        except (ValueError, AttributeError):
            raise ServerNotThere(self._url, f"status {status} without JSON") from None
        if status < HTTPStatus.BAD_REQUEST:
            return answer
        if not isinstance(problem, dict):
            raise ServerNotThere(self._url, f"status {status} without a reason")
        raise ControlRefused(status, str(problem.get("type")), str(problem.get("message")))


def _query(wanted: Mapping[str, Json]) -> str:
    """Return a query string; true and false as JSON has them."""
    written = {
        name: json.dumps(value) if isinstance(value, bool) else value
        for name, value in wanted.items()
    }
    return f"?{urlencode(written)}" if written else ""
