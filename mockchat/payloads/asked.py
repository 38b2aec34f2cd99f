"""What a request asks of its reply, read tolerantly.

A server that validates strictly hands on valid requests only; one that does not must answer all the
same, so a member of the wrong type counts as left out, as null does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from mockchat.contract.profile import Model, Profile
from mockchat.types import Json, JsonView

Format = Literal["text", "json_object", "json_schema"]

MOST_CHOICES = 128
"""The official bound of `n`; also what keeps an unvalidated request from asking for millions."""

_SENTENCES = {"low": (1, 1), "medium": (1, 3), "high": (3, 6)}  # by `verbosity`

_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, as far as it shapes the reply.

    Attributes:
        request: The request without its null members.
        model: The name asked for.
        known: What the profile knows of that model, None for a name it does not have.
        n: How many choices.
        stop: The sequences that end the text, without empty ones.
        limit: How many tokens a choice may have, None for no limit.
        is_stream: Whether the reply is streamed.
        logprobs: Whether token entries are wanted.
        top_logprobs: How many alternatives each entry lists.
        format: The kind of text wanted.
        schema: The caller's schema for `json_schema`, None where it gives none.
        audio_format: The format of a spoken answer, None for a written one.
        reasons: Whether the model thinks before it answers.
        sentences: How many sentences of prose are wanted, at least and at most.
    """

    request: JsonView
    model: str
    known: Model | None
    n: int
    stop: tuple[str, ...]
    limit: int | None
    is_stream: bool
    logprobs: bool
    top_logprobs: int
    format: Format
    schema: Json
    audio_format: str | None
    reasons: bool
    sentences: tuple[int, int]

    @property
    def last_role(self) -> str:
        """The role of the last message, "" where there is none."""
        messages = member(self.request, "messages", list) or []
        last = messages[-1] if messages else None
        return str(last.get("role", "")) if isinstance(last, Mapping) else ""


def asked_of(request: JsonView, profile: Profile) -> Asked:
    """Read `request` as a server of `profile` does."""
    heeded = profile.heeded(request)
    given = {name: value for name, value in heeded.items() if value is not None}
    model = member(given, "model", str) or _usual_model(profile)
    known = profile.model(model)
    limits = (count(given, "max_completion_tokens"), count(given, "max_tokens"))
    limit = next((value for value in limits if value is not None), None)
    chosen, schema = _format(given)
    capabilities = known.capabilities if known else {}
    effort = given.get("reasoning_effort")
    return Asked(
        request=given,
        model=model,
        known=known,
        n=min(max(count(given, "n") or 1, 1), MOST_CHOICES),
        stop=_stop(given.get("stop")),
        limit=None if limit is None else max(limit, 0),
        is_stream=given.get("stream") is True,
        logprobs=given.get("logprobs") is True,
        top_logprobs=min(max(count(given, "top_logprobs") or 0, 0), MOST_CHOICES),
        format=chosen,
        schema=schema,
        audio_format=_audio_format(given),
        sentences=_SENTENCES.get(member(given, "verbosity", str) or "medium", _SENTENCES["medium"]),
        reasons=capabilities.get("reasoning") is True and effort != "none",
    )


def _usual_model(profile: Profile) -> str:
    """Return the model that answers where the request names none, as a server of one model lets it."""
    required = profile.documents["request"].get("required", ())
    return profile.models[0].id if profile.models and "model" not in required else ""


def member(holder: JsonView, name: str, kind: type[_Kind]) -> _Kind | None:
    """Return a member of the wanted type, None where it is missing or something else."""
    value = holder.get(name)
    return value if isinstance(value, kind) else None


def count(holder: JsonView, name: str) -> int | None:
    """Return a whole number; True is none."""
    value = holder.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _stop(given: Json) -> tuple[str, ...]:
    sequences = [given] if isinstance(given, str) else given
    if not isinstance(sequences, list | tuple):
        return ()
    return tuple(text for text in sequences if isinstance(text, str) and text)


def _format(given: JsonView) -> tuple[Format, Json]:
    wanted: JsonView = member(given, "response_format", dict) or {}
    match wanted.get("type"):
        case "json_object":
            return "json_object", None
        case "json_schema":
            named: JsonView = member(wanted, "json_schema", dict) or {}
            return "json_schema", named.get("schema")
        case _:
            return "text", None


def _audio_format(given: JsonView) -> str | None:
    modalities = member(given, "modalities", list) or []
    audio: JsonView = member(given, "audio", dict) or {}
    return str(audio.get("format", "wav")) if "audio" in modalities else None
