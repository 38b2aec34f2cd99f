"""HTTPS: the context that every engine wraps its connections with, and the handshake of one."""

import socket
import ssl
from os import PathLike, fspath, strerror

from mockchat.errors import BadArgument

_ENCRYPTED = "a key without a passphrase"


def server_context(
    certificate: str | PathLike[str], key: str | PathLike[str] | None = None
) -> ssl.SSLContext:
    """Return the context of a server with this certificate: TLS 1.2 or newer, HTTP/1.1.

    Args:
        certificate: A PEM file with the certificate, those that lead to its root behind it.
        key: A PEM file with its private key; None: the key stands in the file of the certificate.

    Raises:
        BadArgument: A file cannot be read, is not PEM, the key is encrypted, or is not that of the
            certificate.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for name, path in (("cert", certificate), ("key", key)):
        _check_readable(name, path)
    try:
        context.load_cert_chain(certificate, key, password=_no_passphrase)
    except BadArgument:
        raise BadArgument("key", fspath(key or certificate), _ENCRYPTED) from None
    except ssl.SSLError as error:
        name, path = ("cert", certificate) if key is None else ("key", key)
        reason = (error.reason or str(error)).replace("_", " ").lower()
        allowed = f"PEM files of a certificate and of its private key ({reason})"
        raise BadArgument(name, fspath(path), allowed) from None
    return context


class PlainHttp(OSError):
    """A client that speaks HTTP where HTTPS is spoken."""


def wrapped(connection: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Return a connection that will speak TLS after its handshake; the given one is used up."""
    return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)


def shake_hands(connection: ssl.SSLSocket, *, seconds: float) -> None:
    """Agree with a client on how to speak.

    Args:
        connection: As `wrapped`.
        seconds: How long the client may take.

    Raises:
        PlainHttp: The client does not know that this is HTTPS.
        OSError: The client speaks no TLS that will do, is too slow, or leaves.
    """
    connection.settimeout(seconds)
    try:
        connection.do_handshake()
    except ssl.SSLError as error:
        if error.reason == "HTTP_REQUEST":
            raise PlainHttp("the client speaks plain HTTP") from None
        raise


def unwrapped(connection: ssl.SSLSocket) -> socket.socket:
    """Return the bare connection under one that speaks TLS, which is used up."""
    return socket.socket(fileno=connection.detach())


def say_goodbye(connection: socket.socket) -> None:
    """Tell the client of a connection that speaks TLS that no bytes are missing at its end.

    Nothing waits for the client to say the same.
    """
    if isinstance(connection, ssl.SSLSocket):
        try:
            connection.settimeout(0)
            connection.unwrap()
        except (OSError, ValueError):
            return  # it waits for the client's own, or has been closed


def _check_readable(name: str, path: str | PathLike[str] | None) -> None:
    if path is None:
        return
    try:
        with open(path, "rb"):  # noqa: PTH123 - any path will do
            pass
    except OSError as error:
        allowed = f"a file that can be read ({strerror(error.errno or 0)})"
        raise BadArgument(name, fspath(path), allowed) from None


def _no_passphrase() -> str:
    """Refuse instead of asking on the terminal: a server has none."""
    raise BadArgument("key", "encrypted", _ENCRYPTED)
