"""An invoice as machines read it: Factur-X, profile EN 16931, inside a PDF/A-3.

Terms are those of EN 16931 (BT-1: number, BT-2: day, ...); the library writes the XML and checks it
against the schema that it brings. Nothing is asked of any server.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from canut.errors import Invalid
from canut.pay.identity import Address, Coop
from canut.pay.money.model import Billing, Draft, InvoiceLine
from canut.pay.money.texts import TEXTS
from canut.pay.payouts.mobile import decimal

LEVEL = "en16931"
#: UNTDID 1001
_KINDS = {"invoice": "380", "credit_note": "381"}
#: one, of UN/ECE recommendation 20
_ONE = "C62"
#: credit transfer within the euro payments area, UNTDID 4461
_SEPA = "58"


def day_of(ms: int) -> date:
    """The day of a moment, UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).date()


def pay_by(draft: Draft) -> date:
    """The day by which what is due is paid."""
    return day_of(draft.issued_ms) + timedelta(days=draft.papers.seller.pay_within_days)


def facturx_xml(draft: Draft) -> bytes:
    """The XML, valid against the schema. Raises `Invalid` with what the schema refuses."""
    # it takes a while to load, with what reads PDFs; engines and commands seldom issue
    from facturx import generate_cii_xml

    try:
        xml: bytes = generate_cii_xml(
            _terms(draft), level=LEVEL, check_xsd=True, check_schematron=False
        )
    except Exception as error:
        # the library raises plain exceptions; whatever it is, no invoice leaves
        raise Invalid(f"No valid invoice can be made of this: {error}") from error
    return xml


def with_xml(pdf: bytes, xml: bytes, draft: Draft) -> bytes:
    """The PDF with the XML inside, as Factur-X has it."""
    from facturx import generate_from_binary

    seller = draft.papers.seller.name
    text = TEXTS[draft.papers.locale]
    made: bytes = generate_from_binary(
        pdf,
        xml,
        flavor="factur-x",
        level=LEVEL,
        check_xsd=False,
        check_schematron=False,
        lang=draft.papers.locale,
        afrelationship="alternative",
        pdf_metadata={
            "author": seller,
            "keywords": "Factur-X",
            "title": f"{seller}: {text[draft.kind]} {draft.number}",
            "subject": f"{text[draft.kind]} {draft.number}",
        },
    )
    return made


def _terms(draft: Draft) -> dict[str, Any]:
    papers, text = draft.papers, TEXTS[draft.papers.locale]
    terms: dict[str, Any] = {
        "BT-1": draft.number,
        "BT-2": day_of(draft.issued_ms),
        "BT-3": _KINDS[draft.kind],
        "BT-5": draft.currency,
        "BT-10": papers.buyer.name,
        "BT-72": day_of(draft.until_ms - 1),
        "BT-20": text["paid_from_deposit"] if draft.due == 0 else text["due_terms"],
        "BG-4": _seller(papers.seller),
        "BG-7": _buyer(papers.buyer),
        "BG-23": [_tax(draft)],
        "BG-25": [_line(draft, place, line) for place, line in enumerate(draft.lines, 1)],
        "BT-106": _money(draft, draft.net),
        "BT-109": _money(draft, draft.net),
        "BT-110": _money(draft, draft.vat),
        "BT-112": _money(draft, draft.total),
        "BT-113": _money(draft, draft.prepaid),
        "BT-115": _money(draft, draft.due),
    }
    if draft.due:
        terms |= {
            "BT-9": pay_by(draft),
            "BT-81": _SEPA,
            "BT-84": papers.seller.iban,
        }
    if draft.why:
        terms["BG-1"] = [{"BT-22": draft.why}]
    if papers.corrects:
        number, day = papers.corrects
        terms["BG-3"] = [{"BT-25": number, "BT-26": day}]
    return terms


def _line(draft: Draft, place: int, line: InvoiceLine) -> dict[str, Any]:
    text, vat = TEXTS[draft.papers.locale], draft.papers.vat
    # a price is never below 0 (BR-27): what is given back is a quantity of -1
    return {
        "BT-126": str(place),
        "BT-129": "1" if line.net >= 0 else "-1",
        "BT-130": _ONE,
        "BT-131": _money(draft, line.net),
        "BT-146": _money(draft, abs(line.net)),
        "BT-151": vat.category,
        "BT-152": _rate(vat.rate),
        "BT-153": text[f"part_{line.part}"],
        "BT-154": text["batch"].format(number=line.batch_id, name=line.batch_name),
    }


def _tax(draft: Draft) -> dict[str, Any]:
    vat = draft.papers.vat
    terms = {
        "BT-116": _money(draft, draft.net),
        "BT-117": _money(draft, draft.vat),
        "BT-118": vat.category,
        "BT-119": _rate(vat.rate),
    }
    if vat.category == "AE":
        terms |= {"BT-120": TEXTS[draft.papers.locale]["reverse_charge"], "BT-121": "VATEX-EU-AE"}
    elif vat.category == "E":
        terms["BT-120"] = vat.reason
    return terms


def _seller(coop: Coop) -> dict[str, Any]:
    party = {"name": coop.name, **_address(coop.address)}
    if coop.registration:
        party["legal_identifier"] = coop.registration
    if coop.vat_id:
        party["vat_identifier"] = coop.vat_id
    else:
        # EN 16931 wants one of them (BR-CO-26)
        party["tax_identifier"] = coop.registration
    return party


def _buyer(billing: Billing) -> dict[str, Any]:
    party = {"name": billing.name, **_address(billing.address)}
    return party | ({"vat_identifier": billing.vat_id} if billing.vat_id else {})


def _address(address: Address) -> dict[str, str]:
    parts = {
        "addr_l1": f"{address.building} {address.street}".strip(),
        "postcode": address.postcode,
        "city": address.town,
        "country_code": address.country,
    }
    return {name: value for name, value in parts.items() if value}


def _money(draft: Draft, amount: int) -> str:
    sign = "-" if amount < 0 else ""
    return sign + decimal(abs(amount), draft.currency)


def _rate(rate: int) -> str:
    return f"{rate // 100}.{rate % 100:02d}"
