"""The pages of agents: what operators see and do, and what a client sees of those on a batch."""

from typing import Any

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from canut.db.pool import connect_async
from canut.people import store
from canut.people.model import SignUp
from canut.quality.licences.slices import Slice, Slices
from canut.sdk import values as v
from tests import factories as make
from tests.agents.test_work_duels import blind, versioned
from tests.web.conftest import PASSWORD, Serving

IN_FORCE = """
update licence set state = 'in_force', granted_ms = 1, threshold = 0.7, rungs = '[[0.7, 0.8]]',
    finding = '{"coverage": 0.8, "audits": 400, "wrong": 3, "bound": 0.0161}' where ended_ms is null
"""
PARTS = Slices("language", 8, [Slice("Kelmoor-only", 0.5), Slice("", 0.5)])


class Made(msgspec.Struct):
    """An agent with a challenger, on a batch of a client."""

    work: make.Work
    agent: int


@pytest.fixture
async def made(fresh_url: str, people: dict[str, int]) -> Made:
    with psycopg.connect(fresh_url) as conn:
        work = make.work(conn, items=2, client_id=people["client"])
        agent, _, challenger = versioned(conn, work)
        blind(conn, agent, challenger, ours="red", theirs="blue", n=60)
        conn.execute(IN_FORCE)
        conn.commit()
    by = store.COMMAND_LINE
    async with connect_async(fresh_url) as conn:
        other = await store.create_client(conn, by, "autre", "Autre")
        account = await store.create_account(
            conn, by, SignUp("other@example.org", "Other", PASSWORD)
        )
        await store.add_member(conn, by, other, account)
    return Made(work, agent.id)


async def test_an_operator_sees_what_an_agent_may_and_why(
    serving: Serving, made: Made, fresh_url: str
) -> None:
    """Licence, curve, cost, duel and order, and whose process it is, in both languages; for
    operators only."""
    at = f"/operator/agents/{made.agent}"
    with psycopg.connect(fresh_url) as conn:
        sql = "select c.name from process p join client c on c.id = p.client_id where p.id = %s"
        (client,) = conn.execute(sql, [made.work.process_id]).fetchone()
    async with serving() as browsers:
        operator = browsers()
        await operator.log_in("operator@example.org")
        overview = (await operator.get("/operator/agents")).text
        assert f'href="{at}"' in overview
        assert f", {client})</option>" in overview
        page = (await operator.get(at)).text
        for said in (
            client,
            "about 80% of the work",
            "Proved on 400 blind answers, 3 of them wrong",
            "60 pairs judged blind.",
            "asked as number 1",
            "A challenger began",
        ):
            assert said in page, said
        french = (await operator.get(f"{at}?lang=fr")).text
        assert "60 paires jugées à l’aveugle." in french
        assert (await operator.get("/operator/agents/999999")).status_code == 404
        for name in ("worker", "member"):
            browser = browsers()
            await browser.log_in(f"{name}@example.org")
            for path in ("/operator/agents", at):
                assert (await browser.get(path)).status_code == 403
        assert (await browsers().get(at)).status_code == 303


async def test_what_is_done_about_an_agent_is_in_the_audit_log(
    serving: Serving, made: Made, fresh_url: str, people: dict[str, int]
) -> None:
    """Pause, resume, a lesson, the end with its reason; by whom, and nothing that is no act."""
    at = f"/operator/agents/{made.agent}"
    async with serving() as browsers:
        operator = browsers()
        await operator.log_in("operator@example.org")
        for act, fields, status in (
            ("pause", {}, 303),
            ("teach", {}, 409),
            ("resume", {}, 303),
            ("teach", {}, 303),
            ("vanish", {}, 422),
            ("end", {"reason": " "}, 422),
            ("end", {"reason": "Another one does it."}, 303),
        ):
            sent = await operator.submit(at, at, act=act, **fields)
            assert sent.status_code == status, act
        assert (await operator.http.post(at, data={"act": "pause"})).status_code == 403
        page = (await operator.get(at)).text
        assert "It holds no licence and earns none" in page
        await operator.submit(at, at, act="resume")
        assert "Not in force" in (await operator.get(at)).text
    with psycopg.connect(fresh_url) as conn:
        acts = conn.execute(
            "select action, account_id from audit_log where action like '%.agent' order by id"
        ).fetchall()
        assert {who for _, who in acts[1:]} == {people["operator"]}
        assert [act for act, _ in acts[1:]] == [
            *("change.agent", "change.agent", "teach.agent", "change.agent", "end.agent"),
            "change.agent",
        ]
        licence = "select reason from licence where ended_ms is not null order by id desc limit 1"
        assert make.one(conn, licence) == "Another one does it."


