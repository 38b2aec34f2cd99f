"""Count tokens as tiktoken does, where it is installed and has its tables on this machine."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from mockchat.errors import BadArgument
from mockchat.payloads.tokens import Tokenizer, approximate_tokens

if TYPE_CHECKING:
    from tiktoken import Encoding

APPROXIMATE = "approximate"
"""The tokenizer that needs nothing: the usual one."""

_SURROGATES = re.compile("([\ud800-\udfff])")


class EncodingTokens:
    """The tokens of one tiktoken encoding, as whole characters.

    A token that ends inside a character is one piece with those that complete it, so that every
    piece is text; an emoji of three tokens counts as one. A lone surrogate, which no encoding
    has, is a piece of its own.

    Args:
        encoding: The encoding that cuts.
    """

    def __init__(self, encoding: "Encoding") -> None:
        self._encoding = encoding

    def split(self, text: str) -> list[str]:
        """Return the pieces of `text`; joined they are `text` again."""
        # Odd parts are what the pattern found: half a pair each.
        parts = enumerate(_SURROGATES.split(text))
        return [piece for at, part in parts for piece in ([part] if at % 2 else self._cut(part))]

    def count(self, text: str) -> int:
        """Return how many pieces `text` has."""
        return len(self.split(text))

    def _cut(self, text: str) -> Iterator[str]:
        held = b""
        for token in self._encoding.encode_ordinary(text):
            held += self._encoding.decode_single_token_bytes(token)
            try:
                piece = held.decode()
            except UnicodeDecodeError:
                continue
            held = b""
            yield piece


@lru_cache(maxsize=8)
def tokenizer_named(name: str) -> Tokenizer:
    """Return the tokenizer called `name`: "approximate", or an encoding of tiktoken.

    Nothing is ever downloaded: tiktoken keeps its tables in the folder that TIKTOKEN_CACHE_DIR
    names, and that is where they must be.

    Raises:
        BadArgument: There is no such encoding, tiktoken is not installed, or its table is not on
            this machine.
    """
    if name == APPROXIMATE:
        return approximate_tokens()
    try:
        tiktoken = import_module("tiktoken")
    except ImportError:
        wanted = f'"{APPROXIMATE}"; for encodings install mockchat[tokens]'
        raise BadArgument("tokenizer", name, wanted) from None
    if name not in tiktoken.list_encoding_names():
        known = ", ".join([APPROXIMATE, *sorted(tiktoken.list_encoding_names())])
        raise BadArgument("tokenizer", name, known)
    with _offline(name):
        return EncodingTokens(tiktoken.get_encoding(name))


class _NotHere(Exception):
    """tiktoken asked for a file it would have to download."""


@contextmanager
def _offline(name: str) -> Iterator[None]:
    """Let tiktoken read its cache alone."""
    loading = import_module("tiktoken.load")
    read_file = loading.read_file
    loading.__dict__["read_file"] = _refuse_download
    try:
        yield
    except _NotHere as absent:
        wanted = (
            f"an encoding whose table is on this machine; this one would have to be downloaded"
            f" from {absent}. Where that is allowed, run"
            f" `python -c 'import tiktoken; tiktoken.get_encoding(\"{name}\")'` once, with"
            f" TIKTOKEN_CACHE_DIR set to a folder that stays"
        )
        raise BadArgument("tokenizer", name, wanted) from None
    finally:
        loading.__dict__["read_file"] = read_file


def _refuse_download(url: str) -> NoReturn:
    raise _NotHere(url)
