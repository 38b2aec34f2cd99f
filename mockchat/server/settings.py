"""What a server is told when it is made, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mockchat.contract.profile import Profile, load_profile
from mockchat.errors import BadArgument
from mockchat.payloads.encodings import APPROXIMATE, tokenizer_named
from mockchat.payloads.shapes import checked_shapes
from mockchat.payloads.text import DEFAULT_LOCALE, language
from mockchat.scripting.journal_weight import JOURNAL_BYTES
from mockchat.scripting.quotas import Limits
from mockchat.server.cors import checked_origins
from mockchat.server.framing import Limits as ConnectionLimits
from mockchat.server.memory import MEMORY_BYTES
from mockchat.types import JsonObject, Kind, Level, Models, Unmatched, Validation

BODY_LIMIT = 32 * 1024 * 1024
"""The largest request body read unless told otherwise, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How an app answers.

    Attributes:
        profile: The variant of the API to be; `load_profile` gives it.
        seed: Same seed, same request: same generated reply.
        kind: What is generated: what every client accepts, or everything the contract allows.
        validation: What is asked of requests.
        level: The promises that replies are judged by.
        models: Whether a model name that the profile does not list is answered.
        unmatched: What a request gets that no stub of its script matches.
        locale: The language of generated text, as Faker names it.
        shapes: Weights of the shapes a generated reply can have; None for the usual ones.
        tokenizer: What counts tokens: "approximate", or an encoding of tiktoken.
        api_keys: The keys that are accepted; () accepts any, and none at all.
        body_limit: The largest request body that is read, in bytes.
        vary_repeats: Whether the same request, sent again, may get another generated reply.
        stored_limit: How many stored completions are kept; older ones make room.
        limits: What clients may use in a time; None: as much as they like.
        connection: What clients may send, and how long they may take.
        journal_limit: How many exchanges a journal keeps; older ones are dropped.
        journal_bytes: How much memory they may take; see `journal_weight`.
        memory_bytes: How much memory requests and replies may take that are known again.
        cors: The origins whose pages may call, as browsers send them; "*" is any, () none.
        certificate: The PEM file with which HTTPS is spoken, None for plain HTTP.
        key: The PEM file of its private key, None where that is in the same file.

    Raises:
        BadArgument: When a number is out of range, a key is empty, Faker lacks the locale, the
            tokenizer is not there, `shapes` are not weights of shapes, `cors` has no origins, or
            there is a key without a certificate.
    """

    profile: Profile = field(default_factory=lambda: load_profile("openai"))
    seed: int = 0
    kind: Kind = "plain"
    validation: Validation = "strict"
    level: Level = "observed"
    models: Models = "any"
    unmatched: Unmatched = "generate"
    locale: str = DEFAULT_LOCALE
    shapes: Mapping[str, float] | None = field(default=None, hash=False)
    tokenizer: str = APPROXIMATE
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    body_limit: int = BODY_LIMIT
    vary_repeats: bool = False
    stored_limit: int = 1000
    limits: Limits | None = None
    connection: ConnectionLimits = field(default_factory=ConnectionLimits)
    journal_limit: int = 1000
    journal_bytes: int = JOURNAL_BYTES
    memory_bytes: int = MEMORY_BYTES
    cors: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        for name in ("body_limit", "stored_limit", "journal_limit", "journal_bytes"):
            if getattr(self, name) < 1:
                raise BadArgument(name, getattr(self, name), "1 or more")
        if self.memory_bytes < 0:
            raise BadArgument("memory_bytes", self.memory_bytes, "0 or more")
        if self.locale != DEFAULT_LOCALE:  # looking into Faker takes 50 ms
            language(self.locale)
        tokenizer_named(self.tokenizer)
        checked_shapes(self.shapes)
        if not all(self.api_keys):
            raise BadArgument("api_keys", "", "keys that are not empty")
        object.__setattr__(self, "cors", checked_origins(self.cors))
        if self.key is not None and self.certificate is None:
            raise BadArgument("key", str(self.key), "a key beside a certificate")

    @property
    def shaping(self) -> JsonObject:
        """What, besides seed, profile and request, a generated reply depends on, as JSON."""
        return {"kind": self.kind, "shapes": None if self.shapes is None else dict(self.shapes)}
