"""Books for tests: a client with money, a batch with escrow, contributors to pay."""

import itertools
from typing import Any

import psycopg
from msgspec import Struct

from canut.pay.ledger import AccountName, Transfer, open_accounts, post
from canut.pay.ledger.model import TransferKind
from tests import factories as make

NOW = 1_000_000
_keys = itertools.count(1)


class Books(Struct):
    """Accounts by what they are for, in euros."""

    bank: int
    deposit: int
    escrow: int
    reserve: int
    fee: int
    ada: int
    bea: int
    clearing: int
    indivisible: int
    #: in dollars
    dollars: int


def books(conn: psycopg.Connection, *, deposit: int = 0, escrow: int = 0) -> Books:
    """Empty, or with what the client paid in and what of it is in escrow, at 1,000 ms."""
    work = make.work(conn, items=1)
    ada, bea = make.contributor(conn), make.contributor(conn)
    names = [
        AccountName("bank", "EUR"),
        AccountName("client_deposit", "EUR", work.client_id),
        AccountName("batch_escrow", "EUR", work.batch_id),
        AccountName("topup_reserve", "EUR", work.batch_id),
        AccountName("coop_fee", "EUR"),
        AccountName("contributor_payable", "EUR", ada),
        AccountName("contributor_payable", "EUR", bea),
        AccountName("payout_clearing", "EUR"),
        AccountName("indivisible_reserve", "EUR"),
        AccountName("bank", "USD"),
    ]
    made = Books(*open_accounts(conn, names, 1).values())
    if deposit + escrow:
        first = move("deposit", made.bank, made.deposit, deposit + escrow, at_ms=1000)
        post(conn, [first], 1000)
    if escrow:
        post(conn, [move("fund", made.deposit, made.escrow, escrow, at_ms=1000)], 1000)
    return made


def move(kind: TransferKind, debit: int, credit: int, amount: Any, **given: Any) -> Transfer:
    """A transfer with a key of its own, in euros."""
    values = {"key": f"key-{next(_keys)}", "currency": "EUR"} | given
    return Transfer(kind=kind, debit=debit, credit=credit, amount=amount, **values)
