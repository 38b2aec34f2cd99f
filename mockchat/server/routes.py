"""Which operation a method and a path name: compiled from the profile's `openapi.json`."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from mockchat.contract.pointers import tokens_of, value_at
from mockchat.errors import MockchatError
from mockchat.types import Json, JsonView

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_USUAL_SERVERS = ({"url": "/v1"}, {"url": "/"})
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class NotRouted(MockchatError, LookupError):
    """No operation has this method and path.

    Args:
        method: The method asked with.
        path: The path asked for.
        allowed: The methods the path does have; () where the path itself is unknown.
    """

    def __init__(self, method: str, path: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(method, path, allowed)
        self.method = method
        self.path = path
        self.allowed = allowed

    def __str__(self) -> str:
        if self.allowed:
            return f"{self.path} has no {self.method}, only {', '.join(self.allowed)}"
        return f"there is no {self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of the OpenAPI document.

    Attributes:
        id: Its `operationId`.
        query: The schemas of its query parameters, by name, references resolved.
        body: The name of the document that its JSON body follows, or None.
    """

    id: str
    query: Mapping[str, JsonView] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An operation with the values that the path carried, percent-decoded."""

    operation: Operation
    parameters: Mapping[str, str] = field(default_factory=dict)


class Routes:
    """The paths of an OpenAPI document, each served behind the paths of all its servers.

    OpenAI's are `/v1` and `/`; a vendor's stand in its document ("/openai/v1", "/v1beta/openai").
    Paths without placeholders are found in a dictionary. A placeholder takes one segment; at the
    end of a path under which the document has nothing else, it takes the rest, slashes included:
    compatible servers have models called "meta-llama/Llama-3".

    Args:
        documents: The profile's documents by name, "openapi" among them.
    """

    def __init__(self, documents: Mapping[str, JsonView]) -> None:
        document = documents["openapi"]
        self._exact: dict[str, dict[str, Operation]] = {}
        self._patterns: list[tuple[re.Pattern[str], dict[str, Operation]]] = []
        servers = document.get("servers", _USUAL_SERVERS)
        prefixes = {urlsplit(server["url"]).path.rstrip("/") for server in servers}
        # The longest first: "/openai/v1/models" is "/models", though "/openai" is a server too.
        self._prefixes = sorted(prefixes, key=len, reverse=True)
        paths = document["paths"]
        for path, item in paths.items():
            operations = dict(_operations(item, documents))
            if _PLACEHOLDER.search(path):
                is_inner = any(other.startswith(f"{path}/") for other in paths)
                self._patterns.append((_pattern(path, is_inner=is_inner), operations))
            else:
                self._exact[path] = operations

    def find(self, method: str, path: str) -> Route:
        """Return the operation that `method` and `path` name.

        Args:
            method: As sent; HTTP methods are case-sensitive.
            path: Percent-encoded, without query and token.

        Raises:
            NotRouted: There is none; `allowed` tells whether the method or the path is at fault.
        """
        operations, parameters = self._operations(path)
        # RFC 9110, section 9.3.2: HEAD is GET without the body.
        operation = operations.get("GET" if method == "HEAD" else method)
        if operation is None:
            raise NotRouted(method, path, _answered(operations))
        return Route(operation=operation, parameters=parameters)

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods that a path has, or all paths together for "*"; () where it is unknown."""
        if path != "*":
            return _answered(self._operations(path)[0])
        items = [*self._exact.values(), *(operations for _, operations in self._patterns)]
        return _answered({name: item[name] for item in items for name in item})

    def _operations(self, path: str) -> tuple[dict[str, Operation], dict[str, str]]:
        for prefix in self._prefixes:
            bare = path.removeprefix(prefix)
            if not path.startswith(f"{prefix}/"):
                continue
            if bare in self._exact:
                return self._exact[bare], {}
            operations, parameters = self._match(bare)
            if operations:
                return operations, parameters
        return {}, {}

    def _match(self, path: str) -> tuple[dict[str, Operation], dict[str, str]]:
        for pattern, operations in self._patterns:
            if found := pattern.fullmatch(path):
                values = found.groupdict()
                return operations, {name: unquote(value) for name, value in values.items()}
        return {}, {}


def _answered(operations: Mapping[str, Operation]) -> tuple[str, ...]:
    """Return the methods of operations, and those that come with them."""
    names = [
        more for name in operations for more in (("GET", "HEAD") if name == "GET" else (name,))
    ]
    return (*names, "OPTIONS") if names else ()


def base_path(documents: Mapping[str, JsonView]) -> str:
    """Return the path under which the service itself answers: that of the document's first server."""
    servers = documents["openapi"].get("servers", _USUAL_SERVERS)
    first: str = servers[0]["url"]
    return urlsplit(first).path.rstrip("/")


def key_headers(documents: Mapping[str, JsonView]) -> tuple[str, ...]:
    """Return the header fields that carry a key besides `authorization`, as OpenAPI declares them."""
    schemes = documents["openapi"].get("components", {}).get("securitySchemes", {})
    return tuple(
        scheme["name"].lower()
        for scheme in schemes.values()
        if scheme.get("type") == "apiKey" and scheme.get("in") == "header"
    )


def _pattern(path: str, *, is_inner: bool) -> re.Pattern[str]:
    parts = _PLACEHOLDER.split(path)
    pieces = []
    for position, part in enumerate(parts):
        if position % 2 == 0:
            pieces.append(re.escape(part))
        else:
            is_last = position == len(parts) - 2 and not parts[-1]
            pieces.append(f"(?P<{part}>{'.+' if is_last and not is_inner else '[^/]+'})")
    return re.compile("".join(pieces))


def _operations(
    item: JsonView, documents: Mapping[str, JsonView]
) -> Iterator[tuple[str, Operation]]:
    for method in _METHODS:
        if method not in item:
            continue
        operation = item[method]
        listed = [*item.get("parameters", []), *operation.get("parameters", [])]
        parameters = [_inlined(parameter, "openapi", documents) for parameter in listed]
        content = operation.get("requestBody", {}).get("content", {})
        reference = content.get("application/json", {}).get("schema", {}).get("$ref")
        yield (
            method.upper(),
            Operation(
                id=operation["operationId"],
                query={
                    parameter["name"]: parameter.get("schema", {})
                    for parameter in parameters
                    if parameter["in"] == "query"
                },
                body=None if reference is None else reference.removesuffix(".json"),
            ),
        )


def _inlined(value: Json, home: str, documents: Mapping[str, JsonView]) -> Json:
    """Replace references by what they lead to: parameters are small and refer to nothing cyclic."""
    if isinstance(value, list):
        return [_inlined(item, home, documents) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if isinstance(reference, str):
        name, _, pointer = reference.partition("#")
        home = name.removesuffix(".json") or home
        return _inlined(value_at(documents[home], tokens_of(pointer)), home, documents)
    return {key: _inlined(member, home, documents) for key, member in value.items()}
