"""Find the line of a test that called into mockchat, to name stubs and errors after it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_PACKAGE = str(Path(__file__).parents[1])
_WRITTEN: ContextVar[str] = ContextVar("written", default="")


@contextmanager
def written_at(line: str) -> Iterator[None]:
    """Let `caller_line` return `line` in a block: what is called there was written in a file."""
    token = _WRITTEN.set(line)
    try:
        yield
    finally:
        _WRITTEN.reset(token)


def caller_line() -> str:
    """Return "file.py:line" of the nearest frame outside mockchat, "" if there is none.

    The file is named without its folder: long paths hide the line, and a test's author knows where
    the file is.
    """
    if line := _WRITTEN.get():
        return line
    frame = _caller()
    return "" if frame is None else f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


def caller_folder() -> Path:
    """Return the folder of the file nearest to the call outside mockchat; the current one at a prompt."""
    frame = _caller()
    file = Path() if frame is None else Path(frame.f_code.co_filename)
    return file.parent if file.is_file() else Path.cwd()


def _caller() -> "FrameType | None":
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - inspect.stack() reads sources and costs milliseconds
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame
