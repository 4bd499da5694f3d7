"""Stewards' pages: money leaves only when two people approved it, and everybody reads what the
month brought."""

import base64
import csv
import io
import json
from pathlib import Path
from typing import Any

import psycopg
import pytest

from canut.db.pool import connect, connect_async
from canut.pay.accrual import accept_due
from canut.pay.hours import Hours, state_hours
from canut.pay.payouts.asking import request_payout
from canut.pay.policy.model import DAY_MS
from canut.pay.settlement import settle_next
from canut.pay.settlement.rules import week_of
from canut.pay.time import state_time
from canut.people import store
from canut.people.model import Principal, SignUp
from tests import factories as make
from tests.pay.paid import engine, funded, paid, work_on
from tests.pay.payees import Payees, camt, sound
from tests.web.conftest import CSRF, PASSWORD, Browser, Serving

#: before whatever the clock of the machine says
AGO = 1_600_000_000_000
COOP = """name = "Coopérative Belvoie"
iban = "BE68 5390 0754 7034"
bic = "GKCCBEBB"

[address]
street = "rue des Tables"
building = "4 bis"
postcode = "69004"
town = "Lyon"
country = "FR"

[vat]
category = "AE"
"""


@pytest.fixture
async def steward(people: dict[str, int], fresh_url: str) -> int:
    """Beside the operator, the contributor and the client's member: somebody who keeps the
    books."""
    sign_up = SignUp("steward@example.org", "Steward", PASSWORD)
    async with connect_async(fresh_url) as conn:
        return await store.create_account(conn, store.COMMAND_LINE, sign_up, roles=("steward",))


async def inside(browser: Browser, who: str) -> Browser:
    await browser.log_in(f"{who}@example.org")
    return browser


async def upload(browser: Browser, content: bytes) -> Any:
    found = CSRF.search((await browser.get("/operator/pay/payouts")).text)
    assert found is not None
    files = {"file": ("statement.xml", content, "application/xml")}
    data = {"_csrf_token": found[1]}
    return await browser.http.post("/operator/pay/statements", data=data, files=files)


async def test_a_run_goes_to_the_bank_when_two_people_approved_it(
    serving: Serving, steward: int, fresh_url: str, tmp_path: Path
) -> None:
    """From what waits to what came back. The same person never approves twice, and is told so;
    another total is refused; there is no file before two approved it, nor before somebody wrote
    down who the co-op is: a page says so, and what to do."""
    with psycopg.connect(fresh_url) as conn:
        payees = Payees(conn)
        asked = [
            request_payout(conn, who, 2_500, "EUR", "november", AGO)
            for who in (payees.ada, payees.bea)
        ]
    (tmp_path / "bank.key").write_bytes(base64.b64encode(b"k" * 32))
    page, run = "/operator/pay/payouts", "/operator/pay/payouts/1"
    async with serving(data=str(tmp_path)) as browsers:
        first, second = [await inside(browsers(), who) for who in ("steward", "operator")]
        assert "No file says who the co-op is" in (await first.get(page)).text
        made = await first.submit(page, page, way="iban", currency="EUR")
        assert made.headers["location"] == run
        assert (
            "No payout by iban" in (await first.submit(page, page, way="iban", currency="EUR")).text
        )
        refused = await first.submit(run, run, act="approve", total="49.99")
        assert refused.status_code == 422
        assert "Look at it again" in refused.text
        await first.submit(run, run, act="approve", total="50.00")
        again = await first.submit(run, run, act="approve", total="50,00")
        assert again.status_code == 303
        told = (await first.get(run)).text
        assert "You have approved this run" in told
        assert 'name="total"' not in told
        assert (await first.get(f"{run}/file")).status_code == 503
        (tmp_path / "coop.toml").write_text(COOP)
        assert (await first.get(f"{run}/file")).status_code == 409
        await second.submit(run, run, act="approve", total="50")
        told = (await second.get(run)).text
        assert "the same, to the cent" in told
        file = await second.get(f"{run}/file")
        assert b"<CtrlSum>50.00</CtrlSum>" in file.content
        assert 'filename="canut-run-1.xml"' in file.headers["content-disposition"]
        lines = [(one.reference, "25.00", "DBIT") for one in asked]
        back = (asked[0].reference, "25.00", "CRDT")
        assert (await upload(first, b"<no/>")).status_code == 422
        for _ in range(2):
            assert (await upload(first, camt("S-1", *lines, back))).status_code == 303
        told = (await first.get(run)).text
        assert "The account is closed." in told
        assert "0 on their way, 1 came back" in told
        assert "S-1" in (await first.get(page)).text
        # what is paid is given back by two: the second one is told what the first has said
        gone = {"act": "fail", "payout": "2", "why": "The bank telephoned"}
        assert (await first.submit(run, run, **gone)).status_code == 303
        assert "Back to their balance" not in (await first.get(run)).text
        told = (await second.get(run)).text
        assert "Back to their balance" in told
        assert "said so: “The bank telephoned”" in told
        assert "1 came back" in told
        assert (await upload(first, camt("S-2", ("CANUT-PAYOUT-9", "1.00", "DBIT")))).is_redirect
        assert "Il n’y a pas de versement 9." in (await first.get(f"{page}?lang=fr")).text
        await second.submit(run, run, **gone)
        assert "2 came back" in (await second.get(run)).text
        assert (await second.get(f"{run}/file")).status_code == 409
    with psycopg.connect(fresh_url) as conn:
        states = conn.execute("select state from payout order by id").fetchall()
        assert states == [("failed",), ("failed",)]
        assert sound(conn)


