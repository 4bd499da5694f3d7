"""The calls about what work costs a client; see `canut.sdk.calls`."""

from canut.sdk import values as v
from canut.sdk.call import Call, get, post


def quotes(batch: int) -> Call[v.Quotes]:
    """The quotes of a batch, newest first."""
    return get(f"batches/{batch}/quotes", v.Quotes)


def quote(batch: int, *, items: int | None = None) -> Call[v.Quote]:
    """What a batch will cost, line by line; for so many of its items, or all."""
    return post(f"batches/{batch}/quotes", v.Quote, v.NewQuote(items), repeatable=False)


def agree(quote: int) -> Call[v.BatchFunds]:
    """Agree to a quote: its money goes from the deposit to the batch, and work begins."""
    return post(f"quotes/{quote}/agree", v.BatchFunds)


def funds(batch: int) -> Call[v.BatchFunds]:
    """The money of a batch."""
    return get(f"batches/{batch}/funds", v.BatchFunds)


def purses(*, client: int | None = None) -> Call[v.Purses]:
    """Your money in each currency: on deposit, set aside for batches, and held."""
    return get("purses", v.Purses, {"client": client})


def invoices(*, limit: int = 50, cursor: str | None = None) -> Call[v.Page[v.Invoice]]:
    """Your invoices and credit notes, newest first."""
    return get("invoices", v.Page[v.Invoice], {"limit": limit, "cursor": cursor})


def invoice_pdf(invoice: int) -> Call[bytes]:
    """An invoice as it was issued, with its Factur-X XML inside."""
    return get(f"invoices/{invoice}/pdf", bytes)


def invoice_xml(invoice: int) -> Call[bytes]:
    """An invoice for programs: Factur-X."""
    return get(f"invoices/{invoice}/xml", bytes)
