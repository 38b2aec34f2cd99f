"""Requests that differ in their messages alone: what was made of a reply for one serves them all.

Tests mostly ask something else each time, with the same model, tools and options. A scripted reply
goes by those, and by the messages only in what they cost. That is proven for each reply, by making
it with messages that refuse to be looked at; then only the messages are counted for the next request.
"""

import json
from dataclasses import dataclass, replace

from mockchat.contract.contract import Contract
from mockchat.payloads.forms import AlikeForm
from mockchat.payloads.frames import Frame
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.tokens import Tokenizer, message_token_kinds
from mockchat.payloads.unread import Looked, counted, has_sums, unread
from mockchat.scripting.contents import Reply
from mockchat.scripting.replies import Answer, answer
from mockchat.scripting.request_view import RequestView
from mockchat.server.ready import Ready
from mockchat.types import JsonView, Level

_OWN_SIZE = 2048
"""About how many bytes a family takes besides what its requests have in common."""
_NOTHING = {"text": 0, "image": 0, "audio": 0}
"""What messages cost that are not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A reply as it is made for requests that differ in their messages alone.

    Attributes:
        reply: The reply.
        answer: What they are answered; sums stand for what the messages cost.
        frame: The frame of that.
        sums: The members in which sums stand.
        form: How its body is written, None where that is not known.
    """

    reply: Reply
    answer: Answer
    frame: Frame
    sums: JsonView
    form: AlikeForm | None

    @classmethod
    def of(
        cls,
        reply: Reply,
        view: RequestView,
        *,
        contract: Contract,
        level: Level,
        tokenizer: Tokenizer,
    ) -> "Family | None":
        """Return the family of a request that breaks nothing; None where its messages matter more.

        Args:
            reply: What it was answered: a text, a refusal or choices of them.
            view: The request.
            contract: Judges the reply.
            level: How the reply is judged.
            tokenizer: What counts tokens.
        """
        apart = replace(view, body=unread(view.body))
        try:
            made = answer(
                reply,
                apart,
                contract=contract,
                draw=SeededDraw(0),
                level=level,
                tokenizer=tokenizer,
                is_flawless=True,
            )
            if made.frame is None:
                return None
            completion = counted(made.completion, _NOTHING)
            found = contract.exchange_violations(
                apart.body, completion, level=level, is_flawless=True
            )
        except Looked:
            return None
        if reply.is_checked and not all(violation.is_note for violation in found):
            return None
        try:
            form = AlikeForm.of(made.frame.members, made.frame.blanks)
        except (TypeError, ValueError):  # whoever writes it whole says what is wrong
            form = None
        sums = {name: value for name, value in made.frame.members.items() if has_sums(value)}
        return cls(reply=reply, answer=made, frame=made.frame, sums=sums, form=form)

    @property
    def size(self) -> int:
        """About how many bytes are written."""
        return 0 if self.form is None else self.form.counted(_NOTHING).size

    def ready(self, body: JsonView, tokenizer: Tokenizer) -> Ready:
        """Return the reply made for a further request."""
        tokens = message_token_kinds(body.get("messages"), tokenizer)
        numbers = {"text": tokens.text, "image": tokens.image, "audio": tokens.audio}
        members = {**self.frame.members, **counted(self.sums, numbers)}
        frame = Frame(members=members, blanks=self.frame.blanks, patterns=self.frame.patterns)
        form = None if self.form is None else self.form.counted(numbers)
        return Ready(self.reply, self.answer, frame, form)


class Families:
    """The families that an app has met, within bounds; safe to use from many threads.

    Args:
        most: How many bytes they may take together.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._met: dict[tuple[str, int], tuple[Reply, Family | None]] = {}

    def find(self, name: str, reply: Reply) -> Family | None:
        """Return the family of a request, None where there is none."""
        met = self._met.get((name, id(reply)))
        return None if met is None else met[1]

    def is_met(self, name: str, reply: Reply) -> bool:
        """Tell whether such a request came before: only then it is worth it to look for its family."""
        return (name, id(reply)) in self._met

    def keep(self, name: str, reply: Reply, family: Family | None) -> None:
        """Remember what is known of such requests; at the bound all are met anew.

        That a reply is held keeps its `id` its own.
        """
        size = len(name) + _OWN_SIZE + (0 if family is None else family.size)
        self._size += size
        if self._size > self._most:
            self._met, self._size = {}, size
        self._met[name, id(reply)] = reply, family


def name_of(body: JsonView) -> str:
    """Return what requests have in common that differ in their messages alone."""
    return json.dumps({name: body[name] for name in body if name != "messages"})
