"""What an attacker sends: nothing of it reaches what it must not, or is a fault of the server."""

import asyncio
import gc
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from canut.config import Settings
from canut.db.pool import connect, connect_async, open_pool
from canut.errors import TooMany
from canut.people import store
from canut.people.credentials import token_hash
from canut.processes.library import load_shipped
from canut.processes.store import publish
from canut.web.api import items
from canut.web.auth import address
from canut.web.exports import open_export
from canut.web.house import House
from canut.work.batches import read_batch
from tests import factories as make
from tests.web.conftest import CSRF, Serving

BIG = str(2**63 + 5)
HUGE = "9" * 5000


#: addresses that name nothing, by who asks
ADDRESSES = {
    "member": [
        f"/batches/{BIG}",
        f"/batches/{BIG}/events",
        f"/batches/{BIG}/results/csv",
        f"/batches?before={BIG}",
        "/batches/new/" + "a" * 300,
        "/batches/new/a%00b",
        f"/batches/new/{BIG}/question",
        f"/batches/new/{BIG}/wrong.csv",
        f"/batches/new?version={BIG}&way=made",
        f"/processes/{BIG}",
        f"/pictures/images/tag/{'a' * 300}.svg",
    ],
    "worker": [f"/work/{BIG}", f"/work/steps/{BIG}/options.json"],
    "operator": [
        f"/operator/contributors?after={BIG}",
        f"/operator/audit?before=-{BIG}",
        "/operator/audit?subject=%00",
    ],
}
#: forms that name nothing: the page whose token they send, where they go, what they hold
FORMS: dict[str, list[tuple[str, str, dict[str, str]]]] = {
    "member": [
        ("/batches", f"/batches/{BIG}/state", {"state": "paused"}),
        ("/batches", f"/webhooks/{BIG}", {"act": "remove"}),
        ("/batches", "/webhooks", {"url": "https://shop.example/", "client": "٣²"}),
        ("/batches", "/webhooks", {"url": "https://shop.example/", "client": HUGE}),
        ("/account", "/account", {"name": "a\0b", "locale": "en"}),
        ("/account", "/account", {"name": "a\u202eb", "locale": "en"}),
        ("/account", f"/account/keys/{HUGE}/revoke", {}),
        ("/account", "/account/keys", {"name": "k\0", "owner": "client:1"}),
        ("/account", "/account/keys", {"name": "k", "owner": f"client:{BIG}"}),
    ],
    "worker": [
        ("/work", f"/work/{BIG}/claim", {}),
        ("/work", "/work/1/answer", {"task": f"{BIG}.{BIG}", "answer": "x"}),
    ],
    "operator": [
        ("/account", f"/operator/contributors/{BIG}", {"act": "pause"}),
        ("/account", "/operator/contributors/1", {"act": "grant", "skill": "a\0"}),
        ("/account", "/account/keys", {"name": "k", "owner": f"client:{HUGE}"}),
        (
            "/account",
            "/account/keys",
            {"name": "k", "owner": "client:999", "scopes": "batches:read"},
        ),
    ],
}


@pytest.mark.parametrize("who", ADDRESSES)
async def test_no_address_is_a_fault_of_ours(
    serving: Serving, people: dict[str, int], who: str
) -> None:
    """Numbers beyond all numbers, NUL and names of any length are refused, never a fault."""
    async with serving() as browser:
        inside = browser()
        await inside.log_in(f"{who}@example.org")
        for path in ADDRESSES[who]:
            assert (await inside.get(path)).status_code in (200, 404, 422), path


@pytest.mark.parametrize("who", FORMS)
async def test_no_form_is_a_fault_of_ours(
    serving: Serving, people: dict[str, int], who: str
) -> None:
    """What names nothing is refused with a page that says so; NUL in a text is replaced."""
    async with serving() as browser:
        inside = browser()
        await inside.log_in(f"{who}@example.org")
        for page, path, fields in FORMS[who]:
            refused = (303,) if fields.get("name") == "a\0b" else (404, 422)
            sent = await inside.submit(page, path, **fields)
            assert sent.status_code in refused, (path, fields)


async def test_nobody_signs_up_as_somebody_alike(serving: Serving, people: dict[str, int]) -> None:
    """An address that only looks like another one is no address."""
    async with serving() as browser:
        for email in ("a\0@example.org", "member@example.org\u200b", "m\u0435mber@example.org"):
            sent = await browser().submit(
                "/join", "/join", email=email, name="Ada", password="seven silver bobbins"
            )
            assert sent.status_code == 422, email


async def test_an_idempotency_key_belongs_to_a_session(
    serving: Serving, people: dict[str, int]
) -> None:
    """The same person with the same key in another browser is not given a reply that only the
    first can read; a retry in the first is."""
    async with serving() as browser:
        replies = []
        for _ in range(2):
            inside = browser()
            await inside.log_in("operator@example.org")
            found = CSRF.search((await inside.get("/account")).text)
            assert found is not None
            for _ in range(2):
                made = await inside.http.post(
                    "/api/v1/contributors",
                    json={"count": 1},
                    headers={"x-csrf-token": found[1], "idempotency-key": "one"},
                )
                assert made.status_code == 201
                replies.append(made.json()["contributors"][0]["id"])
        assert replies[0] == replies[1]
        assert replies[2] == replies[3]


