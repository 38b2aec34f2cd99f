"""Prose in the user's language, and the text that troubles clients most.

Faker knows the words; the choices are ours, so that one seed (or Hypothesis) decides everything.
"""

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, cast

from mockchat.errors import BadArgument
from mockchat.payloads.draw import Draw
from mockchat.payloads.tokens import Tokenizer, approximate_tokens

if TYPE_CHECKING:
    from faker import Faker
    from faker.providers import BaseProvider
    from faker.providers.lorem import Provider as LoremProvider

DEFAULT_LOCALE = "en_US"

_PLACEHOLDER = "la"  # Faker's lorem ipsum: what it answers for a language it has no words of.

# Faker has Korean names and places but no Korean words.
_KOREAN = (
    "오늘", "날씨", "바다", "마을", "작은", "푸른", "하늘", "길", "사람", "이야기", "아침", "저녁",
    "조용한", "강물", "나무", "책", "노래", "함께", "천천히", "다시", "우리", "친구", "도시", "여름",
    "겨울", "빛", "창문", "시간", "마음", "새로운", "커피", "빵", "학교", "시장", "기차", "여행",
)  # fmt: skip

HAZARDS = (
    "", "a", " ", "\n", "\u2028", "\u2029", "data: [DONE]", "data: [DONE]\n\n", "\n\ndata: {}\n\n",
    "[DONE]", "\r\n\r\n", ": comment\n\n", "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "e\u0301", "\u202eabc", "\ufeff", "\x00", "\\u0000", '"', "\\", "</script>", "null", "{}", "[]",
    '{"error": {}}', "\U0010ffff", "\t", "\x7f", "\x85", "```json\n{}\n```", "%s %d {0}", "NaN",
)  # fmt: skip
"""Text that is legal in any JSON string and breaks careless clients: each stands alone as a reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The words of one language and how they become a sentence."""

    locale: str
    words: tuple[str, ...]
    connector: str
    full_stop: str


def locale_of(draw: Draw) -> str:
    """Return the locale a draw was made for, `en_US` for a draw that has none."""
    locale = getattr(draw, "locale", DEFAULT_LOCALE)
    return locale if isinstance(locale, str) else DEFAULT_LOCALE


@cache
def language(locale: str) -> Language:
    """Return the language of `locale`, as Faker names locales ("en_US", "ja_JP", "ko_KR").

    Where Faker lacks words of a locale, those of the same language elsewhere serve (en_GB reads
    like en_US); where it lacks the language, the text is made of its names and places, in its own
    script. Never of Latin placeholder text.

    Raises:
        BadArgument: Faker does not know the locale, or has nothing to read in it.
    """
    from faker import Faker  # noqa: PLC0415 - costs 50 ms, and scripted replies never need it
    from faker.config import AVAILABLE_LOCALES  # noqa: PLC0415 - see above

    if locale not in AVAILABLE_LOCALES:
        raise BadArgument("locale", locale, "a locale Faker knows, such as 'en_US' or 'ja_JP'")
    code = locale.partition("_")[0]
    relatives = sorted(name for name in AVAILABLE_LOCALES if name.partition("_")[0] == code)
    home = [name for name in (code, f"{code}_{code.upper()}") if name in relatives]
    for name in (locale, *home, *relatives):
        tongue = _from_lorem(locale, Faker(name))
        if locale == _PLACEHOLDER or not _is_placeholder(tongue):
            return tongue
    words = _KOREAN if code == "ko" else _names_and_places(Faker(locale))
    if not words:
        raise BadArgument("locale", locale, "a locale in which Faker has words, names or places")
    return Language(locale=locale, words=words, connector=" ", full_stop=".")


def sentence(draw: Draw, words: int, tongue: Language) -> str:
    """Return one sentence of `words` words (at least one)."""
    chosen = [tongue.words[draw.index(len(tongue.words))] for _ in range(max(1, words))]
    text = tongue.connector.join(chosen)
    return text[0].title() + text[1:] + tongue.full_stop


