"""What accounts, transfers, rules and states are called on the pages of stewards."""

from collections.abc import Mapping
from typing import TypeVar

from canut.pay.ledger import AccountKind, TransferKind
from canut.pay.payouts.model import PayoutState, RunState
from canut.pay.policy import RuleName
from canut.pay.settlement.model import LineBasis
from canut.pay.tariffs.model import Stage
from canut.web.auth import WebRequest
from canut.web.i18n import N_
from canut.web.pages.view import say

K = TypeVar("K", bound=str)

ACCOUNTS: dict[AccountKind, str] = {
    "bank": N_("Bank"),
    "client_deposit": N_("Deposit of a client"),
    "batch_escrow": N_("Set aside for a batch"),
    "topup_reserve": N_("Reserve of a batch for top-ups"),
    "contributor_payable": N_("Earned by a contributor"),
    "disputed": N_("In dispute"),
    "social_payable": N_("Contributions to be paid"),
    "ai_payable": N_("Language models to be paid"),
    "vat_payable": N_("Tax to be paid"),
    "coop_fee": N_("Fees of the co-op"),
    "provident_fund": N_("Provident fund"),
    "indivisible_reserve": N_("Indivisible reserve"),
    "member_capital": N_("Shares of a member"),
    "payout_clearing": N_("On its way to people"),
}
TRANSFERS: dict[TransferKind, str] = {
    "deposit": N_("Paid in"),
    "refund": N_("Paid back to a client"),
    "fund": N_("Set aside"),
    "release": N_("Not used, given back"),
    "accrue": N_("Pay"),
    "bonus": N_("Bonus"),
    "hourly": N_("Pay by the hour"),
    "topup": N_("Top-up to the floor"),
    "fee": N_("Fee"),
    "contribution": N_("Contributions"),
    "ai": N_("Language models"),
    "vat": N_("Tax of an invoice"),
    "dispute": N_("Into dispute"),
    "uphold": N_("Dispute, for the contributor"),
    "dismiss": N_("Dispute, for the client"),
    "payout": N_("Payout sent"),
    "settle": N_("Payout left the bank"),
    "bounce": N_("Payout came back"),
    "remit": N_("Paid to whom it is owed"),
    "expense": N_("Expense"),
    "income": N_("Income"),
    "provident": N_("Into the provident fund"),
    "benefit": N_("Out of the provident fund"),
    "subscribe": N_("Shares taken"),
    "allocate": N_("Surplus shared"),
}
RULES: dict[RuleName, str] = {
    "floor": N_("Hourly floor"),
    "social": N_("Social contributions"),
    "fee": N_("Fee of the co-op"),
    "reserve": N_("Reserve for top-ups"),
    "accept_days": N_("Silence accepts after"),
    "period_days": N_("Longest pay period"),
    "home": N_("Home jurisdiction"),
}
STAGES: dict[Stage, str] = {
    "pilot": N_("pilot, by the hour"),
    "measured": N_("by the task"),
    "voluntary": N_("voluntary"),
}
RUNS: dict[RunState, str] = {
    "assembled": N_("to be approved"),
    "approved": N_("approved"),
    "cancelled": N_("cancelled"),
}
PAYOUTS: dict[PayoutState, str] = {
    "requested": N_("requested"),
    "cancelled": N_("taken back"),
    "approved": N_("on its way"),
    "paid": N_("paid out"),
    "failed": N_("came back"),
}
BASES: dict[LineBasis, str] = {
    "price": N_("by the task"),
    "hour": N_("by the hour"),
    "none": N_("not answered"),
}
#: what programs give as the reason of a price or a transfer; what people wrote stays as it is
REASONS = (
    N_("{0} tasks measured"),
    N_("the floor has changed"),
    N_("sheet {0}"),
    N_("pay slip {0}, batch {1}"),
    N_("pay slip {0}, hours"),
    # as it was said while only exams were paid by the hour
    N_("pay slip {0}, exams"),
    N_("payout run {0}"),
    N_("statement {0}"),
    N_("quote {0}"),
    N_("tax of {0}"),
    N_("paid by {0}"),
    N_("payout to {0}"),
    N_("paid in"),
    N_("language models"),
    N_("taken back"),
    N_("expired"),
    N_("not used"),
    N_("paid back"),
)


def spoken(request: WebRequest, words: Mapping[K, str]) -> dict[K, str]:
    """The words in the language of the request."""
    return {key: say(request, word) for key, word in words.items()}
