"""Small clients, each with one bug that real clients have had: what strategies must find."""

import json

ASKING = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "stream": True}
WITH_USAGE = ASKING | {"stream_options": {"include_usage": True}}
TWICE = ASKING | {"n": 2}
_PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WITH_TOOLS = ASKING | {
    "tools": [{"type": "function", "function": {"name": "f", "parameters": _PARAMETERS}}]
}


def texts(chunks):
    """Return the text of every choice: the careful client."""
    said = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            piece = choice["delta"].get("content") or ""
            said[choice["index"]] = said.get(choice["index"], "") + piece
    return said


def text_of_first_choice(chunks):
    """Believe that every chunk has a choice."""
    return {0: "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)}


def text_without_nulls(chunks):
    """Believe that content, where it is there, is text."""
    text = ""
    for chunk in chunks:
        for choice in chunk["choices"]:
            if "content" in choice["delta"]:
                text += choice["delta"]["content"]
    return {0: text}


def text_without_index(chunks):
    """Believe that all pieces belong to one choice."""
    text = "".join(
        choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"]
    )
    return {0: text}


def arguments(chunks):
    """Return the arguments of every call of the first choice: the careful client."""
    said = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            for piece in choice["delta"].get("tool_calls", ()):
                said.setdefault(piece["index"], []).append(piece["function"]["arguments"])
    return ["".join(said[index]) for index in sorted(said)]


def arguments_of_one_call(chunks):
    """Believe that there is one call."""
    pieces = [
        piece["function"]["arguments"]
        for chunk in chunks
        for choice in chunk["choices"]
        for piece in choice["delta"].get("tool_calls", ())
    ]
    return ["".join(pieces)] if pieces else []


def arguments_in_one_piece(chunks):
    """Believe that arguments come whole: each piece replaces the one before."""
    said = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            for piece in choice["delta"].get("tool_calls", ()):
                said[piece["index"]] = piece["function"]["arguments"]
    return [said[index] for index in sorted(said)]


def events(pieces):
    """Return the events of a stream's bytes: the careful client."""
    blocks = b"".join(pieces).decode().split("\n\n")
    data = [block.removeprefix("data: ") for block in blocks if block]
    return [json.loads(each) for each in data if each != "[DONE]"]


def events_of_each_read(pieces):
    """Believe that a read ends where an event does."""
    return [event for piece in pieces for event in events([piece])]


def events_of_decoded_reads(pieces):
    """Believe that a read ends where a character does."""
    text = "".join(piece.decode(errors="replace") for piece in pieces)
    return events([text.encode()])
