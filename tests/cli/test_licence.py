"""`canut licence` and `canut people agent`: what an administrator does at the machine."""

import re

import psycopg
import pytest
from click.testing import CliRunner

from canut.cli.main import cli
from canut.errors import CanutError, Conflict, Invalid, NotFound
from tests import factories as make


def test_licences_from_the_command_line(fresh_url: str) -> None:
    """An agent is made, begins and is ended with a cause that fits it; a person is granted one;
    what there is is told in words, in both languages."""
    with psycopg.connect(fresh_url) as conn:
        person = make.contributor(conn)
        client = make.client(conn, "soierie")
        work = make.work(conn, make.step(licence=True), client_id=client)
        [slug] = conn.execute("select slug from client where id = %s", [client]).fetchone() or [""]
        [process] = conn.execute(
            "select slug from process where id = %s", [work.process_id]
        ).fetchone() or [""]
        conn.commit()

    def canut(*words: str) -> str:
        result = CliRunner().invoke(cli, [*words, "--database-url", fresh_url])
        if isinstance(result.exception, CanutError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    at = ("--process", process, "--step", "colour", "--client", slug)
    assert canut("licence", "list", *at) == "nobody holds or earns a licence here\n"
    made = canut("people", "agent", "create", "Loom", "--family", "loom-large", "--skill", "fr")
    agent = re.findall(r"contributor (\d+)", made)[0]
    assert re.search(r"^ck_\S{43}$", made, re.MULTILINE)
    assert re.search(
        r"agent +Loom +active +fr +loom-large", canut("people", "list", "contributors")
    )
    assert "no family" in canut("people", "agent", "family", agent)
    with pytest.raises(Conflict):
        canut("people", "agent", "family", str(person), "loom-large")
    begun = canut("licence", "begin", agent, *at, "--basis", "v1")
    number = re.findall(r"licence (\d+): being earned", begun)[0]
    granted = canut("licence", "grant", str(person), *at, "--reason", "Wrote the rules.")
    assert "in force" in granted
    told = canut("licence", "list", *at)
    assert "An operator granted it: Wrote the rules." in told
    assert "Loom, version 1: being earned" in told
    with pytest.raises(Invalid):
        canut("licence", "end", number, "--cause", "asked", "--reason", "x")
    why = ("--cause", "withdrawn", "--reason", "Too dear.")
    assert canut("licence", "end", number, *why) == f"licence {number}: ended\n"
    assert "Loom" not in canut("licence", "list", *at)
    french = canut("licence", "list", *at, "--all", "--locale", "fr")
    assert "y a mis fin (l’agent n’est plus utilisé) : Too dear." in french
    with pytest.raises(Conflict):
        canut("licence", "keep", re.findall(r"licence (\d+)", granted)[0], "--reason", "x")
    with pytest.raises(NotFound):
        canut("licence", "list", "--process", process, "--step", "colour")
