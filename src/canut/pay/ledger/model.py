"""Accounts, what moves money between them, and what is read from the books.

Amounts are in minor units of their currency, times in milliseconds UTC. A balance is credits less
debits: what the co-op owes whoever the account is of. Only the bank's is negative while all is
well: it owes us.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

AccountKind: TypeAlias = Literal[
    "bank",
    "client_deposit",
    "batch_escrow",
    "topup_reserve",
    "contributor_payable",
    "disputed",
    "social_payable",
    "ai_payable",
    "vat_payable",
    "coop_fee",
    "provident_fund",
    "indivisible_reserve",
    "member_capital",
    "payout_clearing",
]

TransferKind: TypeAlias = Literal[
    "deposit",
    "refund",
    "fund",
    "release",
    "accrue",
    "bonus",
    "hourly",
    "topup",
    "fee",
    "contribution",
    "ai",
    "vat",
    "dispute",
    "uphold",
    "dismiss",
    "payout",
    "settle",
    "bounce",
    "remit",
    "expense",
    "income",
    "provident",
    "benefit",
    "subscribe",
    "allocate",
]

Owner: TypeAlias = Literal["client", "batch", "contributor", "none"]

#: who an account of each kind is of
OWNERS: dict[AccountKind, Owner] = {
    "bank": "none",
    "client_deposit": "client",
    "batch_escrow": "batch",
    "topup_reserve": "batch",
    "contributor_payable": "contributor",
    "disputed": "contributor",
    "social_payable": "none",
    "ai_payable": "none",
    "vat_payable": "none",
    "coop_fee": "none",
    "provident_fund": "none",
    "indivisible_reserve": "none",
    "member_capital": "contributor",
    "payout_clearing": "none",
}


class AccountName(Struct, frozen=True, order=True):
    """What tells an account from others."""

    kind: AccountKind
    #: ISO 4217
    currency: str
    #: the client, batch or contributor, as the kind says; 0: the co-op itself
    owner_id: int = 0

    def __str__(self) -> str:
        of = f" of {OWNERS[self.kind]} {self.owner_id}" if self.owner_id else ""
        return f"{self.kind}{of} in {self.currency}"


class Balance(Struct, frozen=True):
    """The sums of an account: of all that is posted, and of what is held."""

    debits: int
    credits: int
    #: held: will leave, or come, unless it is voided
    debits_pending: int = 0
    credits_pending: int = 0

    @property
    def posted(self) -> int:
        """What the account holds."""
        return self.credits - self.debits

    @property
    def available(self) -> int:
        """What may still be taken from it."""
        return self.posted - self.debits_pending


class Account(Struct, frozen=True):
    """An account with its sums of this moment."""

    id: int
    name: AccountName
    balance: Balance


class Transfer(Struct, frozen=True, tag="transfer", tag_field="move", omit_defaults=True):
    """Take `amount` from the account `debit` and give it to `credit`; or hold it (`pending`), to be
    posted or voided later."""

    #: whoever posts the same key again gets the same transfer
    key: str
    kind: TransferKind
    #: ids of accounts
    debit: int
    credit: int
    #: minor units, above 0
    amount: int
    currency: str
    #: for whoever reads the statement
    why: str = ""
    #: what it is about, for programs: "batch:7/task:93"
    reference: str = ""
    #: the date it counts for; None: the moment it is posted
    at_ms: int | None = None
    pending: bool = False
    #: of a hold: void when it is not posted by then
    expires_ms: int | None = None


class Post(Struct, frozen=True, tag="post", tag_field="move", omit_defaults=True):
    """Post a hold, whole or in part; what is left of it is free again. Once."""

    key: str
    #: the hold
    transfer: int
    #: minor units; None: all of it
    amount: int | None = None
    why: str = ""
    reference: str = ""
    at_ms: int | None = None


class Void(Struct, frozen=True, tag="void", tag_field="move", omit_defaults=True):
    """Let go of a hold: nothing moves. Once."""

    key: str
    #: the hold
    transfer: int
    why: str = ""
    reference: str = ""
    at_ms: int | None = None


class Reverse(Struct, frozen=True, tag="reverse", tag_field="move", omit_defaults=True):
    """Take a posted transfer back, whole: the correction of a mistake. Once."""

    key: str
    #: the transfer that was a mistake
    transfer: int
    why: str
    reference: str = ""
    at_ms: int | None = None


Move: TypeAlias = Transfer | Post | Void | Reverse


class Line(Struct, frozen=True):
    """A posted transfer, seen from one account."""

    transfer_id: int
    at_ms: int
    kind: TransferKind
    #: the other account
    other: int
    other_kind: AccountKind
    #: above 0: came; below 0: went
    amount: int
    #: of the account, after this line
    balance: int
    why: str
    reference: str
    #: the transfer that this takes back
    reverses: int | None


class Statement(Struct, frozen=True):
    """Lines of an account in order, and the balance before and after them."""

    account: Account
    opening: int
    lines: list[Line]
    closing: int
    #: `after` of the next page; None: there is no more
    after: tuple[int, int] | None


class Hold(Struct, frozen=True):
    """A pending transfer that is neither posted nor voided."""

    transfer_id: int
    key: str
    kind: TransferKind
    debit: int
    credit: int
    amount: int
    currency: str
    at_ms: int
    why: str
    reference: str
    expires_ms: int | None
