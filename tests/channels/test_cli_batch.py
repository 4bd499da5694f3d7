"""`canut batch` from a file to its results, as somebody types it."""

import asyncio
import csv
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from canut.cli.main import cli
from canut.db.pool import connect_async
from canut.errors import CanutError
from canut.people.store import COMMAND_LINE, create_client
from tests.work import made


@pytest.fixture
def run(fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `canut batch ...` on a database with the client `shop` and the process `shop/sort`."""
    monkeypatch.chdir(tmp_path)

    async def client() -> int:
        async with connect_async(fresh_url) as conn:
            return await create_client(conn, COMMAND_LINE, "shop", "Shop")

    client_id = asyncio.run(client())
    with psycopg.connect(fresh_url) as conn:
        made.version(conn, client_id)

    def run(*words: str, ok: bool = True, stdin: str | None = None) -> Result:
        given = ["batch", *words, "--client", "shop", "--database-url", fresh_url]
        result = CliRunner().invoke(cli, given, input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit | CanutError), (
            result.output
        )
        assert (result.exit_code == 0) == ok, result.output + str(result.exception)
        return result

    run.url = fresh_url  # type: ignore[attr-defined]
    return run


SUBMIT = ("--process", "shop/sort", "--key", "spring")


def test_from_a_file_to_its_results(run: Any, tmp_path: Path) -> None:
    """Submit twice, look, pause, resume, export, cancel: each says what it did, and the audit log
    knows who."""
    (tmp_path / "shop.csv").write_text("sku;Name\na1;Lamp\na2;Vase\n")
    given = ("submit", "shop.csv", *SUBMIT, "--map", "title=Name", "--reference", "sku")
    assert "2 added, 0 known, 0 rejected (shop/sort version 1)" in run(*given).output
    assert "0 added, 2 known" in run(*given).output
    assert "spring" in run("list").output
    shown = run("show", "spring").output
    assert "running, 2 items" in shown
    assert "category" in shown
    assert "is paused" in run("pause", "spring").output
    assert "is running" in run("resume", "spring").output
    run("export", "spring", "-o", "out.csv")
    with (tmp_path / "out.csv").open(newline="") as out:
        rows = list(csv.DictReader(out))
    assert [(row["key"], row["item.title"]) for row in rows] == [("a1", "Lamp"), ("a2", "Vase")]
    assert run("export", "spring", "--format", "jsonl").output.count('"key":') == 2
    assert "is cancelled" in run("cancel", "spring").output
    assert isinstance(run(*given, ok=False).exception, CanutError)
    with psycopg.connect(run.url) as conn:
        log = conn.execute("select action, detail ->> 'by' from audit_log where subject = 'batch'")
        found = log.fetchall()
    assert {by for _, by in found} == {"command line"}
    assert [action for action, _ in found].count("submit.batch") == 2


def test_bad_rows_are_shown_and_reported(run: Any, tmp_path: Path) -> None:
    """Nothing is imported, not even an empty batch; the report has every problem; skip imports
    the rest; standard input is a file like others."""
    text = "title,price\nLamp,3\n,4\nVase,much\n"
    result = run("submit", "-", *SUBMIT, "--report", "bad.csv", ok=False, stdin=text)
    assert "stdin, row 2, title" in result.output
    assert "nothing was imported" in result.output
    with (tmp_path / "bad.csv").open(newline="") as report:
        rows = [(row["row"], row["field"]) for row in csv.DictReader(report)]
    assert rows == [("2", "title"), ("3", "price")]
    assert "spring" not in run("list").output
    result = run("submit", "-", *SUBMIT, "--on-error", "skip", stdin=text)
    assert "1 added, 0 known, 2 rejected" in result.output


def test_a_taxonomy_of_ones_own(run: Any, tmp_path: Path) -> None:
    """The client's classes take the place of the process's, in a version of its own."""
    (tmp_path / "classes.csv").write_text("code,label\nrug,Rug\nbowl,Bowl\n")
    (tmp_path / "shop.jsonl").write_text('{"title": "Rug"}\n')
    result = run("submit", "shop.jsonl", *SUBMIT, "--taxonomy", "classes.csv")
    assert "shop/sort version 2" in result.output


def test_webhooks(run: Any) -> None:
    """Added, listed, removed; the secret is shown once; what does not arrive is told."""
    added = run("webhook", "add", "https://shop.invalid/hook").output
    assert "whsec_" in added
    listed = run("webhook", "list").output
    assert "shop.invalid" in listed
    assert "whsec_" not in listed
    number = added.split()[1].rstrip(":")
    assert "did not arrive" in run("webhook", "test", number, ok=False).output
    assert "is removed" in run("webhook", "remove", number).output
    assert "removed" in run("webhook", "list").output
    run("webhook", "remove", number, ok=False)


def test_what_is_not_there(run: Any) -> None:
    """Files, processes, batches that are not there are errors with a mend."""
    for words in (
        ("submit", "none.csv", *SUBMIT),
        ("submit", "-", "--process", "shop/none", "--key", "k"),
        ("show", "none"),
        ("export", "none"),
        ("pause", "none"),
    ):
        assert isinstance(run(*words, ok=False, stdin="title\nx\n").exception, CanutError), words
