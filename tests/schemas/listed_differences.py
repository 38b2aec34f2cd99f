"""Where our documents differ from the official one of 2026-08-21, each with its reason.

A row covers the places its pattern matches (`*` stands for anything) where exactly these values
meet. The keywords are those of `schema_facts.facts`, and `member` for a place only one side knows.
"""

from typing import NamedTuple

ABSENT = "absent"
"""The value of a side that says nothing."""
PRESENT = "present"
"""The value of the side that knows a member."""


class Difference(NamedTuple):
    """One fact, told in two ways.

    Attributes:
        documents: Our documents that tell it so.
        place: Pattern of places, as `schema_facts.facts` names them.
        keyword: The schema keyword.
        official: What the official document says.
        ours: What ours says.
        reason: Why ours is right.
    """

    documents: tuple[str, ...]
    place: str
    keyword: str
    official: object
    ours: object
    reason: str


REQUEST = ("request",)
PARTS = ("request", "stored-messages")
COMPLETIONS = ("response", "stored-list")
REPLIES = ("response", "chunk", "stored-list")
SAME = "The official document states it in prose only; the server enforces it."
COUNTED = "Counts, positions and times are never negative; a reply with one is broken."
SDK = "Added in openai-python 3.51, after the official document of 2026-08-21."
NEEDLESS = "Says what a reply means that lacks the member; ours says what replies hold."


def _identifier(place):
    prose = "Prose in the official document; the server has an error of its own for each."
    return (
        Difference(REQUEST, place, "pattern", ABSENT, "^[a-zA-Z0-9_-]+$", prose),
        Difference(REQUEST, place, "minLength", ABSENT, 1, prose),
        Difference(REQUEST, place, "maxLength", ABSENT, 64, prose),
    )


OF_REQUESTS = (
    Difference(
        REQUEST, "", "closed", False, True, "The server refuses unknown parameters (measured)."
    ),
    Difference(
        REQUEST, ".stream_options", "closed", False, True, "As the request itself (measured)."
    ),
    Difference(
        REQUEST, ".prompt_cache_options", "closed", False, True, "As the request itself (measured)."
    ),
    Difference(
        REQUEST, ".model", "minLength", ABSENT, 1, "Empty is answered like missing (measured)."
    ),
    Difference(
        REQUEST,
        ".messages[]<*>.content",
        "minItems",
        1,
        ABSENT,
        "An empty array counts as content (measured).",
    ),
    Difference(
        REQUEST, ".prediction.content", "minItems", 1, ABSENT, "As the content of messages."
    ),
    Difference(
        REQUEST,
        ".messages[]<assistant>.tool_calls",
        "minItems",
        ABSENT,
        1,
        "The server refuses an empty array (measured).",
    ),
    Difference(
        REQUEST,
        ".messages[]<*>.name",
        "pattern",
        ABSENT,
        r"^[^ \t\n\r\f\v<|\\/>]+$",
        "The server names this pattern in its error (public reports).",
    ),
    *_identifier(".functions[].name"),
    *_identifier(".tools[]<function>.function.name"),
    *_identifier(".messages[]<assistant>.function_call.name"),
    *_identifier(".messages[]<assistant>.tool_calls[]<function>.function.name"),
    *_identifier(".response_format<json_schema>.json_schema.name"),
    Difference(
        REQUEST, ".tools", "minItems", ABSENT, 1, "The server refuses an empty array (reports)."
    ),
    Difference(REQUEST, ".tools", "maxItems", ABSENT, 128, "The server's limit, as of functions."),
    Difference(REQUEST, ".logit_bias{}", "minimum", ABSENT, -100, SAME),
    Difference(REQUEST, ".logit_bias{}", "maximum", ABSENT, 100, SAME),
    Difference(REQUEST, ".metadata", "maxProperties", ABSENT, 16, SAME),
    Difference(REQUEST, ".metadata", "propertyNames", ABSENT, {"maxLength": 64}, SAME),
    Difference(REQUEST, ".metadata{}", "maxLength", ABSENT, 512, SAME),
    Difference(
        REQUEST, ".prompt_cache_key", "maxLength", ABSENT, 64, "The server's limit (reports)."
    ),
    Difference(
        REQUEST,
        ".safety_identifier",
        "maxLength",
        64,
        128,
        "The text of openai-python 3.51 says 128: only what both refuse is refused.",
    ),
    Difference(
        REQUEST,
        ".seed",
        "minimum",
        -9223372036854776000,
        -9223372036854775808,
        "The bound of int64, which the official document rounds.",
    ),
    Difference(
        REQUEST,
        ".seed",
        "maximum",
        9223372036854776000,
        9223372036854775807,
        "The bound of int64, which the official document rounds.",
    ),
    Difference(
        REQUEST,
        ".top_logprobs",
        "type",
        ["integer"],
        ["integer", "null"],
        "Declared three times there, twice with null and once without; the server takes null.",
    ),
    Difference(
        PARTS,
        "*.image_url.detail",
        "enum",
        ["auto", "high", "low"],
        ["auto", "high", "low", "original"],
        SDK,
    ),
    Difference(PARTS, "*.prompt_cache_breakpoint.ttl", "member", ABSENT, PRESENT, SDK),
    Difference(
        PARTS,
        "*.prompt_cache_breakpoint.mode",
        "default",
        "explicit",
        ABSENT,
        "The member is required and has one value: there is nothing to default.",
    ),
)

