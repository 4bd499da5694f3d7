"""`canut agent`: what is told of agents at work, and of their duels."""

import json
from typing import Any

import psycopg
from click.testing import CliRunner
from msgspec import structs

from canut.agents.running.model import Worth
from canut.agents.running.runner import Bench
from canut.agents.versions import begin_challenger, replace_champion
from canut.cli.main import cli
from canut.processes.store import find_place, publish
from tests import factories as make
from tests.agents.test_work_duels import Clock, agent_of
from tests.agents.test_work_runner import Fake, hired


def test_what_is_told_of_an_agent(fresh_url: str) -> None:
    """Its turn, its drift, its duel with the cost of both sides, and when its model ends; in
    words and as figures; nothing is said of what is not there."""

    def canut(*words: str) -> str:
        result = CliRunner().invoke(cli, ["agent", *words, "--database-url", fresh_url])
        assert result.exit_code == 0, result.output
        return result.output

    with psycopg.connect(fresh_url) as conn:
        agent, challenger = _agent(conn)
    assert canut("calendar") == "no model that an agent asks has an announced end\n"
    shown = canut("show", str(agent))
    assert "asked as number 1" in shown
    assert "Nothing has changed" not in shown
    duels = canut("duels")
    assert f"challenger {challenger}: might decide 0%, 0.000003 an item" in duels
    assert "rien n’est encore prouvé" in canut("duels", "--locale", "fr")
    assert json.loads(canut("duels", "--json"))[0]["duel"]["pairs"]["judged"] == 0
    with psycopg.connect(fresh_url) as conn:
        conn.execute(
            """insert into agent_calendar values
            (%s, 'heron', '2027-03-31', '2027-01-30', 'late', '', 'no successor', 0)""",
            [agent],
        )
        conn.execute(
            """insert into agent_watch (agent_id, version_id, step, step_ms, seen, alarms)
            select %s, min(id), 'people', 0, 900, %s from agent_version""",
            [
                agent,
                '[{"signal": "audit", "name": "", "before": 0.02, "after": 0.3, "at_ms": 1}]',
            ],
        )
        conn.execute(
            "update agent_version set role = 'dropped', ended_ms = 1 where role = 'challenger'"
        )
    assert "2027-03-31. Nobody follows" in canut("calendar")
    assert "Nobody follows" in canut("list")
    shown = canut("show", str(agent))
    assert "people answer more of it blind" in shown
    assert "wrong by what people say blind: 2% before, 30% since" in shown
    assert json.loads(canut("show", str(agent), "--json"))["drift"]["step"] == "people"
    assert canut("duels") == "no agent has a challenger\n"


def test_an_agent_works_where_the_batches_of_the_client_are(fresh_url: str) -> None:
    """A client that brings its own classes has a process of its own, published or not: an agent put
    to work for that client works there; one at the library's says that it has nothing to do, and
    where there is something."""

    def canut(*words: str) -> str:
        result = CliRunner().invoke(cli, ["agent", *words, "--database-url", fresh_url])
        assert result.exit_code == 0, result.output
        return result.output

    with psycopg.connect(fresh_url) as conn:
        work = make.work(conn, items=1)
        conn.execute("update process_version set adapted = true")
        slug, client = conn.execute(
            "select p.slug, c.slug from process p join client c on c.id = p.client_id"
        ).fetchone()
        version = find_place(conn, work.client_id, slug)
        publish(conn, None, structs.replace(version.definition, slug=slug), make.NOW)
    place = "--process", slug, "--step", "colour"
    assert "no batch is open" not in canut("add", "rules", *place, "--client", client)
    elsewhere = f"another process of that name has some of {client} (--client {client})"
    assert elsewhere in canut("add", "learner", *place)
    listed = canut("list")
    assert listed.count("no work") == listed.count(elsewhere) == 1


def _agent(conn: psycopg.Connection[Any]) -> tuple[int, int]:
    work = make.work(conn, items=2)
    agent, clock, hands = agent_of(conn, hired(conn, work)), Clock(), Fake()
    step = Bench().step(conn, work.batch_steps[0])
    replace_champion(conn, agent, hands.version(agent, step, b"a"), None, "x", clock, Worth())
    made = begin_challenger(conn, agent, hands.version(agent, step, b"b"), None, clock, Worth())
    conn.execute("insert into agent_cost values (%s, 0, 'EUR', 2, 2, 6, 0)", [made])
    return agent.id, made
