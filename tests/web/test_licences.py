"""Licences over HTTP: who sees and does what, on the pages and in the API."""

from typing import Any

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from canut.db.pool import connect_async
from canut.people import store
from canut.people.store import COMMAND_LINE
from canut.quality.licences import acts as licence_acts
from canut.quality.licences.people_watch import watch_due
from canut.quality.model import LicencePlace
from canut.sdk import values as v
from tests import factories as make
from tests.quality.test_people_watch import hidden_gold
from tests.web.conftest import Browser, Serving

PARAMETERS = {
    "calibration": {
        "n": 120,
        "bins": [*([[0, 0.0, 0.0]] * 8), [40, 0.85, 0.6], [80, 0.97, 0.95]],
        "error": 0.12,
    }
}


class Made(msgspec.Struct):
    """A step whose only licence, the worker's, is flagged; and keys."""

    work: make.Work
    licence: int
    agent: int
    keys: dict[str, str]


@pytest.fixture
async def made(fresh_url: str, people: dict[str, int]) -> Made:
    with psycopg.connect(fresh_url) as conn:
        step = make.step(licence=True, min_answers=1)
        work = make.work(conn, step, items=9, client_id=people["client"])
        place = LicencePlace(people["contributor"], work.process_id, "colour")
        licence = licence_acts.grant(conn, COMMAND_LINE, place, "Well known.", make.NOW)
        hidden_gold(conn, licence, [False] * 40)
        assert watch_due(conn, make.NOW + 100_000) == [licence.id]
        conn.execute(
            "insert into step_model values (%s, 'colour', 1, 0.8, %s, 0)",
            [work.process_id, msgspec.json.encode(PARAMETERS).decode()],
        )
        other = make.contributor(conn)
        conn.execute(
            "insert into alike values (%s, 'colour', %s, %s, 50, 9.5, 1.2, 0.00001, 0.5, 0)",
            [work.process_id, people["contributor"], other],
        )
        conn.commit()
    async with connect_async(fresh_url) as conn:
        agent = await store.create_agent(conn, COMMAND_LINE, "Loom", family="loom-large")
        owners: dict[str, dict[str, Any]] = {
            "agent": {"contributor_id": agent, "scopes": ("work",)},
            "worker": {"contributor_id": people["contributor"], "scopes": ("work",)},
            "client": {"client_id": people["client"], "scopes": ("batches:read",)},
            "operator": {"account_id": people["operator"], "scopes": ("operate",)},
        }
        keys = {
            name: (await store.create_api_key(conn, COMMAND_LINE, name=name, **owner)).secret
            for name, owner in owners.items()
        }
    return Made(work, licence.id, agent, keys)


async def ask(
    browser: Browser, key: str, method: str, path: str, body: Any = None, status: int = 200
) -> Any:
    headers = {"authorization": f"Bearer {key}"}
    reply = await browser.http.request(method, f"/api/v1{path}", json=body, headers=headers)
    assert reply.status_code == status, reply.text
    return reply.json()


