"""A run as the file that banks take: ISO 20022 pain.001.001.09, valid against its schema.

sepaxml names a message by chance and by the clock. A bank refuses what it has seen before by that
name, so that ours comes from the run: the file is the same whenever it is made.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

from sepaxml import SepaTransfer
from sepaxml.validation import ValidationError, try_valid_xml
from text_unidecode import unidecode

from canut.errors import Invalid
from canut.pay.identity import Address, Coop
from canut.pay.payouts.model import BankAccount, Payee, reference_of, run_reference

SCHEMA = "pain.001.001.09"
_NAMESPACE = f"{{urn:iso:std:iso:20022:tech:xsd:{SCHEMA}}}"
_SATURDAY = 5


def pain_001(
    coop: Coop, run_id: int, approved_ms: int, payees: Sequence[Payee], currency: str
) -> bytes:
    """The file, in UTF-8: one group of payments from the co-op's account, to be paid on the first
    weekday after the approval. Raises `Invalid` where the bank's schema refuses something."""
    approved = datetime.fromtimestamp(approved_ms // 1000, UTC)
    config = {
        "name": _latin(coop.name),
        "IBAN": coop.iban,
        "batch": True,
        "currency": currency,
        "address": _address(coop.address),
    }
    transfer = SepaTransfer(config | ({"BIC": coop.bic} if coop.bic else {}), SCHEMA)
    day = pay_day(approved.date())
    for payee in payees:
        to = payee.destination
        assert isinstance(to, BankAccount)
        payment = {
            "name": _latin(to.holder),
            "IBAN": to.iban,
            "amount": payee.amount,
            "execution_date": day,
            "description": f"{_latin(coop.name)} {reference_of(payee.payout_id)}"[:140],
            "endtoend_id": reference_of(payee.payout_id),
            "address": _address(to.address),
        }
        transfer.add_payment(payment)
    content = _named(transfer.export(validate=False), run_id, approved)
    try:
        try_valid_xml(content, SCHEMA)
    except ValidationError as error:
        raise Invalid(f"The bank's schema refuses run {run_id}: {error.__cause__}") from error
    return content


def pay_day(approved: date) -> date:
    """The first weekday after the day of approval; banks move holidays themselves."""
    day = approved + timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return day


def _named(content: bytes, run_id: int, approved: datetime) -> bytes:
    """With names and the date of the run."""
    # the program's own text: nothing in it was written elsewhere
    root = ElementTree.fromstring(content)  # noqa: S314
    said = {
        "GrpHdr/MsgId": run_reference(run_id),
        "GrpHdr/CreDtTm": f"{approved:%Y-%m-%dT%H:%M:%S}",
        "PmtInf/PmtInfId": run_reference(run_id),
    }
    for path, text in said.items():
        nodes = root.findall(
            "/".join(f"{_NAMESPACE}{part}" for part in ("CstmrCdtTrfInitn", *path.split("/")))
        )
        assert len(nodes) == 1, "one group of payments"
        nodes[0].text = text
    ElementTree.register_namespace("", _NAMESPACE.strip("{}"))
    found: bytes = ElementTree.tostring(root, "utf-8", xml_declaration=True)
    return found


def _address(address: Address) -> dict[str, str]:
    parts = {
        "street_name": address.street,
        "building_number": address.building,
        "postcode": address.postcode,
        "town": address.town,
        "country": address.country,
    }
    return {name: _latin(value) for name, value in parts.items() if value}


def _latin(text: str) -> str:
    """In the letters that every bank takes (EPC217-08)."""
    return re.sub(r"[^A-Za-z0-9/?:().,'+ -]", " ", unidecode(text)).strip()
