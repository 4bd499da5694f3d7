"""A run as the file that banks take: ISO 20022 pain.001.001.09, valid against its schema.

sepaxml names a message by chance and by the clock. A bank refuses what it has seen before by that
name, so that ours comes from the run: the file is the same whenever it is made.
"""

import functools
import importlib.resources
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from lxml import etree
from sepaxml import SepaTransfer
from text_unidecode import unidecode

from canut.errors import Invalid
from canut.pay.identity import Address, Coop
from canut.pay.payouts.model import BankAccount, Payee, reference_of, run_reference

SCHEMA = "pain.001.001.09"
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
    root = etree.fromstring(transfer.export(validate=False))
    _name(root, run_id, approved)
    _without_bic(root)
    schema = _schema()
    if not schema.validate(root):
        raise Invalid(f"The bank's schema refuses run {run_id}: {schema.error_log[0].message}")
    content: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return content


def pay_day(approved: date) -> date:
    """The first weekday after the day of approval; banks move holidays themselves."""
    day = approved + timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return day


@functools.cache
def _schema() -> etree.XMLSchema:
    """The schema that sepaxml brings; lxml checks in a second what takes its own check minutes."""
    file = importlib.resources.files("sepaxml") / "schemas" / f"{SCHEMA}.xsd"
    return etree.XMLSchema(etree.fromstring(file.read_bytes()))


def _name(root: etree._Element, run_id: int, approved: datetime) -> None:
    """Names and the date of the run, for those that sepaxml made up."""
    said = {
        "GrpHdr/MsgId": run_reference(run_id),
        "GrpHdr/CreDtTm": f"{approved:%Y-%m-%dT%H:%M:%S}",
        "PmtInf/PmtInfId": run_reference(run_id),
    }
    for path, text in said.items():
        place = "/".join(f"{{*}}{part}" for part in ("CstmrCdtTrfInitn", *path.split("/")))
        nodes = root.findall(place)
        assert len(nodes) == 1, "one group of payments"
        nodes[0].text = text


def _without_bic(root: etree._Element) -> None:
    """Where the co-op names no bank by its BIC, say so: the schema lets the place be empty, banks
    do not (EPC132-08)."""
    for bank in root.findall(".//{*}DbtrAgt/{*}FinInstnId"):
        if len(bank) == 0:
            other = etree.SubElement(bank, etree.QName(bank, "Othr"))
            etree.SubElement(other, etree.QName(bank, "Id")).text = "NOTPROVIDED"


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
