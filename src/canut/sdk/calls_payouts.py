"""The calls about what a contributor is paid; see `canut.sdk.calls`."""

from canut.sdk import values as v
from canut.sdk.call import Call, get, post


def slips(*, limit: int = 50, cursor: str | None = None) -> Call[v.Page[v.PaySlip]]:
    """Your pay slips, newest first."""
    return get("slips", v.Page[v.PaySlip], {"limit": limit, "cursor": cursor})


def slip(id: int) -> Call[v.PaySlipDetail]:
    """A pay slip with every task."""
    return get(f"slips/{id}", v.PaySlipDetail)


def slip_pdf(id: int, *, locale: str = "en") -> Call[bytes]:
    """A pay slip as a PDF, in English (en) or French (fr)."""
    return get(f"slips/{id}/pdf", bytes, {"locale": locale})


def slip_csv(id: int, *, locale: str = "en") -> Call[bytes]:
    """A pay slip as CSV: every task, then the sum."""
    return get(f"slips/{id}/csv", bytes, {"locale": locale})


def account() -> Call[v.PayoutAccount]:
    """Where your money goes, masked."""
    return get("payout-account", v.PayoutAccount)


def payouts(*, limit: int = 50, cursor: str | None = None) -> Call[v.Page[v.Payout]]:
    """What you asked for, newest first."""
    return get("payouts", v.Page[v.Payout], {"limit": limit, "cursor": cursor})


def ask(amount_minor: int, currency: str, key: str) -> Call[v.Payout]:
    """Ask for money, in minor units; the same key again is the same payout."""
    return post("payouts", v.Payout, v.NewPayout(amount_minor, currency, key))


def cancel(payout: int) -> Call[None]:
    """Take a request back, while it is in no run."""
    return post(f"payouts/{payout}/cancel", type(None))
