"""Who the co-op is, to banks and to the tax office: the file coop.toml."""

import re
import tomllib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from canut.errors import Invalid, Problem, Unavailable

if TYPE_CHECKING:
    # it reads the banks of every country, for the few who come with an IBAN
    from schwifty import IBAN
    from schwifty.exceptions import SchwiftyException

#: two letters of ISO 3166
_COUNTRY = re.compile(r"[A-Z]{2}")
#: characters of each part, as ISO 20022 has them
PARTS_MAX = {"street": 70, "building": 16, "postcode": 16, "town": 35, "country": 2}
NAME_MAX = 70
#: S: taxed at the rate; AE: the client accounts for it (reverse charge); E: exempt
VatCategory = Literal["S", "AE", "E"]
RATE_MAX = 10_000


class Address(Struct, frozen=True, forbid_unknown_fields=True):
    """A postal address in parts, as banks and invoices want it."""

    town: str
    #: ISO 3166, two capitals
    country: str
    street: str = ""
    building: str = ""
    postcode: str = ""


class Vat(Struct, frozen=True, forbid_unknown_fields=True):
    """How an invoice is taxed."""

    category: VatCategory = "S"
    #: hundredths of a percent: 2000 is 20%
    rate: int = 0
    #: why nothing is taxed, for E
    reason: str = ""


class Coop(Struct, frozen=True, forbid_unknown_fields=True):
    """The co-op, as invoices and banks name it."""

    name: str
    address: Address
    iban: str
    #: number in the register of companies
    registration: str = ""
    #: with the letters of the country; empty: none
    vat_id: str = ""
    bic: str = ""
    email: str = ""
    #: days in which an invoice is paid
    pay_within_days: int = 30
    vat: Vat = Vat()


def read_coop(path: Path) -> Coop:
    """Raises `Unavailable` where there is no file, `Invalid` with every problem of it."""
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise Unavailable(
            f"There is no file {path} that says who the co-op is.",
            mend="write it: docs/payouts.md shows one",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Unavailable(f"{path} cannot be read: {error}") from error
    try:
        coop = msgspec.convert(tomllib.loads(text), Coop)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        problem = Problem(str(error), "docs/payouts.md shows the file", file=str(path))
        raise Invalid("The file of the co-op is wrong.", problems=[problem]) from error
    found = [
        *name_problems(coop.name, "name"),
        *address_problems(coop.address),
        *vat_problems(coop.vat),
    ]
    found += _iban(coop.iban, "iban")
    if found:
        placed = [msgspec.structs.replace(problem, file=str(path)) for problem in found]
        raise Invalid("The file of the co-op is wrong.", problems=placed)
    return msgspec.structs.replace(coop, iban=compact(coop.iban))


def coop_name(path: Path) -> str:
    """What papers call the co-op; empty where there is no file. Raises as `read_coop`."""
    return read_coop(path).name if path.exists() else ""


def compact(iban: str) -> str:
    """An IBAN as machines write it."""
    return re.sub(r"\s", "", iban).upper()


def checked_iban(text: str) -> "IBAN":
    """An IBAN whose check digits are right, those of its country too where they are known. Raises
    `ValueError` with what is wrong."""
    from schwifty import IBAN
    from schwifty.exceptions import SchwiftyException

    with warnings.catch_warnings():
        # says that it knows no national check digits of some countries
        warnings.simplefilter("ignore")
        try:
            return IBAN(compact(text), validate_bban=True)
        except SchwiftyException as error:
            raise ValueError(_fault(error)) from error


def _fault(error: "SchwiftyException") -> str:
    """What is wrong with an IBAN, in words of ours."""
    from schwifty.exceptions import (
        InvalidBBANChecksum,
        InvalidChecksumDigits,
        InvalidCountryCode,
        InvalidLength,
    )

    if isinstance(error, InvalidChecksumDigits | InvalidBBANChecksum):
        return "the check digits do not fit the number"
    if isinstance(error, InvalidLength):
        return "has too many or too few characters"
    if isinstance(error, InvalidCountryCode):
        return "begins with no country that has IBANs"
    return "is no IBAN"


def address_problems(address: Address, field: str = "address") -> list[Problem]:
    """What is wrong with an address."""
    found = []
    for part, most in PARTS_MAX.items():
        value: str = getattr(address, part)
        if len(value) > most:
            text, mend = f"{len(value)} characters", f"write at most {most}"
        elif value != value.strip() or not value.isprintable():
            text, mend = "has spaces around it, or signs that cannot be printed", "write text"
        elif part == "town" and not value:
            text, mend = "is empty", "name the town"
        elif part == "country" and not _COUNTRY.fullmatch(value):
            text, mend = f"{value!r} is no country", "write two capitals, such as FR"
        else:
            continue
        found.append(Problem(text, mend, field=f"{field}.{part}"))
    return found


def vat_problems(vat: Vat, field: str = "vat") -> list[Problem]:
    """What is wrong with a tax."""
    if not 0 <= vat.rate <= RATE_MAX:
        text = f"{vat.rate} is no rate"
        return [Problem(text, "write hundredths of a percent, 0 to 10000", field=f"{field}.rate")]
    if (vat.category == "S") != (vat.rate > 0):
        text = "S has a rate above 0, AE and E have none"
        return [Problem(text, "check category and rate", field=f"{field}.rate")]
    if vat.category == "E" and not vat.reason.strip():
        text = "is empty"
        return [Problem(text, "say why it is exempt", field=f"{field}.reason")]
    return []


def name_problems(name: str, field: str) -> list[Problem]:
    """What is wrong with the name of somebody who is paid or billed."""
    if not name.strip() or len(name) > NAME_MAX or not name.isprintable():
        return [Problem(f"{name!r} is no name", f"write 1 to {NAME_MAX} characters", field=field)]
    return []


def _iban(text: str, field: str) -> list[Problem]:
    try:
        checked_iban(text)
    except ValueError as error:
        return [Problem(str(error), "copy it from a bank statement", field=field)]
    return []
