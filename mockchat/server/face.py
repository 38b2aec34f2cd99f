"""What a test holds in its hands: its script, its journal, and where its client must go."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Unpack
from urllib.parse import urlsplit

from mockchat.scripting.assertions import Request
from mockchat.scripting.contents import Replying, ReplyOptions
from mockchat.scripting.journal import Journal
from mockchat.scripting.matching import Conditions
from mockchat.scripting.queries import Wanted
from mockchat.scripting.scenario import BrokenScenario, scenario_beside
from mockchat.scripting.script import Script
from mockchat.scripting.stubs import Stub
from mockchat.scripting.transcript import transcript
from mockchat.scripting.verdicts import Thresholds
from mockchat.server.routes import base_path
from mockchat.server.settings import Settings
from mockchat.server.ticket import Application
from mockchat.server.transports.clients import Clients

API_KEY = "sk-mockchat"
"""What clients of a script may use as their key; any other is accepted as well."""


class Mockchat(Clients):
    """A test's face of the server: what to answer, and what arrived.

    Attributes:
        name: Whose script it is: the test's id.
        url: The root of this script's server, with the test's token and without a path of the API.
        base_url: What the client under test needs as its base URL: `url` and the path under which
            the profile's service answers, such as "/v1" or "/openai/v1".
        api_key: A key for the client; every key is accepted.
    """

    def __init__(
        self, script: Script, *, url: str, settings: Settings, application: Application
    ) -> None:
        super().__init__(
            application,
            base_url=url + base_path(settings.profile.documents),
            prefix=urlsplit(url).path,
            api_key=API_KEY,
        )
        self.name = script.name
        self.url = url
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

    def load(self, scenario: str | os.PathLike[str]) -> None:
        """Add the stubs of a scenario file, behind those there are.

        Options in the file must be those of this script; `script(scenario=…)` and the marker open
        one with the file's.

        Args:
            scenario: The file, relative to the file that calls.

        Raises:
            BadArgument: The file cannot be read.
            BrokenScenario: It is no scenario, or asks for other options.
        """
        __tracebackhide__ = True
        read = scenario_beside(scenario)
        for name, wanted in read.options.items():
            mine = self._option(name)
            if wanted != mine:
                message = f"{name} is {wanted!r}, but the script is open with {mine!r}; open it with scenario=…"
                raise BrokenScenario(read.problem(f"/{name}", message))
        read.add_to(self._script)

    def _option(self, name: str) -> object:
        if name == "profile":
            return self._settings.profile.name
        return self._script.unused if name == "unused" else getattr(self._settings, name)

    def assert_called_once(self, **wanted: Unpack[Wanted]) -> None:
        """Fail unless exactly one such request arrived; see `Journal.assert_called_once`."""
        __tracebackhide__ = True
        self.journal.assert_called_once(**wanted)

    def assert_not_called(self, **wanted: Unpack[Wanted]) -> None:
        """Fail if such a request arrived; see `Journal.assert_not_called`."""
        __tracebackhide__ = True
        self.journal.assert_not_called(**wanted)

    def assert_requests(self, *wanted: Request, in_any_order: bool = False) -> None:
        """Fail unless exactly these requests arrived; see `Journal.assert_requests`."""
        __tracebackhide__ = True
        self.journal.assert_requests(*wanted, in_any_order=in_any_order)

    def assert_order(self, *wanted: Request) -> None:
        """Fail unless such requests arrived in this order; see `Journal.assert_order`."""
        __tracebackhide__ = True
        self.journal.assert_order(*wanted)

    def assert_well_behaved(self, **thresholds: Unpack[Thresholds]) -> None:
        """Fail if the client broke a rule of good behaviour; see `Journal.assert_well_behaved`."""
        __tracebackhide__ = True
        self.journal.assert_well_behaved(**thresholds)

    def verify(self, raised: BaseException | None = None, *, is_over: bool = True) -> None:
        """Raise what went otherwise than written; done for you when the test ends.

        See `Script.verify` for arguments and errors.
        """
        __tracebackhide__ = True
        self._script.verify(raised, is_over=is_over)

    def is_quoted_by(self, error: BaseException) -> bool:
        """Tell whether an exception says, in its text, what went otherwise than written."""
        said = str(error)
        return any(str(problem) in said for problem in self._script.problems())

    def transcript(self, *, since: int = 0) -> str:
        """Return the journal as a conversation, with what is needed to get the same bytes again.

        Args:
            since: The first exchange to show.
        """
        kept = self.journal.settled(again=False)
        exchanges = [exchange for exchange in kept if exchange.index >= since]
        shown = transcript(exchanges, dropped=max(0, self.journal.dropped - since))
        return f"profile {self._settings.profile.name}, seed {self._settings.seed}\n{shown}"

    def __repr__(self) -> str:
        return f"<Mockchat of {self.name} at {self.base_url}>"


@contextmanager
def verified(script: AbstractContextManager[Mockchat]) -> Iterator[Mockchat]:
    """Verify a script at the end of a block, without hiding what the block raised."""
    __tracebackhide__ = True
    with script as face:
        try:
            yield face
        except BaseException as error:
            face.verify(error)
            raise
    face.verify()
