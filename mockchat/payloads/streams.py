"""The stream that answers a request: its options read, its completion cut."""

from dataclasses import replace

from mockchat.contract.profile import Profile
from mockchat.payloads.chunking import split
from mockchat.payloads.draw import Draw
from mockchat.payloads.plans import Plan
from mockchat.payloads.stream_style import stream_style
from mockchat.types import Chunk, Completion, JsonObject, JsonView

_RUNNING_COUNTS = "continuous_usage_stats"
"""vLLM's option for usage in every chunk: what was counted up to there."""


def stream_of(
    completion: Completion | JsonView,
    plan: Plan,
    *,
    request: JsonView,
    profile: Profile,
    draw: Draw | None = None,
) -> tuple[Chunk, ...]:
    """Return the chunks that say `completion` to whoever sent `request`, without `[DONE]`.

    Args:
        completion: What is said.
        plan: Where it is cut.
        request: The members its profile heeds; `stream_options` decides on usage and padding.
        profile: How its servers stream.
        draw: What decides on the letters of the padding.
    """
    options = _options(request)
    style = stream_style(profile)
    if options.get(_RUNNING_COUNTS) is True:
        style = replace(style, usage="every", usage_null=False)
    return split(
        completion,
        plan,
        style=style,
        include_usage=options.get("include_usage") is True,
        obfuscation=is_padded(request, profile),
        draw=draw,
    )


def for_any_reader(request: JsonView) -> JsonObject:
    """Return `request` without what only those can read who know that it was asked for.

    The counts so far in every chunk look like counts sent twice to everybody else.
    """
    options = {name: value for name, value in _options(request).items() if name != _RUNNING_COUNTS}
    return {**request, **({"stream_options": options} if _options(request) else {})}


def is_padded(request: JsonView, profile: Profile) -> bool:
    """Tell whether the chunks of the stream that answers `request` hide how long their text is."""
    is_wanted = _options(request).get("include_obfuscation") is not False
    return is_wanted and stream_style(profile).obfuscation


def _options(request: JsonView) -> JsonView:
    asked = request.get("stream_options")
    return asked if isinstance(asked, dict) else {}
