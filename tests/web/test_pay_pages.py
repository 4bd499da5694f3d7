"""A contributor's pay: every cent to its task, their own alone, their money where they say."""

import csv
import io
import re
from pathlib import Path

import psycopg
import pytest
from msgspec import Struct

from canut.db.pool import connect, connect_async
from canut.errors import NotFound
from canut.insight import own_pay
from canut.pay.hours import decide_hours, list_hours
from canut.pay.policy.model import DAY_MS
from canut.people import store
from canut.people.model import SignUp
from canut.web.pages.view import now_ms
from canut.work.model import TaskRef
from canut.work.names import TaskNames
from tests import factories as make
from tests.pay.paid import engine, work_on
from tests.pay.payees import IBAN
from tests.pay.week import PRICE, TASKS, PaidWeek, lately, paid_week
from tests.web.conftest import PASSWORD, Browser, Serving

#: 217 s at 12.02 an hour, rounded up, and what of it the tasks brought; and training by the hour
OWED, PAY, HOURS = 73, TASKS * PRICE, 201
KEY = re.compile(r'name="key" value="([^"]+)"')
ACCOUNT = {
    "way": "bank",
    "holder": "Ada Łęcka",
    "iban": IBAN,
    "address.town": "Villeurbanne",
    "address.country": "FR",
}


def names_of(conn: psycopg.Connection) -> TaskNames:
    return TaskNames(make.one(conn, "select value from secret where name = 'task_names'"))


