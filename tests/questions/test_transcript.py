"""Text questions that ask for a transcript."""

import time
from typing import Any

import numpy as np
import pytest

from canut.questions.base import Answers, Beliefs, Track
from canut.questions.conformance import as_answers, check_question_type, fresh
from canut.questions.text import Text, TextType
from canut.questions.transcript import sentence, words_of

DEFINITION = {
    "type": "text",
    "title": {"en": "What is said?", "fr": "Que dit-on ?"},
    "transcript": True,
    "multiline": True,
}


class Transcribed(TextType):
    """The type `text`, with an example of a transcript."""

    def example(self) -> tuple[dict[str, Any], list[Any]]:
        return DEFINITION, [
            "The loom stands by the river.",
            "  Vraiment ?   Oui,\r\n- c'est cela\u2026",
            "No.",
        ]


def question(**more: object) -> Text:
    return TextType().load({**DEFINITION, **more})


def decided(*texts: str, by: Text | None = None) -> Beliefs:
    asked = by or question()
    rows = [(0, c, asked.normalise(text)) for c, text in enumerate(texts)]
    return asked.aggregate(as_answers(rows, 2), fresh(len(texts)))


def test_keeps_every_rule():
    """Protects the contract of question types: the flag changes nothing of it."""
    check_question_type(Transcribed())


def test_put_together_with_its_writing():
    """Protects the decision: nobody's own, but what most say at each place, with the capitals,
    marks and lines that most write; a task nobody answered has none."""
    belief = decided(
        "The loom stands in the house,\nby the river !",
        "the loom, stands in the horse\nby the river",
        "The broom stands in the house,\nby the river !",
    )
    assert belief.value == ["The loom stands in the house,\nby the river !", None]
    assert belief.agreement[0] == belief.agreement.max()
    assert belief.confidence[0] > 0.5
    assert belief.confidence[1] == 0


def test_agreement_is_one_less_the_word_error_rate():
    """Protects audits: punctuation and spacing do not count, case where it is said to, and a
    wrong word is one error however many letters are wrong."""
    asked = question()
    assert asked.agree("It is, here.", "it is here") == 1
    assert question(case_sensitive=True).agree("It is here", "it is here") == pytest.approx(2 / 3)
    assert asked.agree("one two three four", "one twelve three four") == 0.75
    assert asked.agree("one", "five six seven eight nine") == 0
    assert asked.agree("5 %", "5") < 1
    assert asked.agree("-5", "5") < 1


def test_words_and_their_writing():
    """Protects punctuation: marks that stand alone go with a word, lines stay lines, and a text
    comes back as it was."""
    for text in (
        "Oui !\n- Non\u2026",
        "\u2026",
        "\u00ab Tiens \u00bb, dit-il.\n\nFin",
        "a\n?",
        "\u2013 a",
    ):
        assert sentence(words_of(text, case_sensitive=False).written) == text
    assert words_of("\u00ab L'\u00c9t\u00e9 \u00bb, 5 % - oui", case_sensitive=False).spoken == [
        "l'\u00e9t\u00e9",
        "5",
        "%",
        "oui",
    ]


def test_too_long_together_is_one_of_the_answers():
    """Protects `max_length`: what is decided is always an answer that could have been given."""
    short = question(max_length=9)
    belief = decided("aaaa b cc", "a bbbb cc", "aaaa bbbb", by=short)
    assert all(len(value) <= 9 for value in belief.value if value)
    assert 0 <= belief.confidence[0] <= 1


def test_ten_thousand_are_no_burden():
    """Protects the engine: 2,000 tasks of three transcripts of 20 words take less than 2 seconds
    of CPU (10,000 take about two, on a machine that nobody shares)."""

    chance = np.random.default_rng(3)
    truth = chance.integers(0, 900, (2_000, 20))
    task = np.repeat(np.arange(2_000, dtype=np.int32), 3)
    noise = chance.integers(0, 900, (6_000, 20))
    heard = np.where(chance.random((6_000, 20)) < 0.85, truth[task], noise)
    values = [" ".join(f"word{i}" for i in row) for row in heard.tolist()]
    who = chance.integers(0, 50, 6_000).astype(np.int32)
    track = Track(np.full(50, 80.0), np.full(50, 100.0))
    start = time.process_time()
    belief = question().aggregate(Answers(task, who, values, 2_000), track)
    assert time.process_time() - start < 2
    better = [
        question().agree(value, " ".join(f"word{i}" for i in row))
        for value, row in zip(belief.value[:200], truth.tolist(), strict=False)
    ]
    assert np.mean(better) > 0.93
