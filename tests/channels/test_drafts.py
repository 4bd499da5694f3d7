"""What a file is taken for, and what a form becomes."""

import io
from typing import Any

import msgspec
import pytest

from canut.channels.drafts.columns import match, recognise
from canut.channels.drafts.files import pasted
from canut.channels.drafts.looking import begin
from canut.errors import Invalid, Problem
from canut.insight.asking import asking, proof
from canut.insight.store_asking import Measured
from canut.processes.library import library_slugs, load_shipped
from canut.processes.making import form_of, make_question
from canut.processes.model import ItemField, Promise
from canut.questions.registry import load_question


def test_columns_are_told_by_what_they_hold() -> None:
    """Names in either language, pictures by their addresses, codes that begin with a nought stay
    texts, personal data are not shown; a few odd values do not hide what the others are."""
    rows = [
        {"Réf.": f"A{n}", "visuel": f"https://shop.example/{n}.jpg", "EAN": f"0{n}",
         "prix": f"{n},50",
         "courriel": f"p{n}@mail.example", "bio": "oui" if n % 2 else "non"}
        for n in range(40)
    ]  # fmt: skip
    rows[7]["prix"] = "on request"
    found = {one.name: one for one in recognise(list(rows[0]), rows).columns}
    kinds = {name: one.kind for name, one in found.items()}
    assert kinds == {"Réf.": "text", "visuel": "image", "EAN": "text", "prix": "number",
                     "courriel": "text", "bio": "boolean"}  # fmt: skip
    assert [name for name, one in found.items() if one.key] == ["Réf."]
    assert [name for name, one in found.items() if one.personal] == ["courriel"]


def test_a_file_that_is_no_utf8_can_be_looked_at() -> None:
    """What a spreadsheet saves in the letters of its country, or with NUL in it, becomes a draft
    that can be kept and shown; its rows are told apart later. Names of columns must be text."""
    facts = begin(io.BytesIO("title\nCaf\xe9 moulu\nThé\0\nLamp\n".encode("latin-1")), "a.csv", 99)
    assert facts.columns[0].samples == ("Caf\ufffd moulu", "Th\ufffd\ufffd", "Lamp")
    assert "\\u0000" not in msgspec.json.encode(facts).decode()
    with pytest.raises(Invalid, match="are no text") as wrong:
        begin(io.BytesIO("libell\xe9\nLamp\n".encode("latin-1")), "a.csv", 99)
    assert wrong.value.mend == "save the file as UTF-8"


def test_columns_are_matched_by_name_meaning_and_kind() -> None:
    """Headings in either language, synonyms, a picture whatever it is called; each column once."""
    fields = (
        ItemField("title", {"en": "Title", "fr": "Titre"}, required=True),
        ItemField("photo", {"en": "Photo", "fr": "Photo"}, "image", required=True),
        ItemField("brand", {"en": "Brand", "fr": "Marque"}),
        ItemField("weight", "Weight", "number"),
    )
    names = ["SKU", "Désignation", "fabricant ", "pack shot"]
    rows = [{"SKU": f"k{n}", "Désignation": "Lamp", "fabricant ": "Brasquet",
             "pack shot": f"https://shop.example/{n}.png"} for n in range(5)]  # fmt: skip
    guessed = match(fields, recognise(names, rows).columns)
    assert guessed == {"title": "Désignation", "photo": "pack shot", "brand": "fabricant ",
                       "weight": "", "reference": "SKU"}  # fmt: skip


@pytest.mark.parametrize("slug", library_slugs())
def test_a_question_survives_its_form(slug: str) -> None:
    """What is read into a form and not changed comes back as it was, in every language: a new
    version from an old one loses nothing."""
    for step in load_shipped(slug).definition.steps:
        form = form_of(step, "fr")
        if form is None:
            continue
        problems: list[Problem] = []
        held = step.question.get("options", []) if "options" not in form else []
        again = make_question(form, problems, locale="fr", options=held, base=step.question)
        assert problems == []
        assert load_question(again) == load_question(step.question)


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ({"type": ["choice"], "title": ["?"], "options": ["a\na\nb"]}, {"options"}),
        ({"type": ["choice"], "options": ["a"]}, {"title", "options"}),
        ({"type": ["scale"], "title": ["?"], "min": ["5"], "max": ["1"]}, {"max"}),
        ({"type": ["number"], "title": ["?"], "min": ["many"]}, {"min"}),
        ({"type": ["record"], "title": ["?"]}, {"part.0.label"}),
        ({"type": ["record"], "title": ["?"], "part.0.label": ["x"], "part.0.type": ["choice"]},
         {"part.0.options"}),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_question_is_told_at_its_field(
    form: dict[str, list[str]], wrong: set[str]
) -> None:
    """Everything at once, where the form has it."""
    problems: list[Problem] = []
    make_question(form, problems, locale="en")
    assert {problem.field for problem in problems} == wrong


def test_what_is_pasted_is_a_table() -> None:
    """Cells of a spreadsheet, lines without a header, and nothing that only looks like text."""
    names = [
        one.name for one in begin(pasted("a\tb\n1\t2\n", headed=True), "p.csv", 10_000).columns
    ]
    assert names == ["a", "b"]
    facts = begin(pasted("A kettle, red\nA lamp, blue", headed=False), "p.csv", 10_000)
    assert [one.name for one in facts.columns] == ["column 1", "column 2"]
    with pytest.raises(Invalid):
        begin(io.BytesIO(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(200)), "items.csv", 10_000)


def test_less_error_is_never_cheaper_and_measured_beats_assumed() -> None:
    """The estimate grows as fewer mistakes are allowed, its range narrows once people are
    measured, and the audits are those that the documentation promises."""
    step = load_shipped("images/tag").definition.steps[0]
    question: Any = load_question(step.question)
    costs = [
        asking(msgspec.structs.replace(step, target_confidence=t, max_answers=9), question,
               Measured()).answers for t in (0.9, 0.95, 0.99)
    ]  # fmt: skip
    assert costs[0].likely <= costs[1].likely <= costs[2].likely
    assert all(one.low <= one.likely <= one.high for one in costs)
    known = asking(step, question, Measured(850, 1000))
    assert known.judged == 1000
    assert known.accuracy.high - known.accuracy.low < 0.05
    assert proof(Promise(), 1000).audits == 161
    assert proof(Promise(error_max=0.05), 300).audits == 61
    assert proof(Promise(), 10).audits == 10
