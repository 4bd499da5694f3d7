"""Pay over the API: quotes and money of a client, what a contributor earned, slips and payouts."""

import asyncio
import time

import pytest

from canut import Canut, CanutAPIError
from canut.db.pool import connect, connect_async
from canut.engine.pay import settle
from canut.pay.accrual import accept_batch
from canut.pay.funding import deposit
from canut.pay.identity import Address
from canut.pay.money.billing import set_billing
from canut.pay.money.invoicing import issue_invoice
from canut.pay.money.model import Billing
from canut.pay.payouts.asking import set_account
from canut.pay.settlement import settle_until
from canut.pay.tariffs import find_step, set_tariff
from canut.people import store as people
from canut.people.model import SignUp
from canut.people.store import COMMAND_LINE
from tests.api import Api, decide
from tests.factories import one
from tests.pay.payees import VAULT, bank_account
from tests.pay.test_invoices import COOP
from tests.web.test_api import as_, contributors, submitted


def now() -> int:
    return time.time_ns() // 1_000_000


def unfunded(api: Api) -> int:
    """A batch whose step pays by the hour, and which has no money yet."""
    with connect(api.database) as conn:
        step = find_step(conn, "catalogue/categorise", "category")
        values = {"currency": "EUR", "assumed_ms": 20_000, "why": "a pilot"}
        set_tariff(conn, COMMAND_LINE, step, now(), **values)
    return submitted(as_(api, api.soierie))


def funded(api: Api, batch: int) -> int:
    """Its client, who has paid in what the batch is quoted at, and agreed."""
    with Canut(api.url, key=api.soierie) as canut:
        quote = canut.batches.get(batch).quote()
        with connect(api.database) as conn:
            client = int(one(conn, "select client_id from batch where id = %s", batch))
            deposit(conn, COMMAND_LINE, client, quote.total_minor, "EUR", "wire", now())
        canut.money.agree(quote.id)
    return client


def settled(api: Api) -> None:
    """What was handed in is decided and paid."""
    decide(api.database)
    with connect(api.database, autocommit=True) as conn:
        settle(conn, now)
        settle(conn, now)


def test_a_client_quotes_agrees_and_reads_its_money(api: Api) -> None:
    """Nothing is agreed by a quote; without money it is refused, and says how much is missing; with
    it, it holds once. Nobody else sees any of it."""
    batch = unfunded(api)
    with Canut(api.url, key=api.soierie) as canut, Canut(api.url, key=api.tulle) as other:
        mine = canut.batches.get(batch)
        with pytest.raises(CanutAPIError, match="no money"):
            mine.funds()
        few, whole = mine.quote(items=2), mine.quote()
        assert (few.items, whole.items) == (2, 12)
        assert sum(line.amount_minor for line in whole.lines) == whole.total_minor
        assert [one.id for one in mine.quotes()] == [whole.id, few.id]
        with pytest.raises(CanutAPIError) as caught:
            canut.money.agree(whole.id)
        assert [problem.field for problem in caught.value.problems] == ["amount"]
        with connect(api.database) as conn:
            client = one(conn, "select client_id from batch where id = %s", batch)
            deposit(conn, COMMAND_LINE, client, whole.total_minor + 5, "EUR", "wire", now())
        assert canut.money.agree(whole.id) == canut.money.agree(whole.id) == mine.funds()
        assert mine.funds().covered == mine.funds().tasks == 12
        [purse] = canut.money.purses().data
        assert (purse.deposit_minor, purse.aside_minor) == (5, whole.total_minor)
        assert mine.quotes()[0].agreed_ms is not None
        assert list(other.money.invoices()) == []
        assert other.money.purses().data == []
        for refused in (lambda: other.money.agree(few.id), lambda: other.batches.get(batch)):
            with pytest.raises(CanutAPIError, match="not yours to see"):
                refused()


