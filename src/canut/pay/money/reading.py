"""Reading invoices: lists, lines, and the papers as they were sent."""

from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.pay.money import store
from canut.pay.money.model import Invoice, InvoiceLine
from canut.people.model import Principal

PAGE_MAX = 500


class InvoiceFile(Struct, frozen=True):
    """An invoice as it was sent."""

    name: str
    media_type: str
    content: bytes


def unbilled(
    conn: SyncConn, by: Principal, client_id: int, currency: str, until_ms: int
) -> list[InvoiceLine]:
    """What batches have cost before `until_ms` and was not billed. Raises `NotFound`."""
    by.check_sees(client_id)
    found = store.costs(conn, client_id, currency, until_ms)
    return [InvoiceLine(c.batch_id, c.batch_name, c.part, c.net) for c in found]


def find_invoice(conn: SyncConn, by: Principal, invoice_id: int) -> Invoice:
    """Raises `NotFound`, also for what is another client's."""
    found = store.invoice(conn, invoice_id)
    if found is None:
        raise NotFound("There is no such thing, or it is not yours to see.")
    by.check_sees(found.client_id)
    return found


def invoice_number(conn: SyncConn, by: Principal, number: str) -> Invoice:
    """By its number. Raises `NotFound`."""
    return find_invoice(conn, by, store.id_of(conn, number) or 0)


def list_invoices(
    conn: SyncConn,
    by: Principal,
    *,
    client_id: int | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Invoice]:
    """Newest first, as far as the principal may see; a page ends before the invoice `before`."""
    if client_id is not None:
        by.check_sees(client_id)
    values = {"clients": by.clients, "client": client_id, "before": before}
    return store.invoices(conn, values | {"limit": min(limit, PAGE_MAX)})


def invoice_lines(conn: SyncConn, by: Principal, invoice_id: int) -> list[InvoiceLine]:
    """Raises `NotFound`."""
    find_invoice(conn, by, invoice_id)
    return [
        InvoiceLine(line.batch_id, line.batch_name, line.part, line.net)
        for line in store.lines(conn, invoice_id)
    ]


def invoice_file(
    conn: SyncConn, by: Principal, invoice_id: int, *, xml: bool = False
) -> InvoiceFile:
    """The PDF as it was issued, with its XML inside; or the XML alone. Raises `NotFound`."""
    find_invoice(conn, by, invoice_id)
    found = store.files(conn, invoice_id)
    assert found is not None
    if xml:
        return InvoiceFile(f"{found.number}.xml", "application/xml", found.xml)
    return InvoiceFile(f"{found.number}.pdf", "application/pdf", found.pdf)
