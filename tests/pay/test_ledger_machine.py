"""The invariants of the books, whatever is posted in whatever order: Hypothesis against the real
database, beside a model of a few lines."""

from typing import Any

import psycopg
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from canut.errors import Conflict, Invalid
from canut.pay.ledger import (
    FLOWS,
    AccountName,
    Post,
    Reverse,
    Transfer,
    Void,
    balance_at,
    balances,
    close_period,
    first_fault,
    open_accounts,
    post,
)
from canut.pay.ledger.flows import INDIVISIBLE, MAY_OWE
from canut.pay.ledger.model import OWNERS
from tests import factories as make

NOW = 100
DATES = st.integers(1, 12)


class Ledger(RuleBasedStateMachine):
    """The model: every posted movement as (date, debit, credit, amount), every open hold."""

    conn: psycopg.Connection

    @initialize()
    def begin(self) -> None:
        """Accounts of every kind in euros, and the same in dollars."""
        self.conn.execute("savepoint example")
        work = make.work(self.conn, items=1)
        person = make.contributor(self.conn)
        owner = {"client": work.client_id, "batch": work.batch_id, "contributor": person, "none": 0}
        names = [
            AccountName(kind, currency, owner[who])
            for currency in ("EUR", "USD")
            for kind, who in OWNERS.items()
        ]
        self.ids = {(n.kind, n.currency): i for n, i in open_accounts(self.conn, names, 1).items()}
        self.kind = {i: n for n, i in self.ids.items()}
        self.moved: list[tuple[int, int, int, int]] = []
        self.holds: dict[int, Transfer] = {}
        self.posted: dict[int, tuple[int, int, int]] = {}
        self.closed = 0
        self.keys = 0
        self.done: list[tuple[list[Any], list[int]]] = []
        bank, deposit = self.ids["bank", "EUR"], self.ids["client_deposit", "EUR"]
        escrow = self.ids["batch_escrow", "EUR"]
        for kind, *way in (("deposit", bank, deposit, 150), ("fund", deposit, escrow, 100)):
            post(self.conn, [Transfer(self.key(), kind, *way, "EUR", at_ms=4)], NOW)
            self.moved.append((4, *way))

    def teardown(self) -> None:
        """The next example finds nothing of this one."""
        self.conn.execute("rollback to savepoint example")

    def balance(self, account: int, at: int = 2**60, moved: Any = None) -> int:
        """Of the model."""
        rows = self.moved if moved is None else moved
        plus = sum(n for day, _, credit, n in rows if credit == account and day <= at)
        return plus - sum(n for day, debit, _, n in rows if debit == account and day <= at)

    def sound(self, moved: list[tuple[int, int, int, int]], holds: dict[int, Transfer]) -> bool:
        """Whether nobody is short after this, today or at any date."""
        for account, (kind, _) in self.kind.items():
            if kind in MAY_OWE:
                continue
            on_hold = sum(hold.amount for hold in holds.values() if hold.debit == account)
            if self.balance(account, moved=moved) < on_hold:
                return False
            if any(self.balance(account, day, moved) < 0 for day in range(1, 13)):
                return False
        return True

    def key(self) -> str:
        self.keys += 1
        return f"k{self.keys}"

    def tried(self, moves: list[Any], allowed: bool) -> list[int]:
        """Post; it is taken exactly when the model allows it. Empty: refused."""
        before = self.conn.execute("select count(*) from ledger_transfer").fetchone()
        if not allowed:
            with pytest.raises((Invalid, Conflict)):
                post(self.conn, moves, NOW)
            after = self.conn.execute("select count(*) from ledger_transfer").fetchone()
            assert after == before, "all or nothing"
            return []
        ids = post(self.conn, moves, NOW)
        self.done.append((moves, ids))
        return ids

    @rule(data=st.data(), pending=st.booleans(), size=st.integers(1, 4))
    def transfers(self, data: st.DataObject, pending: bool, size: int) -> None:
        """A group of transfers, mostly along permitted flows, at any date."""
        moves, moved, holds = [], list(self.moved), dict(self.holds)
        allowed = True
        for n in range(size):
            kind = data.draw(st.sampled_from(list(FLOWS)))
            debit, credit = data.draw(st.sampled_from(FLOWS[kind]))
            if data.draw(st.integers(0, 19)) == 19:
                debit, credit = credit, debit
            money = data.draw(st.sampled_from(("EUR", "EUR", "USD")))
            other = "USD" if data.draw(st.integers(0, 19)) == 19 else money
            ends = self.ids[debit, money], self.ids[credit, other]
            amount, day = data.draw(st.integers(1, 50)), data.draw(DATES)
            one = Transfer(self.key(), kind, *ends, amount, money, at_ms=day, pending=pending)
            moves.append(one)
            allowed &= other == money and (debit, credit) in FLOWS[kind] and day >= self.closed
            if pending:
                holds[-1 - n] = one
            else:
                moved.append((day, *ends, amount))
        ids = self.tried(moves, allowed and self.sound(moved, holds))
        for number, one in zip(ids, moves, strict=False):
            if pending:
                self.holds[number] = one
            else:
                self.moved.append((one.at_ms or 0, one.debit, one.credit, one.amount))
                self.posted[number] = (one.debit, one.credit, one.amount)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), day=DATES, share=st.integers(0, 60), void=st.booleans())
    def resolve(self, data: st.DataObject, day: int, share: int, void: bool) -> None:
        """Post a part of a hold, or void it: once."""
        hold = data.draw(st.sampled_from(list(self.holds)))
        one = self.holds[hold]
        rest = {n: h for n, h in self.holds.items() if n != hold}
        if void:
            move: Any = Void(self.key(), hold, at_ms=day)
            allowed, moved = day >= self.closed, self.moved
        else:
            amount = share or one.amount
            move = Post(self.key(), hold, share or None, at_ms=day)
            moved = [*self.moved, (day, one.debit, one.credit, amount)]
            allowed = day >= self.closed and amount <= one.amount
        if self.tried([move], allowed and self.sound(moved, rest)):
            self.holds, self.moved = rest, moved
            again = Post(self.key(), hold) if void else Void(self.key(), hold)
            self.tried([again], False)

    @precondition(lambda self: self.posted)
    @rule(data=st.data(), day=DATES)
    def reverse(self, data: st.DataObject, day: int) -> None:
        """Take something back: once, and nothing from the indivisible reserve."""
        wrong = data.draw(st.sampled_from(list(self.posted)))
        debit, credit, amount = self.posted[wrong]
        moved = [*self.moved, (day, credit, debit, amount)]
        allowed = day >= self.closed and self.kind[credit][0] != INDIVISIBLE
        move = Reverse(self.key(), wrong, "mistake", at_ms=day)
        if self.tried([move], allowed and self.sound(moved, self.holds)):
            self.moved = moved
            del self.posted[wrong]
            self.tried([Reverse(self.key(), wrong, "again")], False)

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """The same again is the same; the same key with another amount is refused."""
        moves, ids = data.draw(st.sampled_from(self.done))
        assert post(self.conn, moves, NOW + 1) == ids
        first = moves[0]
        if isinstance(first, Transfer):
            ends = (first.debit, first.credit, first.amount + 1, first.currency)
            changed = Transfer(first.key, first.kind, *ends, pending=first.pending)
            self.tried([changed], False)

    @rule(day=DATES)
    def close(self, day: int) -> None:
        """A period closes; never backwards."""
        if day >= self.closed:
            close_period(self.conn, day, NOW)
            self.closed = day

    @invariant()
    def kept(self) -> None:
        """Balances are those of the model; sums are nothing in each currency."""
        if not hasattr(self, "ids"):
            return
        found = balances(self.conn, list(self.kind))
        for account, balance in found.items():
            assert balance.posted == self.balance(account), self.kind[account]
            on_hold = sum(h.amount for h in self.holds.values() if h.debit == account)
            assert balance.debits_pending == on_hold
        for money in ("EUR", "USD"):
            mine = [found[i].posted for (_, currency), i in self.ids.items() if currency == money]
            assert sum(mine) == 0

    @precondition(lambda self: self.moved)
    @rule(data=st.data(), day=st.integers(0, 13))
    def look_back(self, data: st.DataObject, day: int) -> None:
        """A balance at any date is the fold of what is dated until then; the book is proved."""
        account = data.draw(st.sampled_from([row[1] for row in self.moved]))
        assert balance_at(self.conn, account, day).posted == self.balance(account, day)
        assert first_fault(self.conn) is None


def test_the_books_hold_whatever_is_posted(db: psycopg.Connection) -> None:
    """Sums are zero per currency and transfer; nothing is short at any date; a hold resolves once;
    a group is all or nothing; keys are posted once; balances are folds; no transfer crosses
    currencies; nothing leaves the indivisible reserve; what is closed stays."""

    class OnThis(Ledger):
        conn = db

    run_state_machine_as_test(OnThis, settings=settings(stateful_step_count=15))