def test_a_contributor_reads_what_they_earned_and_states_their_time(api: Api) -> None:
    """Nothing is claimed before the batch is funded; each answer earns once; of work over the API
    nothing is measured, and its time can be stated: within the lease, for one's own tasks."""
    batch = unfunded(api)
    worker, stranger = contributors(api, 2)
    assert worker.post("/claims", json={"count": 3}).json()["tasks"] == []
    funded(api, batch)
    tasks = [task["task"] for task in worker.post("/claims", json={"count": 3}).json()["tasks"]]
    assert len(tasks) == 3
    time.sleep(0.05)
    answers = [{"task": task, "value": "lamp"} for task in tasks]
    worker.post("/answers", json={"answers": answers}).raise_for_status()
    settled(api)
    paid = worker.get("/pay").json()
    # three tasks of 20 s, thought to take so long: a minute at 12.02 an hour, rounded up
    assert paid["sums"] == [
        {"currency": "EUR", "fresh_minor": 0, "held_minor": 21, "payable_minor": 0}
    ]
    assert sorted(e["task"] for e in paid["earnings"]) == sorted(tasks)
    assert {e["basis"] for e in paid["earnings"]} == {"assumed"}
    times = worker.get("/times").json()["data"]
    assert [t["task"] for t in times] == sorted(tasks)
    assert {(t["basis"], t["agreed_ms"]) for t in times} == {("none", 0)}
    said = {"time_ms": 40, "reason": "I had it open in my own program"}
    first = worker.put(f"/times/{tasks[0]}", json=said)
    assert first.status_code == 200, first.text
    assert worker.put(f"/times/{tasks[0]}", json=said).json() == first.json()
    other = worker.put(f"/times/{tasks[0]}", json={**said, "time_ms": 41})
    assert other.status_code == 409
    long = worker.put(f"/times/{tasks[1]}", json={**said, "time_ms": 10**9})
    assert long.status_code == 422
    assert "longer than" in long.text
    assert stranger.put(f"/times/{tasks[1]}", json=said).status_code == 404
    assert stranger.get("/pay").json() == {"sums": [], "earnings": []}
    waiting = {t["task"]: t["stated_ms"] for t in worker.get("/times").json()["data"]}
    assert waiting[tasks[0]] == 40


def test_a_contributor_reads_slips_and_asks_for_money(api: Api) -> None:
    """A slip with every task under the name it was claimed by, as PDF and CSV; money goes to the
    account that the contributor named, is asked for once a key, and can be taken back. Nobody else
    sees any of it, and the client's invoice has its XML inside."""
    batch = unfunded(api)
    client = funded(api, batch)
    [made, other] = (
        as_(api, api.operator).post("/contributors", json={"count": 2}).json()["contributors"]
    )
    with Canut(api.url, key=made["key"]) as worker, Canut(api.url, key=other["key"]) as stranger:
        claimed = worker.work.claim(3).tasks
        worker.work.answer_all([(task.task, "lamp") for task in claimed])
        settled(api)
        with pytest.raises(CanutAPIError, match="where your money goes"):
            worker.pay.account()
        with connect(api.database, autocommit=True) as conn:
            accept_batch(conn, COMMAND_LINE, batch, client, now())
            settle(conn, now)
            settle_until(conn, COMMAND_LINE, now(), now())
            set_account(conn, COMMAND_LINE, made["id"], bank_account(), VAULT, now())
            buyer = Billing("La Soierie", Address("Lyon", "FR", postcode="69001"))
            set_billing(conn, COMMAND_LINE, client, buyer, now())
            issue_invoice(conn, COMMAND_LINE, COOP, client, "EUR", now(), now())
        [slip] = worker.pay.slips()
        assert (slip.tasks, slip.qualifying_minor, slip.total_minor) == (3, 21, 21)
        whole = worker.pay.slip(slip.id)
        assert {line.task for line in whole.lines} == {task.task for task in claimed}
        assert sum(line.pay_minor for line in whole.lines) == slip.qualifying_minor
        assert worker.pay.slip_pdf(slip.id, locale="fr").startswith(b"%PDF")
        assert claimed[0].task in worker.pay.slip_csv(slip.id).decode()
        assert worker.pay.account().masked == "FR** **** 0189"
        with pytest.raises(CanutAPIError, match="more than there is"):
            worker.pay.ask(22, "EUR", "too much")
        first = worker.pay.ask(21, "EUR", "november")
        assert worker.pay.ask(21, "EUR", "november") == first
        worker.pay.cancel(first.id)
        assert [one.state for one in worker.pay.payouts()] == ["cancelled"]
        assert list(stranger.pay.slips()) == list(stranger.pay.payouts()) == []
        for refused in (stranger.pay.slip, stranger.pay.slip_pdf, stranger.pay.cancel):
            with pytest.raises(CanutAPIError) as caught:
                refused(slip.id if refused != stranger.pay.cancel else first.id)
            assert caught.value.status == 404
    with Canut(api.url, key=api.soierie) as canut:
        [invoice] = canut.money.invoices()
        assert (invoice.prepaid_minor, invoice.due_minor) == (invoice.net_minor, invoice.vat_minor)
        assert invoice.net_minor > slip.total_minor
        assert canut.money.invoice_pdf(invoice.id).startswith(b"%PDF")
        assert invoice.number.encode() in canut.money.invoice_xml(invoice.id)


