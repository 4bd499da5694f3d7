"""What is wrong with a destination, and how it is shown. Pure."""

import re

from msgspec import structs

from canut.errors import Problem
from canut.pay.identity import address_problems, checked_iban, name_problems
from canut.pay.payouts.mobile import providers
from canut.pay.payouts.model import BANK, BankAccount, Destination

#: signs with which a spreadsheet takes a cell for a formula
_FORMULA = ("=", "+", "-", "@")


def problems_of(to: Destination) -> list[Problem]:
    """Everything wrong with it, field by field."""
    found = name_problems(to.holder, "holder")
    if to.holder.startswith(_FORMULA):
        found.append(Problem(f"{to.holder!r} is no name", "begin with a letter", field="holder"))
    if isinstance(to, BankAccount):
        return [*found, *_iban(to.iban), *address_problems(to.address)]
    provider = providers().get(to.provider)
    if provider is None:
        text = f"{to.provider!r} is no provider"
        return [*found, Problem(text, f"use one of {', '.join(providers())}", field="provider")]
    if not provider.serves(_bare(to.number)):
        text = f"{provider.name} serves no such number"
        mend = "write it in international form, such as +254700000001"
        found.append(Problem(text, mend, field="number"))
    return found


def normal(to: Destination) -> Destination:
    """As it is kept: without spaces that people write in between."""
    if isinstance(to, BankAccount):
        return structs.replace(to, iban=checked_iban(to.iban).compact, holder=to.holder.strip())
    return structs.replace(to, number=_bare(to.number), holder=to.holder.strip())


def way_of(to: Destination) -> str:
    """The way of a payout."""
    return BANK if isinstance(to, BankAccount) else to.provider


def number_of(to: Destination) -> str:
    """The IBAN or number."""
    return to.iban if isinstance(to, BankAccount) else to.number


def masked(to: Destination) -> str:
    """What may be shown of a normal one: enough for its owner to know it, too little to use."""
    if isinstance(to, BankAccount):
        return masked_iban(to.iban)
    return f"{providers()[to.provider].name} {to.number[:4]} *** {to.number[-3:]}"


def masked_iban(iban: str) -> str:
    """The country and four digits of one without spaces."""
    return f"{iban[:2]}** **** {iban[-4:]}"


def _iban(text: str) -> list[Problem]:
    try:
        iban = checked_iban(text)
    except ValueError as error:
        return [Problem(str(error), "copy it from your bank", field="iban")]
    if not iban.in_sepa_zone:
        text = f"banks of {iban.country_code} take no SEPA transfers"
        return [Problem(text, "name an account in the SEPA area, or mobile money", field="iban")]
    return []


def _bare(number: str) -> str:
    return re.sub(r"[\s().-]", "", number)
