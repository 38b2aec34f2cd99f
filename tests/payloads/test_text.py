"""Generated text is what a user reads first: it must be real text in the language asked for."""

import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.errors import BadArgument
from mockchat.payloads.seeded import SeededDraw
from mockchat.payloads.simplest import SimplestDraw
from mockchat.payloads.text import HAZARDS, language, locale_of, prose, sentence, wild_text
from mockchat.payloads.tokens import approximate_tokens

SEEDS = st.integers(0, 2**32)
LATIN = language("la")


@given(SEEDS)
def test_prose_is_non_empty_printable_and_on_one_line(seed):
    """Plain text is what every client accepts."""
    text = prose(SeededDraw(seed))
    assert text.strip() == text != ""
    assert text.isprintable()


@given(SEEDS)
def test_prose_is_a_pure_function_of_the_draw(seed):
    """One seed decides everything: no randomness of Faker's own."""
    assert prose(SeededDraw(seed)) == prose(SeededDraw(seed))


@given(SEEDS, st.integers(1, 30))
def test_prose_keeps_a_limit_that_a_word_can_keep(seed, limit):
    """A limit is no reason for a cut text while a shorter sentence would do."""
    text = prose(SeededDraw(seed), at_most=limit)
    count = approximate_tokens().count(text)
    assert count <= limit or " " not in text


@given(SEEDS)
def test_prose_has_as_many_sentences_as_asked(seed):
    """`verbosity` shows in the length."""
    assert prose(SeededDraw(seed), sentences=(4, 4)).count(".") == 4


@pytest.mark.parametrize(
    ("locale", "script"),
    [
        ("ko_KR", "HANGUL"), ("ja_JP", ("CJK", "HIRAGANA", "KATAKANA")), ("zh_CN", "CJK"),
        ("ru_RU", "CYRILLIC"), ("bg_BG", "CYRILLIC"), ("hi_IN", "DEVANAGARI"), ("ar_EG", "ARABIC"),
        ("ka_GE", "GEORGIAN"), ("th_TH", "THAI"), ("el_CY", "GREEK"), ("he_IL", "HEBREW"),
        ("gu_IN", "GUJARATI"), ("ta_IN", "TAMIL"),
    ],
)  # fmt: skip
def test_a_locale_is_written_in_its_script(locale, script):
    """Faker answers Latin placeholder text for languages it lacks; users must never see it."""
    for seed in range(20):
        letters = [char for char in prose(SeededDraw(seed, locale=locale)) if char.isalpha()]
        names = [unicodedata.name(char) for char in letters]
        assert not any(name.startswith("LATIN") for name in names)
        assert any(name.startswith(script) for name in names)


@pytest.mark.parametrize("locale", ["en_GB", "en_PH", "fr_CA", "sv_SE", "pt_BR", "fi_FI", "de_CH"])
def test_a_latin_script_is_not_lorem_ipsum(locale):
    """A relative's words, or names and places, serve where Faker has no words of the locale."""
    words = language(locale).words
    assert len(words) > 20
    assert len(set(words) & set(LATIN.words)) < len(words) / 10


def test_a_region_reads_like_its_language():
    """British and American English share Faker's words."""
    assert language("en_GB").words == language("en_US").words
    assert language("de").words == language("de_DE").words


def test_latin_itself_can_be_asked_for():
    """Placeholder text is a fallback nobody gets, not a locale nobody may have."""
    assert prose(SeededDraw(1, locale="la")).endswith(".")


@pytest.mark.parametrize("locale", ["xx_XX", "am_ET", ""])
def test_a_locale_without_text_is_refused_by_name(locale):
    """A typo must not become another language."""
    with pytest.raises(BadArgument) as caught:
        language(locale)
    assert (caught.value.name, caught.value.value) == ("locale", locale)


def test_the_draw_decides_on_the_locale():
    """A server's locale reaches every text through its draws."""
    assert locale_of(SeededDraw(1, locale="ja_JP")) == "ja_JP"
    assert locale_of(SimplestDraw()) == "en_US"
    assert prose(SeededDraw(1), locale="ja_JP") == prose(SeededDraw(1, locale="ja_JP"))


@pytest.mark.parametrize("locale", ["en_US", "ja_JP", "th_TH"])
def test_a_sentence_has_its_words_and_stop(locale):
    """Scripts without spaces join their words and use their own full stop."""
    tongue = language(locale)
    text = sentence(SimplestDraw(), 3, tongue)
    word = tongue.words[0]
    first = word[0].title() + word[1:]
    assert text == tongue.connector.join([first, word, word]) + tongue.full_stop


@given(SEEDS)
def test_wild_text_can_travel(seed):
    """Wild is anything JSON and UTF-8 carry: no lone surrogates."""
    wild_text(SeededDraw(seed)).encode("utf-8")


def test_wild_text_reaches_every_hazard():
    """Each text that breaks careless clients must be able to come up."""
    seen = {wild_text(SeededDraw(seed)) for seed in range(3000)}
    assert set(HAZARDS) <= seen
    assert {"", "\u2028", "data: [DONE]", "a"} <= set(HAZARDS)
    assert any(len(text) > 200 for text in seen)


def test_faker_is_imported_only_for_text():
    """Importing Faker costs 50 ms that a scripted reply should not pay."""
    code = "import mockchat.payloads.completions, sys; sys.exit('faker' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
