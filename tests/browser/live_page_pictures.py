"""Take the pictures of the live page that docs/live-page.md shows: `make picture`."""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PROJECT = Path(__file__).parents[2]
sys.path.append(str(PROJECT / "tests"))

from conftest import SIZES, chromium, sandbox  # noqa: E402 - found by the line above
from live_server import REQUESTS, live  # noqa: E402

# Size, which request from the top is chosen, the picture.
PICTURES = (("wide", 4, "live-page.png"), ("narrow", 0, "live-page-narrow.png"))


def main():
    """Write the pictures."""
    with live() as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=sandbox())
        for name in REQUESTS:
            running.send(name)
        for size, place, name in PICTURES:
            width, height = SIZES[size]
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(running.page)
            page.locator("#requests li").nth(place).click()
            page.locator("#exchange .head").wait_for()
            page.mouse.move(0, 0)
            picture = PROJECT / "docs" / name
            page.screenshot(path=picture)
            print(f"{picture.relative_to(PROJECT)}: {picture.stat().st_size // 1024} KiB")
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
