"""The manual as `make docs` builds it: every link leads somewhere, every page reads on a phone."""

import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

SITE = Path(__file__).parents[2] / "build" / "docs"
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Page(HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, file):
        super().__init__()
        self.links, self.anchors = set(), set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        """Note links, pictures, scripts and anchors."""
        for name, value in attrs:
            if name == "id":
                self.anchors.add(value)
            if name in {"href", "src"} and value:
                self.links.add((tag, value))


@pytest.fixture(scope="module")
def pages():
    """Return the pages of the site by their files."""
    if not (SITE / "index.html").is_file():
        reason = "build/docs is not there: make docs"
        if os.environ.get("MOCKCHAT_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return {file: Page(file) for file in sorted(SITE.rglob("*.html"))}


def test_every_link_leads_somewhere(pages):
    """A manual is followed by its links; what a page loads must come from the site alone."""
    broken, foreign = [], []
    for file, page in pages.items():
        for tag, link in page.links:
            parts = urlsplit(link)
            if parts.scheme in {"http", "https"}:
                if tag not in {"a", "link"}:
                    foreign.append((file.name, link))
                continue
            if parts.scheme == "data":
                continue
            target = file if not parts.path else (file.parent / unquote(parts.path)).resolve()
            if not target.is_file():
                broken.append((file.name, link))
                continue
            anchors = pages[target].anchors if target in pages else ()
            if parts.fragment and target in pages and unquote(parts.fragment) not in anchors:
                broken.append((file.name, link))
    assert broken == []
    assert foreign == []


def test_every_page_is_at_peace(pages, open_page):
    """No error on the console, no request to elsewhere, nothing wider than a phone."""
    found = {}
    for file in pages:
        opened = open_page(file.as_uri(), size="narrow")
        said = {
            "messages": opened.messages,
            "elsewhere": [url for url in opened.requests if not url.startswith(SITE.as_uri())],
            "wider": opened.page.evaluate(WIDER),
        }
        found |= {(file.name, name): value for name, value in said.items() if value}
        opened.page.close()
    assert found == {}
