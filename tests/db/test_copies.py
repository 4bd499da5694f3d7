"""Backup, restore, and the proof that the rows fit together."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from canut.db import binaries
from canut.db.backup import backup, restore
from canut.db.check import RULES, check
from canut.errors import Conflict, Invalid
from canut.pay.ledger import AccountName, Transfer, close_period, open_accounts, post
from tests import factories as make
from tests.conftest import _clone


def test_a_backup_restores_to_the_same_rows(fresh_url: str, tmp_path: Path) -> None:
    """Into an empty database, whole; never over one that has tables."""
    with psycopg.connect(fresh_url) as conn:
        work = make.work(conn, items=5)
        conn.commit()
        file = tmp_path / "canut.backup"
        assert backup(fresh_url, file) == file.stat().st_size
        with pytest.raises(Conflict, match="not empty"):
            restore(fresh_url, file)
    empty = psycopg.conninfo.make_conninfo(fresh_url, dbname="canut_restored")
    with psycopg.connect(fresh_url, autocommit=True) as admin:
        admin.execute("drop database if exists canut_restored with (force)")
        admin.execute("create database canut_restored")
        try:
            restore(empty, file)
            with psycopg.connect(empty) as conn:
                assert check(conn) == []
                found = conn.execute("select id from task order by id").fetchall()
                assert [row[0] for row in found] == work.tasks
        finally:
            admin.execute("drop database canut_restored with (force)")


def test_no_password_stands_in_the_arguments(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every user of a machine can read the arguments of a program; its environment they cannot."""
    tool = tmp_path / "pg_dump"
    tool.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/told\necho "$PGPASSWORD" > {tmp_path}/secret\n'
        f"touch {tmp_path}/copy.part\n"
    )
    tool.chmod(0o755)
    monkeypatch.setattr(binaries, "find", lambda: tmp_path)
    backup("postgresql://ada:s3cr%2Ft@db.example:5433/canut?sslmode=require", tmp_path / "copy")
    told = (tmp_path / "told").read_text()
    assert "s3cr" not in told
    assert all(part in told for part in ("ada", "db.example", "5433", "sslmode=require"))
    assert (tmp_path / "secret").read_text() == "s3cr/t\n"