async def stewards_key(database: str) -> str:
    """That of somebody who keeps the books, and is no operator."""
    async with connect_async(database) as conn:
        sign_up = SignUp("steward@canut.example", "Solange", "warp and weft and silk")
        account = await people.create_account(conn, COMMAND_LINE, sign_up, roles=("steward",))
        made = await people.create_api_key(
            conn, COMMAND_LINE, name="hours", scopes=("books",), account_id=account
        )
        return made.secret


def test_hours_beside_tasks_are_stated_and_decided(api: Api) -> None:
    """A contributor states them, an operator or a steward sees them page by page, decides once, and
    records others; each wrong field is named, and nobody else sees or decides anything. A steward's
    key is for nothing else that operators do."""
    [made, other] = (
        as_(api, api.operator).post("/contributors", json={"count": 2}).json()["contributors"]
    )
    books = asyncio.run(stewards_key(api.database))
    until = now() - 60_000
    span = until - 1_800_000, until
    with (
        Canut(api.url, key=made["key"]) as worker,
        Canut(api.url, key=other["key"]) as stranger,
        Canut(api.url, key=api.operator) as operator,
        Canut(api.url, key=books) as steward,
    ):
        first = worker.pay.state_hours("waiting", *span, 1_500_000, "Nothing but errors.")
        assert worker.pay.state_hours("waiting", *span, 1_500_000, "Nothing but errors.") == first
        second = stranger.pay.state_hours("waiting", *span, 1_000, "Errors here too.")
        with pytest.raises(CanutAPIError) as caught:
            worker.pay.state_hours("panel", span[1], span[0], 5, " ", currency="GBP")
        assert {one.field for one in caught.value.problems} == {"until", "reason", "currency"}
        with pytest.raises(CanutAPIError, match="stated already"):
            worker.pay.state_hours("panel", *span, 5, "Instead.")
        with pytest.raises(CanutAPIError):
            worker.people.decide_hours(first.id, 1_500_000, "Mine.")
        waiting = list(operator.people.waiting_hours(limit=1))
        assert [one.hours.contributor for one in waiting] == [made["id"], other["id"]]
        assert (waiting[0].hours, waiting[0].most_ms) == (first, 1_500_000)
        agreed = operator.people.decide_hours(first.id, 1_200_000, "Twenty minutes.")
        assert (agreed.state, agreed.agreed_ms) == ("agreed", 1_200_000)
        with pytest.raises(CanutAPIError, match="decided already"):
            operator.people.decide_hours(first.id, 0, "No.")
        [left] = steward.people.waiting_hours()
        assert (left.hours, steward.me().scopes) == (second, ["books"])
        assert steward.people.decide_hours(second.id, 0, "It was up.").state == "refused"
        assert as_(api, books).post("/contributors", json={"count": 1}).status_code == 403
        earlier = span[0] - 3_600_000, span[0]
        panel = operator.people.record_hours(made["id"], "panel", *earlier, 60_000, "The lamps.")
        assert [one.id for one in worker.pay.hours(limit=1)] == [panel.id, first.id]
        assert len(list(operator.people.waiting_hours(limit=2, all=True))) == 3
        page = as_(api, api.operator).get("/hours/waiting?all=true&limit=1")
        assert "all=true" in page.headers["link"]
        with connect(api.database, autocommit=True) as conn:
            settle_until(conn, COMMAND_LINE, now(), now())
        [slip] = worker.pay.slips()
        lines = worker.pay.slip(slip.id).hours
        assert [(one.kind, one.agreed_ms) for one in lines] == [
            ("panel", 60_000),
            ("waiting", 1_200_000),
        ]
        assert slip.hours_ms == 1_260_000
        assert {one.state for one in worker.pay.hours()} == {"paid"}
