"""The packages that transports and clients are made for: found by name, imported when one is made."""

from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from types import ModuleType
from typing import Literal, TypeAlias, get_args

from mockchat.errors import BadArgument, MockchatError

Library: TypeAlias = Literal["httpx", "httpx2"]
"""An HTTP library that the openai package has been made on: httpx before version 3, httpx2 since."""

_NAMES: tuple[Library, ...] = get_args(Library)


class MissingPackage(MockchatError, ImportError):
    """A package that a client needs, and that mockchat itself can do without.

    Args:
        caller: What was called, such as "client()".
        needed: What it needs, in words.
        command: How to install it.
    """

    def __init__(self, caller: str, needed: str, command: str) -> None:
        super().__init__(caller, needed, command)
        self.caller = caller
        self.needed = needed
        self.command = command

    def __str__(self) -> str:
        return f"{self.caller} needs {self.needed}: {self.command}"


def http_library(name: Library | None, caller: str) -> ModuleType:
    """Return an HTTP library.

    Args:
        name: Which one; None: the one that the installed openai package uses, or else the one that
            is installed.
        caller: What was called, for the error's text.

    Raises:
        BadArgument: There is no such library.
        MissingPackage: It is not installed.
    """
    if name is not None and name not in _NAMES:
        raise BadArgument(f"{caller} library", name, "'httpx', 'httpx2' or None")
    chosen = name or usual_library()
    if chosen is None:
        raise MissingPackage(caller, "httpx or httpx2", "pip install httpx2")
    return _imported(chosen, caller, f"the package {chosen}", f"pip install {chosen}")


def openai_package(caller: str) -> ModuleType:
    """Return the openai package.

    Raises:
        MissingPackage: It is not installed, or older than version 1.
    """
    command = "pip install openai"
    package = _imported("openai", caller, "the package openai", command)
    if not hasattr(package, "OpenAI"):
        raise MissingPackage(caller, "openai 1 or newer", f"{command} --upgrade")
    return package


@cache
def usual_library() -> Library | None:
    """Return the library of the installed openai package, else the newer of those installed."""
    newest_first = tuple(reversed(_NAMES))
    for name in newest_first:
        if any(line.startswith((f"{name}<", f"{name}>")) for line in _requirements("openai")):
            return name
    return next((name for name in newest_first if _requirements(name)), None)


def _requirements(package: str) -> tuple[str, ...]:
    try:
        lines = requires(package) or ()
    except PackageNotFoundError:
        return ()
    return tuple(line for line in lines if "extra ==" not in line)


def _imported(name: str, caller: str, needed: str, command: str) -> ModuleType:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise MissingPackage(caller, needed, command) from None
