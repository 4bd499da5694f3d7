"""The books: what is posted, what is refused and why, and what can be read afterwards."""

from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from canut.cli.main import cli
from canut.errors import Conflict, Invalid, NotFound
from canut.pay.ledger import (
    AccountName,
    Post,
    Reverse,
    Transfer,
    Void,
    balance_at,
    balances,
    close_period,
    closed_until,
    first_fault,
    holds,
    list_accounts,
    open_accounts,
    post,
    statement,
    void_expired,
)
from tests.pay.books import NOW, Books, books, move


def held(conn: psycopg.Connection, *accounts: int) -> list[int]:
    """What each account has now."""
    found = balances(conn, accounts)
    return [found[account].posted for account in accounts]


def refused(conn: psycopg.Connection, moves: list[Any], now: int = NOW) -> list[str]:
    """Fields and messages of a refusal, which posts nothing."""
    before = conn.execute("select count(*) from ledger_transfer").fetchone()
    with pytest.raises((Invalid, Conflict)) as caught:
        post(conn, moves, now)
    assert conn.execute("select count(*) from ledger_transfer").fetchone() == before
    assert caught.value.problems
    return [f"{p.row} {p.field}: {p.message}" for p in caught.value.problems]


def test_money_goes_round(db: psycopg.Connection) -> None:
    """From a client's deposit through escrow to a contributor and out of the bank; what is left
    goes back; the book is proved at the end."""
    b = books(db, deposit=50, escrow=100)
    [pay, _, hold] = post(
        db,
        [
            move("accrue", b.escrow, b.ada, 60),
            move("fee", b.escrow, b.fee, 12),
            move("payout", b.ada, b.clearing, 55, pending=True),
        ],
        NOW,
    )
    assert pay < hold
    assert held(db, b.escrow, b.ada, b.fee, b.clearing) == [28, 60, 12, 0]
    assert balances(db, [b.ada])[b.ada].available == 5
    post(db, [Post("paid", hold), move("settle", b.clearing, b.bank, 55)], NOW)
    post(db, [move("release", b.escrow, b.deposit, 28), move("refund", b.deposit, b.bank, 78)], NOW)
    assert held(db, b.ada, b.clearing, b.escrow, b.deposit, b.bank) == [5, 0, 0, 0, -17]
    assert first_fault(db) is None


def test_the_same_key_is_posted_once(db: psycopg.Connection) -> None:
    """Again with the same contents: the same transfers, alone or beside new ones. With other
    contents: a conflict that names the key. A date that was not named may be another."""
    b = books(db, escrow=100)
    first = [move("accrue", b.escrow, b.ada, 10), move("accrue", b.escrow, b.bea, 20, at_ms=2000)]
    ids = post(db, first, NOW)
    assert post(db, first, NOW + 5) == ids
    new = move("accrue", b.escrow, b.bea, 30)
    assert post(db, [new, *first], NOW)[1:] == ids
    assert held(db, b.escrow, b.ada, b.bea) == [40, 10, 50]
    with pytest.raises(Conflict, match="other contents"):
        post(db, [move("accrue", b.escrow, b.ada, 11, key=first[0].key)], NOW)
    other_day = move("accrue", b.escrow, b.bea, 20, key=first[1].key, at_ms=2001)
    assert "1 key:" in refused(db, [other_day])[0]