def worked(url: str, contributor: int, account: int) -> int:
    """A week that was worked and settled, and a time that somebody states; the review."""
    with connect(url, autocommit=True) as conn:
        one = paid(conn, items=30, now=AGO)
        funded(conn, one, AGO)
        tasks = work_on(conn, one, contributor, 3, 20_000, AGO)
        with conn.transaction():
            engine(conn, AGO + 100_000)
        over = week_of(AGO) + 8 * DAY_MS
        while accept_due(conn, over) or settle_next(conn, over):
            pass
        by = Principal(account_id=account, contributor_id=contributor)
        return state_time(conn, by, tasks[0], 19_000, "I read <it> twice.", over)


def waited(url: str, contributor: int) -> int:
    """A contributor states that they waited for half an hour."""
    hours = Hours("waiting", AGO, AGO + 1_800_000, 1_500_000, "It <did> not load.")
    with connect(url) as conn:
        return state_hours(conn, Principal(contributor_id=contributor), hours, AGO + DAY_MS).id


async def decides_hours(browser: Browser, contributor: int, asked: int) -> None:
    """With what of the same time a task pays, and in which currency; and records training, which is
    agreed at once."""
    path = "/operator/pay/hours"
    told = await browser.get(path)
    assert "at most, paid in EUR" in told.text
    assert "It &lt;did&gt; not load." in told.text
    assert "59.500" in told.text
    assert 'value="25"' in told.text
    for time, why in (("25.1", "Seen."), ("soon", "Seen."), ("20", "")):
        refused = await browser.submit(path, f"{path}/{asked}", time=time, why=why)
        assert refused.status_code == 422
        assert f'value="{time}"' in refused.text
    decided = await browser.submit(path, f"{path}/{asked}", time="20,5", why="So it was.")
    assert decided.status_code == 303
    assert "No hours are to be decided" in (await browser.get(path)).text
    assert "1,230.000" in (await browser.get(f"{path}?decided=1")).text
    form = {"day": "2020-02-02", "from": "09:00", "until": "10:00", "kind": "training"}
    for change in ({"contributor": "Ada"}, {"contributor": "99999"}, {"reason": ""}):
        given = form | {"contributor": str(contributor), "reason": "The guide"} | change
        refused = await browser.submit(path, path, **given)
        assert refused.status_code in (404, 422)
        assert 'value="09:00"' in refused.text
    given = form | {"contributor": str(contributor), "reason": "The guide"}
    assert (await browser.submit(path, path, **given)).status_code == 303
    assert "Panel duty" in (await browser.get(f"{path}?said=recorded&contributor=7")).text


async def simulated_is_told(browser: Browser, url: str, contributor: int) -> None:
    """Whose hours they are, a person or a program, is beside them."""
    sql, path = (
        "update contributor set simulated = %s where id = %s",
        "/operator/pay/hours?decided=1",
    )
    for simulated in (True, False):
        with connect(url) as conn:
            conn.execute(sql, [simulated, contributor])
        page = (await browser.get(path)).text
        assert page.count('class="state simulated"') == 2 * simulated


