"""A decoded request, read without trusting it: validation may be off."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from mockchat.exchange import Headers
from mockchat.types import Json, JsonObject, JsonView


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """A decoded request, as matchers and replies see it.

    Attributes:
        method: The HTTP method.
        path: The path without the query and without a test's token.
        headers: All fields, names in lower case, credentials included.
        body: The decoded body.
    """

    method: str
    path: str
    headers: Headers = ()
    body: JsonObject
    _messages: list[tuple[JsonView, ...]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )

    @property
    def messages(self) -> tuple[JsonView, ...]:
        """The messages that are objects; an unchecked request may carry anything."""
        # Looked at by each stub: found once, so that stubs and messages do not multiply.
        if not self._messages:
            self._messages.append(tuple(objects(self.body.get("messages"))))
        return self._messages[0]

    @property
    def last_role(self) -> Json:
        """The role of the last message, None without one."""
        return self.messages[-1].get("role") if self.messages else None

    @property
    def tool_names(self) -> tuple[str, ...]:
        """The names of the tools and of the older functions that the request offers."""
        tools = [tool.get(str(tool.get("type"))) for tool in objects(self.body.get("tools"))]
        offered = [*objects(tools), *objects(self.body.get("functions"))]
        return tuple(str(tool.get("name")) for tool in offered)

    @property
    def summary(self) -> str:
        """One line that tells this request from its neighbours."""
        count = len(self.messages)
        parts = [
            f"model={self.body.get('model')!r}",
            f"{count} message{'' if count == 1 else 's'}",
            f"last role {self.last_role!r}",
            f"stream={bool(self.body.get('stream'))}",
        ]
        if self.tool_names:
            parts.append(f"tools {', '.join(self.tool_names)}")
        return ", ".join(parts)


def text_of(message: JsonView) -> str | None:
    """Return the text of a message, its text parts joined, None where it has none."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    texts = [part["text"] for part in objects(content) if isinstance(part.get("text"), str)]
    return "".join(texts) if texts else None


def objects(value: Json) -> Iterator[JsonView]:
    """Yield the objects of a list; nothing where it is no list: a request may carry anything."""
    return (item for item in value if isinstance(item, Mapping)) if is_list(value) else iter(())


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Tell whether the value is what JSON writes as an array."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