OF_REPLIES = (
    Difference(REPLIES, "*.choices[].index", "minimum", ABSENT, 0, COUNTED),
    Difference(REPLIES, "*_tokens", "minimum", ABSENT, 0, COUNTED),
    Difference(REPLIES, "*.bytes[]", "minimum", ABSENT, 0, COUNTED),
    Difference((*COMPLETIONS, "stored-messages"), "*_index", "minimum", ABSENT, 0, COUNTED),
    Difference((*COMPLETIONS, "stored-messages"), "*.expires_at", "minimum", ABSENT, 0, COUNTED),
    Difference((*REPLIES, "model", "model-list"), "*.created", "minimum", ABSENT, 0, COUNTED),
    Difference(("chunk",), "*.tool_calls[].index", "minimum", ABSENT, 0, COUNTED),
    Difference(REPLIES, "*.bytes[]", "maximum", ABSENT, 255, "A byte is one."),
    Difference(REPLIES, "*.usage.*_tokens", "default", 0, ABSENT, NEEDLESS),
    Difference(REPLIES, "*.service_tier", "default", "auto", ABSENT, "The request's default."),
    Difference(
        REPLIES,
        "*.moderation.*.results[].type",
        "default",
        "moderation_result",
        ABSENT,
        "The member is required and has one value: there is nothing to default.",
    ),
    Difference(("chunk",), "*.delta.audio", "member", ABSENT, PRESENT, SDK),
    Difference(
        ("chunk",),
        "*.delta.annotations",
        "member",
        ABSENT,
        PRESENT,
        "A streamed answer of a search model quotes its sources too.",
    ),
    Difference(
        ("chunk",),
        "*.delta.tool_calls[].custom",
        "member",
        ABSENT,
        PRESENT,
        "A completion may hold custom calls; the document forgets how they stream.",
    ),
    Difference(
        ("chunk",),
        "*.delta.tool_calls[].type",
        "enum",
        ["function"],
        ["custom", "function"],
        "A completion may hold custom calls; the document forgets how they stream.",
    ),
    Difference(("error",), ".error.misalignment", "member", ABSENT, PRESENT, SDK),
    Difference(
        ("model-deleted",),
        ".object",
        "enum",
        ABSENT,
        ["model"],
        "What its own example shows, as of every other object.",
    ),
    *(
        Difference(
            ("stored-list", "stored-messages"),
            place,
            "type",
            ["string"],
            ["null", "string"],
            "An empty page has no first and no last item.",
        )
        for place in (".first_id", ".last_id")
    ),
    Difference(
        ("stored-list", "stored-messages"),
        ".object",
        "default",
        "list",
        ABSENT,
        "The member is required and has one value: there is nothing to default.",
    ),
    Difference(
        ("stored-messages",),
        ".data[].role",
        "enum",
        ["assistant"],
        ["assistant", "developer", "function", "system", "tool", "user"],
        "Stored messages are the request's; its own example shows a user's.",
    ),
    Difference(
        ("stored-messages",),
        ".data[]",
        "required",
        ["content", "id", "refusal", "role"],
        ["content", "id", "role"],
        "Its own example, a user's message, has no refusal.",
    ),
    Difference(
        ("stored-messages",),
        ".data[].name",
        "member",
        ABSENT,
        PRESENT,
        "Its own example has it.",
    ),
)

LISTED = OF_REQUESTS + OF_REPLIES