def test_every_bad_row_is_named_and_nothing_is_posted(db: psycopg.Connection) -> None:
    """Without a look at the books: amounts, currencies, keys. With it: accounts, currencies, flows,
    money that is not there, keys of others. The good rows beside them wait."""
    b = books(db, escrow=100)
    good = move("accrue", b.escrow, b.ada, 1)
    alone = [
        good,
        *(move("accrue", b.escrow, b.ada, amount) for amount in (-5, 0, 1.5, True, 10**18)),
        move("accrue", b.escrow, b.ada, 1, currency="EURO"),
        move("gift", b.escrow, b.escrow, 1),  # type: ignore[arg-type]
        move("accrue", b.escrow, b.ada, 1, key=good.key),
        move("accrue", b.escrow, b.ada, 1, key="", at_ms=-1),
        move("accrue", b.escrow, b.ada, 1, why="x" * 501, expires_ms=5),
    ]
    found = refused(db, alone)
    rows = [int(text.split()[0]) for text in found]
    assert rows == [1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 10, 11, 11]
    assert "2 amount: -5 is not above 0" in found
    assert "4 amount: 1.5 is no whole number" in found
    with_the_books = [
        good,
        move("accrue", b.escrow, 999_999, 1),
        move("accrue", b.escrow, b.ada, 1, currency="USD"),
        move("deposit", b.dollars, b.deposit, 1),
        move("accrue", b.deposit, b.ada, 2),
        move("accrue", b.escrow, b.ada, 95),
        move("accrue", b.escrow, b.bea, 4),
        Post("none", 999_999),
        Reverse("none too", 999_999, why="never was"),
    ]
    found = refused(db, with_the_books)
    assert [text.split(":")[0] for text in found] == [
        "2 credit",
        "3 currency",
        "3 currency",
        "4 currency",
        "5 kind",
        "5 amount",
        "7 amount",
        "8 transfer",
        "9 transfer",
    ]
    assert any("has 1.00 EUR, and the moves up to this one ask for 1.02 EUR" in t for t in found)
    assert "0 moves" in refused(db, [])[0]
    assert held(db, b.escrow, b.ada) == [100, 0]


def test_a_hold_resolves_once(db: psycopg.Connection) -> None:
    """Whole, in part or not at all; what is held cannot be spent; its time can run out."""
    b = books(db, escrow=100)
    hold = move("accrue", b.escrow, b.ada, 70, pending=True, expires_ms=NOW + 10)
    [one] = post(db, [hold], NOW)
    assert "amount" in refused(db, [move("fee", b.escrow, b.fee, 31)])[0]
    assert [h.transfer_id for h in holds(db, b.escrow)] == [one]
    assert "is of 0.70 EUR" in refused(db, [Post("much", one, 71)])[0]
    post(db, [Post("part", one, 20)], NOW)
    assert balances(db, [b.escrow])[b.escrow].available == 80
    for again in (Post("again", one), Void("no", one)):
        assert "posted or voided before" in refused(db, [again])[0]
    assert "resolve" in refused(db, [Post("p", one), Void("v", one)])[0]
    [two, three] = post(
        db,
        [
            move("accrue", b.escrow, b.ada, 5, pending=True),
            move("accrue", b.escrow, b.ada, 7, pending=True, expires_ms=NOW + 10),
        ],
        NOW,
    )
    post(db, [Void("void", two)], NOW)
    assert "expired" in refused(db, [Post("late", three)], NOW + 10)[0]
    assert void_expired(db, NOW + 9) == 0
    assert void_expired(db, NOW + 10) == 1
    assert void_expired(db, NOW + 10) == 0
    assert holds(db, b.escrow) == []
    assert held(db, b.escrow, b.ada) == [80, 20]
    [paid] = post(db, [move("accrue", b.escrow, b.bea, 1)], NOW)
    assert "is no hold" in refused(db, [Post("not", paid)])[0]
    assert first_fault(db) is None


def test_a_mistake_is_reversed_once(db: psycopg.Connection) -> None:
    """It names what it takes back; not a hold, not a reversal, not twice, not what was spent."""
    b = books(db, escrow=100)
    [wrong] = post(db, [move("accrue", b.escrow, b.ada, 60)], NOW)
    [spent] = post(db, [move("payout", b.ada, b.clearing, 50)], NOW)
    assert "has 0.10 EUR" in refused(db, [Reverse("undo", wrong, why="typing")])[0]
    post(db, [Reverse("back", spent, why="never sent"), Reverse("undo", wrong, why="typing")], NOW)
    assert held(db, b.escrow, b.ada, b.clearing) == [100, 0, 0]
    last = statement(db, b.ada).lines[-1]
    assert (last.reverses, last.why, last.amount) == (wrong, "typing", -60)
    assert "reversed before" in refused(db, [Reverse("twice", wrong, why="again")])[0]
    assert "reversal itself" in refused(db, [Reverse("once more", last.transfer_id, why="hm")])[-1]
    assert "why" in refused(db, [Reverse("silent", wrong, why=" ")])[0]