def prose(
    draw: Draw,
    *,
    locale: str | None = None,
    at_most: int | None = None,
    sentences: tuple[int, int] = (1, 3),
    tokenizer: Tokenizer | None = None,
) -> str:
    """Return a few sentences: non-empty, printable, without line breaks.

    Args:
        draw: What decides.
        locale: The language; the draw's own unless said.
        at_most: A length in tokens that the text keeps where even one sentence can: the first
            sentence is shortened word by word, down to one word.
        sentences: How many, at least and at most; fewer where `at_most` leaves no room.
        tokenizer: What counts the tokens.
    """
    tongue = language(locale or locale_of(draw))
    counter = tokenizer or approximate_tokens()
    separator = " " if tongue.connector or not tongue.full_stop else ""
    text = ""
    for _ in range(draw.integer(*sentences)):
        added = sentence(draw, draw.size(3, 14, 7), tongue)
        longer = f"{text}{separator}{added}" if text else added
        if at_most is not None and counter.count(longer) > at_most:
            return text or _shortened(added, at_most, tongue, counter)
        text = longer
    return text


def wild_text(draw: Draw) -> str:
    """Return any text JSON can carry: a hazard, prose, or what the draw finds wild; may be empty."""
    match draw.index(4):
        case 0:
            return HAZARDS[draw.index(len(HAZARDS))]
        case 1:
            return prose(draw)
        case 2:
            hazard = HAZARDS[draw.index(len(HAZARDS))]
            return f"{prose(draw)}{hazard}{draw.text(0, 8, 'wild')}"
        case _:
            return draw.text(0, 400, "wild")


def _shortened(text: str, at_most: int, tongue: Language, tokenizer: Tokenizer) -> str:
    # The words of a sentence without its full stop, fewer and fewer; the last is kept regardless.
    body = text.removesuffix(tongue.full_stop) if tongue.full_stop else text
    words = body.split(tongue.connector) if tongue.connector else [*body]
    while len(words) > 1:
        shorter = tongue.connector.join(words) + tongue.full_stop
        if tokenizer.count(shorter) <= at_most:
            return shorter
        words.pop()
    return words[0]


def _providers(faker: "Faker") -> dict[str, "BaseProvider"]:
    return {it.__provider__.rpartition(".")[2]: it for it in faker.get_providers()}


def _from_lorem(locale: str, faker: "Faker") -> Language:
    lorem = cast("LoremProvider", _providers(faker)["lorem"])
    connector = str(lorem.word_connector)
    full_stop = str(lorem.sentence_punctuation).strip()
    if full_stop == "." and not connector:
        full_stop = "。"
    words = tuple(dict.fromkeys(map(str, lorem.get_words_list())))
    return Language(locale=locale, words=words, connector=connector, full_stop=full_stop)


def _is_placeholder(tongue: Language) -> bool:
    return len(_latin_words().intersection(tongue.words)) * 2 > len(tongue.words)


@cache
def _latin_words() -> frozenset[str]:
    from faker import Faker  # noqa: PLC0415 - costs 50 ms, and scripted replies never need it

    return frozenset(_from_lorem(_PLACEHOLDER, Faker(_PLACEHOLDER)).words)


def _names_and_places(faker: "Faker") -> tuple[str, ...]:
    """Collect words from the names, cities, countries and months Faker has in this language."""
    providers = _providers(faker)
    sources = {
        "person": (faker.first_name, faker.last_name),
        "address": (faker.city, faker.country),
        "date_time": (faker.month_name, faker.day_of_week),
    }
    faker.seed_instance(0)
    found = [
        word
        for room, makers in sources.items()
        if providers[room].__lang__ == faker.locales[0]
        for make in makers
        for _ in range(60)
        for word in str(make()).split()
    ]
    words = tuple(dict.fromkeys(word for word in found if word.isprintable() and word[-1] != "."))
    in_script = tuple(word for word in words if not _has_latin(word))
    return in_script if len(in_script) * 2 > len(words) else words


def _has_latin(word: str) -> bool:
    return any(unicodedata.name(character, "").startswith("LATIN") for character in word)
