"""The page of `mockchat coverage html`, as a browser shows it."""

import pytest
import sample_reports

from mockchat.conformance.as_html import as_html as report_page
from mockchat.contract.contract import contract_for
from mockchat.coverage.as_html import as_html, sections
from mockchat.coverage.catalogue import catalogue_of
from mockchat.coverage.tally import Tally, counted


def html():
    """Return a page with items of every state."""
    items = catalogue_of(contract_for()).items
    ids = [*items]
    tally = Tally(profile="openai", given={*ids[::2]}, well={*ids[::4]}, exchanges=9)
    return as_html(items, counted(items, tally), tally)


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_everything_can_be_read(open_page, size):
    """It is looked at on a phone, on the way to a release."""
    opened = open_page(html(), size=size)
    assert opened.overflow() <= 0
    assert opened.smallest_text() >= 12
    opened.page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    assert opened.overflow() <= 0
    assert opened.requests == [opened.page.url]
    assert opened.messages == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_shut_out(open_page, scheme):
    """Colours alone tell many people nothing; axe judges names, contrast, structure and roles."""
    opened = open_page(html(), scheme=scheme)
    opened.page.locator("summary").first.click()
    assert opened.axe() == {}


@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_a_report_with_coverage_stays_readable(open_page, size):
    """`mockchat check --coverage --html` puts the same behind its findings."""
    items = catalogue_of(contract_for()).items
    tally = Tally(profile="openai", given={*items}, well=set())
    more = sections(items, counted(items, tally), tally)
    page = report_page(sample_reports.right(), target=sample_reports.TARGET, more=more)
    opened = open_page(page, size=size)
    assert opened.overflow() <= 0
    assert opened.axe() == {}
