"""English and French: nothing untranslated, and the right language for a request."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.people.rules import LOCALES
from canut.web.formats import formats
from canut.web.i18n import Patterns, catalogues, negotiate, sentence, translations
from scripts.messages import in_python, known, missing, needed, unused

READ = catalogues("fr")
FRENCH = Patterns(READ, translations(READ))
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")


def test_every_message_has_a_translation() -> None:
    """A page or an error with a message that has no French fails here, by name."""
    assert len(needed()) > 100
    assert missing("fr") == {}


def test_no_translation_is_left_over() -> None:
    """A message that was reworded takes its old translation with it."""
    assert unused("fr") == []


def test_translations_keep_placeholders() -> None:
    """A translation that loses or invents a placeholder would fail when it is shown."""
    for message, translation in known("fr").items():
        one = message if isinstance(message, str) else message[1]
        other = translation if isinstance(translation, str) else translation[1]
        assert set(PLACEHOLDER.findall(other)) == set(PLACEHOLDER.findall(one)), one


def test_extraction_finds_marks_errors_and_patterns() -> None:
    """What is marked or raised is found, by branch; text put together is found as a pattern."""
    source = (
        'N_("a")\nraise Invalid("b", mend="c")\nInvalid(f"d {x} and {y!r}")\nother("e")\n'
        'refuse("f" if x else "g")\nmessage = f"h {len(x):,}"\n'
    )
    found = {message for _, message in in_python(source)}
    assert found == {"a", "b", "c", "d {0} and {1}", "f", "g", "h {0}"}


def test_every_message_with_values_is_said_in_french() -> None:
    """Finished English text finds its pattern again: the words are French, the values are kept."""
    values, french = ["3", "Kelmoor", "k-9", "x7"], known("fr")
    messages = [m for m in needed() if "{0}" in m]
    said = {m: FRENCH.gettext(m.format(*values)) for m in messages}
    assert said == {m: str(french[m]).format(*values) for m in messages}


@pytest.mark.parametrize(
    ("english", "french"),
    [
        ("'x' is not an option", "«\u00a0x\u00a0» n’est pas un choix possible"),
        ("is 12,500 characters long", "le texte compte 12\u202f500 caractères"),
        (
            "did you mean 'Titre'? the file has: 'sku', 'Titre'",
            "vouliez-vous dire «\u00a0Titre\u00a0»\u202f? le fichier contient\u00a0: "
            "«\u00a0sku\u00a0», «\u00a0Titre\u00a0»",
        ),
        ("a.pdf holds no table: it is a PDF.", "a.pdf n’est pas un tableau\u00a0: c’est un PDF."),
        ("", ""),
        ("Nobody wrote this.", "Nobody wrote this."),
    ],
)
def test_values_are_written_as_in_the_language(english: str, french: str) -> None:
    """Quotation marks, thousands, and messages within messages; what is unknown stays."""
    assert FRENCH.gettext(english) == french


@given(st.text(max_size=300))
def test_any_text_can_be_said(text: str) -> None:
    """What a file holds may stand in a message: no text breaks the translation."""
    assert isinstance(FRENCH.gettext(f"{text!r} is not an option"), str)
    assert isinstance(FRENCH.gettext(text), str)


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        ("is missing", "Is missing."),
        ("Which one?", "Which one?"),
        ("", ""),
        ("é…", "É…"),
        ("a.csv is empty", "a.csv is empty."),
    ],
)
def test_sentences(said: str, whole: str) -> None:
    """Problems are short phrases for programs, and sentences for people."""
    assert sentence(said) == whole


def test_a_missing_translation_falls_back_to_english() -> None:
    """A plug-in's message that nobody translated is shown as it is."""
    assert translations(READ).gettext("no such message") == "no such message"
    assert translations(READ).gettext("Log in") == "Se connecter"
    assert translations(catalogues("en")).gettext("Log in") == "Log in"


@pytest.mark.parametrize(
    ("asked", "accept", "expected"),
    [
        (["fr", "en"], "", "fr"),
        (["de", None, "fr"], "en", "fr"),
        ([None], "de-DE,fr;q=0.8,en;q=0.9", "en"),
        ([None], "fr-CA, en;q=0.5", "fr"),
        ([None], "fr;q=0, en;q=0.1", "en"),
        ([None], "fr;q=high", "en"),
        ([], "", "en"),
    ],
)
def test_negotiation(asked: list[str | None], accept: str, expected: str) -> None:
    """What was asked for wins, then the browser's order, then English."""
    assert negotiate(asked, accept) == expected


@given(st.text(max_size=300))
def test_any_accept_language_header_gives_a_language(header: str) -> None:
    """A header is what a stranger sends: it never breaks a page."""
    assert negotiate([], header) in LOCALES


def test_formats() -> None:
    """Numbers, money and times are written as each language writes them."""
    english, french = formats("en"), formats("fr")
    assert english["number"](26301) == "26,301"
    assert english["number"](2.5, 2) == "2.50"
    assert french["number"](26301, 0) == "26\u202f301"
    assert (english["entered"]("1200.50"), french["entered"]("1200.50")) == ("1200.50", "1200,50")
    assert english["percent"](0.934) == "93.4%"
    assert french["percent"](0.934) == "93,4\u202f%"
    assert (english["belief"](0.9994), english["belief"](0.9996)) == ("99.9%", "over 99.9%")
    assert (english["belief"](1.0, 0), french["belief"](1.0)) == (
        "over 99%",
        "plus de 99,9\u00a0%",
    )
    assert english["measure"](1.0, "belief", False) == "over 99.9%"
    assert english["money"](1250, "EUR") == "€12.50"
    assert french["money"](1250, "EUR") == "12,50\u00a0€"
    assert english["money"](1250, "JPY") == "¥1,250"
    assert english["day"](0) == "1 Jan 1970"
    assert "janv. 1970" in french["moment"](0)
    assert french["duration"](7_200_000) == "2\u00a0heures"
