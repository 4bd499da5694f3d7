"""Clients' money on the pages: quoted, set aside, missing, paid in by card and by transfer, billed;
and nobody else's to see."""

import html
import re
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg

from canut.db.pool import connect, connect_async
from canut.pay.money.stripe import Stripe
from canut.pay.tariffs import find_step, set_tariff
from canut.people import store
from canut.people.model import SignUp
from canut.people.store import COMMAND_LINE
from canut.processes.library import load_shipped
from canut.processes.store import publish
from canut.work.intake import add_items, one_block, open_batch
from tests import factories as make
from tests.pay.test_client_money import FakeStripe, message, server, signed  # noqa: F401
from tests.web.conftest import PASSWORD, Browser, Serving
from tests.web.test_new_batch import Maker

SLUG = "search/relevance"
ROWS = "id,query,product\n" + "".join(f"Q{n},oak lamp {n},Ondelaine lamp\n" for n in range(4))


def priced(url: str) -> int:
    """A process of the library whose work is paid; its version."""
    with connect(url) as conn:
        version = publish(conn, None, load_shipped(SLUG).definition, now() - 10)
        step = find_step(conn, SLUG, "relevance", None)
        set_tariff(
            conn, COMMAND_LINE, step, now() - 5, currency="EUR", assumed_ms=20_000, why="a pilot"
        )
    return version.id


def batch_of(url: str, client: int, version: int, key: str) -> int:
    """A batch of four items."""
    with connect(url) as conn:
        batch = open_batch(conn, client, key, version, now(), name=key.title())
        rows = ({"query": f"lamp {n}", "product": "Ondelaine lamp"} for n in range(4))
        add_items(conn, batch, one_block(rows))
    return batch.id


def now() -> int:
    return time.time_ns() // 1_000_000


def count(url: str, sql: str) -> Any:
    with psycopg.connect(url) as conn:
        return make.one(conn, sql)