async def test_an_operator_sees_it_and_decides(serving: Serving, made: Made) -> None:
    """The flagged licence comes first, with its evidence; it ends only with a cause and a reason,
    and its holder reads both, the evidence, and whom to write to."""
    async with serving() as browsers:
        operator, worker = browsers(), browsers()
        await operator.log_in("operator@example.org")
        await worker.log_in("worker@example.org")
        assert "family loom-large" in (await operator.get("/operator/contributors")).text
        overview = (await operator.get("/operator/quality")).text
        assert "1 person’s licence is flagged" in overview
        at = f"/operator/quality/{made.work.process_id}/colour"
        step = (await operator.get(at)).text
        for said in ("12.0%", "40 wrong", "nothing else follows", "&lt; 0.0001", "<circle"):
            assert said in step, said
        page = f"/operator/licences/{made.licence}"
        for path in ("/operator/quality", at, page):
            assert (await worker.get(path)).status_code == 403
            assert (await browsers().get(path)).status_code == 303
        assert (await operator.get("/licences")).status_code == 403
        shown = (await operator.get(page)).text
        assert "40 of 40 answers wrong." in shown
        assert "An operator granted it: Well known." in shown
        before = (await worker.get("/licences")).text
        assert "A person will look, and nothing changes before that." in before
        for fields in ({"cause": "evidence", "reason": " "}, {"cause": "mood", "reason": "x"}):
            sent = await operator.submit(page, page, act="end", **fields)
            assert sent.status_code == 422
            assert "aria-describedby" in sent.text
        sent = await operator.submit(page, page, act="end", cause="evidence", reason="All wrong.")
        assert sent.status_code == 303
        told = (await worker.get("/licences")).text
        assert "Operator ended it (blind answers speak against it): All wrong." in told
        assert "40 of 40 blind answers wrong" in told
        assert "operator@example.org" in told
        french = (await worker.get("/licences?lang=fr")).text
        assert "Operator y a mis fin (des réponses à l’aveugle plaident contre elle)" in french
        taken = (await worker.get("/licences.json")).content
        mine = msgspec.json.decode(taken, type=v.MyLicences)
        assert [(one.cause, one.reason) for one in mine.ended] == [("evidence", "All wrong.")]
        log = (await operator.get("/operator/audit?subject=licence")).text
        assert "end.licence" in log


async def test_a_person_is_kept_or_granted(
    serving: Serving, made: Made, people: dict[str, int]
) -> None:
    """A flagged licence is kept with a reason that its holder reads; a licence is granted to a
    person by number, and a wrong number is told beside the form."""
    async with serving() as browsers:
        operator, worker = browsers(), browsers()
        await operator.log_in("operator@example.org")
        await worker.log_in("worker@example.org")
        page = f"/operator/licences/{made.licence}"
        sent = await operator.submit(page, page, act="keep", reason="A dialect.")
        kept = (await operator.get(sent.headers["location"])).text
        assert "kept it: A dialect." in kept
        assert "kept it: A dialect." in (await worker.get("/licences")).text
        at = f"/operator/quality/{made.work.process_id}/colour"
        for number in ("99", str(made.agent), str(people["contributor"])):
            sent = await operator.submit(at, at, contributor=number, reason="Wrote the rules.")
            assert sent.status_code == 422, number


async def test_programs_earn_and_operators_act(serving: Serving, made: Made) -> None:
    """An agent begins with the hash of its version and reads where it stands; an operator lists,
    grants, keeps and ends. Nobody else may."""
    async with serving() as browsers:
        http, keys = browsers(), made.keys
        process_id = made.work.process_id
        mine = await ask(http, keys["agent"], "GET", "/me/licences")
        assert mine["open"] == []
        assert [one["process_id"] for one in mine["earnable"]] == [process_id]
        new = {"process_id": process_id, "step": "colour", "basis": "sha256:1"}
        begun = await ask(http, keys["agent"], "POST", "/licences/begin", new)
        assert (begun["state"], begun["basis"]) == ("earning", "sha256:1")
        assert begun["words"]["fr"][0].startswith("Pas en vigueur")
        again = await ask(http, keys["agent"], "POST", "/licences/begin", new)
        assert again["id"] == begun["id"]
        of_other = new | {"contributor": made.agent}
        await ask(http, keys["worker"], "POST", "/licences/begin", of_other, 403)
        await ask(http, keys["worker"], "POST", "/licences/begin", new, 409)
        await ask(http, keys["operator"], "POST", "/licences/begin", new, 422)
        newer = await ask(
            http, keys["operator"], "POST", "/licences/begin", of_other | {"basis": "sha256:2"}
        )
        assert newer["version"] == 2

        why = {"cause": "withdrawn", "reason": "Too dear."}
        for who in ("agent", "worker", "client"):
            await ask(http, keys[who], "POST", f"/licences/{newer['id']}/end", why, 403)
        ended = await ask(http, keys["operator"], "POST", f"/licences/{newer['id']}/end", why)
        assert (ended["state"], ended["cause"]) == ("ended", "withdrawn")
        await ask(http, keys["operator"], "POST", f"/licences/{newer['id']}/end", why, 409)
        kept = await ask(
            http, keys["operator"], "POST", f"/licences/{made.licence}/keep", {"reason": "Fine."}
        )
        assert (kept["state"], kept["flagged_ms"]) == ("in_force", None)

        slug = (await ask(http, keys["operator"], "GET", "/audit"))["data"][0]["detail"]["process"]
        assert slug == process_id
        name = kept["process"]
        query = f"process={name}&step=colour&client={made.work.client_id}"
        first = await ask(http, keys["operator"], "GET", f"/licences?limit=3&{query}")
        rest = await ask(
            http, keys["operator"], "GET", f"/licences?limit=3&{query}&cursor={first['next']}"
        )
        versions = [one["id"] for one in first["data"] + rest["data"]]
        assert versions == [kept["id"], newer["id"], begun["id"], made.licence]
        for who in ("agent", "worker", "client"):
            await ask(http, keys[who], "GET", f"/licences?{query}", status=403)


