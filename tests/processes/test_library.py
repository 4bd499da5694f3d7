"""The processes that come with Canut are whole, in both languages."""

import time
from collections import Counter

import pytest

from canut.agents.grounding.checks_run import run
from canut.agents.model import step_of
from canut.errors import Invalid, NotFound, Problem
from canut.processes.library import (
    library_folder,
    library_slugs,
    load_shipped,
    read_asset,
    with_options,
    with_taxonomy,
)
from canut.processes.load import Loaded
from canut.processes.model import LOCALES
from canut.processes.taxonomy import read_taxonomy
from canut.questions.registry import load_question

SLUGS = [
    "catalogue/categorise",
    "catalogue/enrich",
    "images/tag",
    "invoices/capture",
    "reviews/moderate",
    "search/relevance",
]


@pytest.fixture(scope="module", params=SLUGS)
def loaded(request: pytest.FixtureRequest) -> Loaded:
    return load_shipped(request.param)


def test_the_library_is_what_we_say_it_is() -> None:
    """Every folder is found by its own slug, none is missing."""
    assert library_slugs() == SLUGS
    assert [load_shipped(slug).definition.slug for slug in SLUGS] == SLUGS


def test_shipped_processes_have_no_warning(loaded: Loaded) -> None:
    """Nothing we ship lacks a translation, and its sample and gold are worth trying."""
    assert loaded.warnings == ()
    assert len(loaded.sample) >= 20
    assert len(loaded.gold) >= 10
    for step in loaded.definition.steps:
        assert sorted(step.instructions) == sorted(LOCALES)
        assert all(len(text) > 600 for text in step.instructions.values())


def test_gold_answers_survive_what_people_would_do_with_them(loaded: Loaded) -> None:
    """A gold answer is normal already and can be described in both languages."""
    for step in loaded.definition.steps:
        question = load_question(step.question)
        answers = [item.answers[step.slug] for item in loaded.gold if step.slug in item.answers]
        assert answers
        for answer in answers:
            assert question.normalise(answer) == answer
            assert all(question.describe(answer, locale) for locale in LOCALES)


def test_the_catalogue_covers_every_category() -> None:
    """The demo measures accuracy: every reference has its truth, every class its references, and
    no title gives two."""
    loaded = load_shipped("catalogue/categorise")
    question = loaded.definition.steps[0].question
    parents = {option["parent"] for option in question["options"] if "parent" in option}
    leaves = {option["value"] for option in question["options"]} - parents
    per_leaf = Counter(item.answers["category"] for item in loaded.gold)
    assert len(leaves) >= 24
    assert len(parents) >= 6
    assert set(per_leaf) == leaves
    assert min(per_leaf.values()) >= 10
    assert [item.reference for item in loaded.gold] == [item.reference for item in loaded.sample]
    assert len(loaded.sample) >= 320
    titles = {item.payload["title"] for item in loaded.sample}
    assert len(titles) == len(loaded.sample)
    languages = Counter(item.payload["language"] for item in loaded.sample)
    assert set(languages) == {"en", "fr"}
    assert min(languages.values()) >= 100
    assert not any("category" in item.payload for item in loaded.sample)


@pytest.mark.parametrize("locale", LOCALES)
def test_instructions_name_categories_that_exist(locale: str) -> None:
    """Examples quote labels as people see them; a renamed category must not leave them behind."""
    (step,) = load_shipped("catalogue/categorise").definition.steps
    labels = {option["label"][locale] for option in step.question["options"]}
    lines = step.instructions[locale].split("\n")
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if line[:1] == "|"][2:]
    assert len(rows) >= 8
    for row in rows:
        assert set(row[2:4]) <= labels, row


def test_every_picture_of_the_sample_is_there() -> None:
    """`asset:NAME` leads to a picture, and every picture is used."""
    names = {item.payload["image"] for item in load_shipped("images/tag").sample}
    for name in names:
        asset = read_asset("images/tag", name.removeprefix("asset:"))
        assert asset.media_type == "image/svg+xml"
        assert asset.data.startswith(b"<svg ")
        assert b"<script" not in asset.data
    shipped = {f"asset:{file.name}" for file in (library_folder("images/tag") / "assets").iterdir()}
    assert names == shipped


def test_the_checks_of_invoices_hold_of_what_is_right() -> None:
    """Each known answer passes them, in both languages; a total that is a line, or a VAT number of
    another invoice, does not."""
    loaded = load_shipped("invoices/capture")
    step = step_of(loaded.definition.steps[0], loaded.definition.item)
    text = {item.reference: {"text": item.payload["text"]} for item in loaded.sample}
    known = {item.reference: item.answers["fields"] for item in loaded.gold}
    for reference, answer in known.items():
        assert run(step.checks, text[reference], answer) == ()
    first, second = (known[name] for name in ("F-102", "F-103"))
    line = run(step.checks, text["F-102"], first | {"total": 284.5})
    assert [finding.check for finding in line] == ["sum"]
    copied = run(step.checks, text["F-102"], first | {"vat_number": second["vat_number"]})
    assert [finding.check for finding in copied] == ["source"]


