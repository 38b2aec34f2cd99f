"""Clients without a socket: of an HTTP library, or of the openai package, ready to be called.

Nothing is shared with the network: no proxy of the environment is looked up, and no TLS context is
made, which is what building an openai client costs otherwise.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """Makes clients whose requests an application answers inside the process.

    Attributes:
        application: What answers.
        base_url: What clients have as their base URL.
        prefix: The path of the script that requests belong to whose path names none.
        api_key: What openai clients have as their key.
    """

    application: Application
    base_url: str
    prefix: str
    api_key: str

    @overload
    def http(self, library: Literal["httpx"], **options: Unpack[HttpOptions]) -> "httpx.Client": ...
    @overload
    def http(
        self, library: Literal["httpx2"], **options: Unpack[HttpOptions]
    ) -> "httpx2.Client": ...
    @overload
    def http(
        self, library: Library | None, **options: Unpack[HttpOptions]
    ) -> "httpx.Client | httpx2.Client": ...
    def http(
        self, library: Library | None, **options: Unpack[HttpOptions]
    ) -> "httpx.Client | httpx2.Client":
        """Return a client of an HTTP library.

        Args:
            library: Which one; None: the one that the installed openai package uses.
            **options: See `HttpOptions`.

        Raises:
            BadArgument: There is no such library or option.
            MissingPackage: The library is not installed.
        """
        client: httpx.Client | httpx2.Client = self._http(library, options, "http_client()")
        return client

    @overload
    def async_http(
        self, library: Literal["httpx"], **options: Unpack[HttpOptions]
    ) -> "httpx.AsyncClient": ...
    @overload
    def async_http(
        self, library: Literal["httpx2"], **options: Unpack[HttpOptions]
    ) -> "httpx2.AsyncClient": ...
    @overload
    def async_http(
        self, library: Library | None, **options: Unpack[HttpOptions]
    ) -> "httpx.AsyncClient | httpx2.AsyncClient": ...
    def async_http(
        self, library: Library | None, **options: Unpack[HttpOptions]
    ) -> "httpx.AsyncClient | httpx2.AsyncClient":
        """Return an async client of an HTTP library; arguments and errors as for `http`."""
        client: httpx.AsyncClient | httpx2.AsyncClient
        client = self._async_http(library, options, "async_http_client()")
        return client

    def sdk(self, **options: Unpack[ClientOptions]) -> "openai.OpenAI":
        """Return a client of the openai package.

        Args:
            **options: See `ClientOptions`.

        Raises:
            BadArgument: There is no such option.
            MissingPackage: The package is not installed.
        """
        package = openai_package("client()")
        _check("client()", options, ClientOptions)
        http = self._http(None, {}, "client()")
        client: openai.OpenAI = package.OpenAI(
            base_url=self.base_url, api_key=self.api_key, http_client=http, **options
        )
        return client

    def async_sdk(self, **options: Unpack[ClientOptions]) -> "openai.AsyncOpenAI":
        """Return an async client of the openai package; arguments and errors as for `sdk`."""
        package = openai_package("async_client()")
        _check("async_client()", options, ClientOptions)
        http = self._async_http(None, {}, "async_client()")
        client: openai.AsyncOpenAI = package.AsyncOpenAI(
            base_url=self.base_url, api_key=self.api_key, http_client=http, **options
        )
        return client

    def _http(self, library: Library | None, options: HttpOptions, caller: str) -> Any:
        chosen = http_library(library, caller)
        _check(caller, options, HttpOptions)
        transport = adapters(chosen).sync(self.application, prefix=self.prefix)
        return chosen.Client(
            transport=transport, base_url=self.base_url, trust_env=False, **options
        )

    def _async_http(self, library: Library | None, options: HttpOptions, caller: str) -> Any:
        chosen = http_library(library, caller)
        _check(caller, options, HttpOptions)
        transport = adapters(chosen).asynchronous(self.application, prefix=self.prefix)
        return chosen.AsyncClient(
            transport=transport, base_url=self.base_url, trust_env=False, **options
        )


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
