"""Exams and gold over HTTP, as an agent, as a person and as an attacker."""

import re
from typing import Any

import httpx
import msgspec
import psycopg
import pytest

from canut.db.pool import connect_async
from canut.people import store
from canut.people.store import COMMAND_LINE
from tests import factories as make
from tests.quality.test_gold import gold_of
from tests.web.conftest import Browser, Serving

COLOURS = ("red", "green", "blue")


class Made(msgspec.Struct):
    """A batch whose step asks for a licence, with gold; and keys."""

    work: make.Work
    agent: str
    client: str
    stranger: str
    operator: str


@pytest.fixture
async def made(fresh_url: str, people: dict[str, int]) -> Made:
    with psycopg.connect(fresh_url) as conn:
        step = make.step(licence=True, min_answers=3)
        work = make.work(conn, step, items=60, client_id=people["client"])
        gold_of(conn, work, 60)
        agent = make.one(
            conn,
            "insert into contributor (kind, name, created_ms) values ('agent', 'Loom', 0)"
            " returning id",
        )
        conn.commit()
    keys = []
    async with connect_async(fresh_url) as conn:
        other = await store.create_client(conn, COMMAND_LINE, "tulle", "Le Tulle")
        owners: list[dict[str, Any]] = [
            {"contributor_id": agent, "scopes": ("work",)},
            {"client_id": people["client"], "scopes": ("batches:read", "batches:write")},
            {"client_id": other, "scopes": ("batches:read", "batches:write")},
            {"account_id": people["operator"], "scopes": ("operate", "batches:write")},
        ]
        for owner in owners:
            key = await store.create_api_key(conn, COMMAND_LINE, name="key", **owner)
            keys.append(key.secret)
    return Made(work, *keys)


async def ask(
    browser: Browser, key: str, method: str, path: str, body: Any = None, status: int = 200
) -> Any:
    headers = {"authorization": f"Bearer {key}"}
    reply = await browser.http.request(method, f"/api/v1{path}", json=body, headers=headers)
    assert reply.status_code == status, reply.text
    return reply.json()


def right(item: dict[str, Any]) -> str:
    return COLOURS[int(item["title"].split()[1]) % 3]


async def test_an_agent_is_examined_and_works(serving: Serving, made: Made) -> None:
    """List, begin, ask in bulk, answer, read the result; then tasks can be claimed. While it runs
    nothing says which answers were right."""
    async with serving() as browsers:
        http = browsers()
        assert (await ask(http, made.agent, "POST", "/claims", {}))["tasks"] == []
        offer = (await ask(http, made.agent, "GET", "/exams"))["open"][0]
        assert offer["ready"]
        assert offer["why"]["fr"].startswith("Cette étape")
        new = {"process_id": offer["process_id"], "step": offer["step"]}
        exam = await ask(http, made.agent, "POST", "/exams", new)
        at = f"/exams/{exam['id']}"
        topic = await ask(http, made.agent, "GET", f"{at}/topic")
        assert topic["answer"]["enum"] == list(COLOURS)
        listed = await ask(http, made.agent, "GET", f"{at}/options")
        assert [one["value"] for one in listed["data"]] == list(COLOURS)
        while exam["state"] == "running":
            asked = await ask(http, made.agent, "POST", f"{at}/questions", {"count": 5})
            assert all(set(one) == {"number", "item"} for one in asked["questions"])
            given = [
                {"number": one["number"], "value": right(one["item"])} for one in asked["questions"]
            ]
            exam = (await ask(http, made.agent, "POST", f"{at}/answers", {"answers": given}))[
                "exam"
            ]
            if exam["state"] == "running":
                assert (exam["right"], exam["proved"]) == (None, None)
        assert (exam["state"], exam["right"]) == ("passed", 12)
        assert "Passed" in exam["explanation"]["en"][0]
        assert len((await ask(http, made.agent, "POST", "/claims", {}))["tasks"]) == 1