@pytest.mark.parametrize("name", ["../process.toml", "..", "", "none.svg", "a/b.svg", "x.txt"])
def test_only_pictures_are_served(name: str) -> None:
    """A name from a request never leads out of the folder of pictures."""
    with pytest.raises(NotFound):
        read_asset("images/tag", name)


def test_an_unknown_process_is_recognised() -> None:
    """The mend names the process that was meant."""
    with pytest.raises(NotFound) as caught:
        load_shipped("catalog/categorise")
    assert caught.value.mend == "did you mean 'catalogue/categorise'?"


def test_a_client_brings_its_own_taxonomy(tmp_path) -> None:
    """A file with nothing but labels is a taxonomy; the rest of the process stays."""
    path = tmp_path / "ten.csv"
    path.write_text("label\nMobile Phones\nFridges\nDigital Cameras\n")
    shipped = load_shipped("catalogue/categorise").definition
    changed = with_taxonomy(shipped, path)
    question = load_question(changed.steps[0].question)
    assert question.normalise("Digital Cameras") == "Digital Cameras"
    assert changed.content_hash() != shipped.content_hash()
    assert changed.steps[0].instructions == shipped.steps[0].instructions
    assert shipped == load_shipped("catalogue/categorise").definition
    with pytest.raises(NotFound):
        with_taxonomy(shipped, tmp_path / "none.csv")


def test_a_taxonomy_needs_a_choice_to_go_to() -> None:
    """Where it would go must be clear."""
    options = [{"value": "a"}, {"value": "b"}]
    for slug, step in [("search/relevance", ""), ("catalogue/categorise", "colour")]:
        with pytest.raises(Invalid):
            with_options(load_shipped(slug).definition, options, step)
    with pytest.raises(Invalid):
        with_options(load_shipped("catalogue/categorise").definition, [{"value": ""}])


def test_every_fault_of_a_taxonomy_is_told(tmp_path) -> None:
    """One reading, every problem, each with its row."""
    path = tmp_path / "bad.csv"
    path.write_text(
        "code,parent,label_en,colour\n"
        "a,,Home,\n"
        "a,,Again,\n"
        "b,home,Lost,\n"
        "c,c,Own parent,\n"
        "d,,,\n"
        ",,,\n"
        "e,a\n"
    )
    problems: list[Problem] = []
    read_taxonomy(path, "bad.csv", problems)
    found = {(problem.row, problem.field) for problem in problems}
    assert found == {
        (0, "colour"),
        (2, "code"),
        (3, "parent"),
        (4, "parent"),
        (5, "label"),
        (6, "code"),
        (7, ""),
    }
    assert {problem.file for problem in problems} == {"bad.csv"}


def test_spaces_from_spreadsheets_do_no_harm(tmp_path) -> None:
    """No-break spaces and letters in two pieces come out as the code people will type; what
    cannot be shown is told."""
    path = tmp_path / "copied.csv"
    path.write_text("label\nMobile\u00a0 Phones\nCafe\u0301\n", encoding="utf-8")
    problems: list[Problem] = []
    options = read_taxonomy(path, path.name, problems)
    assert [option["value"] for option in options] == ["Mobile Phones", "Caf\u00e9"]
    assert problems == []
    path.write_text("code,label\na\u200bb,Hidden\n", encoding="utf-8")
    read_taxonomy(path, path.name, problems)
    assert [(problem.row, problem.field) for problem in problems] == [(1, "code")]


@pytest.mark.parametrize("mark", [";", "\t"])
def test_spreadsheets_separate_in_other_ways_too(tmp_path, mark: str) -> None:
    """What a French spreadsheet exports is read as it is, byte order mark included."""
    path = tmp_path / "export.csv"
    lines = ["code;label_fr", "a;Fruits, légumes", "b;Pain"]
    path.write_text("\r\n".join(lines).replace(";", mark), encoding="utf-8-sig")
    problems: list[Problem] = []
    options = read_taxonomy(path, path.name, problems)
    assert problems == []
    assert options[0] == {"value": "a", "label": {"fr": "Fruits, légumes"}}


def test_faults_in_a_large_taxonomy_are_told_in_time(tmp_path) -> None:
    """Thousands of unknown parents among thousands of codes are reported in seconds."""
    path = tmp_path / "large.csv"
    path.write_text("code,parent,label\n" + "".join(f"c{i},q{i},L\n" for i in range(5_000)))
    problems: list[Problem] = []
    began = time.process_time()
    read_taxonomy(path, path.name, problems)
    assert time.process_time() - began < 5
    assert len(problems) == 5_000


def test_large_taxonomies_load(tmp_path) -> None:
    """Ten thousand classes in two levels are read and answered."""
    rows = [f"p{i},,Parent {i}," for i in range(100)]
    rows += [f"c{i},p{i % 100},Class {i},syn {i}|autre {i}" for i in range(10_000)]
    path = tmp_path / "large.csv"
    path.write_text("code,parent,label,synonyms\n" + "\n".join(rows))
    changed = with_taxonomy(load_shipped("catalogue/categorise").definition, path)
    assert load_question(changed.steps[0].question).normalise("c9999") == "c9999"
    assert len(changed.steps[0].question["options"]) == 10_100
