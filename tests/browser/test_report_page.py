"""The page of `mockchat check --html`, as a browser shows it."""

import re
from datetime import UTC, datetime

import pytest
import sample_reports

from mockchat.conformance.as_html import as_html

REPORTS = ("right", "wrong", "hopeless")
WHEN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
COMMAND = f"mockchat check {sample_reports.TARGET} --depth quick"
FINDINGS = "details.finding"
OPEN = "details.finding[open]"


def html(name):
    """Return the page of a report."""
    report = getattr(sample_reports, name)()
    return as_html(report, target=sample_reports.TARGET, made_at=WHEN, command=COMMAND)


@pytest.mark.parametrize("size", ["wide", "narrow"])
@pytest.mark.parametrize("name", REPORTS)
def test_everything_can_be_read(open_page, name, size):
    """It is sent to people who open it on a phone, in a train, behind a firewall."""
    opened = open_page(html(name), size=size)
    assert opened.overflow() <= 0
    assert opened.smallest_text() >= 12
    opened.page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    opened.page.check("#every")
    assert opened.overflow() <= 0
    assert opened.smallest_text() >= 12
    assert opened.requests == [opened.page.url]
    assert opened.messages == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", REPORTS)
def test_nobody_is_shut_out(open_page, name, scheme):
    """Colours alone tell many people nothing; axe judges names, contrast, structure and roles."""
    opened = open_page(html(name), scheme=scheme)
    if name == "wrong":
        opened.page.get_by_role("button", name="open all").click()
    if name == "right" and scheme == "light":
        opened.page.check("#every")
    assert opened.axe() == {}


def test_nobody_is_shut_out_on_a_phone(open_page):
    """There the picture is laid out otherwise, and must still be a table to those who hear it."""
    assert open_page(html("wrong"), size="narrow").axe() == {}


def test_findings_open_and_close_by_click(open_page):
    """A list of headings is read first, then one of them."""
    page = open_page(html("wrong")).page
    assert page.locator(OPEN).count() == 0
    first = page.locator(FINDINGS).first
    assert not first.locator("pre").first.is_visible()
    first.locator("summary").first.click()
    assert first.locator("pre").first.is_visible()
    first.locator("summary").first.click()
    assert page.locator(OPEN).count() == 0
    page.get_by_role("button", name="open all").click()
    assert page.locator(OPEN).count() == page.locator(FINDINGS).count()
    page.get_by_role("button", name="close all").click()
    assert page.locator(OPEN).count() == 0


def test_findings_open_and_close_by_keys(open_page):
    """Enter and Space open, Escape closes what is around the focus, arrows walk along."""
    page = open_page(html("wrong")).page
    heads = page.locator(f"{FINDINGS} > summary")
    focused = (
        "document.activeElement === document.querySelectorAll('details.finding > summary')[{}]"
    )
    heads.first.focus()
    page.keyboard.press("Enter")
    assert page.locator(OPEN).count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    assert page.locator(OPEN).count() == 0
    assert page.evaluate(focused.format(0))
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused.format(1))
    page.keyboard.press("Space")
    assert page.locator(OPEN).count() == 1
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused.format(0))
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused.format(0))


def test_the_focus_goes_down_the_page_and_can_be_seen(open_page):
    """Whoever has no mouse must know where they are; the order is that of the eye."""
    opened = open_page(html("wrong"))
    seen, tops = [], []
    for _ in range(40):
        opened.page.keyboard.press("Tab")
        tag, text, is_seen = opened.focused()
        if tag == "body":
            break
        assert is_seen, (tag, text)
        seen.append(tag)
        tops.append(
            opened.page.evaluate("document.activeElement.getBoundingClientRect().top + scrollY")
        )
    assert tops == sorted(tops)
    assert {"a", "button", "input", "summary"} <= set(seen)


def test_the_picture_leads_to_the_findings(open_page):
    """A red square without an explanation is no explanation."""
    opened = open_page(html("wrong"))
    link = opened.page.locator(".matrix a").first
    check = link.inner_text()
    link.click()
    opened.page.wait_for_selector(OPEN)
    assert opened.page.locator(OPEN).count() == 1
    assert opened.page.locator(f"{OPEN} > summary code").inner_text() == check
    assert opened.page.locator(f"{OPEN} > summary").evaluate("it => it === document.activeElement")


