"""Find the line of a test that called into mockchat, to name stubs and errors after it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_PACKAGE = str(Path(__file__).parents[1])


def caller_line() -> str:
    """Return "file.py:line" of the nearest frame outside mockchat, "" if there is none.

    The file is named without its folder: long paths hide the line, and a test's author knows where
    the file is.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - inspect.stack() reads sources and costs milliseconds
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return "" if frame is None else f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
