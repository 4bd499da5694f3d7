"""Invoices and credit notes: what batches have cost, line by line, each cent once.

An invoice bills the difference between what a client's batches have cost in the books until a date,
and what was billed before. So nothing is forgotten that is dated late, and nothing is billed twice;
where the difference is below 0, it is a credit note.
"""

from typing import Any

import msgspec
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import Conflict, Forbidden, Invalid, Problem
from canut.pay.identity import Coop, Vat
from canut.pay.ledger import AccountName, Transfer, balances, open_accounts, post
from canut.pay.ledger.currency import DIGITS
from canut.pay.money import store
from canut.pay.money.billing import billing_of
from canut.pay.money.facturx import day_of, facturx_xml, with_xml
from canut.pay.money.invoice_pdf import invoice_pdf
from canut.pay.money.model import Draft, Invoice, InvoiceKind, InvoiceLine, Papers
from canut.pay.money.reading import find_invoice, unbilled
from canut.people.model import Principal
from canut.people.store.log import audit_sync

WHOLE = 10_000
REASON_CHARS_MAX = 300


class _About(Struct, frozen=True):
    client_id: int
    currency: str
    until_ms: int
    kind: InvoiceKind
    lines: list[InvoiceLine]
    papers: Papers
    #: the invoice that is corrected
    of: int | None = None
    why: str = ""


def issue_invoice(
    conn: SyncConn,
    by: Principal,
    coop: Coop,
    client_id: int,
    currency: str,
    until_ms: int,
    now_ms: int,
) -> Invoice:
    """Bill everything dated before `until_ms` that was not billed yet; a credit note where it comes
    to less than nothing. The work was paid from the deposit; tax is taken from it now, if there is
    enough, or later (`collect_vat`).

    Raises `Forbidden`, `NotFound`, `Conflict` where there is nothing to bill or nobody to bill it
    to, `Invalid` for a date to come or a co-op that may not tax.
    """
    _check_operator(by)
    _check_when(currency, until_ms, now_ms)
    with conn.transaction():
        series, position = _number(conn, now_ms)
        lines = unbilled(conn, by, client_id, currency, until_ms)
        if not lines:
            raise Conflict("There is nothing to bill.", mend="name a later date")
        papers = _papers(conn, by, coop, client_id)
        about = _About(client_id, currency, until_ms, "invoice", lines, papers)
        if sum(line.net for line in lines) < 0:
            about = _given_back(conn, about)
        return _issue(conn, by, about, (series, position), now_ms)


def cancel_invoice(
    conn: SyncConn, by: Principal, coop: Coop, invoice_id: int, why: str, now_ms: int
) -> Invoice:
    """A credit note over the whole of an invoice that was wrong; tax that was taken goes back on
    the deposit, and what it billed is billed by the next one.

    Raises `Forbidden`, `NotFound`, `Invalid`, `Conflict` for what is cancelled already or is a
    credit note itself.
    """
    _check_operator(by)
    why = why.strip()
    if not 0 < len(why) <= REASON_CHARS_MAX:
        mend = f"write 1 to {REASON_CHARS_MAX} characters"
        raise Invalid("Say why.", problems=[Problem("is empty or too long", mend, field="why")])
    with conn.transaction():
        # the lock first: whoever cancels it meanwhile is seen below
        numbered = _number(conn, now_ms)
        store.lock_invoice(conn, invoice_id)
        was = find_invoice(conn, by, invoice_id)
        if was.kind != "invoice" or was.cancelled:
            raise Conflict(f"{was.number} cannot be cancelled.", mend="see what it is")
        before = msgspec.convert(store.papers(conn, invoice_id), Papers)
        papers = msgspec.structs.replace(
            before, corrects=(was.number, day_of(was.issued_ms).isoformat())
        )
        lines = [
            InvoiceLine(line.batch_id, line.batch_name, line.part, line.net)
            for line in store.lines(conn, invoice_id)
        ]
        about = _About(
            was.client_id,
            was.currency,
            was.until_ms,
            "credit_note",
            lines,
            msgspec.structs.replace(papers, seller=coop),
            was.id,
            why,
        )
        return _issue(conn, by, about, numbered, now_ms)


def collect_vat(conn: SyncConn, by: Principal, now_ms: int, limit: int = 1000) -> list[Invoice]:
    """Take the tax of invoices from deposits that have enough by now, the oldest first; those that
    were paid. Raises `Forbidden`."""
    _check_operator(by)
    paid = []
    for one in store.unpaid(conn, limit):
        with conn.transaction():
            store.lock_invoice(conn, one.id)
            now = store.invoice(conn, one.id)
            assert now is not None
            if now.due and _covered(conn, now.client_id, now.currency, now.due, now_ms):
                _take_vat(conn, by, now, now_ms)
                paid.append(now)
    return paid


def tax_of(net: int, vat: Vat) -> int:
    """Tax on a sum (0 or more), to the nearest minor unit, halves up."""
    return (net * vat.rate * 2 + WHOLE) // (2 * WHOLE)


