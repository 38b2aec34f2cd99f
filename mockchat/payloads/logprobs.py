"""Token entries: the log probabilities of a text that a request asks for."""

import math

from mockchat.payloads.answering import Answering
from mockchat.payloads.draw import Draw
from mockchat.types import JsonObject, JsonView, Kind

_NEVER = -9999.0  # what the service says of a token it all but excludes
_ALTERNATIVES = (
    " the", " a", " of", " and", " to", " in", " is", " it", ".", ",", " that", " for", " with",
    " as", " on", "\n", " was", " by", "!", " this", " are", " or", " be", " from",
)  # fmt: skip
_DIGITS = 8


def logprobs_of(message: JsonView, answering: Answering, draw: Draw) -> JsonObject | None:
    """Return the entries of a message's text and refusal; None where it has neither.

    Their tokens join to the text. Each entry lists the `top` likeliest tokens, likeliest first;
    in a wild one the chosen token need not be among them.
    """
    top, kind = answering.asked.top_logprobs, answering.kind
    texts = {name: message.get(name) for name in ("content", "refusal")}
    if not any(isinstance(text, str) for text in texts.values()):
        return None
    return {
        name: [_entry(token, top, draw, kind) for token in answering.tokenizer.split(text)]
        if isinstance(text, str)
        else None
        for name, text in texts.items()
    }


def _entry(token: str, top: int, draw: Draw, kind: Kind) -> JsonObject:
    is_unlikely = kind == "wild" and draw.chance(0.05)
    chosen = _NEVER if is_unlikely else round(-draw.number(0, 3), _DIGITS)
    listed = [] if is_unlikely or not top else [_token(token, chosen)]
    others = (other for other in _ALTERNATIVES if other != token)
    # What is left of the certainty, halved from one alternative to the next.
    rest = min(math.log1p(-math.exp(chosen)) if chosen < 0 else _NEVER, chosen)
    for _ in range(min(top, len(_ALTERNATIVES)) - len(listed)):
        rest -= math.log(2)
        listed.append(_token(next(others), round(rest, _DIGITS)))
    return {**_token(token, chosen), "top_logprobs": listed}


def _token(text: str, logprob: float) -> JsonObject:
    return {"token": text, "logprob": logprob + 0.0, "bytes": list(text.encode("utf-8", "replace"))}
