"""Simulated contributors: sensible mistakes, the truth found by what is seen, a batch delivered."""

import csv
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from canut import Canut
from canut.cli.simulate import simulate as command
from canut.cli.simulate_answers import answer, as_answer, guess, mistake
from canut.cli.simulate_truth import Truth
from canut.cli.simulation import spread_errors
from canut.engine.loop import in_thread
from canut.errors import Unavailable
from canut.questions.registry import question_type, question_types
from canut.sdk import values as v
from tests.api import PRODUCTS, THINGS, Api


@given(st.sampled_from(question_types()), st.integers(), st.floats(0, 0.9))
def test_whatever_is_answered_is_valid(name: str, seed: int, error: float) -> None:
    """For every question type: guesses, mistakes and right answers pass the question's own check,
    and the same seed gives the same answer."""
    definition, examples = question_type(name).example()
    question = question_type(name).load(definition)
    schema = question.schema()
    for truth in [question.normalise(example) for example in examples] + [None]:
        given_ = answer(schema, truth, error, Random(seed))
        question.normalise(given_)
        assert given_ == answer(schema, truth, error, Random(seed))
    question.normalise(guess(schema, Random(seed)))


@given(st.sampled_from(question_types()), st.integers())
def test_a_mistake_is_another_answer_and_no_error_is_none(name: str, seed: int) -> None:
    """A mistake differs from the truth; a contributor who never errs says the truth."""
    definition, examples = question_type(name).example()
    question = question_type(name).load(definition)
    for example in examples:
        truth = question.normalise(example)
        assert question.normalise(answer(question.schema(), truth, 0.0, Random(seed))) == truth
        if question.schema()["type"] != "object":
            wrong = question.normalise(mistake(question.schema(), truth, Random(seed)))
            assert wrong != truth


def test_the_neighbour_on_a_scale_is_the_usual_mistake() -> None:
    """Nobody who means 4 says 1."""
    schema = {"type": "integer", "minimum": 1, "maximum": 5}
    assert {mistake(schema, 4, Random(n)) for n in range(50)} == {3, 5}
    assert {mistake(schema, 5, Random(n)) for n in range(50)} == {4}


def test_errors_happen_as_often_as_stated() -> None:
    """Over many answers the share of wrong ones is the stated one."""
    schema = {"type": "string", "enum": ["a", "b", "c"]}
    wrong = sum(answer(schema, "a", 0.2, Random(f"s/{n}")) != "a" for n in range(5000))
    assert 0.18 < wrong / 5000 < 0.22
    errors = spread_errors(500, 0.1, 0.05, 1)
    assert errors == spread_errors(500, 0.1, 0.05, 1) != spread_errors(500, 0.1, 0.05, 2)
    assert 0.09 < sum(errors) / 500 < 0.115
    assert min(errors) >= 0


@pytest.mark.parametrize(
    ("schema", "raw", "expected"),
    [
        ({"type": "string"}, " kettle ", "kettle"),
        ({"type": "string"}, "", None),
        ({"type": "array"}, "a | b|", ["a", "b"]),
        ({"type": "integer"}, "3.0", 3),
        ({"type": "number"}, "1.5", 1.5),
        ({"type": "boolean"}, "Oui", True),
        (
            {"type": "object", "properties": {"colour": {"type": "string"}}},
            None,
            {"colour": "red"},
        ),
    ],
)
def test_cells_become_answers(schema: dict[str, Any], raw: Any, expected: Any) -> None:
    """The truth of a file in the shape that the step asks for."""
    assert as_answer(schema, raw, {"colour": "red"}) == expected


def test_items_that_look_the_same_are_told_apart_by_the_list() -> None:
    """Two rows look alike with different truths: two tasks get both, each always the same."""
    truth = Truth(
        [{"name": "Kelmoor", "kind": "kettle"}, {"name": "Kelmoor", "kind": "lamp"}],
        "kind",
        columns={"title": "name"},
    )
    question = _question()

    def find(task: str, title: str) -> Any:
        return truth.find(question, v.Task(task, 1, 1, 0, False, {"title": title}))

    assert [find("1.1", "Kelmoor"), find("1.2", "Kelmoor")] == ["kettle", "lamp"]
    assert [find("1.2", "Kelmoor"), find("1.1", "Kelmoor")] == ["lamp", "kettle"]
    assert find("1.3", "Brasquet") is None


def _question() -> v.StepQuestion:
    return v.StepQuestion(
        step=1,
        batch=1,
        slug="kind",
        process="test/kind",
        version=1,
        title="Kind",
        instructions={},
        type="choice",
        question={},
        answer={"type": "string", "enum": THINGS},
        item=[v.ItemField("title", "Title")],
    )


def test_what_the_server_refuses_is_told(api: Api, tmp_path: Path) -> None:
    """In words and with its address, instead of what the program was doing."""
    truth = tmp_path / "truth.csv"
    truth.write_text("title,kind\n")
    words = "--batch", "1", "--truth", str(truth), "--truth-column", "kind"
    unknown = "--url", api.url, "--operator-key", "ck_unknown"
    with pytest.raises(Unavailable, match=api.url):
        CliRunner().invoke(command, [*words, *unknown], catch_exceptions=False)


@pytest.mark.parametrize("in_process", [False, True])
def test_a_batch_is_delivered_by_simulated_contributors(
    api: Api, tmp_path: Path, in_process: bool
) -> None:
    """The command answers a batch through the API until the engine has delivered it, and its last
    line is JSON; everybody it makes is marked as simulated."""
    path = tmp_path / "truth.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("sku", "title", "kind"), *PRODUCTS])
    with Canut(api.url, key=api.soierie) as canut:
        batch = canut.batches.submit(
            path,
            process="catalogue/categorise",
            key="spring",
            taxonomy=THINGS,
            read={"reference": "sku"},
        )
        who = ["--database-url", api.database] if in_process else ["--operator-key", api.operator]
        with in_thread(api.database, 0.05):
            done = CliRunner().invoke(
                command,
                [
                    *("--batch", str(batch.id), "--url", api.url, *who),
                    *("--truth", str(path), "--truth-column", "kind", "--key-column", "sku"),
                    *("--error", "0", "--spread", "0", "--contributors", "5"),
                ],
                catch_exceptions=False,
            )
        assert done.exit_code == 0, done.output
        report = msgspec.json.decode(done.output.splitlines()[-1])
        assert report["state"] == batch.refresh().state == "delivered"
        assert (report["decided"], report["accuracy"]) == (len(PRODUCTS), 1.0)
        assert report["answers_per_item"] >= 1
        assert report["unknown"] == 0
    with Canut(api.url, key=api.operator) as operator:
        made = list(operator.people.contributors())
        assert len(made) == 6
        assert all(one.simulated for one in made)


def test_the_command_explains_itself() -> None:
    """`canut simulate --help` works from a shell."""
    code = "from canut.cli.main import main; main()"
    arguments = [sys.executable, "-c", code, "simulate", "--help"]
    shown = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert "--truth-column" in shown.stdout