async def test_without_agents_the_page_says_how_to_add_one(
    serving: Serving, fresh_url: str, people: dict[str, int]
) -> None:
    """The form puts one to work at a step that there is; what is wrong is said beside it."""
    with psycopg.connect(fresh_url) as conn:
        work = make.work(conn, client_id=people["client"])
        conn.commit()
    async with serving() as browsers:
        operator, page = browsers(), "/operator/agents"
        await operator.log_in("operator@example.org")
        assert "No agent is at work yet" in (await operator.get(page)).text
        step = f"{work.process_id}/colour"
        for fields in ({"step": "9/x", "type": "rules"}, {"step": step, "type": "llm"}):
            sent = await operator.submit(page, page, **fields)
            assert sent.status_code in (404, 422), fields
            assert "The agent was not put to work." in sent.text
        sent = await operator.submit(page, page, step=step, type="rules", name="Ariadne")
        assert sent.status_code == 303
        assert "Ariadne" in (await operator.get(sent.headers["location"])).text


@pytest.mark.parametrize("shared", [False, True])
async def test_a_client_sees_its_agents_and_nothing_of_other_clients(
    serving: Serving, made: Made, fresh_url: str, shared: bool
) -> None:
    """The licence of agents on a batch, for whoever may see the batch. Parts of a process that is
    shared bear names from the items of others: a client is told of them without these."""
    with psycopg.connect(fresh_url) as conn:
        if shared:
            conn.execute("update process set client_id = null")
        told: Any = msgspec.to_builtins(PARTS)
        conn.execute("update licence set slices = %s where ended_ms is null", [Jsonb(told)])
        conn.commit()
    at = f"/batches/{made.work.batch_id}/agents"
    async with serving() as browsers:
        member, other, worker = browsers(), browsers(), browsers()
        await member.log_in("member@example.org")
        await other.log_in("other@example.org")
        await worker.log_in("worker@example.org")
        assert at in (await member.get(f"/batches/{made.work.batch_id}")).text
        page = (await member.get(at)).text
        assert "The parts are told by the field “language”" in page
        assert ("Kelmoor-only" in page) is not shared
        assert (await other.get(at)).status_code == 404
        assert (await worker.get(at)).status_code == 403


async def test_the_same_for_programs(serving: Serving, made: Made, fresh_url: str) -> None:
    """What the page shows is in the API, for operators' keys; what is done there is done."""
    async with connect_async(fresh_url) as conn:
        by = store.COMMAND_LINE
        account = (await store.find_account(conn, "operator@example.org")).id
        made_key = await store.create_api_key(
            conn, by, name="o", scopes=("operate",), account_id=account
        )
    async with serving() as browsers:
        http, headers = browsers().http, {"authorization": f"Bearer {made_key.secret}"}

        async def ask(method: str, path: str, type_: Any, status: int = 200, **more: Any) -> Any:
            sent = await http.request(method, f"/api/v1{path}", headers=headers, **more)
            assert sent.status_code == status, sent.text
            return msgspec.json.decode(sent.content, type=type_)

        [listed] = (await ask("GET", "/agents", v.AgentsAtWork)).agents
        assert (listed.id, listed.licence, listed.decides) == (made.agent, "in_force", 0.8)
        at = f"/agents/{made.agent}"
        found = await ask("GET", at, v.AgentDetail)
        assert found.duel
        assert (found.duel.pairs, found.duel.only_challenger_wrong) == (60, 60)
        assert [point.answers for point in found.curve] == [60]
        assert found.happenings[0].words["fr"][0] == "Un rival est entré en lice"
        for act, state in (("pause", "paused"), ("resume", "active"), ("teach", "active")):
            assert (await ask("POST", f"{at}/{act}", v.AgentAtWork)).state == state
        await ask("POST", f"{at}/end", Any, 422, json={"reason": " "})
        ended = await ask("POST", f"{at}/end", v.AgentAtWork, json={"reason": "Done."})
        assert (ended.state, ended.licence) == ("paused", "none")
