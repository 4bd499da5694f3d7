"""Whom a client's invoices name."""

import re

import msgspec
from stdnum import exceptions
from stdnum.eu import vat as eu_vat

from canut.db.pool import SyncConn
from canut.errors import Invalid, NotFound, Problem
from canut.pay.identity import Vat, address_problems, name_problems, vat_problems
from canut.pay.money import store
from canut.pay.money.model import Billing
from canut.people.model import Principal
from canut.people.store.log import audit_sync

_NUMBER = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,13}")


def set_billing(
    conn: SyncConn, by: Principal, client_id: int, billing: Billing, now_ms: int
) -> None:
    """Name, address and tax of the invoices to come; those that were issued stay. Somebody of the
    client may do it, but for the tax, which an operator decides. Raises `NotFound`, `Invalid` with
    every problem."""
    by.check_sees(client_id)
    if store.client(conn, client_id) is None:
        raise NotFound("There is no such client.")
    before = billing_of(conn, by, client_id)
    problems = [*name_problems(billing.name, "name"), *address_problems(billing.address)]
    if billing.vat_id and not known_number(billing.vat_id):
        mend = "write it with the letters of the country, such as FR83404833048"
        problems.append(Problem("is no VAT number", mend, field="vat_id"))
    problems += _tax(by, billing, before.vat if before else None)
    if problems:
        raise Invalid("No invoice can be made out to this.", problems=problems)
    values = msgspec.to_builtins(billing) | {"client": client_id, "now": now_ms}
    with conn.transaction():
        store.set_billing(conn, values)
        detail = {"name": billing.name, "vat_id": billing.vat_id}
        audit_sync(conn, by, "change.billing", "client", client_id, detail, client_id=client_id)


def billing_of(conn: SyncConn, by: Principal, client_id: int) -> Billing | None:
    """None: nobody has said. Raises `NotFound` for a client that is not theirs."""
    by.check_sees(client_id)
    row = store.billing(conn, client_id)
    return None if row is None else msgspec.convert(msgspec.structs.asdict(row), Billing)


def known_number(number: str) -> bool:
    """Whether it is a VAT number: of the European Union by its check digits, of others by form."""
    if not _NUMBER.fullmatch(number):
        return False
    if number[:2].lower() not in eu_vat.MEMBER_STATES | {"el"}:
        return True
    try:
        eu_vat.validate(number)
    except exceptions.ValidationError:
        return False
    return True


def _tax(by: Principal, billing: Billing, before: Vat | None) -> list[Problem]:
    if billing.vat is None:
        allowed = before is None or "operator" in by.roles
    else:
        allowed = billing.vat == before or "operator" in by.roles
    if not allowed:
        return [Problem("an operator decides how you are taxed", "ask one", field="vat")]
    found = vat_problems(billing.vat) if billing.vat else []
    if billing.vat and billing.vat.category == "AE" and not billing.vat_id:
        text = "reverse charge needs the client's VAT number"
        found.append(Problem(text, field="vat_id"))
    return found
