"""An invoice as people read it: a PDF/A-3b set by Typst with the fonts it brings."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel import Locale as Babel
from babel import dates, numbers
from text_unidecode import unidecode

from canut.pay.identity import Address
from canut.pay.ledger.currency import DIGITS
from canut.pay.money.facturx import day_of, pay_by
from canut.pay.money.model import Draft, Locale
from canut.pay.money.texts import TEXTS
from canut.typesetting import pdf_of

TEMPLATE = Path(__file__).with_name("invoice.typ")


def invoice_pdf(draft: Draft) -> bytes:
    """The PDF, without the XML. Names in letters that its fonts lack are written in Latin ones; the
    XML has them as they are."""
    said = _said(draft)
    issued = datetime.fromtimestamp(draft.issued_ms // 1000, UTC)
    return pdf_of(TEMPLATE, said, issued, standards=["a-3b"], plainly=unidecode)


def money(amount: int, currency: str, locale: Locale) -> str:
    """Minor units as a client reads them: "1 234,50 €"."""
    exact = Decimal(amount).scaleb(-DIGITS[currency])
    return str(numbers.format_currency(exact, currency, locale=locale))


def _said(draft: Draft) -> dict[str, Any]:
    papers = draft.papers
    locale, text = papers.locale, TEXTS[papers.locale]
    seller, buyer = papers.seller, papers.buyer
    own = [seller.name, *_address(seller.address, locale)]
    own += [text["registration"].format(id=seller.registration)] if seller.registration else []
    own += [text["vat_id"].format(id=seller.vat_id)] if seller.vat_id else []
    theirs = [buyer.name, *_address(buyer.address, locale)]
    theirs += [text["vat_id"].format(id=buyer.vat_id)] if buyer.vat_id else []
    issued = day_of(draft.issued_ms)
    return {
        "lang": locale,
        "title": f"{text[draft.kind]} {draft.number}",
        "heading": f"{text[draft.kind]} {draft.number}",
        "day": {"year": issued.year, "month": issued.month, "day": issued.day},
        "from_label": text["from"],
        "from": own,
        "to_label": text["to"],
        "to": theirs,
        "facts": _facts(draft, issued),
        "notes": _notes(draft),
        "what": text["what"],
        "net": text["net"],
        "batches": _batches(draft),
        "sums": _sums(draft),
        "terms": _terms(draft),
        "data": text["data"],
        "footer": f"{seller.name} · {text[draft.kind]} {draft.number}",
        "page": text["page"],
    }


def _facts(draft: Draft, issued: date) -> list[list[str]]:
    locale, text = draft.papers.locale, TEXTS[draft.papers.locale]
    facts = [
        [text["number"], draft.number],
        [text["issued"], _day(issued, locale)],
        [text["until"], _day(day_of(draft.until_ms - 1), locale)],
    ]
    return facts + ([[text["pay_by"], _day(pay_by(draft), locale)]] if draft.due else [])


def _notes(draft: Draft) -> list[str]:
    locale, text = draft.papers.locale, TEXTS[draft.papers.locale]
    notes = []
    if draft.papers.corrects:
        number, day = draft.papers.corrects
        said = _day(date.fromisoformat(day), locale)
        notes.append(text["corrects"].format(number=number, day=said))
    return notes + ([text["why"].format(why=draft.why)] if draft.why else [])


def _batches(draft: Draft) -> list[dict[str, Any]]:
    text = TEXTS[draft.papers.locale]
    found: dict[int, dict[str, Any]] = {}
    for line in draft.lines:
        name = text["batch"].format(number=line.batch_id, name=line.batch_name)
        batch = found.setdefault(line.batch_id, {"name": name, "lines": []})
        batch["lines"].append([text[f"part_{line.part}"], _amount(draft, line.net)])
    return list(found.values())


def _sums(draft: Draft) -> list[list[Any]]:
    locale, text = draft.papers.locale, TEXTS[draft.papers.locale]
    rate = numbers.format_percent(draft.papers.vat.rate / 10_000, "#,##0.##%", locale=locale)
    paid = "sum_returned" if draft.kind == "credit_note" else "sum_prepaid"
    return [
        [text["sum_net"], _amount(draft, draft.net), False],
        [text["sum_vat"].format(rate=rate), _amount(draft, draft.vat), False],
        [text["sum_total"], _amount(draft, draft.total), True],
        [text[paid], _amount(draft, draft.prepaid), False],
        [text["sum_due"], _amount(draft, draft.due), True],
    ]


def _terms(draft: Draft) -> list[str]:
    papers, text = draft.papers, TEXTS[draft.papers.locale]
    terms = []
    if papers.vat.category == "AE":
        terms.append(text["reverse_charge"])
    elif papers.vat.category == "E":
        terms.append(text["exempt"].format(reason=papers.vat.reason))
    if draft.due:
        terms += [text["due_terms"], text["iban"].format(iban=papers.seller.iban)]
    return terms


def _address(address: Address, locale: Locale) -> list[str]:
    street = f"{address.building} {address.street}".strip()
    town = f"{address.postcode} {address.town}".strip()
    country = Babel.parse(locale).territories.get(address.country, address.country)
    return [part for part in (street, town, country) if part]


def _amount(draft: Draft, amount: int) -> str:
    return money(amount, draft.currency, draft.papers.locale)


def _day(day: date, locale: Locale) -> str:
    # English pages write a day before its month
    return str(dates.format_date(day, "long", locale="en_GB" if locale == "en" else locale))