def test_tasks_are_listed_once_each_and_to_their_contributor_alone(
    db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By pages, also where they ended in one moment: then in the order of random names, for that of
    numbers would tell which were made last. What they paid is what the slip says."""
    monkeypatch.setattr(own_pay, "PAGE", 3)
    who, stranger = make.contributor(db), make.contributor(db)
    week = paid_week(db, who)
    names = names_of(db)
    name = {task: names.name(TaskRef(week.one.batch_step, task)) for task in week.tasks}

    def leaf() -> list[str]:
        first = own_pay.read_task_pay(db, names, who)
        assert first.older == first.lines[-1].task
        last = own_pay.read_task_pay(db, names, who, first.older)
        assert last.older is None
        lines = [*first.lines, *last.lines]
        assert sum(line.pay.pay_minor or 0 for line in lines) == PAY
        assert {line.pay.state for line in lines} == {"accepted"}
        return [line.task for line in lines]

    assert leaf() == [name[task] for task in reversed(week.tasks)]
    db.execute(
        "update answer set submitted_ms = %s where contributor_id = %s", [week.after_ms, who]
    )
    assert leaf() == sorted(name.values())
    one = own_pay.read_own_task(db, names, who, name[week.tasks[0]])
    assert [(said.stated_ms, said.agreed_ms) for said in one.statements] == [(50_000, 52_000)]
    assert own_pay.read_task_pay(db, names, stranger).lines == ()
    assert own_pay.read_pay_of(db, names, stranger, name.values()) == {}
    with pytest.raises(NotFound):
        own_pay.read_own_task(db, names, stranger, name[week.tasks[0]])


def test_the_present_period_is_reckoned_as_it_will_be_settled(db: psycopg.Connection) -> None:
    """From where the last one ended, by the floor of now: what would be missing, and no more."""
    who = make.contributor(db)
    week = paid_week(db, who)
    assert own_pay.read_present(db, who, week.after_ms) == []
    now = week.after_ms + 1_000
    work_on(db, week.one, who, 1, 20_000, now)
    [one] = own_pay.read_present(db, who, now + 90_000)
    assert (one.n_tasks, one.counting, one.pay_minor) == (1, 1, 0)
    engine(db, now + 90_000)
    [one] = own_pay.read_present(db, who, now + 90_000)
    assert (one.from_ms, one.until_ms) == (week.after_ms, week.after_ms + 7 * DAY_MS)
    assert (one.n_tasks, one.counting, one.agreed_ms, one.pay_minor) == (1, 0, 20_000, PRICE)
    assert (one.owed_minor, one.topup_minor, one.total_minor) == (7, 2, 7)
    [year] = own_pay.read_years(db, who)
    [settled] = own_pay.read_weeks(db, who, year)
    assert (settled.total_minor, settled.slip_id) == (OWED + HOURS, week.slip)
    assert own_pay.read_weeks(db, who, year - 1) == []


class Made(Struct):
    """The worker's week; another contributor has done nothing."""

    week: PaidWeek
    #: names of their tasks
    tasks: list[str]


@pytest.fixture
async def made(fresh_url: str, people: dict[str, int]) -> Made:
    by = store.COMMAND_LINE
    async with connect_async(fresh_url) as conn:
        sign_up = SignUp("other@example.org", "Other", PASSWORD)
        await store.create_contributor(conn, by, await store.create_account(conn, by, sign_up))
    with psycopg.connect(fresh_url) as conn:
        week = paid_week(conn, people["contributor"], lately())
        names = names_of(conn)
    ref = week.one.batch_step
    return Made(week, [names.name(TaskRef(ref, task)) for task in week.tasks])


async def test_a_slip_can_be_done_again_and_is_nobody_elses(
    serving: Serving, made: Made, tmp_path: Path
) -> None:
    """What work pays stands before it is begun; the page, the PDF and the CSV say the same sum,
    step by step, and a file of the co-op that somebody has to mend keeps none of them back; others
    find neither slip nor task, and an empty page of their own."""
    from pypdf import PdfReader

    slip, task = f"/pay/slips/{made.week.slip}", f"/pay/tasks/{made.tasks[0]}"
    (tmp_path / "coop.toml").write_text("name =")
    async with serving(data=str(tmp_path)) as browsers:
        me, other = browsers(), browsers()
        await me.log_in("worker@example.org")
        await other.log_in("other@example.org")
        home = (await me.get("/work")).text
        assert "€0.05 a task" in home
        assert "Voluntary" in home
        door = (await me.get(f"/work/{made.week.one.work.batch_id}")).text
        assert "10 sec (the mean of 30 measured tasks)" in door
        assert "about €18.00" in door
        page = (await me.get(slip)).text
        assert "€12.02 × 217.000\xa0s ÷ 3,600 s" in page
        assert all(name in page for name in made.tasks)
        file = (await me.get(f"{slip}/slip.pdf")).content
        assert (await me.get(f"/api/v1/slips/{made.week.slip}/pdf")).content == file
        pdf = PdfReader(io.BytesIO(file))
        text = " ".join(one.extract_text() for one in pdf.pages)
        assert "€2.74" in page
        assert "€2.74" in text
        assert "Training" in page
        assert "600.000\xa0s" in text.replace("\u202f", "\xa0")
        rows = list(csv.reader(io.StringIO((await me.get(f"{slip}/slip.csv")).text)))
        lines = [row for row in rows if row[0] == "Task"]
        assert sum(int(row[4]) for row in lines) == 217_000
        assert round(sum(float(row[5]) for row in lines) * 100) == PAY
        hours = sum(int(row[4]) for row in rows if row[0] == "Hours")
        assert -(-1202 * hours // 3_600_000) == HOURS
        assert [row[5] for row in rows if row[1] == "Pay of the period"] == ["2.74"]
        overview = (await me.get("/pay?lang=fr")).text
        assert "Ma paie" in overview
        assert "2,74\xa0€" in overview
        assert "held" not in (await me.get(f"/answers/{made.tasks[0]}?lang=en")).text
        for path in (slip, f"{slip}/slip.pdf", f"{slip}/slip.csv", task):
            assert (await me.get(path)).status_code == 200, path
            assert (await other.get(path)).status_code == 404, path
        assert "You have earned nothing yet" in (await other.get("/pay")).text
        assert (await me.get("/pay?year=twelve")).status_code == 404


async def test_a_time_is_stated_with_a_reason_and_waits(serving: Serving, made: Made) -> None:
    """What is no time, longer than the task was theirs, or without a reason is told beside the
    form; what is stated waits, and is not stated twice; nobody states the time of others."""
    path = f"/pay/tasks/{made.tasks[1]}"
    async with serving() as browsers:
        me, other = browsers(), browsers()
        await me.log_in("worker@example.org")
        await other.log_in("other@example.org")
        wrong = [
            ({"seconds": "soon", "reason": "Long."}, "This is no time."),
            ({"minutes": "9", "reason": "Long."}, "The task was yours for 110.0 seconds."),
            ({"seconds": "50", "reason": " "}, "Is empty."),
        ]
        for form, said in wrong:
            sent = await me.submit(path, path, **form)
            assert sent.status_code == 422, form
            assert said in sent.text
        stated = {"seconds": "50,5", "reason": "The door bell rang."}
        sent = await me.submit(path, path, **stated)
        assert (sent.status_code, sent.headers["location"]) == (303, f"{path}#time")
        page = (await me.get(path)).text
        assert "You stated 50.500 s" in page
        assert "The door bell rang." in page
        assert "you stated 50.5 sec" in (await me.get("/pay/tasks")).text
        page = f"/pay/tasks/{made.tasks[0]}"
        assert (await me.submit(page, path, seconds="40", reason="Or less.")).status_code == 409
        assert (await other.submit("/pay/account", path, **stated)).status_code == 404


async def test_hours_beside_tasks_are_stated_and_wait(
    serving: Serving, made: Made, fresh_url: str
) -> None:
    """Each field that is wrong says so, and what was typed stays; what is stated is listed with the
    training that was paid, and nobody else sees it. What was refused says why, and is taken with
    another reason."""
    path = "/pay/hours"
    waited = {"kind": "waiting", "day": "2020-02-28", "from": "23:30", "until": "00:15"}
    async with serving() as browsers:
        me, other = browsers(), browsers()
        await me.log_in("worker@example.org")
        await other.log_in("other@example.org")
        wrong = [
            ({"day": "x", "from": "9", "time": "-", "reason": ""}, "day from time reason"),
            ({"kind": "tea", "time": "46", "reason": " "}, "kind time reason"),
            ({"day": "2999-01-01", "reason": "Long."}, "until"),
            ({"until": "23:30", "reason": "Not a day."}, "until"),
            ({"from": "09:30+02:00", "reason": "In Lyon."}, "from"),
        ]
        for change, fields in wrong:
            sent = await me.submit(path, path, **waited | change)
            assert sent.status_code == 422
            assert set(re.findall(r'id="f-(\w+)-wrong"', sent.text)) == set(fields.split())
            assert f'value="{(waited | change)["until"]}"' in sent.text
        said = waited | {"time": "40,5", "reason": "Nothing <but> errors."}
        sent = await me.submit(path, path, **said)
        assert (sent.status_code, sent.headers["location"]) == (303, f"{path}?said=stated")
        page = (await me.get(f"{path}?said=stated")).text
        assert "Nothing &lt;but&gt; errors." in page
        assert "40.5 min" in page
        assert page.count("waits for a person") == 1
        assert f"/pay/slips/{made.week.slip}" in page
        assert (await me.submit(path, path, **said | {"time": ""})).status_code == 409
        with connect(fresh_url) as conn:
            [asked] = list_hours(conn, now_ms())
            decide_hours(
                conn, store.COMMAND_LINE, asked.hours.id, 0, "Nothing <was> down.", now_ms()
            )
        again = await me.submit(path, path, **said)
        assert again.status_code == 409
        assert "These hours were refused." in again.text
        assert "Nothing &lt;was&gt; down." in again.text
        more = said | {"reason": "It was; here is when."}
        assert (await me.submit(path, path, **more)).status_code == 303
        assert "None yet." in (await other.get(path)).text


async def test_money_goes_where_its_owner_says_and_is_asked_for_once(
    serving: Serving, made: Made, tmp_path: Path
) -> None:
    """A wrong IBAN is named and nothing is kept; a right one is shown by its last digits only. More
    than there is cannot be asked for, the same form asks once, and what was asked for can be taken
    back, by nobody else."""
    async with serving(bank_key=str(tmp_path / "bank.key")) as browsers:
        me, other = browsers(), browsers()
        await me.log_in("worker@example.org")
        await other.log_in("other@example.org")
        assert "Nobody knows yet where your money goes" in (await me.get("/pay/payouts")).text
        account, payouts = "/pay/account", "/pay/payouts"
        sent = await me.submit(account, account, **ACCOUNT | {"iban": IBAN[:-1] + "0"})
        assert sent.status_code == 422
        assert 'id="f-iban-wrong"' in sent.text
        assert "No account yet." in (await me.get(payouts)).text
        sent = await me.submit(account, account, **ACCOUNT)
        assert (sent.status_code, sent.headers["location"]) == (303, f"{payouts}?said=kept")
        for page in (account, payouts):
            text = (await me.get(page)).text
            assert "FR** **** 0189" in text
            assert IBAN not in text

        async def ask(who: Browser, amount: str) -> int:
            key = KEY.search((await me.get(payouts)).text)
            assert key is not None
            form = {"amount": amount, "currency": "EUR", "key": key[1]}
            await who.submit(account, payouts, **form)
            return (await who.submit(account, payouts, **form)).status_code

        assert await ask(me, "2.75") == 422
        assert await ask(other, "0.10") == 409
        assert await ask(me, "0,50") == 303
        page = (await me.get(payouts)).text
        [payout] = set(re.findall(r"/pay/payouts/(\d+)/cancel", page))
        assert "€2.24" in page
        assert 'value="2.24"' in page
        assert 'value="2,24"' in (await me.get(f"{payouts}?lang=fr")).text
        for path in (f"{payouts}?lang=en", "/pay"):
            assert "Being paid out" in (await me.get(path)).text
        back = f"{payouts}/{payout}/cancel"
        assert (await other.submit(account, back)).status_code == 404
        assert (await me.submit(account, back)).status_code == 303
        page = (await me.get(payouts)).text
        assert "taken back" in page
        assert "€2.74 at most" in page
        assert await ask(me, "2.74") == 303
        assert "You have asked for all that is yours." in (await me.get(payouts)).text


async def test_without_a_key_an_account_is_not_kept_and_it_is_said(
    serving: Serving, people: dict[str, int], tmp_path: Path
) -> None:
    """The file of keys cannot be made: a page that says so, without telling where it should be."""
    (tmp_path / "file").write_text("")
    async with serving(bank_key=str(tmp_path / "file" / "bank.key")) as browsers:
        me = browsers()
        await me.log_in("worker@example.org")
        sent = await me.submit("/pay/account", "/pay/account", **ACCOUNT)
        assert sent.status_code == 503
        assert "Accounts cannot be kept just now" in sent.text
        assert str(tmp_path) not in sent.text
