"""Pages looked at: what a page says, and how it looks in a browser."""

import json
import os
import shutil
import struct
import subprocess
import zlib
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import levcore as lc

__all__ = ["VOID", "Page", "browser", "distinct_lines", "html_of", "open_in_browser", "usdt_instruments"]

VOID = {"meta", "br", "img", "link", "input", "hr"}


def usdt_instruments() -> dict[str, lc.Instrument]:
    """Instruments of one settlement currency."""
    table = lc.policy("binance-usdm@2024-10-24").instruments
    return {name: one for name, one in table.items() if one.settlement == "USDT"}


def html_of(result: Any, **options: Any) -> str:
    """Text of the HTML report on a result."""
    with TemporaryDirectory() as folder:
        return lc.report(result, Path(folder) / "report.html", **options).read_text(encoding="utf-8")


class Page(HTMLParser):
    """Checks that elements close in the order they open; keeps tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.words.append(data)


def browser() -> str:
    """Path of chromium. Without one the test is skipped, and fails where CI must have one."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        missing("chromium is not installed, so the page was not looked at")
    return path


def open_in_browser(path: str, page: Path, folder: Path) -> tuple[bytes, list[str]]:
    """Picture of a page (PNG) and the addresses that the page, not the browser, asked for."""
    picture, log = folder / "page.png", folder / "net.json"
    subprocess.run(
        [
            path,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--hide-scrollbars",
            # The browser's own errands end at once; a page's request would still be in the log.
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={log}",
            "--window-size=1240,2400",
            f"--screenshot={picture}",
            page.as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    parameters = [event.get("params", {}) for event in events]
    # What a local file asks for has the opaque origin "null"; the browser's own requests have none.
    asked = [one["url"] for one in parameters if one.get("initiator") == "null" and "url" in one]
    return picture.read_bytes(), asked


def distinct_lines(picture: bytes) -> tuple[int, int, int]:
    """Width and height of a PNG and the number of distinct lines of pixels in it."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    place, data, width, height = 8, b"", 0, 0
    while place < len(picture):
        (length,) = struct.unpack(">I", picture[place : place + 4])
        kind, body = picture[place + 4 : place + 8], picture[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, height = struct.unpack(">II", body[:8])
        if kind == b"IDAT":
            data += body
        place += 12 + length
    pixels = zlib.decompress(data)
    stride = len(pixels) // height
    return width, height, len({pixels[row * stride : (row + 1) * stride] for row in range(height)})
