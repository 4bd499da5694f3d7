"""Process folders: what is right is read, what is wrong is told, all of it."""

import re
import tomllib
from pathlib import Path

import pytest

from canut.errors import Conflict, Invalid, NotFound, Problem
from canut.processes.load import Loaded, load_folder
from canut.processes.model import decode_definition
from canut.processes.scaffold import write_scaffold

DOCS = Path(__file__).parents[2] / "docs" / "processes.md"

GOOD = """
slug = "support/urgent"
title = { en = "Urgent", fr = "Urgent" }
description = "Urgent or not"
[item]
[[item.field]]
name = "message"
title = "Message"
required = true
[[step]]
slug = "urgency"
title = "Urgency"
[step.question]
type = "choice"
title = "Now or later?"
options = [{ value = "now" }, { value = "later" }]
"""


def write(folder: Path, toml: str, **files: str) -> Path:
    (folder / "process.toml").write_text(toml, encoding="utf-8")
    for locale in ("en", "fr"):
        (folder / f"instructions.{locale}.md").write_text("# Look")
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


def problems_of(folder: Path) -> list[Problem]:
    with pytest.raises(Invalid) as caught:
        load_folder(folder)
    return caught.value.problems


def places(folder: Path) -> set[str]:
    return {problem.field for problem in problems_of(folder)}


def test_a_small_process_is_read(tmp_path: Path) -> None:
    """Everything is inlined, and what was left out has its default."""
    loaded = load_folder(write(tmp_path, GOOD))
    (step,) = loaded.definition.steps
    assert step.instructions == {"en": "# Look", "fr": "# Look"}
    assert (step.min_answers, step.max_answers, step.expert_skill) == (2, 5, "")
    assert loaded.definition.item.fields[0].required
    assert loaded.warnings == ()


def test_the_definition_is_whole_json_with_a_stable_hash(tmp_path: Path) -> None:
    """The stored definition needs no folder, and the order of keys in the file is no content."""
    definition = load_folder(write(tmp_path, GOOD)).definition
    assert decode_definition(definition.encode()) == definition
    assert re.fullmatch("[0-9a-f]{64}", definition.content_hash())
    lines = GOOD.split("\n")
    turned = GOOD.replace(lines[1] + "\n" + lines[2], lines[2] + "\n" + lines[1])
    assert turned != GOOD
    again = load_folder(write(tmp_path, turned)).definition
    assert again.content_hash() == definition.content_hash()
    other = load_folder(write(tmp_path, GOOD.replace('"now"', '"soon"'))).definition
    assert other.content_hash() != definition.content_hash()


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    """The author mends the file once."""
    broken = """
slug = "Support"
titel = "x"
description = { english = "x" }
[item]
extra = "no"
[[item.field]]
name = "reference"
title = "Key"
[[item.field]]
name = "a b"
type = "txt"
required = 1
[[step]]
slug = "first"
title = ""
min_answers = 6
target_confidence = 95
lease_s = 1
skills = ["Not A Slug"]
color = "red"
[step.question]
type = "choice"
options = [{ value = "a" }, { value = "a" }]
[[step]]
slug = "first"
title = "Second"
instructions = "fixed.md"
[step.question]
type = "choise"
"""
    assert places(write(tmp_path, broken)) == {
        "slug",
        "title",
        "titel",
        "description.english",
        "item.extra",
        "item.field[1].name",
        "item.field[2].name",
        "item.field[2].type",
        "item.field[2].title",
        "item.field[2].required",
        "step[1].title",
        "step[1].max_answers",
        "step[1].target_confidence",
        "step[1].lease_s",
        "step[1].skills",
        "step[1].color",
        "step[1].instructions",
        "step[1].question.title",
        "step[1].question.options[2].value",
        "step[2].slug",
        "step[2].instructions",
        "step[2].question.type",
    }


def test_a_misspelt_key_names_the_right_one(tmp_path: Path) -> None:
    """Did you mean."""
    toml = GOOD.replace('title = "Urgency"', 'title = "Urgency"\nmin_answer = 3')
    (problem,) = problems_of(write(tmp_path, toml))
    assert problem.field == "step[1].min_answer"
    assert problem.mend == "did you mean 'min_answers'?"


@pytest.mark.parametrize("cut", ["[item]", "[[item.field]]", "[[step]]", "[step.question]"])
def test_what_is_missing_is_told(tmp_path: Path, cut: str) -> None:
    """Each part a process cannot do without."""
    start = GOOD.index(cut)
    nexts = [GOOD.find(mark, start + 1) for mark in ("[[step]]",) if GOOD.find(mark, start + 1) > 0]
    end = nexts[0] if nexts else len(GOOD)
    field = cut.strip("[]").replace("step.", "step[1].")
    assert field in places(write(tmp_path, GOOD[:start] + GOOD[end:]))


