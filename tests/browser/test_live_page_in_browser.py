"""The live page of a running server, as a browser shows it."""

import re
import threading
from importlib.resources import files

import pytest
from live_server import body, live

ROWS = "#requests li"
HOSTILE = (
    "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 2'>"
    "<b>bold</b> \u2028 \u202e reversed \x00 &amp; ${7*7}"
)
LARGE = 1024 * 1024

# A request, what its row says, and what one reads in it.
READ = {
    "plain": (
        ["200", "gpt-4o-mini", "Hello!", "→ Hi there", "stub 4 (request.json:1)"],
        ["user\nHello!", "assistant replied · finish_reason stop\nHi there", "1 send · complete"],
    ),
    "tools": (
        ["200", "What is the weather in Oslo?", "stream", "tool call", "stub 1 (request.json:1)"],
        [
            "calls get_weather",
            '"city": "Oslo"',
            "first byte after",
            "longest gap",
            "sends · complete",
        ],
    ),
    "unmatched": (
        ["400", "no stub matched"],
        [
            "Why no stub matched",
            "nearest: stub 1 (request.json:1): tools is [], wanted 'get_weather'",
            "stub 4 (request.json:1): last_text is 'Who are you?', wanted 'Hello!'",
        ],
    ),
    "violation": (
        ["400", "1 violation", "the server itself"],
        ["/temperature 3 is more than 2 schema.maximum", "✗ 3 is more than 2", "error\nInvalid"],
    ),
}


@pytest.fixture
def served():
    """Run a server with some stubs."""
    with live() as running:
        yield running


def opened_at(open_page, running, **options):
    """Open the page and wait until it has the stubs."""
    opened = open_page(running.page, **options)
    opened.page.locator("#stubs li").first.wait_for(state="attached")
    return opened


def looked(page):
    """Wait until the page has asked twice: what was there before the first answer is shown."""
    for _ in range(2):
        with page.expect_response(lambda answer: "/overview" in answer.url) as answer:
            pass
        answer.value.finished()


def chosen(page, place=0):
    """Choose a request and return the text of what is shown of it."""
    page.locator(ROWS).nth(place).click()
    page.locator("#exchange .head").wait_for()
    return re.sub("\n+", "\n", page.locator("#exchange").inner_text())


def test_it_looks_twice_a_second():
    """What `looked` waits for is over within a second."""
    script = files("mockchat.server.control").joinpath("page/page.js").read_text()
    assert "const EVERY = 500;" in script
    assert "setTimeout(watch, EVERY);" in script


@pytest.mark.parametrize("size", ["wide", "narrow"])
@pytest.mark.parametrize("name", READ)
def test_a_request_appears_and_can_be_read(open_page, served, name, size):
    """Whoever debugs a client looks here first, at a desk or on a phone."""
    opened = opened_at(open_page, served, size=size)
    page = opened.page
    assert page.locator(ROWS).count() == 0
    served.send(name)
    looked(page)
    row, told = READ[name]
    shown = page.locator(ROWS).first.inner_text(timeout=100)
    assert [each for each in row if each not in shown] == []
    assert opened.overflow() <= 0
    text = chosen(page)
    assert [each for each in told if each not in text] == []
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    page.locator("#exchange pre", has_text="Exchange 0 as a test").wait_for()
    assert opened.overflow() <= 0
    assert opened.smallest_text() >= 12
    assert [url for url in opened.requests if not url.startswith(served.origin)] == []
    assert (opened.messages, opened.refused) == ([], [])


@pytest.mark.parametrize(
    ("size", "scheme"), [("wide", "light"), ("wide", "dark"), ("narrow", "dark")]
)
def test_nobody_is_shut_out(open_page, served, size, scheme):
    """Axe judges names, contrast, structure and roles, of the list and of every kind of request."""
    opened = opened_at(open_page, served, size=size, scheme=scheme)
    assert opened.axe() == {}
    for name in (*READ, "result", "cut"):
        served.send(name)
    looked(opened.page)
    assert opened.axe() == {}
    for place in range(6):
        chosen(opened.page, place)
        opened.page.evaluate(
            "document.querySelectorAll('details').forEach((each) => each.open = true)"
        )
        opened.page.locator("#exchange pre", has_text=" as a test: POST").wait_for()
        assert opened.axe() == {}, place
        if size == "narrow":
            opened.page.get_by_role("button", name="all requests").click()


