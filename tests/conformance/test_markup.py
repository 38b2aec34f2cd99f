"""HTML made of elements: what anybody says is text in it."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.conformance.markup import Markup, element, joined, prose, visible

HOSTILE = "</p><script>alert(1)</script> & \"'<!--"


class Read(HTMLParser):
    """What a browser would make of a text: its elements, and its text."""

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.elements, self.text = [], ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Note an element."""
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        """Note a text."""
        self.text += data


ANY = st.text(st.characters(codec=None), max_size=40)


@given(text=ANY, inner=ANY)
def test_a_text_is_never_markup(text, inner):
    """Whoever speaks to a report must not write its page."""
    read = Read(element("p", visible(text), element("b", inner.replace("\x00", "")), title=text))
    assert [tag for tag, _ in read.elements if tag != "span"] == ["p", "b"]
    assert all(found == {"class": "byte"} for tag, found in read.elements if tag == "span")
    assert all(each.isprintable() or each in "\n\t" for each in Read(visible(text)).text)


@given(text=st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_what_can_be_seen_is_shown_as_it_is(text):
    """A report quotes bytes: what is copied from it must be what was sent."""
    text = "".join(each for each in text if each.isprintable())
    assert Read(element("pre", visible(text))).text == text


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (b"a\x00b", r"a\x00b"),
        (b"\x1b[31m\r\n", "\\x1b[31m\\r\n".replace(r"\r", r"\x0d")),
        (b"\xff\xfe", r"\xff\xfe"),
        ("\u2028\u202e\ufeff".encode(), r"\u2028\u202e\ufeff"),
        ("\U000e0041".encode(), r"\U000e0041"),
        ("é 漢 😀".encode(), "é 漢 😀"),
        (HOSTILE.encode(), HOSTILE),
    ],
)
def test_what_cannot_be_seen_is_written_out(data, shown):
    """A byte that hides, turns the line around or breaks it is often the fault itself."""
    assert Read(visible(data.decode("utf-8", "surrogateescape"))).text == shown


def test_an_element():
    """Attributes are named as Python allows; what is not there is left out."""
    made = element("a", "x<", [element("br"), "y"], class_="b", data_of='"', hidden=True, id=None)
    assert made == '<a class="b" data-of="&quot;" hidden>x&lt;<br>y</a>'
    assert isinstance(joined(made, "<"), Markup)
    assert joined(made, "<") == f"{made}&lt;"


def test_prose():
    """Sentences of ours name things as Markdown does; a single backtick is one."""
    assert prose("Send `a<b`.") == "Send <code>a&lt;b</code>."
    assert prose("a ` b") == "a ` b"
