"""Operators' pages: what they tell, what they change, who may; and what contributors are told."""

import csv
import html
import io
import re
import time
from typing import Any

import httpx
import psycopg
import pytest

from canut.db.pool import connect, connect_async
from canut.insight import operations
from canut.insight.operations_model import Beat
from canut.people import store
from tests import factories as make
from tests.factories import NOW
from tests.web.conftest import Browser, Serving

HOUR_MS = 3_600_000


async def inside(serving: Any, who: str) -> Browser:
    browser: Browser = serving()
    await browser.log_in(f"{who}@example.org")
    return browser


def test_what_is_usual_is_the_middle_of_the_hours() -> None:
    """Work of an hour is what its last look has more than the one before; an hour nobody looked in
    is not known, nor is the next; nothing is usual before half a day is known."""
    hours = [h for h in range(1000, 1024) if h != 1010]
    ever = {hour: hour * 10 + (90 if hour == 1023 else 0) for hour in hours}
    beats = [Beat(h, ever[h], h, 5, 2, 100, 3, h * HOUR_MS) for h in hours]
    found = operations.course(beats, 1023 * HOUR_MS + 5)
    assert found.answers[-1] == 100
    assert found.answers[10:12] == [None, None]
    assert (found.usual_answers, found.usual_left, found.seen_ms) == (10, 5, 1023 * HOUR_MS)
    few = operations.course(beats[-3:], 1023 * HOUR_MS)
    assert (few.usual_answers, few.answers[-1], few.answers[0]) == (None, 100, None)


