"""The books: accounts, transfers, statements, periods, and the proof that all holds."""

from canut.db.check_ledger import first_fault
from canut.pay.ledger.accounts import find_account, list_accounts, open_accounts
from canut.pay.ledger.books import balance_at, balances, holds, statement
from canut.pay.ledger.closing import close_period, closed_until
from canut.pay.ledger.flows import FLOWS
from canut.pay.ledger.model import (
    Account,
    AccountKind,
    AccountName,
    Balance,
    Hold,
    Line,
    Move,
    Post,
    Reverse,
    Statement,
    Transfer,
    TransferKind,
    Void,
)
from canut.pay.ledger.posting import post, void_expired
from canut.pay.ledger.split import split

__all__ = [
    "FLOWS",
    "Account",
    "AccountKind",
    "AccountName",
    "Balance",
    "Hold",
    "Line",
    "Move",
    "Post",
    "Reverse",
    "Statement",
    "Transfer",
    "TransferKind",
    "Void",
    "balance_at",
    "balances",
    "close_period",
    "closed_until",
    "find_account",
    "first_fault",
    "holds",
    "list_accounts",
    "open_accounts",
    "post",
    "split",
    "statement",
    "void_expired",
]