def told(page: httpx.Response) -> str:
    """The text of a page, without tags and with single spaces."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


async def inside(serving: Any, who: str) -> Maker:
    browser = Maker(serving().http)
    await browser.log_in(f"{who}@example.org")
    return browser


async def drafted(client: Maker, version: int) -> str:
    """A draft of `ROWS` that could be launched; its address."""
    sent = await client.upload(ROWS)
    at = sent.headers["location"].removesuffix("/columns")
    await client.step(f"{at}/columns", key="0")
    await client.step(f"{at}/question", "choose", pick=str(version))
    await client.step(f"{at}/question", way="published", version=str(version))
    assert "at most €" in told(await client.get(f"{at}/target"))
    await client.step(f"{at}/target", error="2")
    return at


async def launch(client: Maker, at: str, **more: str) -> httpx.Response:
    """Press the button, for the price that the page shows."""
    page = await client.get(f"{at}/launch")
    shown = re.search(r'name="shown" value="(\d+)"', page.text)
    assert shown is not None, told(page)
    return await client.step(f"{at}/launch", "launch", shown=shown[1], **more)


async def test_a_batch_waits_for_its_money_and_then_begins(
    serving: Serving, people: dict[str, int], fresh_url: str, tmp_path: Path
) -> None:
    """Launched without money it waits, and says how much is missing; a limit that covers nothing is
    said beside its field. A deposit that is sent twice is booked once; what was quoted is set aside
    once, and the batch waits no more."""
    version = priced(fresh_url)
    async with serving(data=str(tmp_path)) as browsers:
        client, operator = await inside(browsers, "member"), await inside(browsers, "operator")
        draft = await drafted(client, version)
        refused = await launch(client, draft, name="Lamps", budget="0.01")
        assert refused.status_code == 422
        assert 'id="f-budget-wrong"' in refused.text
        assert count(fresh_url, "select count(*) from batch") == 0
        sent = await launch(client, draft, name="Lamps")
        assert sent.status_code == 303, told(sent)
        at = sent.headers["location"]
        assert "The batch waits for money." in told(await client.get(at))
        assert re.search(r"€[\d.]+ is missing", told(await client.get(f"{at}/money")))
        assert "of it is missing" in told(await client.get("/money"))
        book = {"act": "deposit", "amount": "100,00", "currency": "EUR", "reference": "E2E-1"}
        desk = f"/operator/money/{people['client']}"
        wrong = await operator.submit(desk, desk, **{**book, "amount": "1.001"})
        assert wrong.status_code == 422
        assert "decimals" in told(wrong)
        for _ in range(2):
            assert (await operator.submit(desk, desk, **book)).status_code == 303
        other = await operator.submit(desk, desk, **{**book, "amount": "99"})
        assert 'id="deposit-reference-wrong"' in other.text
        assert "€100.00" in told(await operator.get("/operator/money"))
        assert "E2E-1" in told(await client.get("/money/movements"))
        page = await client.get(f"{at}/money")
        quote = re.search(r'name="quote" value="(\d+)"', page.text)
        assert quote is not None, told(page)
        for _ in range(2):
            agreed = await client.submit(f"{at}/money", f"{at}/money", act="fund", quote=quote[1])
            assert agreed.status_code == 303
        assert "waits" not in told(await client.get(at))
        assert "Where its money is" in told(await client.get(f"{at}/money"))
        again = await launch(client, await drafted(client, version), name="More lamps")
        assert "waits" not in told(await client.get(again.headers["location"]))
    total = "select sum(amount) from ledger_transfer where kind = '{}'"
    assert count(fresh_url, total.format("deposit")) == 10_000
    agreed_to = "select sum(total_minor) from quote where agreed_ms is not null"
    assert count(fresh_url, total.format("fund")) == count(fresh_url, agreed_to)
    assert count(fresh_url, "select count(*) from quote where agreed_ms is not null") == 2


async def test_a_payment_by_card_comes_by_signed_messages(
    serving: Serving,
    people: dict[str, int],
    fresh_url: str,
    server: tuple[str, list[FakeStripe]],  # noqa: F811
) -> None:
    """Begun once however often the form is sent; nothing is booked for a message with a wrong
    signature; what is told is answered with success each time and booked once, and the page that
    one comes back to says so. Without a provider there is neither form nor address."""
    server[1][0] = FakeStripe()
    stripe = Stripe("sk_invented", "whsec_invented", api=server[0])
    async with serving(stripe) as browsers:
        client = await inside(browsers, "member")
        given = {"amount": "50", "currency": "EUR", "key": "form-1", "client": ""}
        for _ in range(2):
            sent = await client.submit("/money", "/money/payments", **given)
            assert sent.status_code == 303, told(sent)
        assert len(server[1][0].asked) == 1
        back = sent.headers["location"]
        assert "https://pay/cs_1" in (await client.get(back)).text
        assert "Nothing was paid" in told(await client.get(f"{back}&cancelled=1"))
        bad = await client.submit("/money", "/money/payments", **{**given, "amount": "-1"})
        assert bad.status_code == 422
        assert 'id="f-amount-wrong"' in bad.text
        body = message("cs_1")
        forged = await client.http.post(
            "/money/stripe", content=body, headers=signed(body, now(), "whsec_other")
        )
        assert forged.status_code == 400
        assert "is paid" not in told(await client.get(back))
        outcomes = []
        for _ in range(2):
            heard = await client.http.post(
                "/money/stripe", content=body, headers=signed(body, now())
            )
            assert heard.status_code == 200
            outcomes.append(heard.json()["outcome"])
        assert outcomes == ["booked", "known"]
        assert "It is paid" in told(await client.get(back))
        assert "€50.00" in told(await client.get("/money"))
    async with serving() as browsers:
        client = await inside(browsers, "member")
        assert "Pay in by card" not in told(await client.get("/money"))
        silent = await client.http.post("/money/stripe", content=b"{}")
        assert silent.status_code == 404


async def test_money_is_its_clients_alone(
    serving: Serving, people: dict[str, int], fresh_url: str
) -> None:
    """Another client finds neither batch, payment, invoice nor purse, and changes nothing; who is
    no operator books nothing. Whom to bill is said by the client, with every wrong field named."""
    version = priced(fresh_url)
    mine = batch_of(fresh_url, people["client"], version, "mine")
    async with connect_async(fresh_url) as conn:
        other = await store.create_client(conn, COMMAND_LINE, "autre", "Autre")
        account = await store.create_account(
            conn, COMMAND_LINE, SignUp("other@example.org", "Other", PASSWORD)
        )
        await store.add_member(conn, COMMAND_LINE, other, account)
    async with serving() as browsers:
        client, stranger = await inside(browsers, "member"), await inside(browsers, "other")
        worker: Browser = await inside(browsers, "worker")
        desk = f"/operator/money/{people['client']}"
        for path in (
            f"/batches/{mine}/money",
            f"/money?client={people['client']}",
            f"/money/invoices?client={people['client']}",
            f"/money/billing?client={people['client']}",
            f"/money/movements?client={people['client']}",
            "/money/invoices/1/pdf",
            "/money/payments?payment=1",
        ):
            assert (await stranger.get(path)).status_code == 404, path
            assert (await worker.get(path)).status_code == 403, path
        for path in ("/operator/money", desk):
            assert (await client.get(path)).status_code == 403
        sent = await stranger.submit("/money", f"/batches/{mine}/money", act="quote")
        assert sent.status_code == 404
        sent = await stranger.submit("/money", "/money/billing", client=str(people["client"]))
        assert sent.status_code == 404
        sent = await client.submit("/money", desk, act="deposit", amount="1", currency="EUR")
        assert sent.status_code == 403
        asked = await client.submit("/money", f"/batches/{mine}/money", act="quote", budget="")
        assert asked.status_code == 303
        form = {"name": "La Soierie SA", "town": "", "country": "Fr", "vat_id": "FR1"}
        wrong = await client.submit("/money/billing", "/money/billing", **form)
        assert wrong.status_code == 422
        for field in ("town", "vat_id"):
            assert f'id="f-{field}-wrong"' in wrong.text, field
        form |= {"town": "Lyon", "vat_id": "fr 83 404833048"}
        saved = await client.submit("/money/billing", "/money/billing", **form)
        assert saved.status_code == 303
        assert "Lyon" in (await client.get("/money/billing")).text
        assert "No invoice yet" in told(await client.get("/money/invoices"))
    assert count(fresh_url, "select vat_id from client_billing") == "FR83404833048"
    assert count(fresh_url, "select count(*) from quote") == 1
    assert count(fresh_url, "select count(*) from ledger_transfer") == 0
