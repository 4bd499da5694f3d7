"""Invoices to clients."""

from litestar import Response, get

from canut.pay.money import reading
from canut.pay.money.model import Invoice
from canut.sdk import values as v
from canut.web.api.common import PREFIX, in_thread, number
from canut.web.api.describe import described
from canut.web.api.money import WHEN_MS, about
from canut.web.api.reading import ID_MAX, read_query
from canut.web.api.replying import Json, PageQuery, after, attachment, like, page
from canut.web.auth import WebRequest, principal

INVOICE = v.Invoice(
    id=4,
    number="2026-00004",
    kind="invoice",
    client=3,
    currency="EUR",
    until_ms=WHEN_MS,
    issued_ms=WHEN_MS,
    net_minor=55_440,
    vat_minor=11_088,
    prepaid_minor=66_528,
    due_minor=0,
)

INVOICES = about(
    "list_invoices",
    "List invoices",
    "Invoices and credit notes, newest first.",
    query=PageQuery,
    reply=v.Page[v.Invoice],
    reply_example=v.Page(data=[INVOICE]),
)
PDF = about(
    "get_invoice_pdf",
    "Download an invoice",
    "The PDF as it was issued (PDF/A-3b), with its Factur-X XML inside.",
    reply_stream={"application/pdf": ""},
)
XML = about(
    "get_invoice_xml",
    "Download an invoice as XML",
    "The same for programs (Factur-X: EN 16931, Cross Industry Invoice).",
    reply_stream={"application/xml": "<rsm:CrossIndustryInvoice/>"},
)


@get(f"{PREFIX}/invoices", opt=described(INVOICES))
async def list_invoices(request: WebRequest) -> Json:
    """A page of invoices."""
    query, who = read_query(request, PageQuery), principal(request)
    before = after(query, ID_MAX)
    found = await in_thread(
        request,
        lambda conn: reading.list_invoices(conn, who, before=before, limit=query.limit + 1),
    )
    return page(request, query, found, _invoice, lambda one: one.id)


@get(f"{PREFIX}/invoices/{{id:str}}/pdf", opt=described(PDF))
async def get_invoice_pdf(request: WebRequest) -> Response[bytes]:
    """An invoice, for people."""
    return await _file(request, xml=False)


@get(f"{PREFIX}/invoices/{{id:str}}/xml", opt=described(XML))
async def get_invoice_xml(request: WebRequest) -> Response[bytes]:
    """An invoice, for programs."""
    return await _file(request, xml=True)


async def _file(request: WebRequest, *, xml: bool) -> Response[bytes]:
    who, id = principal(request), number(request)
    found = await in_thread(request, lambda conn: reading.invoice_file(conn, who, id, xml=xml))
    return attachment(found.content, found.media_type, found.name)


def _invoice(one: Invoice) -> v.Invoice:
    return like(
        v.Invoice,
        one,
        client=one.client_id,
        net_minor=one.net,
        vat_minor=one.vat,
        prepaid_minor=one.prepaid,
        due_minor=one.due,
    )


ROUTES = [list_invoices, get_invoice_pdf, get_invoice_xml]
