"""The server behind the fixture: one for each process, a clean and verified script for each test."""

import difflib
import os
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Self, TypedDict, Unpack, get_args

from mockchat.contract.contract import contract_for
from mockchat.contract.profile import load_profile
from mockchat.errors import BadArgument, MockchatError
from mockchat.scripting.callers import caller_line
from mockchat.scripting.contents import Replying, ReplyOptions
from mockchat.scripting.failures import LateRequest
from mockchat.scripting.journal import Journal
from mockchat.scripting.matching import Conditions
from mockchat.scripting.script import Script, Stub
from mockchat.scripting.scripts import Scripts
from mockchat.scripting.transcript import transcript
from mockchat.server.dispatcher import Dispatcher
from mockchat.server.settings import Settings
from mockchat.server.werkzeug_server import LiveServer
from mockchat.types import Kind, Level, Models, Unmatched, Unused, Validation

API_KEY = "sk-mockchat"
"""What clients of a script may use as their key; any other is accepted as well."""

_REMEMBERED = 8


class ScriptOptions(TypedDict, total=False):
    """The keywords of `script` and of the marker.

    Attributes:
        profile: Which contract is served; "openai" unless said.
        unmatched: What a request gets that no stub matches: "fail" (the default) the test, or
            "generate" a completion.
        unused: Whether a reply that nothing asked for fails the test: "fail" (the default), or
            "ignore".
        validation: What is asked of requests; "strict" unless said.
        kind: What is generated; "plain" unless said.
        seed: Where generated parts start; the server's unless said.
        models: Whether unknown model names are accepted: "any" (the default), or "known".
        level: How scripted replies are judged; "observed" unless said.
        locale: The language of generated text; "en_US" unless said.
    """

    profile: str
    unmatched: Unmatched
    unused: Unused
    validation: Validation
    kind: Kind
    seed: int
    models: Models
    level: Level
    locale: str


_CHOICES = {
    "unmatched": get_args(Unmatched),
    "unused": get_args(Unused),
    "validation": get_args(Validation),
    "kind": get_args(Kind),
    "models": get_args(Models),
    "level": get_args(Level),
}


def check_options(options: ScriptOptions) -> None:
    """Refuse an option that does not exist or has a value that is not allowed.

    Raises:
        BadArgument: With the closest name or value, if one is close.
    """
    __tracebackhide__ = True
    known = ScriptOptions.__annotations__
    for name, value in options.items():
        if name not in known:
            raise BadArgument("option", name, ", ".join(known), _close(name, known))
        allowed = _CHOICES.get(name)
        if allowed is not None and value not in allowed:
            words = " or ".join(map(repr, allowed))
            raise BadArgument(name, value, words, _close(value, allowed))
        if name in ("profile", "locale") and not isinstance(value, str):
            raise BadArgument(name, value, "a name")
        if name == "seed" and (not isinstance(value, int) or isinstance(value, bool)):
            raise BadArgument(name, value, "a whole number")


class Mockchat:
    """A test's face of the server: what to answer, and what arrived.

    Attributes:
        name: Whose script it is: the test's id.
        base_url: What the client under test needs as its base URL; it carries the test's token.
        api_key: A key for the client; every key is accepted.
    """

    def __init__(self, script: Script, *, base_url: str, settings: Settings) -> None:
        self.name = script.name
        self.base_url = base_url
        self.api_key = API_KEY
        self._script = script
        self._settings = settings

    @property
    def journal(self) -> Journal:
        """Every exchange of this test, oldest first."""
        return self._script.journal

    def when(self, **conditions: Unpack[Conditions]) -> Stub:
        """Add a stub for requests that meet all conditions; give it a reply next.

        Raises:
            BadArgument: A keyword does not exist, or its value cannot be compared.
        """
        __tracebackhide__ = True
        return self._script.when(**conditions)

    def reply(self, reply: Replying, **options: Unpack[ReplyOptions]) -> Stub:
        """Add a stub that answers any request; see `Stub.reply` for arguments and errors."""
        __tracebackhide__ = True
        return self._script.reply(reply, **options)

    def verify(self, raised: BaseException | None = None) -> None:
        """Raise what went otherwise than written; done for you when the test ends.

        See `Script.verify` for arguments and errors.
        """
        __tracebackhide__ = True
        self._script.verify(raised)

    def is_quoted_by(self, error: BaseException) -> bool:
        """Tell whether an exception says, in its text, what went otherwise than written."""
        said = str(error)
        return any(str(problem) in said for problem in self._script.problems())

    def transcript(self) -> str:
        """Return the journal as a conversation, with what is needed to get the same bytes again."""
        shown = transcript(self.journal, dropped=self.journal.dropped)
        return f"profile {self._settings.profile.name}, seed {self._settings.seed}\n{shown}"

    def __repr__(self) -> str:
        return f"<Mockchat of {self.name} at {self.base_url}>"