async def test_a_stranger_hands_nothing_over(serving: Serving, people: dict[str, int]) -> None:
    """Who may not is refused before the body is read: a file of any size costs nothing."""
    async with serving() as browser:
        stranger = browser()
        await stranger.get("/login")
        read = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal read
            for _ in range(100):
                read += 1
                yield b"x" * 10_000

        kind = {"content-type": "multipart/form-data; boundary=x"}
        sent = await stranger.http.post("/batches/new", content=body(), headers=kind)
        assert sent.status_code == 401
        assert read < 100


def test_the_last_address_forwarded_counts() -> None:
    """A client may forge X-Forwarded-For; what the proxy adds, as a value or as a header of its
    own, comes last."""
    for headers in (
        [(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"2.2.2.2")],
        [(b"x-forwarded-for", b"1.1.1.1, 2.2.2.2")],
    ):
        scope = {"client": ("127.0.0.1", 5), "headers": headers}
        assert address(scope) == "2.2.2.2"  # type: ignore[arg-type]


async def test_an_archive_that_explodes_is_refused(
    serving: Serving, people: dict[str, int], tmp_path: Path
) -> None:
    """The limit of an upload holds for what is inside it, in the preview already."""
    async with serving(data=str(tmp_path), upload_bytes_max=200_000) as browser:
        inside = browser()
        await inside.log_in("member@example.org")
        bomb = gzip.compress(b"PAR1" + bytes(5_000_000))
        found = CSRF.search((await inside.get("/batches/new")).text)
        assert found is not None
        sent = await inside.http.post(
            "/batches/new",
            data={"_csrf_token": found[1]},
            files={"file": ("items.parquet.gz", bomb)},
        )
        assert sent.status_code == 422
        assert "200,000 bytes" in sent.text
        assert list((tmp_path / "uploads").iterdir()) == []


async def test_slow_senders_hold_up_nobody_else(
    serving: Serving, people: dict[str, int], fresh_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client may send as slowly as it likes, at four places at once: a fifth is refused, others
    log in meanwhile, and a sender who says nothing more is given up and nothing imported."""
    with connect(fresh_url) as conn:
        batches = [make.work(conn, client_id=people["client"]).batch_id for _ in range(5)]
    async with connect_async(fresh_url) as held:
        key = await store.create_api_key(
            held,
            store.COMMAND_LINE,
            name="k",
            scopes=["batches:write"],
            client_id=people["client"],
        )
    monkeypatch.setattr(items, "STALL_S", 3)
    over, all_begun = asyncio.Event(), asyncio.Event()
    begun = 0

    async def slowly() -> AsyncIterator[bytes]:
        nonlocal begun
        begun += 1
        if begun == 4:
            all_begun.set()
        yield b"title\n"
        await over.wait()
        yield b"late\n"

    async with serving() as browser:
        sender = browser().http
        sender.timeout = None
        headers = {"authorization": f"Bearer {key.secret}", "content-type": "text/csv"}

        def send(batch: int) -> asyncio.Task[Any]:
            path = f"/api/v1/batches/{batch}/items"
            return asyncio.create_task(sender.post(path, content=slowly(), headers=headers))

        slow = [send(batch) for batch in batches[:4]]
        await all_begun.wait()
        assert (await send(batches[4])).status_code == 429
        assert (await browser().log_in("member@example.org")).status_code == 303
        assert [one.status_code for one in await asyncio.gather(*slow)] == [422] * 4
        over.set()
        assert (await send(batches[4])).status_code != 429, "the places are free again"


async def test_exports_leave_nothing_behind(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """Each export that ends, or that nobody ever read, gives its place and connection back."""
    with connect(fresh_url) as conn:
        found = make.work(conn, client_id=people["client"])
    shared = House(Settings(database_url=fresh_url))
    async with serving() as browser:
        inside = browser()
        await inside.log_in("member@example.org")
        for _ in range(6):
            sent = await inside.get(f"/batches/{found.batch_id}/results/csv")
            assert sent.status_code == 200
            assert len(sent.text.splitlines()) == 4
    async with open_pool(fresh_url, 1) as pool:
        batch = await read_batch(pool, store.COMMAND_LINE, found.batch_id)
    kept = [await open_export(shared, batch, "csv") for _ in range(4)]
    with pytest.raises(TooMany):
        await open_export(shared, batch, "csv")
    assert [piece async for piece in kept.pop()]
    assert len(shared.busy) == 3
    kept.clear()
    gc.collect()
    assert len(shared.busy) == 0


async def test_nothing_happens_that_the_log_does_not_tell(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """A change and its entry are one: where the log cannot be written, nothing was changed."""
    with connect(fresh_url) as conn:
        conn.execute("alter table audit_log add constraint full_disk check (id < 0) not valid")
        publish(conn, None, load_shipped("catalogue/categorise").definition, 1)
        token = "a token of the test"
        values = [token_hash(token), people["member"]]
        conn.execute("insert into session values (%s, %s, 1, 9000000000000)", values)
    async with serving() as browser:
        inside = browser()
        inside.http.cookies.set("canut-session", token)
        sent = await inside.submit("/webhooks", "/webhooks", url="https://shop.example/")
        assert sent.status_code == 500
        found = CSRF.search((await inside.get("/webhooks")).text)
        assert found is not None
        for path, body in (
            ("webhooks", {"url": "https://shop.example/"}),
            ("batches", {"process": "catalogue/categorise", "key": "k"}),
        ):
            headers = {"x-csrf-token": found[1]}
            sent = await inside.http.post(f"/api/v1/{path}", json=body, headers=headers)
            assert sent.status_code == 500
    with connect(fresh_url) as conn:
        assert conn.execute("select 1 from webhook").fetchall() == []
        assert conn.execute("select 1 from batch").fetchall() == []
