"""Where the dated profiles differ from OpenAI's own documents of those dates, each with its reason.

Rows are those of `profile_differences`: a place may have `*` for anything.
"""

from typing import NamedTuple

from profile_differences import Difference, covers


class Row(NamedTuple):
    """One reason, and the places it explains."""

    profiles: tuple[str, ...]
    documents: tuple[str, ...]
    places: tuple[str, ...]
    keywords: tuple[str, ...]
    reason: str


MARCH, JUNE, NOVEMBER, AUGUST = (
    "openai-2023-03",
    "openai-2023-06",
    "openai-2023-11",
    "openai-2024-08",
)
ALL = (MARCH, JUNE, NOVEMBER, AUGUST)
REQUEST, RESPONSE, CHUNK = ("request",), ("response",), ("chunk",)
REPLIES = ("response", "chunk", "model", "model-list")
NAMES = (
    ".functions[].name",
    ".tools[].function.name",
    ".messages[]<assistant>*.name",
    ".messages[]<function>.name",
    ".response_format<json_schema>.json_schema.name",
)
PROSE = "Prose in the document; the server has errors for it."
COUNTED = "Counts, positions and times are never negative, bytes end at 255."
FREE = "Text in the document; a reply with another one is of another kind."
ROWS = (
    Row(ALL, REQUEST, ("",), ("closed",), "The server refuses what it does not know."),
    Row(
        (MARCH, JUNE),
        REQUEST,
        (".messages[]*",),
        ("member", "closed", "required"),
        "One message for all roles in the document, one for each here: they need different members.",
    ),
    Row(
        (MARCH, JUNE),
        REQUEST,
        (".logit_bias{}",),
        ("member",),
        "Prose in the document: values from -100 to 100.",
    ),
    Row((NOVEMBER, AUGUST), REQUEST, (".logit_bias{}",), ("minimum", "maximum"), PROSE),
    Row(
        (MARCH, JUNE, NOVEMBER),
        REQUEST,
        (".max_tokens",),
        ("default",),
        "Infinity is no JSON number.",
    ),
    Row((JUNE, NOVEMBER, AUGUST), REQUEST, NAMES, ("pattern", "minLength", "maxLength"), PROSE),
    Row((AUGUST,), REQUEST, (".messages[]<*>.name",), ("pattern",), "The server's own pattern."),
    Row(
        (NOVEMBER,),
        REQUEST,
        (".messages[]<*>.name",),
        ("member",),
        "This document alone has no names; the server had them throughout.",
    ),
    Row(
        (NOVEMBER,),
        REQUEST,
        (".messages[]<*>",),
        ("closed",),
        "The server of 2023 refused unknown members here too.",
    ),
    Row(
        (NOVEMBER,),
        REQUEST,
        (".messages[]<*>.content",),
        ("type",),
        "The document allows null where the server refused it.",
    ),
    Row(
        (NOVEMBER,),
        REQUEST,
        (".messages[]<assistant>",),
        ("required",),
        "Content may be left out beside calls; a rule asks for it otherwise.",
    ),
    Row(
        (NOVEMBER,),
        REQUEST,
        (".messages[]<user>.content[]<image_url>.image_url",),
        ("required",),
        "The document requires a member that does not exist.",
    ),
    Row(
        (NOVEMBER, AUGUST),
        REQUEST,
        (".messages[]<user>.content[]<image_url>.image_url.url",),
        ("format",),
        "Data URLs are long, and no client has them checked.",
    ),
    Row(
        (NOVEMBER, AUGUST),
        REQUEST,
        (".messages[]<assistant>.tool_calls",),
        ("minItems",),
        "The server refuses an empty array.",
    ),
    Row(
        (NOVEMBER, AUGUST),
        REQUEST,
        (".tools",),
        ("minItems", "maxItems"),
        "The server's bounds, as of functions.",
    ),
    Row(
        (NOVEMBER,),
        REQUEST,
        (".tool_choice",),
        ("required",),
        "Later documents require both members.",
    ),
    Row(
        (NOVEMBER,),
        REQUEST,
        (".response_format*",),
        ("member", "closed", "required"),
        "One object with a type in the document, one for each type here.",
    ),
    Row(
        (AUGUST,),
        REQUEST,
        (".messages[]<*>.content",),
        ("minItems",),
        "An empty array counts as content (measured 2026).",
    ),
    Row(
        (AUGUST,),
        REQUEST,
        (".model",),
        ("minLength",),
        "Empty is answered like missing (measured 2026).",
    ),
    Row(
        (AUGUST,),
        REQUEST,
        (".response_format<json_schema>.json_schema",),
        ("required",),
        "The document requires a member that does not exist.",
    ),
    Row(
        (AUGUST,),
        REQUEST,
        (".service_tier", ".stream_options"),
        ("default",),
        "A merge patch cannot write null; it is what absence means.",
    ),
    Row(
        (AUGUST,),
        REQUEST,
        (".stream_options",),
        ("closed",),
        "As the request itself (measured 2026).",
    ),
    Row(
        (MARCH, JUNE),
        RESPONSE,
        (".choices[]",),
        ("required",),
        "The document requires nothing; servers always sent these.",
    ),
    Row(
        (MARCH, JUNE),
        RESPONSE,
        (".choices[].message.role",),
        ("enum",),
        "Pages of that document have plain text.",
    ),
    Row(
        (JUNE,),
        RESPONSE,
        (".choices[].message",),
        ("required",),
        "Content is there, null beside a function call.",
    ),
    Row(
        (JUNE,),
        RESPONSE,
        (".choices[].message.content",),
        ("type",),
        "Null beside a function call, as the document says since July.",
    ),
    Row(
        (JUNE,),
        RESPONSE,
        (".choices[].message.function_call",),
        ("required",),
        "Both members, as the document says since July.",
    ),
    Row(ALL, REPLIES, ("*",), ("minimum", "maximum"), COUNTED),
    Row(ALL, REPLIES, ("*.created",), ("format",), "Unix time."),
    Row(
        (MARCH, JUNE, NOVEMBER, AUGUST),
        ("model", "model-list", "model-deleted"),
        ("*.object",),
        ("enum",),
        FREE,
    ),
    Row(
        (NOVEMBER,),
        CHUNK,
        (".system_fingerprint",),
        ("member",),
        "In later documents; servers sent it from the start.",
    ),
    Row((AUGUST,), CHUNK, (".usage",), ("type",), "Null in all chunks but one, as recorded."),
)


def explains(row, profile, difference):
    """Say whether a row explains a difference of a profile."""
    return profile in row.profiles and any(
        covers(Difference(document, place, keyword), difference)
        for document in row.documents
        for place in row.places
        for keyword in row.keywords
    )