async def test_a_steward_decides_times_rules_and_prices_and_reads_the_books(
    serving: Serving, people: dict[str, int], steward: int, fresh_url: str
) -> None:
    """With a reason each, and nothing by itself: a time that is neither side's, a rule of the past
    or without a resolution, a price below the formula's are refused beside their fields, and what
    was typed stays. Balances are those of the day that was asked for."""
    review = worked(fresh_url, people["contributor"], people["worker"])
    asked = waited(fresh_url, people["contributor"])
    pay = "/operator/pay"
    async with serving() as browsers:
        browser = await inside(browsers(), "steward")
        overview = (await browser.get(pay)).text
        assert "1 contributor’s time is to be decided" in overview
        assert "1 statement of hours beside tasks is to be decided" in overview
        times = await browser.get(f"{pay}/times")
        assert "I read &lt;it&gt; twice." in times.text
        one = f"{pay}/times/{review}"
        for wrong in ("12", "long"):
            said = await browser.submit(f"{pay}/times", one, time=wrong, why="Seen.")
            assert said.status_code == 422
            assert f'value="{wrong}"' in said.text
        assert (
            await browser.submit(f"{pay}/times", one, time="19,5", why="Seen.")
        ).status_code == 303
        assert "No time is to be decided" in (await browser.get(f"{pay}/times")).text
        assert "Agreed: 19.5" in (await browser.get(f"{pay}/times?decided=1")).text
        await decides_hours(browser, people["contributor"], asked)
        await simulated_is_told(browser, fresh_url, people["contributor"])
        key = {"owner": "account", "name": "hours"}
        refused = await browser.submit("/account", "/account/keys", **key, scopes="operate")
        assert "may not do this: operate" in refused.text
        assert 'value="operate"' not in refused.text
        made = await browser.submit("/account", "/account/keys", **key, scopes="books")
        assert "Copy it now" in made.text
        rule = {"name": "floor", "value": "12.50", "jurisdiction": "fr", "currency": "eur"}
        for more in ({"from": "2999-01-01", "resolution": " "}, {"from": "2001-01-01"}):
            given = rule | {"resolution": "2026-14"} | more
            refused = await browser.submit(f"{pay}/rules", f"{pay}/rules", **given)
            assert refused.status_code == 422
            assert 'value="12.50"' in refused.text
        given = rule | {"resolution": "2026-14", "from": "2999-01-01"}
        await browser.submit(f"{pay}/rules", f"{pay}/rules", **given)
        rules = (await browser.get(f"{pay}/rules")).text
        assert "2026-14" in rules
        assert "to come" in rules
        with psycopg.connect(fresh_url) as conn:
            process = make.one(conn, "select process_id from tariff")
            bank = make.one(conn, "select id from ledger_account where kind = 'bank'")
        step = f"{pay}/prices/{process}/colour"
        set_ = {"act": "pay", "currency": "EUR", "jurisdiction": "FR", "why": "more"}
        early = await browser.submit(step, step, **set_, price="9")
        assert "nothing is measured yet" in early.text.lower()
        await browser.submit(step, step, **set_, assumed="45")
        assert "45" in (await browser.get(step)).text
        periods = (await browser.get(f"{pay}/periods")).text
        slips = f"{pay}/slips?period=1"
        assert slips in periods
        assert "Worker" in (await browser.get(slips)).text
        assert "Deductions: none" in (await browser.get(f"{pay}/slips/1")).text
        now, before = [
            (await browser.get(f"{pay}/books?kind=bank{on}")).text for on in ("", "&on=2001-01-01")
        ]
        assert "€0.00" not in now
        assert "€0.00" in before
        assert "Paid in" in (await browser.get(f"{pay}/books/{bank}")).text
        assert (await browser.get(f"{pay}/books?kind=gold")).status_code == 404
        proof = await browser.submit(f"{pay}/books", f"{pay}/books")
        assert "all rules hold" in proof.text
        assert "Waits" not in proof.text
        for other in ("worker", "member"):
            stranger = await inside(browsers(), other)
            assert (await stranger.get(pay)).status_code == 403
    with psycopg.connect(fresh_url) as conn:
        logged = "select action from audit_log where account_id = %s order by action"
        actions = [row[0] for row in conn.execute(logged, [steward])]
        for action in (
            *("decide.paid_hours", "decide.policy", "decide.time_review", "record.paid_hours"),
            "set.tariff",
        ):
            assert actions.count(action) == 1


async def test_everybody_reads_what_a_month_brought(serving: Serving, fresh_url: str) -> None:
    """Without an account: the newest month, or the one that is asked for, and all as a file. Of
    few people nothing is told."""
    figures = {
        **{"contributors": 9, "simulated": 0, "hourly_minor": 1_543, "pay_minor": 80_000},
        **{"coop_minor": 500, "topup_minor": 2_000, "social_minor": 4_000, "ai_minor": 6_000},
        "fee_minor": 10_000,
    }
    shares = [[{"currency": "EUR", "figures": figures}], [{"currency": "EUR", "figures": None}]]
    async with serving() as browsers:
        browser = browsers()
        assert "No month is published yet" in (await browser.get("/open-accounts")).text
        with psycopg.connect(fresh_url) as conn:
            for (start, end), share in zip(((0, 1), (1, 2)), shares, strict=True):
                conn.execute(
                    "insert into open_month values (%s, %s, %s, %s)",
                    [start * 31 * DAY_MS, end * 31 * DAY_MS, 99 * DAY_MS, json.dumps(share)],
                )
        newest = (await browser.get("/open-accounts?lang=en")).text
        assert "February 1970" in newest
        assert "fewer than 5 contributors" in newest
        january = (await browser.get("/open-accounts?month=1970-01")).text
        for told in ("€15.43", "80.0%", "€1,000.00", "€100.00", "€20.00"):
            assert told in january, told
        assert (await browser.get("/open-accounts?month=1970-03")).status_code == 404
        file = await browser.get("/open-accounts.csv")
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert [row["month"] for row in rows] == ["1970-02", "1970-01"]
    assert rows[0]["pay"] == ""
    assert (rows[1]["median_hourly"], rows[1]["contributors_share"]) == ("15.43", "0.8000")