def test_nothing_that_was_said_is_markup(open_page, served):
    """What clients and models say is anybody's, and the page may steer the server."""
    served.control.add({"when": {"model": "hostile"}, "reply": HOSTILE})
    opened = opened_at(open_page, served)
    page = opened.page
    call = {"id": HOSTILE, "type": "function", "function": {"name": "f", "arguments": HOSTILE}}
    served.send(
        {
            "model": "hostile",
            HOSTILE: HOSTILE,
            "messages": [
                {"role": HOSTILE, "content": HOSTILE, "name": HOSTILE},
                {"role": "assistant", "tool_calls": [call]},
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "//x/y"}}]},
            ],
        }
    )
    served.send(body(HOSTILE, model="hostile"))
    looked(page)
    for place in (0, 1):
        text = chosen(page, place)
        page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
        page.locator("#exchange pre", has_text=" as a test: POST").wait_for()
        assert "<b>bold</b> \\u2028 \\u202e reversed \\x00 &amp; ${7*7}" in text
        assert page.locator("script").count() == 1
        assert page.locator("#exchange :is(img, iframe, b, a, script, object, link)").count() == 0
        assert "\u2028" not in page.locator("body").inner_text()
    assert page.evaluate("window.ran") is None
    assert opened.messages == []
    assert [url for url in opened.requests if not url.startswith(served.origin)] == []


def test_a_large_message_is_cut_and_shown_whole_when_asked_for(open_page, served):
    """A mebibyte in one block makes every browser stutter; it is there nevertheless."""
    opened = opened_at(open_page, served)
    served.send(body("x" * LARGE))
    looked(opened.page)
    chosen(opened.page)
    said = opened.page.locator("#exchange .message.user div.said")
    assert len(said.text_content()) == 4001
    assert opened.overflow() <= 0
    opened.page.get_by_role("button", name="show all 1,048,576 characters").first.click()
    assert said.text_content() == "x" * LARGE
    assert opened.messages == []


def test_the_policy_of_the_page_holds(open_page, served):
    """If something slipped through after all, it would load and run nothing."""
    opened = opened_at(open_page, served)
    opened.page.evaluate(
        """() => document.body.insertAdjacentHTML("beforeend",
          "<img src='http://127.0.0.1:9/a.png' onerror='window.ran = 1'>"
          + "<p onclick='window.ran = 1' style='color: red'>x</p><iframe src='a.html'></iframe>")"""
    )
    opened.page.locator("p:text-is('x')").click()
    assert opened.page.evaluate("window.ran") is None
    assert not [url for url in opened.requests if ":9/" in url and url not in opened.refused]


def test_a_stream_grows_while_it_leaves_and_a_cut_is_drawn(open_page, served):
    """When each chunk left, and where it ended, is seen and not calculated."""
    slow = {"reply": "one two three", "pacing": {"ttft": 0, "inter_token": 0.4}, "plan": "by_word"}
    served.control.add({"when": {"last_text": "slowly"}, **slow})
    page = opened_at(open_page, served).page
    sending = threading.Thread(target=served.send, args=(body("slowly", stream=True),))
    sending.start()
    page.locator(f"{ROWS}:has-text('on its way')").click()
    page.locator("#exchange .timeline[aria-label*='on its way']").wait_for()
    page.locator("#exchange .timeline[aria-label*='complete']").wait_for()
    sending.join()
    assert page.locator("#exchange .timeline .send").count() >= 4
    assert page.locator("#exchange .timeline .cut").count() == 0
    served.send("cut")
    looked(page)
    assert "CutStream(after_chunks=5)" in page.locator(ROWS).first.inner_text()
    assert "cut on purpose" in chosen(page)
    assert page.locator("#exchange .timeline .cut").count() == 1
    page.locator("summary", has_text="each send").click()
    page.locator("#exchange tbody tr").first.wait_for()
    assert page.locator("#exchange tbody tr").count() == 5


def test_stubs_tell_what_they_have_left(open_page, served):
    """A test that waits for a reply that is used up is the usual riddle."""
    page = opened_at(open_page, served).page
    assert page.locator("#stubs li").nth(1).inner_text() == (
        "stub 2 (request.json:1)\n1 left\nlast_role='tool' · 0 sent"
    )
    served.send("result")
    page.locator("#stubs li:has-text('used up')").wait_for()
    assert page.locator("#stubs li").nth(1).inner_text() == (
        "stub 2 (request.json:1)\nused up\nlast_role='tool' · 1 sent"
    )
    assert "without end" in page.locator("#stubs li").nth(3).inner_text()


def test_it_works_by_keys(open_page, served):
    """Whoever has no mouse walks the list by arrows, reads, and comes back."""
    opened = opened_at(open_page, served)
    page = opened.page
    for name in ("plain", "unmatched", "violation"):
        served.send(name)
    looked(page)
    page.keyboard.press("Tab")
    assert opened.focused() == ["a", "Skip to the requests", True]
    seen = []
    for _ in range(6):
        page.keyboard.press("Tab")
        tag, text, is_seen = opened.focused()
        assert is_seen, (tag, text)
        seen.append(tag)
    assert seen == ["select", "input", "select", "button", "button", "li"]

    def at_row():
        return page.evaluate("document.activeElement.dataset.index")

    assert at_row() == "2"
    for key, row in [("ArrowDown", "1"), ("ArrowDown", "0"), ("ArrowDown", "0"), ("Home", "2"), ("ArrowUp", "2"), ("End", "0"), ("ArrowUp", "1")]:  # fmt: skip
        page.keyboard.press(key)
        assert at_row() == row, key
    assert page.locator("[aria-selected=true]").get_attribute("data-index") == "1"
    page.locator("#exchange h3", has_text="Why no stub matched").wait_for()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "exchange"
    page.keyboard.press("Tab")
    assert opened.focused()[0] == "summary"
    page.keyboard.press("Escape")
    assert at_row() == "1"
    served.send("plain")
    looked(page)
    assert at_row() == "1"  # what comes does not take the focus away


