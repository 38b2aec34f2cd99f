"""ChatMachine: careful clients pass, careless ones are found, and what is shown is a conversation."""

import re
import threading

import pytest
from chat_clients import CARELESS, Careful, DeafToRefusals, Retrying, Swallowing
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

import mockchat
from mockchat import (
    BadArgument,
    ChatMachine,
    ConversationBroken,
    MockServer,
    chat_machine,
)
from mockchat.machines import _shared_server
from mockchat.scripting.dialogue import conversation, reported, utterance

found = settings(
    deadline=None,
    database=None,
    suppress_health_check=(),
    phases=[Phase.generate],
    stateful_step_count=10,
    report_multiple_bugs=False,
    derandomize=True,  # a bug that one run in a thousand misses would fail somebody else's change
)
"""Default health checks; without shrinking, which takes seconds and shows nothing here."""
brief = settings(found, max_examples=4, stateful_step_count=6)


class Told(Careful):
    """A careful client that counts its conversations."""

    conversations = 0

    def __init__(self, base_url, api_key):
        super().__init__(base_url, api_key)
        type(self).conversations += 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kind": "plain"},
        {"streams": (True,)},
        {"streams": (False,), "statuses": ()},
        {"shapes": ("tool_calls",)},
        {"shapes": ("refusal", "length")},
        {"tools": ()},
        {"profile": "openai-2023-03", "tools": ()},
        {"profile": "azure"},
        {"failures": (OSError,)},
    ],
    ids=str,
)
def test_a_careful_client_passes(options):
    """A machine that accuses a correct client is switched off."""
    run_state_machine_as_test(chat_machine(Careful, **options), settings=brief)


def test_a_careful_client_passes_in_long_conversations(proof_count):
    """Some mistakes need many turns to show; they would be ours."""
    thorough = settings(found, max_examples=proof_count(60), stateful_step_count=20)
    run_state_machine_as_test(chat_machine(Careful, retries=0), settings=thorough)


def test_a_client_may_try_again():
    """Retries are the client's business, as long as there are as many as it says."""
    run_state_machine_as_test(chat_machine(Retrying, retries=2), settings=brief)
    with pytest.raises(ConversationBroken, match="another number of requests"):
        run_state_machine_as_test(chat_machine(Careful, retries=2), settings=found)


@pytest.mark.parametrize(("client", "said"), CARELESS.items(), ids=lambda value: str(value)[:40])
def test_a_careless_client_is_found(client, said):
    """Each of these bugs has been in a real client."""
    with pytest.raises(Exception, match=said):
        run_state_machine_as_test(chat_machine(client), settings=found)


CUSTOM = {
    "type": "custom",
    "custom": {
        "name": "calculate",
        "format": {"type": "grammar", "grammar": {"syntax": "regex", "definition": "[0-9]"}},
    },
}


def test_custom_tools_are_called():
    """Their input is text that follows a grammar, not arguments."""
    inputs = []

    class Watching(Careful):
        def choice(self, data, stream):
            choice = super().choice(data, stream)
            calls = choice["message"].get("tool_calls") or ()
            inputs.extend(call["custom"]["input"] for call in calls)
            return choice

    options = {"tools": (CUSTOM,), "shapes": ("tool_calls",)}
    run_state_machine_as_test(chat_machine(Watching, **options), settings=brief)
    assert inputs
    assert all(re.search("[0-9]", text) for text in inputs)


def test_a_failure_shows_steps_and_conversation():
    """What a test prints must be read in half a minute, and pasted into a test."""
    machine = chat_machine(DeafToRefusals, statuses=())
    shrunk = settings(deadline=None, database=None, stateful_step_count=6)
    with pytest.raises(ConversationBroken) as caught:
        run_state_machine_as_test(machine, settings=shrunk)
    assert str(caught.value) == (
        "The client reports another refusal than was sent.\n\n- wanted: 0\n- found: "
    )
    notes = "\n".join(caught.value.__notes__)
    assert len(notes) < 2000
    assert "    user: 0\n    assistant: refuses: 0 [stop]" in notes
    steps = re.findall(r"^(?:state = |state\.).*$", notes, re.MULTILINE)
    assert len(steps) <= 5
    assert steps[-2] == "state.user_says(text='0', turn=Turn(reply=refusal('0')))"

    names = {name: getattr(mockchat, name) for name in mockchat.__all__}
    with pytest.raises(ConversationBroken, match="another refusal"):
        exec("\n".join(steps), names | {machine.__name__: machine})


def test_an_exception_of_the_client_is_not_hidden():
    """The client's own traceback leads to the bug; the conversation is added to it."""

    class Breaking(Careful):
        def choice(self, data, stream):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        run_state_machine_as_test(chat_machine(Breaking), settings=found)
    assert "-> 200" in "\n".join(caught.value.__notes__)


