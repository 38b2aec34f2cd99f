"""Replies that are only filled in are the very bytes of replies that are made anew."""

import json

import pytest

from mockchat.contract.contract import contract_for
from mockchat.contract.profile import profile_names
from mockchat.payloads.chunking import PADDED, chunks_of
from mockchat.payloads.completions import completion_of, framed
from mockchat.payloads.encoding import encode_chunk, encode_json
from mockchat.payloads.forms import BodyForm, StreamForm
from mockchat.payloads.frames import NO_DRAW, Drawn
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.stream_style import stream_style
from mockchat.payloads.streams import is_padded, stream_of

TEXT = 'Grüße, "Welt"\n\u2028 \U0001f600 and more'
MESSAGE = {"role": "assistant", "content": TEXT}
HALF = {"role": "assistant", "content": "half \ud800 a character"}
DRAWING = {"groq", "llamacpp", "openrouter", "perplexity", "perplexity-outcode", "together"}
"""Profiles whose replies all have more that is drawn: timings, costs, sources, a seed."""
FRAMED = sorted({*profile_names()} - DRAWING)


def request_of(contract, **members):
    """Return a request to the first model of a profile."""
    messages = [{"role": "user", "content": "Hi"}]
    return {"model": contract.profile.models[0].id, "messages": messages, **members}


@pytest.mark.parametrize("profile", FRAMED)
@pytest.mark.parametrize(
    "message", [MESSAGE, {"content": "", "refusal": "No."}, HALF], ids=["text", "no", "half"]
)
def test_a_body_filled_in_is_the_body_written_anew(profile, message):
    """Clients compare bytes, caches sign them; one kind of reply must not have two spellings."""
    contract = contract_for(profile)
    request = request_of(contract, n=2)
    _, frame = framed(request, SeededDraw(0), contract=contract, message=message)
    form = BodyForm.of(frame.members, frame.blanks)
    for seed in range(3):
        made = completion_of(request, SeededDraw(seed), contract=contract, message=message)
        assert form.filled(frame.drawn(SeededDraw(seed))) == encode_json(made)


@pytest.mark.parametrize("profile", FRAMED)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"include_usage": True},
        {"include_obfuscation": False},
        {"include_usage": True, "continuous_usage_stats": True},
    ],
    ids=str,
)
def test_a_stream_filled_in_is_the_stream_written_anew(profile, options):
    """Padding included: it is drawn for each stream, and what is drawn after it stays the same."""
    contract = contract_for(profile)
    if stream_style(contract.profile).padding_field is not None:
        pytest.skip("how much each chunk is padded is drawn")
    request = request_of(contract, stream=True, stream_options=options)

    def made(seed):
        draw = SeededDraw(seed)
        completion, frame = framed(request, draw, contract=contract, message=MESSAGE)
        drawn = {name: completion[name] for name in frame.blanks}
        chunks = stream_of(
            completion, chunks_of(3), request=request, profile=contract.profile, draw=draw
        )
        return chunks, frame, drawn, draw

    chunks, frame, drawn, _ = made(0)
    form = StreamForm.of(chunks, drawn, is_padded=is_padded(request, contract.profile))
    for seed in range(4):
        expected, _, _, after = made(seed)
        draw = SeededDraw(seed)
        values = frame.drawn(draw)
        if form.fits(values):
            assert form.filled(values, draw) == tuple(map(encode_chunk, expected))
            assert draw.random.getstate() == after.random.getstate()
        else:
            assert [len(str(each)) for each in values.values()] != [
                len(str(each)) for each in drawn.values()
            ]


@pytest.mark.parametrize("profile", sorted(DRAWING))
def test_what_a_profile_draws_for_every_reply_is_never_the_same_twice(profile):
    """Their replies are made anew each time."""
    contract = contract_for(profile)
    _, frame = framed(request_of(contract), SeededDraw(0), contract=contract, message=MESSAGE)
    assert frame is None


def test_values_of_another_length_do_not_fit():
    """The padding hides the length of the text, so it depends on that of the head."""
    chunks = [{"id": (name := "abc"), "choices": [], PADDED: "xy"}]
    form = StreamForm.of(chunks, {"id": name}, is_padded=True)
    assert form.fits({"id": "xyz"})
    assert not form.fits({"id": "xyzw"})


def test_only_the_very_values_are_blanks():
    """A text that a client sent, and that equals what was drawn, is not drawn anew."""
    drawn = {"id": str(b"ab", "ascii")}
    chunks = [{"id": drawn["id"], "model": str(b"ab", "ascii")}, {"model": "ab"}]
    form = StreamForm.of(chunks, drawn, is_padded=False)
    events = form.filled({"id": "cd"}, NO_DRAW)
    assert [json.loads(event[6:]) for event in events] == [
        {"id": "cd", "model": "ab"},
        {"model": "ab"},
    ]


def test_a_blank_may_stand_at_the_end():
    """Profiles order members as their servers do."""
    form = BodyForm.of({"model": "m", "id": None}, {"id": "id"})
    assert form.filled({"id": 'a"b'}) == encode_json({"model": "m", "id": 'a"b'})
    events = StreamForm.of([{"id": (name := "abc")}], {"id": name}, is_padded=False)
    assert events.filled({"id": "xyz"}, NO_DRAW) == (encode_chunk({"id": "xyz"}),)


@pytest.mark.parametrize("member", [float("nan"), {1: 2}], ids=str)
def test_what_is_no_json_has_no_form(member):
    """It is written whole then, and whoever does that says what is wrong."""
    with pytest.raises((TypeError, ValueError)):
        BodyForm.of({"a": member}, {})


def test_half_a_character_has_no_form_in_a_stream():
    """Beside the other half, its escape is read as one character: not what the script says."""
    with pytest.raises(ValueError, match="surrogates"):
        StreamForm.of([{"content": "\ud83d\ude00"}], {}, is_padded=False)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"logprobs": True}, MESSAGE),
        ({}, {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}),
        ({"modalities": ["text", "audio"]}, {"audio": {"transcript": "a"}}),
    ],
    ids=["logprobs", "ids of calls", "audio"],
)
def test_where_more_is_drawn_there_is_no_frame(members, message):
    """The next reply may differ in more than its head then."""
    contract = contract_for()
    request = request_of(contract, **members)
    made, frame = framed(request, SeededDraw(1), contract=contract, message=message)
    assert frame is None
    assert made == completion_of(request, SeededDraw(1), contract=contract, message=message)


def test_usage_of_a_script_is_in_the_frame():
    """What a test overrides is the same in every reply."""
    contract = contract_for()
    request = request_of(contract)
    usage = {"prompt_tokens": 1000}
    made, frame = framed(request, SeededDraw(1), contract=contract, message=MESSAGE, usage=usage)
    assert frame.completion(frame.drawn(SeededDraw(1))) == made
    assert made["usage"]["prompt_tokens"] == 1000
    assert made["usage"]["total_tokens"] == 1000 + made["usage"]["completion_tokens"]


def test_nothing_can_be_drawn_where_nothing_may_be():
    """That nothing was drawn is what makes a frame true, so nothing may slip through."""
    for name in ("index", "chance", "random", "anything"):
        with pytest.raises(Drawn, match=name):
            getattr(NO_DRAW, name)