async def test_the_overview_names_what_needs_somebody(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """No engine, an expert's skill that nobody has, an event that failed: each is told with the way
    to act. Trying the event again puts it back in the queue, once, and the log says who did it."""
    with psycopg.connect(fresh_url) as conn:
        work = make.work(conn, items=4, expert_skill="weaver")
        conn.execute("update task set expert = true where id = %s", [work.tasks[0]])
        hook = make.one(
            conn,
            """insert into webhook (client_id, url, secret, created_ms)
            values (%s, 'https://hooks.example', 's', 0) returning id""",
            work.client_id,
        )
        event = make.one(
            conn,
            """insert into webhook_delivery (webhook_id, event_id, event_type, payload, state,
            attempts, created_ms, ended_ms)
            values (%s, 'e', 'batch.delivered', '{}', 'failed', 8, 0, 1) returning id""",
            hook,
        )
        conn.commit()
    async with serving() as browsers:
        browser = await inside(browsers, "operator")
        page = (await browser.get("/operator")).text
        for told in ("No engine has looked yet", "has the skill weaver", "could not be told"):
            assert told in page, told
        with connect(fresh_url) as conn:
            operations.take_pulse(conn)
            operations.take_pulse(conn)
        assert "No engine has looked" not in (await browser.get("/operator")).text
        again = f"/operator/webhooks/{event}"
        assert (await browser.submit("/operator", again)).status_code == 303
        assert (await browser.submit("/operator", again)).status_code == 422
        queue = (await browser.get("/operator/queue")).text
        assert "nobody active has the skill weaver" in queue
    with psycopg.connect(fresh_url) as conn:
        state = conn.execute("select state, attempts, ended_ms from webhook_delivery").fetchone()
        assert state == ("waiting", 0, None)
        logged = "select count(*) from audit_log where action = 'retry.webhook' and account_id = %s"
        assert make.one(conn, logged, people["operator"]) == 1
        assert make.one(conn, "select count(*) from pulse") in (1, 2)


async def test_a_pause_is_told_word_for_word(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """Nobody is paused without a reason; who is, reads it on their home with whom to write to, and
    so does the log. A message is read there too; a note is not, and can be removed."""
    page = f"/operator/contributors/{people['contributor']}"
    async with serving() as browsers:
        operator = await inside(browsers, "operator")
        worker = await inside(browsers, "worker")
        silent = await operator.submit(page, page, act="pause", reason="  ")
        assert silent.status_code == 422
        assert "You are paused" not in (await worker.get("/work")).text
        await operator.submit(page, page, act="pause", reason="Your <account> was shared.")
        await operator.submit(page, page, act="tell", body="Write to us, please.")
        await operator.submit(page, page, act="note", body="Two devices at once.")
        home = (await worker.get("/work")).text
        for told in (
            "You are paused",
            "Your &lt;account&gt; was shared.",
            "operator@example.org",
            "Write to us, please.",
            "new message",
        ):
            assert told in home, told
        assert "Two devices" not in home
        assert "Two devices at once." in (await operator.get(page)).text
        await worker.submit("/work", "/work/read")
        assert "new message" not in (await worker.get("/work")).text
        with psycopg.connect(fresh_url) as conn:
            note = make.one(conn, "select id from contributor_note where not told")
            message = make.one(conn, "select id from contributor_note where told")
        await operator.submit(page, page, act="remove", note=str(note))
        gone = await operator.submit(page, page, act="remove", note=str(message))
        assert gone.status_code == 404
        assert "Two devices" not in (await operator.get(page)).text
        await operator.submit(page, page, act="resume")
        assert "You are paused" not in (await worker.get("/work")).text
    with psycopg.connect(fresh_url) as conn:
        detail = conn.execute(
            "select detail from audit_log where action = 'change.contributor' order by id"
        ).fetchall()
        assert detail[0][0] == {"state": "paused", "reason": "Your <account> was shared."}
        assert "Two devices" not in str(conn.execute("select * from audit_log").fetchall())


async def test_checks_are_hidden_from_those_who_answer(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """A remark on gold reaches operators, on their queue and beside the batch; an operator who
    answers tasks reads neither it nor which of their own answers are checks."""
    with psycopg.connect(fresh_url) as conn:
        work = make.work(conn, items=2)
        gold = make.one(
            conn,
            """insert into gold (process_id, step_slug, payload, value, origin, digest, created_ms)
            values (%s, 'colour', '{}', '"red"', 'operator', 'd', 0) returning id""",
            work.process_id,
        )
        task = make.one(
            conn,
            """insert into task (batch_step_id, item_id, wanted, slots, open, kind)
            values (%s, %s, 0, 0, false, 'gold') returning id""",
            work.batch_steps[0],
            -gold,
        )
        conn.execute(
            "insert into remark values (%s, %s, %s, 'fault', 'options', 'It is teal.', 1)",
            [task, people["contributor"], work.batch_steps[0]],
        )
        conn.execute(
            "insert into answer values (%s, %s, '\"red\"', false, %s)",
            [task, people["contributor"], NOW],
        )
        conn.execute("insert into account_role values (%s, 'operator', 0)", [people["worker"]])
        conn.commit()
    batch = f"/operator/batches/{work.batch_id}"
    person = f"/operator/contributors/{people['contributor']}"
    async with serving() as browsers:
        operator = await inside(browsers, "operator")
        for path in ("/operator/queue", batch):
            assert "It is teal." in (await operator.get(path)).text, path
        assert "gold <span" in (await operator.get(person)).text
        both = await inside(browsers, "worker")
        for path in ("/operator/queue", batch, person):
            page = await both.get(path)
            assert page.status_code == 200, path
            assert "teal" not in page.text
            assert "gold <span" not in page.text


async def test_a_batch_is_steered_from_its_page(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """Priority, pause and resume do what they say and are logged; what makes no sense is refused
    beside the levers."""
    with psycopg.connect(fresh_url) as conn:
        work = make.work(conn)
        conn.commit()
    page = f"/operator/batches/{work.batch_id}"
    async with serving() as browsers:
        browser = await inside(browsers, "operator")
        assert "Nobody active may work here" not in (await browser.get(page)).text
        for form in ({"act": "priority", "priority": "2"}, {"act": "paused"}):
            assert (await browser.submit(page, page, **form)).status_code == 303
        assert "change.batch" in (await browser.get(page)).text
        for form in ({"act": "priority", "priority": "x"}, {"act": "sing"}):
            assert (await browser.submit(page, page, **form)).status_code == 422
        assert (await browser.get("/operator/batches/999")).status_code == 404
    with psycopg.connect(fresh_url) as conn:
        assert conn.execute("select state, priority from batch").fetchone() == ("paused", 2)


async def names(browser: Browser, query: str) -> str:
    return (await browser.get(f"/search?{query}")).text


async def test_the_search_finds_what_one_may_see(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """By the beginnings of words whatever their accents, by number, by the beginning of a key, page
    by page; a client finds its own and nobody else's; an operator who is shown keys is logged."""
    with psycopg.connect(fresh_url) as conn:
        make.work(conn, items=400, client_id=people["client"])
        other = make.work(conn, items=3)
        conn.execute("update batch set name = 'Our kettles'")
        name = "Été: Œuvres d'hiver"
        conn.execute("update batch set name = %s where id = %s", [name, other.batch_id])
        conn.commit()
    async with serving() as browsers:
        operator, member = [await inside(browsers, who) for who in ("operator", "member")]
        for query in ("oeuv+ete", f"{other.batch_id}", "hiver"):
            assert f"/operator/batches/{other.batch_id}" in await names(operator, f"q={query}")
            assert "Œuvres" not in await names(member, f"q={query}")
        assert "Our kettles" in await names(member, "q=KETT")
        processes = await names(member, "q=test&kind=processes")
        [found] = re.findall(r"/processes/\d+", processes)
        assert (await member.get(found)).status_code == 200
        assert "/operator/quality#process-" in await names(operator, "q=test&kind=processes")
        assert "worker@example.org" in await names(operator, "q=worker@exam")
        assert "worker@example.org" not in await names(member, "q=worker@exam")
        assert await keys(operator, "q=1&kind=items") == 112
        assert await keys(member, "q=1&kind=items&after=99999999+") == 111
        for odd in ("%00&kind=items", "'&kind=log", "%25_%5C", "1&kind=items&after=x", ""):
            assert (await operator.get(f"/search?q={odd}")).status_code == 200, odd
    with psycopg.connect(fresh_url) as conn:
        logged = "select detail ->> 'query' from audit_log where action = 'search.items'"
        assert ("1",) in conn.execute(logged).fetchall()
        seen = "select count(*) from audit_log where action = 'search.items' and account_id = %s"
        assert make.one(conn, seen, people["member"]) == 0


async def keys(browser: Browser, query: str) -> int:
    """Keys of items on all pages."""
    found, path = 0, f"/search?{query}"
    for _ in range(9):
        page = (await browser.get(path)).text
        found += page.count("/items?key=")
        if 'rel="next"' not in page:
            return found
        path = link(page, "next")
    raise AssertionError("the pages do not end")


def link(page: str, rel: str) -> str:
    """Where the pager leads."""
    before, _, _ = page.partition(f'rel="{rel}"')
    return html.unescape(before.rsplit('href="', 1)[1].split('"')[0])


@pytest.fixture
async def logged(fresh_url: str, people: dict[str, int]) -> dict[str, int]:
    """120 entries by the operator about batches, one of them long ago, and one with a formula."""
    with psycopg.connect(fresh_url) as conn:
        conn.execute(
            """insert into audit_log (at_ms, account_id, action, subject, subject_id, detail)
            select case n when 0 then 1000 else %s + n end, %s, 'change.batch', 'batch',
                   case n when 7 then '=1+1' else n::text end, '{}'
            from generate_series(0, 119) n""",
            [NOW, people["operator"]],
        )
        conn.execute(
            """insert into audit_log (at_ms, action, subject, subject_id, detail)
            values (%s, 'request.payout', 'payout', '1', '{"by": ""}')""",
            [NOW + 120],
        )
        conn.commit()
    return people


async def test_the_log_is_found_page_by_page_and_as_a_file(
    serving: Serving, logged: dict[str, int], fresh_url: str
) -> None:
    """By who, what, when and subject; older and newer again lead to the same pages; the file has
    all of them, runs no formula, and its making is an entry too."""
    only = f"account={logged['operator']}&action=change.batch&subject=batch"
    async with serving() as browsers:
        browser = await inside(browsers, "operator")

        async def rows(path: str) -> tuple[list[str], str]:
            page = (await browser.get(path)).text
            return [one.split("</tr>")[0] for one in page.split('<td class="nowrap">')[1:]], page

        async def follow(page: str, rel: str) -> tuple[list[str], str]:
            return await rows(link(page, rel))

        first, page = await rows(f"/operator/audit?{only}")
        second, page = await follow(page, "next")
        third, page = await follow(page, "next")
        assert [len(one) for one in (first, second, third)] == [50, 50, 20]
        assert 'rel="next"' not in page
        back, page = await follow(page, "prev")
        assert back == second
        assert (await follow(page, "prev"))[0] == first
        assert len((await rows("/operator/audit?to=1970-01-01"))[0]) == 1
        assert len((await rows(f"/operator/audit?{only}&from=1970-01-02&of=5"))[0]) == 1
        assert "No entry is like that" in (await rows("/operator/audit?of=nothing"))[1]
        file = await browser.get(f"/operator/audit.csv?{only}")
        lines = list(csv.DictReader(io.StringIO(file.text)))
        assert len(lines) == 120
        assert {one["account"] for one in lines} == {"Operator"}
        assert [one["subject_id"] for one in lines if "1+1" in one["subject_id"]] == ["'=1+1"]
        assert (await rows("/operator/audit?action=export.audit"))[0]
        # nobody who has an account: a name that is said in the language, or none
        made = (await rows("/operator/audit?lang=fr&action=create.client"))[1]
        assert "ligne de commande" in made
        [asked], page = await rows("/operator/audit?lang=fr&action=request.payout")
        assert "<td>–</td>" in asked


async def test_home_says_what_would_open_closed_work(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """A skill or a licence that is missing is named, without the batch or the client; what is open
    says why; the week counts this contributor's answers and their time once."""
    now = time.time_ns() // 1_000_000
    with psycopg.connect(fresh_url) as conn:
        make.work(conn, make.step(skills=("weaver",)))
        make.work(conn, make.step("shade", licence=True))
        work = make.work(conn, make.step("open"), items=5)
        conn.execute("update batch set name = 'Secret range'")
        conn.execute("update batch set name = 'Free range' where id = %s", [work.batch_id])
        for task in work.tasks[:2]:
            conn.execute(
                "insert into answer values (%s, %s, '\"red\"', false, %s)",
                [task, people["contributor"], now],
            )
            conn.execute(
                """insert into activity
                values (%s, %s, %s, int8multirange(int8range(%s, %s)), 1, %s)""",
                [task, people["contributor"], work.batch_steps[0], now - 42_000, now, now],
            )
        conn.commit()
    async with serving() as browsers:
        worker = await inside(browsers, "worker")
        page: httpx.Response = await worker.get("/work")
        text = page.text
        for told in (
            "Free range",
            "open to everybody",
            "the skill weaver",
            "It asks for a licence",
        ):
            assert told in text, told
        assert "Secret range" not in text
        assert "42 sec" in text
        assert text.index("Free range") < text.index("Closed to you")
        async with connect_async(fresh_url) as conn:
            await store.grant_skill(conn, store.COMMAND_LINE, people["contributor"], "weaver")
        text = (await worker.get("/work")).text
        assert "you have the skill weaver" in text
        assert "You have the skill weaver" in text