def test_arrivals_are_told_to_those_who_do_not_see(open_page, served):
    """A list that grows silently is no news to a screen reader."""
    page = opened_at(open_page, served).page
    looked(page)
    served.send("unmatched")
    told = page.locator("#told[role=status]:not(:empty)")
    assert told.text_content() == "New request: Who are you?, status 400, no stub matched"


def test_requests_are_found_and_kept_still(open_page, served):
    """In a hundred requests one is looked for, and it must not run away while it is read."""
    page = opened_at(open_page, served).page
    for name in ("plain", "unmatched", "cut"):
        served.send(name)
    looked(page)
    shown = page.locator(f"{ROWS}:visible")
    page.get_by_label("Find").fill("STORY 200")
    assert (shown.count(), page.locator("#count").inner_text()) == (1, "1 of 3")
    page.get_by_label("Find").fill("nowhere")
    assert page.locator("#none").inner_text() == "None of them is like that."
    page.get_by_label("Find").fill("")
    counts = {}
    for only in ("ok", "refused", "unmatched", "violations", "broken", ""):
        page.get_by_label("Only").select_option(only)
        counts[only] = shown.count()
    assert counts == {"ok": 2, "refused": 1, "unmatched": 1, "violations": 0, "broken": 1, "": 3}
    page.get_by_role("button", name="Pause").click()
    served.send("plain")
    assert page.locator("#state").inner_text() == "paused"
    assert shown.count() == 3
    page.get_by_role("button", name="Pause").click()
    looked(page)
    assert shown.count() == 4
    chosen(page)
    page.get_by_role("button", name="Clear").click()
    page.locator("#none:visible").wait_for()
    assert served.control.journal() == []
    assert page.locator("#exchange-title").inner_text() == "No request chosen"
    served.send("plain")
    looked(page)
    assert shown.count() == 1


def test_a_session_is_chosen(open_page, served):
    """Tests that run at once are read one at a time; an address leads to one request of one test."""
    served.send("plain")
    served.send("plain", session="mine")
    opened = opened_at(open_page, served)
    page = opened.page
    page.locator("#session option[value=mine]").wait_for(state="attached")
    page.get_by_label("Session").select_option("mine")
    looked(page)
    assert (page.locator(ROWS).count(), page.locator("#stub-count").inner_text()) == (1, "0")
    assert "no stub matched" in chosen(page)
    assert page.url.endswith("/_mockchat/#session=mine&request=0")
    again = open_page(page.url).page
    again.locator("#exchange .head").wait_for()
    assert again.get_by_label("Session").input_value() == "mine"


def test_an_exchange_is_copied_as_a_test(open_page, served):
    """What went wrong once is asked for again, by a test."""
    page = opened_at(open_page, served).page
    served.send("plain")
    looked(page)
    chosen(page)
    page.locator("summary", has_text="in a test in Python").click()
    text = page.locator("#exchange pre", has_text="def test_exchange_0").text_content()
    assert "mockchat.reply('Hi there')" in text
    page.get_by_role("button", name="Copy").click()
    page.locator("button:text-matches('^(Copied|Selected)')").wait_for()


def test_the_key_is_asked_for_and_stays_in_the_tab(open_page):
    """A key in an address or on a disk is a key given away."""
    with live(key="sk-control") as running:
        page = open_page(running.page).page
        page.get_by_label("Key").fill("wrong")
        page.keyboard.press("Enter")
        page.locator("#wrong:text-is('That was not the key.')").wait_for()
        assert page.evaluate("sessionStorage.length") == 0
        page.get_by_label("Key").fill("sk-control")
        page.keyboard.press("Enter")
        page.locator("#stubs li").first.wait_for()
        assert not page.locator("#ask").is_visible()
        assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
        assert page.url == running.page
        page.reload()
        page.locator("#stubs li").first.wait_for()


def test_another_server_is_noticed(open_page):
    """Who restarts the server looks at the same page, and must not see what was."""
    with live() as before:
        page = opened_at(open_page, before).page
        for _ in range(3):
            before.send("plain")
        looked(page)
        assert page.locator(ROWS).count() == 3
        port = int(before.origin.rpartition(":")[2])
    page.locator("#state:text-matches('does not answer')").wait_for()
    with live(port=port) as after:
        after.send("unmatched")
        page.locator(f"{ROWS}:has-text('Who are you?')").wait_for()
        looked(page)
        assert page.locator(ROWS).count() == 1
