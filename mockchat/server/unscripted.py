"""Clients without a script, a port or a test: whatever is asked is answered by a generated reply.

What `mockchat serve` is for other processes: a service to try things out on, or a stand-in where no
reply matters. Equal options share one service of this process, its stored completions included.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from mockchat.contract.profile import load_profile
from mockchat.errors import BadArgument
from mockchat.scripting.scripts import Scripts
from mockchat.server.app import App
from mockchat.server.face import API_KEY
from mockchat.server.routes import base_path
from mockchat.server.script_options import check_options
from mockchat.server.settings import Settings
from mockchat.server.transports.clients import Clients
from mockchat.server.transports.libraries import Library
from mockchat.types import Kind, Models, Validation

if TYPE_CHECKING:
    import httpx
    import httpx2
    import openai

_NOWHERE = "http://mockchat.invalid"
"""RFC 6761: a name that no network will ever know, should a request get out after all."""
_SERVICES = 16


class ServiceOptions(TypedDict, total=False):
    """How an unscripted service answers.

    Attributes:
        profile: Which contract is served; "openai" unless said.
        schemas: A folder of the caller's own profiles, looked at before the built-in ones.
        validation: What is asked of requests; "strict" unless said.
        kind: What is generated; "plain" unless said.
        seed: Where generated replies start; 0 unless said.
        models: Whether unknown model names are accepted: "any" (the default), or "known".
        locale: The language of generated text; "en_US" unless said.
    """

    profile: str
    schemas: str | os.PathLike[str]
    validation: Validation
    kind: Kind
    seed: int
    models: Models
    locale: str


def http_client(
    library: Library | None = None, **options: Unpack[ServiceOptions]
) -> "httpx.Client | httpx2.Client":
    """Return an HTTP client whose requests are answered inside the process, by generated replies.

    Args:
        library: Which one; None: the one that the installed openai package uses.
        **options: See `ServiceOptions`.

    Raises:
        BadArgument: An option does not exist, or has a value that is not allowed.
        UnknownProfile: There is no such profile.
        MissingPackage: The library is not installed.
    """
    return _clients(options).http_client(library)


def async_http_client(
    library: Library | None = None, **options: Unpack[ServiceOptions]
) -> "httpx.AsyncClient | httpx2.AsyncClient":
    """Return an async HTTP client; arguments and errors as for `http_client`."""
    return _clients(options).async_http_client(library)


def client(**options: Unpack[ServiceOptions]) -> "openai.OpenAI":
    """Return an openai client whose requests are answered inside the process, by generated replies.

    Arguments and errors as for `http_client`, but for the library. What else a client may be told,
    its own `with_options` takes.
    """
    return _clients(options).client()


def async_client(**options: Unpack[ServiceOptions]) -> "openai.AsyncOpenAI":
    """Return an async openai client; arguments and errors as for `client`."""
    return _clients(options).async_client()


def _clients(options: ServiceOptions) -> Clients:
    for name in options:
        if name not in ServiceOptions.__annotations__:
            raise BadArgument("option", name, ", ".join(ServiceOptions.__annotations__))
    check_options(options)
    schemas = options.get("schemas")
    profile = load_profile(
        options.get("profile", "openai"), None if schemas is None else Path(schemas)
    )
    return _of_service(
        Settings(
            profile=profile,
            seed=options.get("seed", 0),
            kind=options.get("kind", "plain"),
            validation=options.get("validation", "strict"),
            models=options.get("models", "any"),
            locale=options.get("locale", "en_US"),
            unmatched="generate",
        )
    )


@lru_cache(maxsize=_SERVICES)
def _of_service(settings: Settings) -> Clients:
    base_url = _NOWHERE + base_path(settings.profile.documents)
    return Clients(App(settings, Scripts()), base_url=base_url, prefix="", api_key=API_KEY)
