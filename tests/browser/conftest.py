"""Pages in headless Chromium: the Debian browser, driven by Playwright, judged by axe.

`make browser` sets all of it up; without it these tests skip, and under MOCKCHAT_BROWSER=1, which
`make browser-test` says, they fail.
"""

import contextlib
import os
import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
AXE = PROJECT / ".venvs" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SIZES = {"wide": (1280, 900), "narrow": (400, 800)}

# What a reader of a page can see of a text: its own size, unless nobody sees it.
SMALLEST_TEXT = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let smallest = Infinity;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest(".unseen")) continue;
    smallest = Math.min(smallest, parseFloat(getComputedStyle(element).fontSize));
  }
  return smallest;
}"""
# How far the page, or anything in it that does not scroll by itself, sticks out to the right.
OVERFLOW = """() => {
  const width = document.documentElement.clientWidth;
  const boxes = [...document.body.querySelectorAll("*")]
    .filter((element) => element.checkVisibility() && !element.closest(".unseen"))
    .map((element) => element.getBoundingClientRect().right);
  return Math.max(document.documentElement.scrollWidth, ...boxes) - width;
}"""


class Opened:
    """A page that is open, and what it asked for and said since.

    Attributes:
        page: The page, as Playwright has it.
        requests: The URLs it asked for.
        refused: Those of them that its own policy did not let out.
        messages: What it wrote to the console, errors of scripts among it.
    """

    def __init__(self, page):
        self.page = page
        self.requests = []
        self.refused = []
        self.messages = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("requestfailed", self._note_failure)
        page.on("console", lambda message: self.messages.append(message.text))
        page.on("pageerror", lambda error: self.messages.append(str(error)))

    def _note_failure(self, request):
        if request.failure == "csp":
            self.refused.append(request.url)

    def overflow(self):
        """Return by how many pixels the page is wider than its window."""
        return self.page.evaluate(OVERFLOW)

    def smallest_text(self):
        """Return the size of the smallest text to be seen, in pixels."""
        return self.page.evaluate(SMALLEST_TEXT)

    def axe(self):
        """Return what axe finds: each rule with the places that break it."""
        self.page.evaluate(AXE.read_text())
        found = self.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return {
            rule["id"]: [
                f"{node['html'][:200]}: {node['failureSummary']}" for node in rule["nodes"]
            ]
            for rule in found["violations"]
        }

    def focused(self):
        """Return the tag and text of what has the focus, and whether the focus can be seen."""
        return self.page.evaluate("""() => {
          const element = document.activeElement, style = getComputedStyle(element);
          const isSeen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
          return [element.tagName.toLowerCase(), element.textContent.trim(), isSeen];
        }""")


def missing():
    """Return what there is not of what these tests need."""
    found = {
        "Playwright": find_spec("playwright"),
        "Chromium": chromium(),
        "axe-core": AXE.is_file(),
    }
    return [name for name, there in found.items() if not there]


def chromium():
    """Return the path of the browser; None without one."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


def sandbox():
    """Return the browser's options: it refuses to shut root in its sandbox, and opens only ours."""
    return ["--no-sandbox"] if os.geteuid() == 0 else []


@pytest.fixture(scope="session")
def browser():
    """Start the browser, once."""
    lacking = missing()
    if lacking:
        reason = f"{', '.join(lacking)} not found: make browser-test"
        if os.environ.get("MOCKCHAT_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not on every machine

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=sandbox())
        yield running
        running.close()


@pytest.fixture
def open_page(browser, tmp_path):
    """Give a function that opens a page, by its URL or its HTML, in a window of its own.

    `size` is one of SIZES, `scheme` "light" or "dark"; without `javascript` no script runs.
    """
    with contextlib.ExitStack() as stack:

        def opened(page, *, size="wide", scheme="light", javascript=True):
            width, height = SIZES[size]
            context = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,
                java_script_enabled=javascript,
            )
            stack.callback(context.close)
            if "://" not in page[:16]:
                file = tmp_path / "page.html"
                file.write_text(page, encoding="utf-8")
                page = file.as_uri()
            visit = Opened(context.new_page())
            visit.page.goto(page)
            return visit

        yield opened
