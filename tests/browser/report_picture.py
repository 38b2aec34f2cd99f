"""Take the picture of a report that docs/reports.md shows: `make picture`."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import sync_playwright

PROJECT = Path(__file__).parents[2]
PICTURE = PROJECT / "docs" / "report.png"
sys.path.append(str(PROJECT / "tests"))

import sample_reports  # noqa: E402 - found by the line above
from conftest import chromium, sandbox  # noqa: E402

from mockchat.conformance.as_html import as_html  # noqa: E402

WIDTH = 1000


def main():
    """Write the picture."""
    page_text = as_html(
        sample_reports.flawed(),
        target="http://localhost:8000/v1",
        made_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=sandbox())
        page = browser.new_page(viewport={"width": WIDTH, "height": WIDTH}, device_scale_factor=0.7)
        page.set_content(page_text)
        finding = page.locator("details.finding").first
        finding.locator("summary").first.click()
        end = finding.locator("dl").bounding_box()
        height = end["y"] + end["height"] + page.evaluate("scrollY")
        page.screenshot(
            path=PICTURE,
            full_page=True,
            clip={"x": 0, "y": 0, "width": WIDTH, "height": height},
        )
        browser.close()
    print(f"{PICTURE.relative_to(PROJECT)}: {PICTURE.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