def test_all_but_the_comfort_works_without_scripts(open_page):
    """Mail readers and artefact viewers run none."""
    page = open_page(html("wrong"), javascript=False).page
    assert page.get_by_role("button").count() == 0
    assert page.locator(OPEN).count() == 0
    page.locator(f"{FINDINGS} > summary").first.click()
    assert page.locator(f"{FINDINGS} pre").first.is_visible()
    page.locator(".matrix a").last.click()
    page.locator(".matrix tr.quiet").first.wait_for(state="hidden")
    page.locator("#every").press("Space")
    page.locator(".matrix tr.quiet").first.wait_for(state="visible")


def test_nothing_a_target_says_is_markup(open_page):
    """A report on a hostile server is opened by people who do not expect one."""
    opened = open_page(html("wrong"))
    page = opened.page
    page.get_by_role("button", name="open all").click()
    assert page.locator("script").count() == 1
    assert page.locator("img, iframe, link, object, form, b:text('no')").count() == 0
    text = page.locator("body").inner_text()
    assert "</pre><script>alert(1)</script><img src=x onerror=alert(2)>" in text
    assert r'"id": "\xff\xfe\x00<script>alert(3)</script>"' in text
    assert "<h1>502</h1>" in text
    assert "Body, 10 bytes\n\n<b>no</b>" in re.sub("\n+", "\n\n", text)
    assert page.locator("pre", has_text="<b>no</b>").last.text_content() == "\n<b>no</b>"
    assert "\u2028" not in text
    assert "\u202e" not in text
    assert "\x00" not in text
    assert opened.messages == []


def test_large_bodies_are_cut_with_a_note(open_page):
    """One answer of a mebibyte must not make a page that no browser opens."""
    page = html("wrong")
    assert len(page) < 512 * 1024
    text = open_page(page).page.locator("body").text_content()
    assert "Body, 1,048,594 bytes" in text
    assert "1,046,994 bytes left out" in text


def test_the_policy_of_the_page_holds(open_page):
    """If something slipped through after all, it would load and run nothing."""
    opened = open_page(html("wrong"))
    opened.page.evaluate(
        """() => document.body.insertAdjacentHTML("beforeend",
          "<img src='http://127.0.0.1:9/a.png' onerror='window.ran = 1'>"
          + "<p onclick='window.ran = 1' style='color: red'>x</p><iframe src='a.html'></iframe>")"""
    )
    opened.page.locator("p:text-is('x')").click()
    assert opened.page.evaluate("window.ran") is None
    assert opened.page.locator("p:text-is('x')").evaluate("it => getComputedStyle(it).color") != (
        "rgb(255, 0, 0)"
    )
    assert opened.refused == opened.requests[1:] != []
    assert any("Content Security Policy" in message for message in opened.messages)


@pytest.mark.parametrize("javascript", [True, False])
def test_on_paper_everything_is_open_and_dark_on_light(open_page, javascript):
    """Nobody can click a sheet of paper, and ink is dear."""
    opened = open_page(html("wrong"), javascript=javascript)
    opened.page.emulate_media(media="print", color_scheme="dark")
    assert opened.page.locator(f"{FINDINGS} pre").first.is_visible()
    assert opened.page.locator(f"{FINDINGS} pre").last.is_visible()
    assert opened.page.locator("button:visible").count() == 0
    many = len(opened.page.pdf())
    assert opened.page.locator(OPEN).count() == 0
    assert many > 2 * len(open_page(html("right")).page.pdf())
    if javascript:
        ground = "getComputedStyle(document.documentElement).backgroundColor"
        assert opened.page.evaluate(ground) == "rgb(255, 255, 255)"


def test_the_run_can_be_made_again(open_page):
    """A finding that cannot be seen again is not believed."""
    text = open_page(html("right")).page.locator("body").inner_text()
    assert COMMAND in text
    assert "2026-01-02 03:04 UTC" in text
    assert sample_reports.MODEL in text
