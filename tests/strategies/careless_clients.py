"""Small clients, each with one bug that real clients have had: what strategies must find."""

import json

ASKING = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}], "stream": True}
WITH_USAGE = ASKING | {"stream_options": {"include_usage": True}}
TWICE = ASKING | {"n": 2}
_PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WITH_TOOLS = ASKING | {
    "tools": [{"type": "function", "function": {"name": "f", "parameters": _PARAMETERS}}]
}

CALLING = WITH_TOOLS | {"tool_choice": "required"}


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


def text_until_finish(chunks):
    """Believe that nothing follows a finish reason, and that one comes with nothing else."""
    text = ""
    for chunk in chunks:
        for choice in chunk["choices"]:
            if choice["finish_reason"]:
                return {0: text}
            text += choice["delta"].get("content") or ""
    raise ValueError("no finish reason")


def finish_reasons(chunks):
    """Return how each choice ended: the careful client."""
    said = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            if choice["finish_reason"]:
                said[choice["index"]] = choice["finish_reason"]
    return said


def finish_reason_once(chunks):
    """Believe that one finish reason is all there is."""
    ended = [
        choice["finish_reason"]
        for chunk in chunks
        for choice in chunk["choices"]
        if choice["finish_reason"]
    ]
    (reason,) = ended
    return {0: reason}


def names_in_every_piece(chunks):
    """Believe that every piece of a call names its tool."""
    said = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            for piece in choice["delta"].get("tool_calls", ()):
                name = piece["function"]["name"]
                said[piece["index"], name] = (
                    said.get((piece["index"], name), "") + piece["function"]["arguments"]
                )
    return [text for _, text in sorted(said.items())]


def text_without_strangers(chunks):
    """Believe that there is a role where there is a first chunk of a choice, and text in it."""
    text, is_first = "", True
    for chunk in chunks:
        for choice in chunk["choices"]:
            delta = choice["delta"]
            text += delta["content"] if is_first else delta.get("content") or ""
            is_first = False
    return {0: text}


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


def events_of_decoded_escapes(pieces):
    """Believe that a read ends where a JSON text does: parse each read by itself, drop what fails."""
    said = []
    for piece in pieces:
        for line in piece.split(b"\n\n"):
            try:
                said += events([line])
            except ValueError:
                continue
    return said


def events_of_lines(pieces):
    """Believe that a read ends where a line does."""
    lines = [line for piece in pieces for line in piece.decode(errors="replace").splitlines()]
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    return [json.loads(each) for each in data if each != "[DONE]"]


def events_of_each_read(pieces):
    """Believe that a read ends where an event does."""
    return [event for piece in pieces for event in events([piece])]


def events_of_decoded_reads(pieces):
    """Believe that a read ends where a character does."""
    text = "".join(piece.decode(errors="replace") for piece in pieces)
    return events([text.encode()])
