"""`canut process`: works without a database, ends with the right code."""

from pathlib import Path

from click.testing import CliRunner, Result

from canut.cli.process import process


def run(*arguments: str) -> Result:
    return CliRunner().invoke(process, list(arguments), env={"COLUMNS": "120"})


def test_list_and_show_in_both_languages() -> None:
    """What is shipped can be seen without a database."""
    listed = run("list")
    assert listed.exit_code == 0
    assert "catalogue/categorise" in listed.output
    assert "Juger des résultats de recherche" in run("list", "--locale", "fr").output
    shown = run("show", "reviews/moderate", "--locale", "fr")
    assert shown.exit_code == 0
    assert "Modérer des avis clients" in shown.output
    assert "personal, hidden from contributors" in shown.output
    assert "En cas de doute" in shown.output
    assert run("show", "no/such").exit_code != 0


def test_new_then_check_passes(tmp_path: Path) -> None:
    """The first two commands of an author succeed."""
    folder = tmp_path / "triage"
    made = run("new", "support/triage", str(folder))
    assert made.exit_code == 0
    assert str(folder / "process.toml") in made.output
    checked = run("check", str(folder))
    assert checked.exit_code == 0
    assert "3 gold items and 0 warnings" in checked.output
    assert run("show", str(folder)).exit_code == 0


def test_check_tells_every_problem_and_fails(tmp_path: Path) -> None:
    """Exit code 1, with each problem, its place and its mend."""
    folder = tmp_path / "triage"
    run("new", "support/triage", str(folder))
    toml = folder / "process.toml"
    text = (
        toml.read_text().replace("max_answers = 5", "max_answers = 1").replace("[item]", "[itme]")
    )
    toml.write_text(text.replace("[[item.field]]", "[[itme.field]]"))
    (folder / "gold.csv").write_text("reference,answer\nA1,perhaps\n")
    checked = run("check", str(folder))
    assert checked.exit_code == 1
    assert "itme" in checked.output
    assert "did you mean 'item'?" in checked.output
    assert "step[1].max_answers" in checked.output
    assert "gold.csv, row 1, answer" in checked.output
    assert run("check", str(tmp_path / "none")).exit_code == 1


def test_a_warning_is_shown_and_is_no_failure(tmp_path: Path) -> None:
    """A missing translation does not stop an author."""
    folder = tmp_path / "triage"
    run("new", "support/triage", str(folder))
    (folder / "instructions.fr.md").unlink()
    checked = run("check", str(folder))
    assert checked.exit_code == 0
    assert "warning: instructions.fr.md: no instructions in 'fr'" in checked.output
    assert "1 warning" in checked.output