def _issue(
    conn: SyncConn, by: Principal, about: _About, numbered: tuple[str, int], now_ms: int
) -> Invoice:
    series, position = numbered
    net = sum(line.net for line in about.lines)
    vat = tax_of(net, about.papers.vat)
    back = about.kind == "credit_note"
    taken = back or not vat or _covered(conn, about.client_id, about.currency, vat, now_ms)
    draft = Draft(
        number=f"{series}-{position:05d}",
        kind=about.kind,
        currency=about.currency,
        issued_ms=now_ms,
        until_ms=about.until_ms,
        lines=about.lines,
        net=net,
        vat=vat,
        prepaid=net + vat if taken else net,
        papers=about.papers,
        why=about.why,
    )
    xml = facturx_xml(draft)
    values: dict[str, Any] = {
        "number": draft.number,
        "series": series,
        "position": position,
        "kind": draft.kind,
        "client": about.client_id,
        "of": about.of,
        "currency": draft.currency,
        "until": draft.until_ms,
        "issued": now_ms,
        "net": net,
        "vat": vat,
        "prepaid": draft.prepaid,
        "papers": msgspec.to_builtins(draft.papers),
        "why": draft.why,
        "xml": xml,
        "pdf": with_xml(invoice_pdf(draft), xml, draft),
        "account": by.account_id,
    }
    lines = [(line.batch_id, line.batch_name, line.part, line.net) for line in about.lines]
    made = store.add(conn, values, lines)
    issued = find_invoice(conn, by, made)
    if vat and (store.is_taken(conn, about.of) if back and about.of else taken):
        _take_vat(conn, by, issued, now_ms)
    detail = {"number": draft.number, "total": draft.total, "currency": draft.currency}
    action = f"issue.{draft.kind}"
    audit_sync(conn, by, action, "invoice", made, detail, client_id=about.client_id)
    return find_invoice(conn, by, made)


def _given_back(conn: SyncConn, about: _About) -> _About:
    """The same as a credit note on the client's last invoice."""
    last = store.last_invoice(conn, about.client_id, about.currency)
    papers, of = about.papers, None
    if last is not None:
        of, number, issued_ms = last
        papers = msgspec.structs.replace(papers, corrects=(number, day_of(issued_ms).isoformat()))
    lines = [msgspec.structs.replace(line, net=-line.net) for line in about.lines]
    return msgspec.structs.replace(about, kind="credit_note", lines=lines, papers=papers, of=of)


def _take_vat(conn: SyncConn, by: Principal, invoice: Invoice, now_ms: int) -> None:
    """From the deposit; of a credit note, back to it."""
    ids = _vat_accounts(conn, invoice.client_id, invoice.currency, now_ms)
    debit, credit = ids if invoice.kind == "invoice" else ids[::-1]
    move = Transfer(
        f"vat:invoice:{invoice.id}",
        "vat",
        debit,
        credit,
        invoice.vat,
        invoice.currency,
        why=f"tax of {invoice.number}",
        reference=f"invoice:{invoice.id}",
    )
    [transfer] = post(conn, [move], now_ms, by=by.account_id)
    store.taken(conn, invoice.id, transfer, now_ms)


def _covered(conn: SyncConn, client_id: int, currency: str, amount: int, now_ms: int) -> bool:
    deposit, _ = _vat_accounts(conn, client_id, currency, now_ms)
    return balances(conn, [deposit])[deposit].available >= amount


def _vat_accounts(conn: SyncConn, client_id: int, currency: str, now_ms: int) -> tuple[int, int]:
    names = [
        AccountName("client_deposit", currency, client_id),
        AccountName("vat_payable", currency),
    ]
    deposit, vat = open_accounts(conn, names, now_ms).values()
    return deposit, vat


def _number(conn: SyncConn, now_ms: int) -> tuple[str, int]:
    """The year and the next number of it. Whoever issues meanwhile waits; what does not commit
    gives its number back, so that there is no gap."""
    series = str(day_of(now_ms).year)
    return series, store.next_position(conn, series)


def _papers(conn: SyncConn, by: Principal, coop: Coop, client_id: int) -> Papers:
    buyer = billing_of(conn, by, client_id)
    if buyer is None:
        raise Conflict(
            "Nobody knows whom to bill.", mend="say who: canut invoice client, or the client's page"
        )
    vat = buyer.vat or coop.vat
    if not coop.vat_id and (vat.category != "E" or not coop.registration):
        text = "is missing: only what is exempt is billed without, under a registration"
        problem = Problem(text, "complete it", file="coop.toml", field="vat_id")
        raise Invalid("The co-op cannot issue this invoice.", problems=[problem])
    return Papers(coop, buyer, vat, buyer.locale)


def _check_when(currency: str, until_ms: int, now_ms: int) -> None:
    problems = []
    if currency not in DIGITS:
        problems.append(Problem(f"{currency!r} is no currency", field="currency"))
    if not 0 < until_ms <= now_ms:
        problems.append(Problem("is not past", "name a day that has come", field="until"))
    if problems:
        raise Invalid("Nothing can be billed.", problems=problems)


def _check_operator(by: Principal) -> None:
    if "operator" not in by.roles:
        raise Forbidden("Only operators issue invoices.")