def test_nothing_leaves_the_indivisible_reserve(db: psycopg.Connection) -> None:
    """Not by any kind of transfer, nor by a reversal, nor by hand."""
    b = books(db, escrow=100)
    [kept] = post(
        db,
        [move("allocate", b.fee, b.indivisible, 30)],
        NOW,
    )
    assert held(db, b.fee, b.indivisible) == [-30, 30]
    assert "indivisible" in refused(db, [Reverse("undo", kept, why="we need it")])[0]
    for kind in ("allocate", "payout", "benefit", "hourly"):
        assert "may not go" in refused(db, [move(kind, b.indivisible, b.ada, 1)])[0]  # type: ignore[arg-type]
    with pytest.raises(psycopg.errors.CheckViolation), db.transaction():
        by_hand(db, "allocate", b.indivisible, b.ada)


def by_hand(conn: psycopg.Connection, kind: str, debit: int, credit: int, amount: int = 1) -> None:
    """A transfer by a hand in psql."""
    conn.execute(
        """insert into ledger_transfer (group_id, key, kind, mode, debit_account, credit_account,
        currency, amount, at_ms, why, reference)
        values (1, 'by hand', %s, 'posted', %s, %s, 'EUR', %s, 5000, '', '')""",
        [kind, debit, credit, amount],
    )


GUARDED = [
    "update ledger_transfer set amount = 1",
    "delete from ledger_transfer",
    "truncate ledger_transfer",
    "update ledger_group set recorded_ms = 0",
    "delete from ledger_account",
    "update ledger_account set currency = 'USD'",
    "update ledger_account set credits = credits + 1",
    "delete from ledger_period",
    "update ledger_closing set credits = 0",
    "insert into ledger_account (kind, owner_id, currency, opened_ms, credits)"
    " values ('coop_fee', 0, 'CHF', 1, 5)",
]


@pytest.mark.parametrize("sql", GUARDED)
def test_the_database_keeps_what_is_posted(db: psycopg.Connection, sql: str) -> None:
    """A hand in psql can neither change nor remove what was posted, nor make money."""
    books(db, escrow=100)
    close_period(db, 2000, NOW)
    with pytest.raises(psycopg.errors.RestrictViolation):
        db.execute(sql)


def test_the_database_holds_the_rules_itself(db: psycopg.Connection) -> None:
    """Whoever writes past the posting function cannot overdraw, cross currencies, or go where no
    flow goes; what is sound moves the sums."""
    b = books(db, escrow=100)
    for kind, debit, credit, amount in [
        ("accrue", b.escrow, b.ada, 101),
        ("deposit", b.dollars, b.deposit, 1),
        ("accrue", b.deposit, b.ada, 1),
        ("accrue", b.escrow, 999_999, 1),
    ]:
        with pytest.raises(psycopg.errors.CheckViolation), db.transaction():
            by_hand(db, kind, debit, credit, amount)
    by_hand(db, "accrue", b.escrow, b.ada, 100)
    assert held(db, b.escrow, b.ada) == [0, 100]


def test_the_past_is_never_short(db: psycopg.Connection) -> None:
    """A debit dated before its money came is refused, though there is enough today."""
    b = books(db, escrow=100)
    [text] = refused(db, [move("accrue", b.escrow, b.ada, 10, at_ms=999)])
    assert text.startswith("1 at_ms: ")
    post(db, [move("accrue", b.escrow, b.ada, 10, at_ms=1000)], NOW)
    # 40 more came at 5,000: before that there were 90
    more = [
        move("deposit", b.bank, b.deposit, 40, at_ms=5000),
        move("fund", b.deposit, b.escrow, 40, at_ms=5000),
    ]
    post(db, more, NOW)
    assert refused(db, [move("accrue", b.escrow, b.ada, 91, at_ms=4999)])
    post(db, [move("accrue", b.escrow, b.ada, 90, at_ms=4999)], NOW)
    assert balance_at(db, b.escrow, 4999).posted == 0
    assert balance_at(db, b.escrow, 5000).posted == 40
    assert first_fault(db) is None