def test_a_request_too_many_after_the_answer_is_told():
    """A request in the background is one that nobody asked for, whatever its answer."""

    class Prefetching(Careful):
        def choice(self, data, stream):
            body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "And then?"}]}
            with pytest.raises(OSError, match="HTTP Error 400"):
                self.sent(body)
            return super().choice(data, stream)

    with pytest.raises(ConversationBroken, match=r"more or fewer messages|another text"):
        run_state_machine_as_test(chat_machine(Prefetching), settings=found)


def test_nothing_is_left_behind():
    """Thousands of conversations share a server: each must give back what it took."""
    server = _shared_server()
    run_state_machine_as_test(chat_machine(Careful), settings=brief)
    threads = threading.active_count()
    run_state_machine_as_test(chat_machine(Told), settings=brief)
    assert _shared_server() is server
    assert threading.active_count() <= threads + 1
    assert Told.conversations >= 4
    machine = chat_machine(Careful)()
    machine.teardown()
    with pytest.raises(OSError, match="HTTP Error"):
        Careful(machine.base_url, "any")(
            [{"role": "user", "content": "Hi"}], tools=[], stream=False
        )
    assert len(server.late) == 1


def test_a_server_of_ones_own():
    """Whoever runs a server already needs no second one."""
    with MockServer() as server:
        run_state_machine_as_test(chat_machine(Careful, server=server), settings=brief)
        assert server.recent("ChatMachine_Careful")


class Conversations(ChatMachine):
    """The other way to say which client: a class of one's own."""

    statuses = (500,)

    def __init__(self):
        super().__init__()
        self.client = Careful(self.base_url, self.api_key)

    def ask(self, messages, *, tools, stream):
        """Return the bare message: finish reasons are not looked at."""
        return self.client(messages, tools=tools, stream=stream)["message"]


TestConversations = Conversations.TestCase
TestConversations.settings = brief


def test_ask_is_what_must_be_written():
    """A class without a client tests nothing."""
    with pytest.raises(NotImplementedError, match=re.escape("ChatMachine.ask")):
        run_state_machine_as_test(ChatMachine, settings=brief)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"shapes": ("texts",)}, "shapes is 'texts'"),
        ({"shapes": ()}, "shapes is ()"),
        ({"streams": ()}, "streams is ()"),
        (
            {"profile": "openai-2023-03", "tools": (), "shapes": ("tool_calls",)},
            "shapes is ('tool_calls',)",
        ),
    ],
)
def test_options_that_cannot_be_are_told(options, said):
    """A typo must not turn half of the test off."""
    with pytest.raises(BadArgument, match=re.escape(said)):
        run_state_machine_as_test(chat_machine(Careful, **options), settings=brief)


def test_an_option_that_does_not_exist_is_told():
    """The same for names, at once."""
    with pytest.raises(BadArgument, match="Did you mean 'streams'"):
        chat_machine(Careful, stream=(True,))


class Dumping:
    """Something like a message of the openai package."""

    def __init__(self, **members):
        self.__dict__.update(members)

    def model_dump(self):
        """Return the wire form."""
        return {
            name: value.model_dump() if isinstance(value, Dumping) else value
            for name, value in self.__dict__.items()
        }


def test_what_is_said_is_read_from_either_form():
    """A client of the openai package gives objects, others give mappings."""
    message = {"role": "assistant", "content": [{"type": "text", "text": "Hi"}], "refusal": None}
    assert utterance(Dumping(**message)) == utterance({"role": "assistant", "content": "Hi"})
    wrapped = Dumping(message=Dumping(**message), finish_reason="stop")
    assert reported(wrapped) == (wrapped.message, "stop")
    assert reported(wrapped.model_dump()) == (message, "stop")
    assert conversation([{"role": "system", "content": "Be kind."}, message]) == (
        utterance(message),
    )


def test_calls_are_compared_by_what_they_mean():
    """White space between members of the arguments is nobody's business, their order neither."""

    def calling(arguments):
        call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": arguments}}
        return utterance({"role": "assistant", "tool_calls": [call]})

    assert calling('{"a": 1, "b": 2}') == calling('{"b":2,"a":1}')
    assert calling('{"a": 1').calls[0].input == '{"a": 1'
    assert calling(None).calls[0].input is None
    assert calling("{}").difference(calling("{}")) is None


def test_a_swallowed_error_names_its_status():
    """The reader must learn which error the client took for an answer."""
    with pytest.raises(ConversationBroken, match="an exception for status 500"):
        run_state_machine_as_test(chat_machine(Swallowing, statuses=(500,)), settings=found)
