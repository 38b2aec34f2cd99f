"""Clients without a socket: of an HTTP library, or of the openai package, ready to be called.

Nothing is shared with the network: no proxy of the environment is looked up, and no TLS context is
made, which is what building an openai client costs otherwise.
"""

import difflib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

from mockchat.errors import BadArgument
from mockchat.server.ticket import Application
from mockchat.server.transports.libraries import Library, http_library, openai_package
from mockchat.server.transports.transport import adapters

if TYPE_CHECKING:
    import httpx
    import httpx2
    import openai


class HttpOptions(TypedDict, total=False):
    """What an HTTP client may be told besides its library.

    Attributes:
        timeout: Seconds that it waits for a connection, a read or a write; None: for ever.
        headers: Fields of each request.
        follow_redirects: Whether it follows redirects; not unless said.
    """

    timeout: float | None
    headers: Mapping[str, str]
    follow_redirects: bool


class _HttpArguments(HttpOptions, total=False):
    base_url: str


class ClientOptions(TypedDict, total=False):
    """What an openai client may be told; what is not said, the package decides.

    Attributes:
        max_retries: How often it asks again.
        timeout: Seconds that it waits for a connection, a read or a write; None: for ever.
        organization: The organization that it names.
        project: The project that it names.
        default_headers: Fields of each request.
        default_query: Query parameters of each request.
    """

    max_retries: int
    timeout: float | None
    organization: str
    project: str
    default_headers: Mapping[str, str]
    default_query: Mapping[str, object]


class Clients:
    """Makes clients whose requests an application answers inside the process.

    Journal, rules, timing and faults are those of the server; there is no port, no thread and no
    task. Clients lead to their script whatever URL they ask.

    Args:
        application: What answers.
        base_url: What clients have as their base URL.
        prefix: The path of the script that requests belong to whose path names none.
        api_key: What openai clients have as their key.
    """

    def __init__(
        self, application: Application, *, base_url: str, prefix: str, api_key: str
    ) -> None:
        self.base_url = base_url
        self.api_key = api_key
        self._application = application
        self._prefix = prefix

    @overload
    def http_client(
        self, library: Literal["httpx"], **options: Unpack[HttpOptions]
    ) -> "httpx.Client": ...
    @overload
    def http_client(
        self, library: Literal["httpx2"], **options: Unpack[HttpOptions]
    ) -> "httpx2.Client": ...
    @overload
    def http_client(
        self, library: Library | None = None, **options: Unpack[HttpOptions]
    ) -> "httpx.Client | httpx2.Client": ...
    def http_client(
        self, library: Library | None = None, **options: Unpack[HttpOptions]
    ) -> "httpx.Client | httpx2.Client":
        """Return a client of an HTTP library that works without a socket.

        Args:
            library: Which one; None: the one that the installed openai package uses.
            **options: See `HttpOptions`.

        Raises:
            BadArgument: There is no such library or option.
            MissingPackage: The library is not installed.
        """
        client: httpx.Client | httpx2.Client = self._http(
            "http_client()", library, self._http_arguments("http_client()", options)
        )
        return client

    @overload
    def async_http_client(
        self, library: Literal["httpx"], **options: Unpack[HttpOptions]
    ) -> "httpx.AsyncClient": ...
    @overload
    def async_http_client(
        self, library: Literal["httpx2"], **options: Unpack[HttpOptions]
    ) -> "httpx2.AsyncClient": ...
    @overload
    def async_http_client(
        self, library: Library | None = None, **options: Unpack[HttpOptions]
    ) -> "httpx.AsyncClient | httpx2.AsyncClient": ...
    def async_http_client(
        self, library: Library | None = None, **options: Unpack[HttpOptions]
    ) -> "httpx.AsyncClient | httpx2.AsyncClient":
        """Return an async client; arguments and errors as for `http_client`.

        A scripted callable runs in the event loop's thread, an async one in a loop of its own.
        """
        client: httpx.AsyncClient | httpx2.AsyncClient
        client = self._async_http(
            "async_http_client()", library, self._http_arguments("async_http_client()", options)
        )
        return client

    def client(self, **options: Unpack[ClientOptions]) -> "openai.OpenAI":
        """Return a client of the openai package that works without a socket.

        Args:
            **options: See `ClientOptions`.

        Raises:
            BadArgument: There is no such option.
            MissingPackage: The package is not installed.
        """
        package = openai_package("client()")
        _check("client()", options, ClientOptions)
        client: openai.OpenAI = package.OpenAI(
            base_url=self.base_url,
            api_key=self.api_key,
            http_client=self._http("client()", None, {}),
            **options,
        )
        return client

    def async_client(self, **options: Unpack[ClientOptions]) -> "openai.AsyncOpenAI":
        """Return an async client; arguments and errors as for `client`."""
        package = openai_package("async_client()")
        _check("async_client()", options, ClientOptions)
        client: openai.AsyncOpenAI = package.AsyncOpenAI(
            base_url=self.base_url,
            api_key=self.api_key,
            http_client=self._async_http("async_client()", None, {}),
            **options,
        )
        return client

    def _http_arguments(self, caller: str, options: HttpOptions) -> _HttpArguments:
        _check(caller, options, HttpOptions)
        return {"base_url": self.base_url, **options}

    def _http(self, caller: str, library: Library | None, options: _HttpArguments) -> Any:
        chosen = http_library(library, caller)
        transport = adapters(chosen).sync(self._application, prefix=self._prefix)
        return chosen.Client(transport=transport, trust_env=False, **options)

    def _async_http(self, caller: str, library: Library | None, options: _HttpArguments) -> Any:
        chosen = http_library(library, caller)
        transport = adapters(chosen).asynchronous(self._application, prefix=self._prefix)
        return chosen.AsyncClient(transport=transport, trust_env=False, **options)


def _check(caller: str, options: Mapping[str, object], known: type) -> None:
    """Refuse an option that does not exist.

    Raises:
        BadArgument: With the closest name, if one is close.
    """
    names = list(known.__annotations__)
    for name in options:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            raise BadArgument(f"{caller} option", name, ", ".join(names), next(iter(close), None))
