"""The pages of a batch over HTTP: what a client sees of it, and finds in it."""

from typing import Any

import psycopg

from tests.factories import Work, step, work
from tests.web.conftest import CSRF, Serving


def shelf(url: str, client: int, items: int = 60) -> Work:
    """A batch of this client, its first item decided, in two steps."""
    with psycopg.connect(url) as conn:
        made = work(conn, step(), step("shade"), items=items, client_id=client)
        first, task = made.items[0], made.tasks[0]
        conn.execute(
            """update item set payload = jsonb_build_object('title', '<b>Écharpe</b> n° ' || key)
               where batch_id = %s""",
            [made.batch_id],
        )
        conn.execute("update task set decided = true, open = false where id = %s", [task])
        conn.execute(
            """insert into decision (task_id, batch_step_id, item_id, value, confidence, method,
               n_answers, evidence, decided_ms)
               values (%s, %s, %s, '"red"', 0.9, 'answers', 2, '[0, [1, 0.9, 0.8]]', 1)""",
            [task, made.batch_steps[0], first],
        )
        conn.execute(
            "update batch_step set n_decided = 1, n_answers = 2 where id = %s",
            [made.batch_steps[0]],
        )
        return made


async def test_items_are_searched_and_turned_page_by_page(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """Keys before words, the next page and back, the decision in words, and nothing that a
    client's text or an address by hand could break."""
    made = shelf(fresh_url, people["client"])
    at = f"/batches/{made.batch_id}/items"
    async with serving() as browser:
        inside = browser()
        await inside.log_in("member@example.org")

        async def rows(query: str) -> list[str]:
            sent = await inside.get(f"{at}?{query}")
            assert sent.status_code == 200, query
            return [part.split("<")[0] for part in sent.text.split("/items?key=")[1:]]

        def keys(found: list[str]) -> list[str]:
            return [one.split('">')[1] for one in found]

        first = await inside.get(at)
        assert "&lt;b&gt;Écharpe" in first.text
        assert "<b>Écharpe" not in first.text
        assert keys(await rows("")) == [str(n) for n in range(1, 51)]
        after = first.text.split("after=")[1].split('"')[0]
        assert keys(await rows(f"after={after}")) == [str(n) for n in range(51, 61)]
        assert keys(await rows(f"before={made.items[50]}")) == [str(n) for n in range(1, 51)]
        assert keys(await rows("q=4")) == ["4", *(f"4{n}" for n in range(10))]
        assert keys(await rows("q=4&within=words")) == ["4", *(f"4{n}" for n in range(10))]
        assert len(await rows("q=echarpe")) == 50
        assert keys(await rows("state=decided")) == ["1"]
        assert keys(await rows("value=%22red%22&under=0.95&method=answers&order=sure")) == ["1"]
        assert await rows("step=shade&state=decided") == []
        for odd in (
            "after=x",
            "before=9~%00",
            "value={",
            "value=%22mauve%22",
            "under=2",
            "q=%27%5C",
        ):
            await rows(odd + "&order=sure")


async def test_a_batch_tells_how_far_it_is_in_every_state(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """Before there is a rate it says so; paused, cancelled and empty batches say what they are, and
    offer what can be done."""
    made = shelf(fresh_url, people["client"])
    at, says = f"/batches/{made.batch_id}", dict[str, Any]()
    async with serving() as browser:
        inside = browser()
        await inside.log_in("member@example.org")
        for state in ("running", "paused", "cancelled", "delivered"):
            with psycopg.connect(fresh_url) as conn:
                sql = "update batch set state = %s, delivered_ms = 1 where id = %s"
                conn.execute(sql, [state, made.batch_id])
            sent = await inside.get(at)
            assert sent.status_code == 200
            says[state] = sent.text
        with psycopg.connect(fresh_url) as conn:
            empty = work(conn, items=0, client_id=people["client"]).batch_id
        says["empty"] = (await inside.get(f"/batches/{empty}")).text
        assert (await inside.get(f"/batches/{empty}/items")).status_code == 200
    assert "not known yet" in says["running"]
    assert "1 of 120" in says["running"]
    assert "The batch is paused" in says["paused"]
    assert "was cancelled" in says["cancelled"]
    assert "Add items" not in says["cancelled"]
    assert "This batch has no items." in says["empty"]
    events = [f"{at}/events" in says[state] for state in ("running", "paused", "cancelled")]
    assert events == [True, True, False]


async def test_items_are_added_to_a_batch_that_is_there(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """New keys are added, known ones are not; wrong rows stop it all, unless they are left out."""
    made = shelf(fresh_url, people["client"], items=3)
    at = f"/batches/{made.batch_id}/add"

    def items() -> int:
        with psycopg.connect(fresh_url) as conn:
            row = conn.execute("select n_items from batch where id = %s", [made.batch_id])
            return int((row.fetchone() or [0])[0])

    async with serving() as browser:
        inside = browser()
        await inside.log_in("member@example.org")

        async def send(text: str, **fields: str) -> int:
            token = CSRF.search((await inside.get(at)).text)
            assert token is not None
            files = {"file": ("more.csv", text.encode(), "text/csv")}
            data = {"_csrf_token": token[1], **fields}
            return (await inside.http.post(at, data=data, files=files)).status_code

        assert await send("reference,Title\nN1,Kettle\nN2,Lamp\n") == 303
        assert items() == 5
        assert await send("reference,Title\nN2,Lamp\nN3,\nN4,Vase\n") == 422
        assert items() == 5
        assert await send("reference,Title\nN2,Lamp\nN3,\nN4,Vase\n", skip="1") == 303
        assert items() == 6
        assert await send("%PDF-1.7") == 422


async def test_a_decision_is_contested_from_its_story(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """The form of the page, refused without a reason beside its field; then the dispute and the
    reason stand in the story, and there is one at a time."""
    made = shelf(fresh_url, people["client"], items=3)
    story, contest = "/batches/{}/items?key=1", "/batches/{}/disputes"
    form = {"key": "1", "step": "colour"}
    async with serving() as browser:
        inside = browser()
        await inside.log_in("member@example.org")
        page, at = (place.format(made.batch_id) for place in (story, contest))
        assert "Nothing was contested" in (await inside.get(at)).text
        refused = await inside.submit(page, at, **form, reason=" ")
        assert refused.status_code == 422
        assert "Give a reason" in refused.text
        assert 'aria-invalid="true"' in refused.text
        sent = await inside.submit(page, at, **form, reason="It is <blue>.")
        assert (sent.status_code, sent.headers["location"]) == (303, page)
        told = (await inside.get(page)).text
        assert "It is &lt;blue&gt;." in told
        assert "being answered again" in told
        assert "Contest this decision" not in told
        assert "It is &lt;blue&gt;." in (await inside.get(at)).text