def test_syntax_errors_and_empty_folders(tmp_path: Path) -> None:
    """The line of the error is named; a folder without a process is not found."""
    with pytest.raises(NotFound):
        load_folder(tmp_path)
    (problem,) = problems_of(write(tmp_path, GOOD + "\nslug = = 1\n"))
    assert "line" in problem.message
    (tmp_path / "process.toml").write_bytes(b"slug = '\xff'")
    assert "UTF-8" in str(problems_of(tmp_path)[0])


def test_missing_translations_are_warnings(tmp_path: Path) -> None:
    """A process works in one language, and the check says which texts lack the other."""
    toml = GOOD.replace('{ value = "now" }', '{ value = "now", label = { en = "Now" } }')
    toml = toml.replace('title = "Message"', 'title = { fr = "Message" }')
    folder = write(tmp_path, toml)
    (folder / "instructions.fr.md").unlink()
    warnings = load_folder(folder).warnings
    assert {(warning.file, warning.field) for warning in warnings} == {
        ("process.toml", "item.field[1].title"),
        ("instructions.fr.md", ""),
        ("process.toml", "step[1].question.options[1].label"),
    }
    assert len(warnings) == 3


def test_files_outside_the_folder_are_never_read(tmp_path: Path) -> None:
    """A process from somebody else cannot read what is beside it."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("label\nsecret\n")
    (tmp_path / "secret.en.md").write_text("secret")
    options = 'options = [{ value = "now" }, { value = "later" }]'
    for path in ("../secret.csv", str(tmp_path / "secret.csv")):
        write(folder, GOOD.replace(options, f'taxonomy = "{path}"'))
        assert places(folder) == {"step[1].question.taxonomy"}
    named = GOOD.replace('title = "Urgency"', 'title = "U"\ninstructions = "../secret.{locale}.md"')
    assert places(write(folder, named)) == {"step[1].instructions"}


def test_a_taxonomy_may_serve_a_field_of_a_record(tmp_path: Path) -> None:
    """Wherever a choice stands, its classes may come from a file."""
    toml = (
        GOOD[: GOOD.index("[step.question]")]
        + """