def test_a_closed_period_stays_as_it_is(db: psycopg.Connection) -> None:
    """Nothing is dated into it; balances before, at and after its end are what they were."""
    b = books(db, escrow=100)
    post(db, [move("accrue", b.escrow, b.ada, 10, at_ms=n) for n in (2000, 3000, 4000)], NOW)
    before = {at: balance_at(db, b.escrow, at) for at in (999, 1000, 2999, 3000, 9000)}
    assert close_period(db, 3000, NOW) > 0
    assert close_period(db, 3000, NOW) > 0
    assert closed_until(db) == 3000
    assert {at: balance_at(db, b.escrow, at) for at in before} == before
    assert [before[at].posted for at in before] == [0, 100, 90, 80, 70]
    [text] = refused(db, [move("accrue", b.escrow, b.ada, 1, at_ms=2999)])
    assert "closed" in text
    post(db, [move("accrue", b.escrow, b.ada, 1, at_ms=3000)], NOW)
    with pytest.raises(Conflict, match="later"):
        close_period(db, 2000, NOW)
    with pytest.raises(Invalid, match="past"):
        close_period(db, NOW + 1, NOW)
    close_period(db, 5000, NOW)
    assert balance_at(db, b.escrow, 4999).posted == 69
    assert first_fault(db) is None


def test_a_statement_in_pages(db: psycopg.Connection) -> None:
    """Every line once, in order of dates, each with the balance after it, however it is cut."""
    b = books(db, escrow=100)
    post(db, [move("accrue", b.escrow, b.ada, n, at_ms=3000 - n // 2) for n in range(1, 8)], NOW)
    whole = statement(db, b.escrow)
    assert (whole.opening, whole.closing, whole.after) == (0, 72, None)
    assert [line.amount for line in whole.lines] == [100, -6, -7, -4, -5, -2, -3, -1]
    assert whole.lines[0].other_kind == "client_deposit"
    paged, after = [], None
    while True:
        page = statement(db, b.escrow, after=after, limit=3)
        paged += page.lines
        after = page.after
        if after is None:
            break
    assert paged == whole.lines
    part = statement(db, b.escrow, from_ms=2998, until_ms=2999)
    assert (part.opening, [line.amount for line in part.lines], part.closing) == (87, [-4, -5], 78)
    with pytest.raises(NotFound):
        statement(db, 999_999)


def test_accounts_that_can_be_nobodys(db: psycopg.Connection) -> None:
    """Every wrong name is told; the others are not opened either; the same name is one account."""
    wrong = [
        AccountName("bank", "EUR", 3),
        AccountName("batch_escrow", "EUR"),
        AccountName("purse", "EUR"),  # type: ignore[arg-type]
        AccountName("bank", "EURO"),
        AccountName("coop_fee", "CHF"),
    ]
    with pytest.raises(Invalid) as caught:
        open_accounts(db, wrong, NOW)
    assert [problem.row for problem in caught.value.problems] == [1, 2, 3, 4]
    assert list_accounts(db, currency="CHF") == []
    name = AccountName("coop_fee", "CHF")
    assert open_accounts(db, [name, name], NOW) == open_accounts(db, [name], NOW)


def test_the_command(fresh_url: str) -> None:
    """`canut ledger` shows accounts and statements, and its check fails on books that do not
    balance, naming the first fault."""
    with psycopg.connect(fresh_url) as conn:
        b: Books = books(conn, escrow=100)
        post(conn, [Transfer("pay", "accrue", b.escrow, b.ada, 30, "EUR", why="July")], 2000)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["ledger", *words, "--database-url", fresh_url])
        return done.exit_code, done.output

    code, out = run("accounts", "--kind", "batch_escrow")
    assert (code, "0.70 EUR" in out) == (0, True)
    code, out = run("statement", str(b.ada))
    assert (code, "from batch_escrow" in out, "July" in out) == (0, True, True)
    code, out = run("statement", str(b.escrow), "--limit", "1")
    after = out.split("--after ")[1].strip()
    assert "accrue to contributor_payable" in run("statement", str(b.escrow), "--after", after)[1]
    assert run("statement", str(b.escrow), "--from", "yesterday")[0] == 2
    assert run("check")[0] == 0
    with psycopg.connect(fresh_url) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute("update ledger_account set credits = 31 where id = %s", [b.ada])
    code, out = run("check")
    assert (code, f"first account {b.ada}" in out) == (1, True)
