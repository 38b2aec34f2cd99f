"""What a searching service found: the sources its text quotes, and what to look at next."""

from mockchat.payloads.draw import Draw
from mockchat.payloads.text import prose
from mockchat.types import JsonObject, JsonView

_MOST_SOURCES = 8
_ASKED_FOR = 3  # pictures and questions of a reply that lists them
_PIXELS = 2048


def sources_of(request: JsonView, draw: Draw) -> JsonObject:
    """Return the members that tell the sources of a reply, as Perplexity names them.

    `citations` are the addresses of `search_results`, in the same order; both are empty where
    `disable_search` is true. Pictures and related questions come only when asked for.

    Args:
        request: The request, without nulls.
        draw: What decides.
    """
    searches = request.get("disable_search") is not True
    results = [_source(draw) for _ in range(draw.size(1, _MOST_SOURCES, 4) if searches else 0)]
    made: JsonObject = {
        "citations": [result["url"] for result in results],
        "search_results": results,
    }
    if request.get("return_images") is True:
        made["images"] = [_image(draw) for _ in range(_ASKED_FOR)]
    if request.get("return_related_questions") is True:
        questions = [prose(draw, at_most=12) for _ in range(_ASKED_FOR)]
        made["related_questions"] = [f"{question.rstrip('.')}?" for question in questions]
    return made


def _source(draw: Draw) -> JsonObject:
    return {
        "title": prose(draw, at_most=8),
        "url": _address(draw),
        "date": draw.format("date"),
        "snippet": prose(draw),
        "source": "web",
    }


def _image(draw: Draw) -> JsonObject:
    return {
        "image_url": f"{_address(draw)}picture.png",
        "origin_url": _address(draw),
        "height": draw.integer(1, _PIXELS),
        "width": draw.integer(1, _PIXELS),
    }


def _address(draw: Draw) -> str:
    return f"https://{draw.format('hostname')}/"