async def test_gold_is_its_keepers(serving: Serving, made: Made, fresh_url: str) -> None:
    """The client reads, adds and retires; another client finds nothing; a contributor is refused;
    a wrong row among good ones takes nothing in."""
    with psycopg.connect(fresh_url) as conn:
        [slug] = conn.execute("select slug from process").fetchone()
    at = f"/gold?process={slug}&step=colour"
    row = {"item": {"title": "new"}, "answer": "red", "reference": "N1"}
    new = {"process": slug, "step": "colour", "gold": [row]}
    async with serving() as browsers:
        http = browsers()
        page = await ask(http, made.client, "GET", f"{at}&limit=50")
        assert len(page["data"]) == 50
        rest = await ask(http, made.client, "GET", f"{at}&limit=50&cursor={page['next']}")
        assert len(rest["data"]) == 10
        await ask(http, made.stranger, "GET", at, status=404)
        await ask(http, made.stranger, "POST", "/gold", new, status=404)
        await ask(http, made.agent, "GET", at, status=403)
        wrong = {**row, "answer": "mauve", "reference": "N2"}
        said = await ask(http, made.client, "POST", "/gold", {**new, "gold": [row, wrong]}, 422)
        assert [problem["row"] for problem in said["problems"]] == [2]
        done = await ask(http, made.client, "POST", "/gold", new)
        assert done == {"added": 1, "known": 0, "replaced": 0}
        gold = (await ask(http, made.client, "GET", at))["data"][0]
        assert gold["item"] == {"title": "new"}
        why = {"reason": "Two answers fit."}
        await ask(http, made.stranger, "POST", f"/gold/{gold['id']}/retire", why, status=404)
        gone = await ask(http, made.client, "POST", f"/gold/{gold['id']}/retire", why)
        assert (gone["state"], gone["cause"], gone["reason"]) == (
            "retired",
            "person",
            why["reason"],
        )


@pytest.mark.parametrize("lang", ["en", "fr"])
async def test_a_person_is_examined_on_the_pages(serving: Serving, made: Made, lang: str) -> None:
    """Without a script: begin, answer, leave and come back, fail, read why and when again; an
    operator lets them try at once."""
    async with serving() as browsers:
        worker, operator = browsers(), browsers()
        await worker.log_in("worker@example.org")
        await operator.log_in("operator@example.org")
        assert "operator/exams" in (await operator.get("/operator/exams")).text
        page = await worker.get(f"/exams?lang={lang}")
        [process] = re.findall(r'name="process" value="(\d+)"', page.text)
        begun = await worker.submit("/exams", "/exams", process=process, step="colour")
        at = begun.headers["location"]
        empty = await worker.submit(at, f"{at}/answer", number="1")
        assert empty.status_code == 422
        for number in range(1, 61):
            shown = await worker.get(at)
            assert shown.status_code == 200
            if 'name="number"' not in shown.text:
                break
            assert f'name="number" value="{number}"' in shown.text
            title = re.search(r"gold (\d+)", shown.text)
            assert title is not None
            wrong = COLOURS[(int(title[1]) + 1) % 3]
            await worker.submit(at, f"{at}/answer", number=str(number), answer=wrong)
        ended = (await worker.get(at)).text
        assert ("Not passed" if lang == "en" else "Non réussi") in ended
        refused = await worker.submit("/work", "/exams", process=process, step="colour")
        assert refused.status_code == 422
        assert (await worker.get("/operator/exams")).status_code == 403
        number = at.rpartition("/")[2]
        assert "Worker" in (await operator.get("/operator/exams")).text
        await operator.submit("/operator/exams", f"/operator/exams/{number}")
        again = await worker.submit("/exams", "/exams", process=process, step="colour")
        assert again.headers["location"] != at


async def test_gold_on_the_pages(serving: Serving, made: Made) -> None:
    """The client imports a file, sees every bad row of another, retires one with a reason, and
    finds it among the retired; nobody else's account gets in."""
    at = f"/gold/{made.work.process_id}/colour"
    async with serving() as browsers:
        member, worker = browsers(), browsers()
        await member.log_in("member@example.org")
        await worker.log_in("worker@example.org")
        assert (await worker.get(at)).status_code == 403
        assert at in (await member.get("/gold")).text
        token = re.search(r'name="_csrf_token" value="([^"]+)"', (await member.get(at)).text)
        assert token is not None

        async def send(text: str) -> httpx.Response:
            return await member.http.post(
                f"{at}/import",
                data={"_csrf_token": token[1]},
                files={"file": ("gold.csv", text.encode())},
            )

        bad = await send("reference,title,answer\nX1,one,red\nX2,two,mauve\nX3,,red\n")
        assert bad.status_code == 422
        assert "Row 2" in bad.text
        assert "Row 3" in bad.text
        assert "X1" not in (await member.get(at)).text
        assert "1 added" in (await send("reference,title,answer\nX1,one,red\n")).text
        page = (await member.get(at)).text
        [gold] = re.findall(r'name="gold" value="(\d+)"', page)[:1]
        sent = await member.submit(at, f"{at}/retire", gold=gold, reason="Two answers fit.")
        assert sent.status_code == 303
        assert "Two answers fit." in (await member.get(f"{at}?view=retired")).text
        assert (await member.get("/gold/999/colour")).status_code == 404