async def test_the_parts_of_a_licence_are_shown(
    serving: Serving, made: Made, fresh_url: str
) -> None:
    """The operator's page has a table of them, in both languages, and a program reads the same."""
    parts = [
        {"name": "fr", "share": 0.6, "threshold": 0.8, "finding": {"threshold": 0.8,
         "coverage": 0.5, "audits": 420, "wrong": 3, "bound": 0.0181, "shortfall": None}},
        {"name": "", "share": 0.4, "threshold": None, "finding": None},
    ]  # fmt: skip
    slices = {"by": "language", "most": 8, "parts": parts}
    with psycopg.connect(fresh_url) as conn:
        sql = """insert into licence (contributor_id, process_id, step_slug, granted_ms, state,
            version, threshold, slices) values (%s, %s, 'colour', 0, 'in_force', 9, 0.8, %s)
            returning id"""
        values = [made.agent, made.work.process_id, Jsonb(slices)]
        licence = make.one(conn, sql, *values)
    async with serving() as browsers:
        operator = browsers()
        await operator.log_in("operator@example.org")
        page = (await operator.get(f"/operator/licences/{licence}")).text
        for said in ("Parts of the work", "fr</th>", "everything else", "never", "1.9%", "420"):
            assert said in page, said
        page = (await operator.get(f"/operator/licences/{licence}?lang=fr")).text
        assert "Parties du travail" in page
        assert "tout le reste" in page
        [held] = (await ask(browsers(), made.keys["agent"], "GET", "/me/licences"))["open"]
    assert held["parted_by"] == "language"
    assert [(one["name"], one["threshold"]) for one in held["slices"]] == [("fr", 0.8), ("", None)]
    assert held["slices"][0]["bound"] == 0.0181


async def test_agents_are_made_and_have_families(serving: Serving, made: Made) -> None:
    """An operator makes an agent that can work at once; agents of a family are seen as such, and
    people have none."""
    async with serving() as browsers:
        http, operator = browsers(), made.keys["operator"]
        new = {"name": "Shuttle", "family": "loom-large", "skills": ["fr"]}
        agent = await ask(http, operator, "POST", "/agents", new, 201)
        assert (await ask(http, agent["key"], "GET", "/me"))["contributor"] == agent["id"]
        path = f"/contributors/{agent['id']}"
        changed = await ask(http, operator, "PATCH", path, {"family": None})
        assert (changed["kind"], changed["family"], changed["skills"]) == ("agent", None, ["fr"])
        found = (await ask(http, operator, "GET", "/contributors"))["data"]
        assert {one["name"]: one["family"] for one in found}["Loom"] == "loom-large"
        person = next(one["id"] for one in found if one["kind"] == "person")
        await ask(http, operator, "PATCH", f"/contributors/{person}", {"family": "x"}, 409)
        await ask(http, operator, "PATCH", path, {"family": "Not A Name"}, 422)
        await ask(http, made.keys["client"], "PATCH", path, {"family": "x"}, 403)