def test_a_backup_that_is_not_there(fresh_url: str, tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(Invalid, match="none"):
        restore(fresh_url, tmp_path / "none")


AUDIT_TASK = (
    "insert into task (batch_step_id, item_id, wanted, slots, kind, of_task)"
    " select batch_step_id, item_id, 1, 1, 'audit', id from task where decided limit 1;"
)
PANEL = (
    f"{AUDIT_TASK} insert into panel (task_id, of_task, batch_step_id, people, people_max,"
    " opened_ms) select id, of_task, batch_step_id, 1, 2, 0 from task where kind = 'audit';"
)
FRAME = (
    "insert into frame (batch_step_id, number, closed_ms, last_item, n_decisions, error_max, delta,"
    " kind, seed, uniform_ppm, weight_max, reason, digest, audits_max)"
    " select id, 1, 0, 9223372036854775807, 1, 0.1, 0.1, 'uniform', '', 1, 1, '', '', 9"
    " from batch_step limit 1;"
)
DRAW = (
    f"{PANEL} {FRAME} insert into audit (frame_id, draw, task_id, audit_task, value, weight)"
    " select f.id, 0, p.of_task, p.task_id, '1', 1 from frame f, panel p;"
)
#: past the guards of the books, as a hand in the machine room would
UNGUARDED = "set session_replication_role = replica;"
#: what breaks each rule, on a batch with one task claimed, answered and decided, whose client has
#: paid 100, of which 40 are in its escrow, 5 of them held; the period of the deposit is closed
#: a sheet out of nothing
SHEET = """
with paid as (
    insert into batch_pay (batch_id, currency, funded_ms) select id, 'EUR', 0 from batch
    returning batch_id)
insert into pay_sheet (batch_id, contributor_id, currency, jurisdiction, pay_minor, social_minor,
                       fee_minor, made_ms, accept_ms)
select paid.batch_id, c.id, 'EUR', 'FR', 5, 0, 0, 0, 0 from paid, contributor c"""

#: a pay slip that rests on no work, and was never paid
SLIP = """
with period as (
    insert into pay_period (from_ms, until_ms, begun_ms, settled_ms) values (0, 1, 1, 1)
    returning id)
insert into pay_slip (contributor_id, currency, of_period, period_id, jurisdiction, floor_minor,
                      n_tasks, agreed_ms, qualifying_minor, before_minor, topup_minor, paid_ms)
select c.id, 'EUR', period.id, period.id, 'FR', 1202, 1, 5, 0, 0, 1, 1 from period, contributor c"""

#: hours of which somebody agreed 5 milliseconds, without saying which
HOURS = """
insert into paid_hours (contributor_id, kind, currency, from_ms, until_ms, stated_ms, reason,
                        opened_ms, decided_ms, agreed_ms, why)
select id, 'waiting', 'EUR', 0, 10, 6, 'It stood still.', 10, 10, 5, 'So it did.'
from contributor"""

#: of the same, 4 on a line of no slip
HOURS_LINE = f"""
with period as (
    insert into pay_period (from_ms, until_ms, begun_ms, settled_ms) values (0, 1, 1, 1)
    returning id
), hours as ({HOURS} returning id, contributor_id)
insert into hours_line (hours_id, contributor_id, period_id, currency, agreed_ms)
select hours.id, hours.contributor_id, period.id, 'EUR', 4 from hours, period"""

#: an exam without an answer, of which a line pays 4 milliseconds
EXAM_LINE = """
with period as (
    insert into pay_period (from_ms, until_ms, begun_ms, settled_ms) values (0, 1, 1, 1)
    returning id
), exam as (
    insert into exam (contributor_id, process_id, step_slug, step_id, seed, state, rules, verdict,
                      started_ms, seen_ms, ended_ms)
    select c.id, s.process_id, s.slug, s.step_id, 1, 'passed', '{}', '{}', 0, 9, 9
    from contributor c, batch_step s returning id, contributor_id)
insert into hours_line (exam_id, contributor_id, period_id, currency, agreed_ms)
select exam.id, exam.contributor_id, period.id, 'EUR', 4 from exam, period"""

#: a payout that is on its way, in a run that nobody approved, and nothing of it in the books
PAYOUT = """
with account as (
    insert into payout_account (contributor_id, way, sealed, masked, mark, created_ms)
    select id, 'iban', '', '', '', 0 from contributor returning id, contributor_id
), run as (
    insert into payout_run (way, currency, state, n_payouts, total, assembled_ms)
    values ('iban', 'EUR', 'approved', 1, 5, 0) returning id)
insert into payout (contributor_id, payout_account_id, way, currency, amount, key, state, run_id,
                    requested_ms)
select contributor_id, account.id, 'iban', 'EUR', 5, 'key', 'approved', run.id, 0
from account, run"""

#: an invoice without lines, with the second number of its series
INVOICE = """
with series as (insert into invoice_series values ('2026', 2) returning series)
insert into invoice (number, series, position, kind, client_id, currency, until_ms, issued_ms, net,
                     vat, prepaid, papers, xml, pdf)
select '2026-00002', series, 2, 'invoice', c.id, 'EUR', 1, 1, 5, 0, 5, '{}', '', ''
from series, client c"""

BREAK = {
    "a payout is in the books as its state says": PAYOUT,
    "a payout run sums to its payouts, and two people approved what was sent": PAYOUT,
    "the numbers of invoices have no gap": INVOICE,
    "an invoice is the sum of its lines": INVOICE,
    "a payment that was made is in the books": (
        "insert into payment (client_id, provider, currency, amount, key, state, begun_ms,"
        " changed_ms) select id, 'stripe', 'EUR', 5, 'key', 'paid', 0, 0 from client"
    ),
    "what language models cost is the sum of their calls": (
        "with who as (insert into contributor (kind, name, created_ms) values ('agent', 'A', 0)"
        " returning id), made as (insert into agent (id, process_id, step_slug, type, place,"
        " created_ms) select who.id, p.id, 'colour', 'llm', 1, 0 from who, process p limit 1"
        " returning id) insert into llm_spend (agent_id, currency, kind, of, calls)"
        " select id, 'EUR', 'ever', '', 1 from made"
    ),
    "every task belongs to an item of its batch": "delete from item",
    "every gold task is of a gold": (
        "insert into task (batch_step_id, item_id, wanted, slots, open, kind)"
        " select batch_step_id, -1, 0, 0, false, 'gold' from task limit 1"
    ),
    "every audit is of a task of the same item and step": (
        "insert into task (batch_step_id, item_id, wanted, slots, kind, of_task)"
        " select batch_step_id, item_id, 1, 1, 'audit', 0 from task limit 1"
    ),
    "every audit task has its panel, and every panel its task": AUDIT_TASK,
    "nobody audits a task that they had": (
        f"{PANEL} insert into assignment (task_id, contributor_id, batch_step_id, state,"
        " claimed_ms, deadline_ms) select p.task_id, a.contributor_id, a.batch_step_id, 'expired',"
        " 0, 0 from panel p, assignment a"
    ),
    "a list has as many decisions as it says": f"{FRAME} update frame set n_decisions = 7",
    "every draw is of a decision, and heard by its panel": f"{DRAW} delete from panel",
    "the draws of a list are counted without a gap": f"{DRAW} update audit set draw = 4",
    "every draw that its panel has settled has an outcome": (
        f"{DRAW} update panel set resolved = true, settled_ms = 0"
    ),
    "every dispute is about a decision of its client": (
        "insert into dispute (client_id, batch_id, batch_step_id, item_id, task_id, reason, was,"
        " opened_ms) select 0, b.batch_id, b.id, 0, 0, '', '1', 0 from batch_step b limit 1"
    ),
    "everybody's confusions are the sum of each one's": (
        "insert into confusion select process_id, slug, 'o', c.id, 0, array[3, 4]"
        " from batch_step, contributor c"
    ),
    "every answered gold has its answer": (
        "insert into gold (process_id, step_slug, payload, value, origin, digest, created_ms)"
        " select process_id, slug, '{}', '1', 'operator', '', 0 from batch_step limit 1;"
        " insert into gold_answer (contributor_id, gold_id, task_id, shown_ms, answered_ms)"
        " select c.id, g.id, 0, 0, 0 from gold g, contributor c limit 1"
    ),
    "the gold in a record is that of its counted answers": (
        "insert into track select process_id, slug, c.id, 0, 0, 1, 1 from batch_step, contributor c"
    ),
    "every exam that has ended says what it showed": (
        "insert into exam (contributor_id, process_id, step_slug, step_id, seed, state, rules,"
        " started_ms, seen_ms, ended_ms) select c.id, s.process_id, s.slug, s.step_id, 0, 'failed',"
        " '{}', 0, 0, 0 from batch_step s, contributor c"
    ),
    "every assignment is of a task and a contributor": (
        "update assignment set contributor_id = 0; update answer set contributor_id = 0"
    ),
    "every answer has its submitted assignment": "update assignment set state = 'expired'",
    "every submitted assignment has its answer": "delete from answer",
    "a task is decided exactly when it has a decision": "delete from decision",
    "answers wanted are free slots plus claims and answers": (
        "update task set slots = slots + 1 where not decided"
    ),
    "the counts of a step are those of its rows": "update batch_step set n_decided = 7",
    "the items of a batch are as many as it says": "update batch set n_items = 7",
    "every transfer is between two accounts of its currency": (
        f"{UNGUARDED} update ledger_transfer set currency = 'USD' where key = 'fund'"
    ),
    "every transfer goes where its kind may go, and none leaves the indivisible reserve": (
        f"{UNGUARDED} update ledger_transfer set kind = 'refund' where key = 'fund'"
    ),
    "a group of transfers is whole": f"{UNGUARDED} delete from ledger_transfer where key = 'fund'",
    "a hold is posted or voided once, for no more than it is": (
        f"{UNGUARDED} insert into ledger_transfer (group_id, key, kind, mode, debit_account,"
        " credit_account, currency, amount, at_ms, why, reference, resolves) select group_id, 'p',"
        " kind, 'post', debit_account, credit_account, currency, 6, at_ms, '', '', id"
        " from ledger_transfer where mode = 'pending'"
    ),
    "a reversal takes back one transfer, whole and once": (
        f"{UNGUARDED} update ledger_transfer set reverses = 1 where key = 'fund'"
    ),
    "the sums of an account are those of its transfers": (
        f"{UNGUARDED} update ledger_account set credits = 41 where kind = 'batch_escrow'"
    ),
    "all balances of a currency sum to nothing": (
        f"{UNGUARDED} update ledger_account set debits = 99 where kind = 'bank'"
    ),
    "no account is overdrawn": (
        f"{UNGUARDED} alter table ledger_account drop constraint ledger_account_covered;"
        " update ledger_account set debits = 200 where kind = 'batch_escrow'"
    ),
    "no account was overdrawn at any date": (
        f"{UNGUARDED} update ledger_transfer set at_ms = 1 where key = 'fund'"
    ),
    "nothing is dated into a period after it closed": (
        f"{UNGUARDED} update ledger_transfer set at_ms = 15 where key = 'fund'"
    ),
    "the sums of a closed period are those of its transfers": (
        f"{UNGUARDED} update ledger_closing set credits = 7 where credits > 0"
    ),
    "every earning is of an answer, in a batch that has money": (
        "insert into earning (task_id, contributor_id, cause, batch_step_id, amount_minor, basis,"
        " earned_ms) select task_id, contributor_id, 'work', 1, 5, 'price', 0 from answer"
    ),
    "a pay sheet is the sum of its earnings": SHEET,
    "a pay sheet has its money in the books, held or posted": SHEET,
    "no millisecond of a contributor counts for two tasks": (
        "insert into work_time (task_id, contributor_id, batch_step_id, intervals, measured_ms,"
        " agreed_ms, basis, claimed_ms, ended_ms, answered)"
        " select id, 1, 1, '{[5,9)}', 4, 4, 'screen', 0, 10, true from task"
    ),
    "agreed time is within the time for which the task was theirs": (
        "insert into work_time (task_id, contributor_id, batch_step_id, intervals, measured_ms,"
        " agreed_ms, basis, claimed_ms, ended_ms, answered)"
        " values (1, 1, 1, '{[5,11)}', 6, 6, 'screen', 0, 10, true)"
    ),
    "a pay slip is the sum of its lines": SLIP,
    "a pay slip that was paid has its top-up and hours in the books": SLIP,
    "a pay slip counts the tasks of its lines": SLIP,
    "a later pay slip has the top-ups of those before it": (
        f"{SLIP}; update pay_slip set before_minor = 1, topup_minor = 0"
    ),
    "hours of a pay slip are the sum of its lines of hours": (
        f"{SLIP}; update pay_slip set hours_ms = 3600000, hours_minor = 1202"
    ),
    "a line of hours is on a pay slip": HOURS_LINE,
    "a line of hours says what was agreed": HOURS_LINE,
    "a line of hours has no more of an exam than it took": EXAM_LINE,
    "agreed hours have their milliseconds": HOURS,
    "hours of a contributor do not overlap": f"{HOURS}; {HOURS}",
    "no millisecond is paid as hours and as time of a task": (
        f"{HOURS}; update paid_hours set intervals = '{{[0,5)}}';"
        " insert into work_time select task_id, contributor_id, batch_step_id, '{[4,6)}', 2, 2,"
        " 'screen', 0, 10, true from assignment limit 1"
    ),
    "every account is of somebody who is there": (
        f"{UNGUARDED} update ledger_account set owner_id = 7777 where kind = 'client_deposit'"
    ),
}


def books(conn: psycopg.Connection, client: int, batch: int) -> None:
    """100 deposited and closed, 40 of them moved to the batch, 5 of these held."""
    names = [
        AccountName("bank", "EUR"),
        AccountName("client_deposit", "EUR", client),
        AccountName("batch_escrow", "EUR", batch),
        AccountName("coop_fee", "EUR"),
    ]
    bank, deposit, escrow, fee = open_accounts(conn, names, 1).values()
    post(conn, [Transfer("deposit", "deposit", bank, deposit, 100, "EUR")], 10)
    close_period(conn, 20, 20)
    post(conn, [Transfer("fund", "fund", deposit, escrow, 40, "EUR")], 30)
    post(conn, [Transfer("fee", "fee", escrow, fee, 5, "EUR", pending=True)], 40)


@pytest.fixture(scope="module")
def sound(server_url: str) -> Iterator[psycopg.Connection]:
    """A database of sound rows, in a transaction that is never committed."""
    for url in _clone(server_url):
        with psycopg.connect(url) as conn:
            # as `check` sets it, which it could not within another
            conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            work = make.work(conn, make.step(min_answers=1), items=2)
            who = make.contributor(conn)
            [task] = make.claim(conn, who)
            make.submit(conn, who, work.batch_steps[0], {task: "red"})
            conn.execute(
                """insert into decision values (%s, %s, %s, '"red"', 1, 'answers', 1, '[]', 0)""",
                [task, work.batch_steps[0], work.items[0]],
            )
            conn.execute("update task set decided = true, open = false where id = %s", [task])
            conn.execute("update batch_step set n_decided = 1")
            books(conn, work.client_id, work.batch_id)
            conn.execute("set constraints all immediate")
            yield conn
            conn.rollback()


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_finds_its_breach(sound: psycopg.Connection, rule: str) -> None:
    """`canut db check` is quiet on sound rows, and names a rule that was broken on purpose."""
    assert check(sound) == []
    with sound.transaction(force_rollback=True):
        sound.execute(BREAK[rule])
        assert rule in [fault.rule for fault in check(sound)]
