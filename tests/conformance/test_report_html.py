"""The page as a text: its policy names what stands in it, and it says what the report says."""

import base64
import hashlib
import re
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
import sample_reports

from mockchat.conformance.as_html import as_html, model_of
from mockchat.conformance.report import Report

WHEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
VOID = {"meta", "br", "input"}


class Balanced(HTMLParser):
    """Notes elements that are closed in another order than they were opened."""

    def __init__(self, page):
        super().__init__()
        self.open, self.wrong, self.ids, self.links = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Open an element."""
        told = dict(attrs)
        self.ids += [told["id"]] if "id" in told else []
        self.links += [told["href"]] if "href" in told else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Close one."""
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))


def page_of(name):
    """Return the page of a sample."""
    report = getattr(sample_reports, name)()
    return as_html(report, target=sample_reports.TARGET, made_at=WHEN, command="mockchat check")


@pytest.mark.parametrize("name", ["right", "wrong", "hopeless"])
def test_a_page_is_whole(name):
    """A browser mends what is not closed, each in its own way."""
    read = Balanced(page_of(name))
    assert (read.open, read.wrong) == ([], [])
    assert len(set(read.ids)) == len(read.ids)
    assert {link[1:] for link in read.links} <= set(read.ids)
    assert all(link.startswith("#") for link in read.links)


def test_the_policy_names_the_style_and_the_script():
    """A digest that does not fit would leave a page without style, everywhere."""
    page = page_of("wrong")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    for element in ("style", "script"):
        (text,) = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{element}-src &#x27;sha256-{digest}&#x27;" in policy
    assert policy.startswith("default-src &#x27;none&#x27;")
    assert " style=" not in page
    assert " on" not in re.sub(r">[^<]*<", "><", page.partition("<body>")[2])


def test_equal_reports_make_equal_pages():
    """Pages are kept and compared."""
    assert page_of("wrong") == page_of("wrong")


def test_what_a_target_lacks_is_told_once():
    """Fifty refusals of one capability are one fact."""
    assert page_of("wrong").count("shown by logprobs.plain") == 1
    assert "shown by" not in page_of("right")


def test_secrets_in_fields_are_left_out():
    """A cookie opens a session, also to whoever reads the report."""
    page = page_of("wrong")
    assert "set-cookie: (left out)" in page
    assert "session=secret" not in page


def test_a_run_that_told_nothing_has_a_page():
    """Nobody there: the page says so, and passes nothing."""
    report = Report(profile="openai", level="observed", checks=frozenset())
    report.stopped = "the target does not answer (unreachable): refused"
    page = as_html(report, target="http://a/v1")
    assert "Not judged" in page
    assert "the target does not answer (unreachable): refused" in page
    assert "Conforms" not in page
    assert model_of(report) is None


def test_a_large_body_is_cut_around_the_part_that_is_marked():
    """The fault stands at the end of a mebibyte: that part is what is shown."""
    page = page_of("wrong")
    (before,) = re.findall(r"([0-9,]+) bytes left out … </span>a{700,}&quot;, &quot;object", page)
    assert int(before.replace(",", "")) > 1_000_000
    assert "&quot;data&quot;: [<mark>1</mark>]}" in page