class MockServer:
    """One live server for all tests of a process.

    Use it as a context manager, or call `start` and `stop`. Requests of different scripts are told
    apart by a token in the path, so threads and event loops may use several at once.

    Args:
        host: Name or address to listen on.
        port: Port to listen on; 0 takes any free one.
        seed: Where generated parts start in scripts that say nothing else.
    """

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, seed: int = 0) -> None:
        self._scripts = Scripts()
        self._dispatcher = Dispatcher(self._scripts)
        self._live = LiveServer(self._dispatcher, host=host, port=port)
        self._seed = seed
        self._recent: deque[Mockchat] = deque(maxlen=_REMEMBERED)

    def start(self) -> Self:
        """Listen; requests are taken as soon as this returns.

        Raises:
            CannotListen: The address is taken or not available.
        """
        self._live.start()
        return self

    def stop(self) -> None:
        """Stop listening and free every thread and socket."""
        self._live.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """The base URL without a token: it leads to the script opened last."""
        return self._live.base_url

    @property
    def late(self) -> tuple[LateRequest, ...]:
        """The requests that came after their test had ended, oldest first."""
        return self._scripts.late

    def recent(self, name: str) -> tuple[Mockchat, ...]:
        """Return the scripts called `name` among those opened last, oldest first."""
        return tuple(face for face in self._recent if face.name == name)

    def script(
        self, *, name: str | None = None, **options: Unpack[ScriptOptions]
    ) -> AbstractContextManager[Mockchat]:
        """Open a clean script for a block; verify it at the end, without hiding what it raised.

        Args:
            name: Whose script it is; the running test's id, or the caller's line.
            **options: See `ScriptOptions`.

        Raises:
            BadArgument: An option does not exist, or has a value that is not allowed.
            UnknownProfile: There is no such profile.
            NoStubMatched: At the end: a request matched no stub.
            UnusedReply: At the end: a reply was not asked for.
            InvalidReply: At the end: a reply was no answer to its request.
            ServerFailed: At the end: the server's thread met an error.
        """
        __tracebackhide__ = True
        return _verified(self.unverified(name=name, **options))

    def unverified(
        self, *, name: str | None = None, **options: Unpack[ScriptOptions]
    ) -> AbstractContextManager[Mockchat]:
        """Open a clean script for a caller that verifies it at a time of its own choice.

        Arguments and errors are those of `script`, except for what verifying raises.
        """
        __tracebackhide__ = True
        check_options(options)
        try:
            script = Script(
                contract_for(options.get("profile", "openai")),
                name=name or running_test() or caller_line() or "script",
                unmatched=options.get("unmatched", "fail"),
                unused=options.get("unused", "fail"),
                level=options.get("level", "observed"),
            )
            settings = self._settings(options)
        except MockchatError as error:
            raise error.with_traceback(None) from None  # the frames between are ours
        return self._opened(script, settings)

    @contextmanager
    def _opened(self, script: Script, settings: Settings) -> Iterator[Mockchat]:
        token = self._dispatcher.open(script, settings)
        base_url = self._live.base_url.replace("/v1", f"/{token}/v1")
        face = Mockchat(script, base_url=base_url, settings=settings)
        self._recent.append(face)
        try:
            yield face
        finally:
            self._dispatcher.close(token, script)

    def _settings(self, options: ScriptOptions) -> Settings:
        return Settings(
            profile=load_profile(options.get("profile", "openai")),
            seed=options.get("seed", self._seed),
            kind=options.get("kind", "plain"),
            validation=options.get("validation", "strict"),
            level=options.get("level", "observed"),
            models=options.get("models", "any"),
            unmatched=options.get("unmatched", "fail"),
            locale=options.get("locale", "en_US"),
        )


@contextmanager
def _verified(script: AbstractContextManager[Mockchat]) -> Iterator[Mockchat]:
    __tracebackhide__ = True
    with script as face:
        try:
            yield face
        except BaseException as error:
            face.verify(error)
            raise
    face.verify()


def running_test() -> str | None:
    """Return the id of the test that pytest runs in this process, None outside of one."""
    current = os.environ.get("PYTEST_CURRENT_TEST")
    return None if current is None else current.rpartition(" (")[0]


def _close(value: object, known: object) -> str | None:
    if not isinstance(value, str):
        return None
    return next(iter(difflib.get_close_matches(value, list(known), n=1)), None)  # type: ignore[call-overload]  # any collection of names