[step.question]
type = "record"
title = "What is it?"
[[step.question.fields]]
name = "kind"
title = "Kind"
type = "choice"
taxonomy = "kinds.csv"
"""
    )
    folder = write(
        tmp_path, toml, kinds__csv="code,label_en,label_fr\nb,Big,Grand\ns,Small,Petit\n"
    )
    (step,) = load_folder(folder).definition.steps
    assert [option["value"] for option in step.question["fields"][0]["options"]] == ["b", "s"]
    write(tmp_path, toml, kinds__csv="code,label_en\nb,Big\nb,Small\n")
    (problem,) = problems_of(folder)
    assert (problem.file, problem.row, problem.field) == ("kinds.csv", 2, "code")


def test_classes_without_translation_are_warned_of_by_row(tmp_path: Path) -> None:
    """The warning says which class of the taxonomy lacks which language."""
    options = 'options = [{ value = "now" }, { value = "later" }]'
    toml = GOOD.replace(options, 'taxonomy = "t.csv"')
    csv = "code,label_en,label_fr\na,One,Un\nb,Two,\n"
    (warning,) = load_folder(write(tmp_path, toml, t__csv=csv)).warnings
    assert (warning.file, warning.row, warning.field) == ("t.csv", 2, "label")
    assert "fr" in warning.message


def test_sample_and_gold_are_checked_row_by_row(tmp_path: Path) -> None:
    """A wrong row is told with its file, its number and its column."""
    folder = write(
        tmp_path,
        GOOD,
        sample__csv="reference,message\nA,Help\nA,Twice\n,None\nB,\nC,too,many\n",
        gold__csv="reference,urgency,speed\nA,now,\nB,now,\nZ,soon,fast\nA,later,\n",
    )
    found = {(problem.file, problem.row, problem.field) for problem in problems_of(folder)}
    assert found == {
        ("sample.csv", 2, "reference"),
        ("sample.csv", 3, "reference"),
        ("sample.csv", 4, "message"),
        ("sample.csv", 5, ""),
        ("gold.csv", 2, "reference"),
        ("gold.csv", 3, "reference"),
        ("gold.csv", 3, "urgency"),
        ("gold.csv", 3, "speed"),
        ("gold.csv", 4, "reference"),
    }


def test_gold_may_bring_its_own_items(tmp_path: Path) -> None:
    """Gold need not be in the sample, and lines that are no objects are told."""
    line = '{"reference": "G1", "item": {"message": " Now! "}, "urgency": "now"}\n'
    loaded = load_folder(write(tmp_path, GOOD, gold__jsonl=line))
    assert loaded.gold[0].payload == {"message": "Now!"}
    assert loaded.gold[0].answers == {"urgency": "now"}
    bad = '[1]\n{"reference"\n{"reference": "G2", "item": 3, "urgency": "now"}\n{"reference": "G3"}'
    rows = {problem.row for problem in problems_of(write(tmp_path, GOOD, gold__jsonl=bad))}
    assert rows == {1, 2, 3, 4}
    (tmp_path / "gold.csv").write_text("reference,urgency\n")
    assert "gold.csv" in {problem.file for problem in problems_of(tmp_path)}


def test_cells_hold_answers_that_are_not_text(tmp_path: Path) -> None:
    """Numbers are written bare, lists as JSON; a code that looks like a number stays a code."""
    head = GOOD[: GOOD.index("[step.question]")]
    cases = [
        ('type = "choice"\noptions = [{ value = "1" }, { value = "2" }]', "1", "1"),
        ('type = "scale"\nmin = 1\nmax = 4', "3", 3),
        ('type = "choices"\noptions = [{ value = "a" }, { value = "b" }]', '"[""b""]"', ["b"]),
    ]
    for question, cell, value in cases:
        write(
            tmp_path,
            f"{head}[step.question]\ntitle = 'Which?'\n{question}\n",
            sample__csv="reference,message\nA,Help\n",
            gold__csv=f"reference,urgency\nA,{cell}\n",
        )
        assert load_folder(tmp_path).gold[0].answers == {"urgency": value}


def test_the_scaffold_passes_and_never_overwrites(tmp_path: Path) -> None:
    """A new process is right before a word is changed; a second one does not destroy the first."""
    write_scaffold("support/triage-level", tmp_path / "new")
    loaded = load_folder(tmp_path / "new")
    assert loaded.definition.slug == "support/triage-level"
    assert loaded.warnings == ()
    assert len(loaded.gold) == 3
    with pytest.raises(Conflict):
        write_scaffold("other", tmp_path / "new")
    with pytest.raises(Invalid):
        write_scaffold("Not a slug", tmp_path / "other")
    assert load_folder(tmp_path / "new") == loaded


def test_the_examples_of_the_docs_load(tmp_path: Path) -> None:
    """Every TOML block of docs/processes.md that is a whole file is a process in order, in both
    languages."""
    blocks = re.findall(r"```toml\n(slug.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    for number, block in enumerate(blocks):
        folder = tmp_path / str(number)
        (folder / "instructions").mkdir(parents=True)
        write(folder, block)
        for step in tomllib.loads(block)["step"]:
            for locale in ("en", "fr"):
                path = folder / "instructions" / f"{step['slug']}.{locale}.md"
                path.write_text("# Look")
        loaded: Loaded = load_folder(folder)
        assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("by", "question", "wrong"),
    [
        ("language", "choice", ""),
        ("answer", "choice", ""),
        ("langage", "choice", "there is no field 'langage'"),
        ("who", "choice", "'who' is personal"),
        ("page", "choice", "'page' has a value of its own in each item"),
        ("answer", "number", "answers to this question have no groups"),
    ],
)
def test_what_parts_a_licence(tmp_path: Path, by: str, question: str, wrong: str) -> None:
    """A field that many items share and anybody may read, or answers that have groups."""
    fields = """
[[item.field]]
name = "language"
title = "Language"
[[item.field]]
name = "who"
title = "Who"
personal = true
[[item.field]]
name = "page"
title = "Page"
type = "url"
[[step]]"""
    text = GOOD.replace("\n[[step]]", fields, 1)
    if question == "number":
        text = text.replace('type = "choice"', 'type = "number"')
        text = re.sub(r"options = .*\n", "", text)
    folder = write(tmp_path, f'{text}\n[step.promise]\nslices = "{by}"\nslices_max = 5\n')
    if wrong:
        [problem] = problems_of(folder)
        assert problem.field == "step[1].promise.slices"
        assert problem.message == wrong
    else:
        promise = load_folder(folder).definition.steps[0].promise
        assert (promise.slices, promise.slices_max) == (by, 5)


def test_what_a_question_is_about_is_a_field_that_is_shown(tmp_path: Path) -> None:
    """What stands out on the screen must be there; a misspelt name is told with the right one."""
    about = GOOD.replace('title = "Urgency"', 'title = "Urgency"\nabout = ["mesage"]')
    [problem] = problems_of(write(tmp_path, about))
    assert (problem.field, "message" in problem.mend) == ("step[1].about", True)
    loaded = load_folder(write(tmp_path, about.replace("mesage", "message")))
    assert loaded.definition.steps[0].about == ("message",)
