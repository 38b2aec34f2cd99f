"""One request as a command: what a terminal shows, and what a shell sends byte for byte."""

import shlex

from mockchat.conformance.answers import Sent, joined

LONGEST = 8_000
"""How much of a body a command holds, in bytes; more than that is cut, and no command any more."""

_PLAIN = frozenset(b' !#$%&()*+,-./:;<=>?@[]^_`{|}~"') | frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
)


def as_curl(sent: Sent, target: str) -> str:
    """Return the command that sends the same bytes; the key is left to the environment.

    Args:
        sent: The request.
        target: The base URL.
    """
    words = ["curl", "-sS", "-i"]
    if sent.method != "POST":
        words += ["-X", sent.method]
    words.append(shlex.quote(joined(target, sent.path)))
    if "authorization" not in sent.drops:
        words += ["-H", '"Authorization: Bearer $OPENAI_API_KEY"']
    if sent.body is None:
        return " ".join(words)
    words += ["-H", "'Content-Type: application/json'"]
    if len(sent.body) > LONGEST:
        text = sent.body[:200].decode("utf-8", "backslashreplace")
        return " ".join([*words, "--data-raw", f"{shlex.quote(f'{text}…')}"])
    text = sent.body.decode("utf-8", "replace")
    if text.isprintable() and text.encode() == sent.body:
        return " ".join([*words, "--data-raw", shlex.quote(text)])
    return " ".join(["printf", "'%b'", f"'{_escaped(sent.body)}'", "|", *words, "--data-binary @-"])


def _escaped(data: bytes) -> str:
    """Return bytes as the escapes that `printf %b` of every shell reads."""
    return "".join(chr(byte) if byte in _PLAIN else f"\\0{byte:03o}" for byte in data)
