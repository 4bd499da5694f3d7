"""Which kind of transfer may go from which kind of account to which. Nothing else may: the database
has the same table (`ledger_flow`) and refuses what is not in it."""

from canut.pay.ledger.model import AccountKind, TransferKind

#: kind of transfer -> (debited kind, credited kind), for each way it may go
FLOWS: dict[TransferKind, tuple[tuple[AccountKind, AccountKind], ...]] = {
    # money of clients
    "deposit": (("bank", "client_deposit"),),
    "refund": (("client_deposit", "bank"),),
    "fund": (
        ("client_deposit", "batch_escrow"),
        ("client_deposit", "topup_reserve"),
        ("batch_escrow", "topup_reserve"),
    ),
    "vat": (("client_deposit", "vat_payable"), ("vat_payable", "client_deposit")),
    "release": (("batch_escrow", "client_deposit"), ("topup_reserve", "client_deposit")),
    # pay
    "accrue": (("batch_escrow", "contributor_payable"),),
    "bonus": (("batch_escrow", "contributor_payable"),),
    "hourly": (("batch_escrow", "contributor_payable"), ("coop_fee", "contributor_payable")),
    "topup": (
        ("topup_reserve", "contributor_payable"),
        ("batch_escrow", "contributor_payable"),
        ("coop_fee", "contributor_payable"),
    ),
    "dispute": (("batch_escrow", "disputed"), ("contributor_payable", "disputed")),
    "uphold": (("disputed", "contributor_payable"),),
    "dismiss": (("disputed", "batch_escrow"), ("disputed", "client_deposit")),
    # what else a batch costs
    "fee": (("batch_escrow", "coop_fee"),),
    "contribution": (
        ("batch_escrow", "social_payable"),
        ("topup_reserve", "social_payable"),
        ("coop_fee", "social_payable"),
        ("contributor_payable", "social_payable"),
    ),
    "ai": (("batch_escrow", "ai_payable"), ("coop_fee", "ai_payable")),
    # money that leaves
    "payout": (("contributor_payable", "payout_clearing"), ("member_capital", "payout_clearing")),
    "settle": (("payout_clearing", "bank"),),
    "bounce": (
        ("bank", "payout_clearing"),
        ("payout_clearing", "contributor_payable"),
        ("payout_clearing", "member_capital"),
    ),
    "remit": (("social_payable", "bank"), ("ai_payable", "bank"), ("vat_payable", "bank")),
    "expense": (("coop_fee", "bank"),),
    # the co-op and its members
    "income": (("bank", "coop_fee"),),
    "provident": (("coop_fee", "provident_fund"), ("contributor_payable", "provident_fund")),
    "benefit": (("provident_fund", "contributor_payable"),),
    "subscribe": (("bank", "member_capital"), ("contributor_payable", "member_capital")),
    "allocate": (
        ("coop_fee", "indivisible_reserve"),
        ("coop_fee", "provident_fund"),
        ("coop_fee", "contributor_payable"),
        ("coop_fee", "member_capital"),
    ),
}

#: the account may owe: the bank owes us, and the co-op may make a loss. No other balance, less what
#: is held of it, is ever below 0, at any date
MAY_OWE: frozenset[AccountKind] = frozenset({"bank", "coop_fee"})

#: what is in it stays there: no transfer debits it, not even a reversal
INDIVISIBLE: AccountKind = "indivisible_reserve"


def permitted(kind: TransferKind, debit: AccountKind, credit: AccountKind) -> bool:
    """Whether such a transfer may be."""
    return (debit, credit) in FLOWS.get(kind, ())
