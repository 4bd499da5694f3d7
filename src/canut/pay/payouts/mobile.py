"""Mobile money: what each provider wants in a CSV file, from a small TOML file of ours."""

import csv
import functools
import importlib.resources
import io
import re
import string
import tomllib
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from canut.errors import NotFound
from canut.pay.ledger.currency import DIGITS
from canut.pay.payouts.model import MobileMoney, Payee, reference_of

#: what a column may hold. digits: the number without its plus; minor: the amount in minor units
FIELDS = frozenset(
    {"digits", "number", "holder", "amount", "minor", "currency", "reference", "message"}
)


class Column(Struct, frozen=True, forbid_unknown_fields=True):
    """A column of the file."""

    name: str
    #: text with fields in braces, of `FIELDS`
    value: str


class Provider(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider of mobile money, and the file that it takes."""

    slug: str
    name: str
    currencies: tuple[str, ...]
    #: regular expression of the numbers that it serves
    numbers: str
    delimiter: str
    columns: tuple[Column, ...]

    def serves(self, number: str) -> bool:
        """Whether it can pay this number (in international form)."""
        return re.fullmatch(self.numbers, number) is not None


@functools.cache
def providers() -> dict[str, Provider]:
    """The providers that come with Canut, by slug."""
    folder = importlib.resources.files("canut.pay.payouts") / "providers"
    found = [
        read_provider(one.read_text("utf-8"))
        for one in sorted(folder.iterdir(), key=lambda file: file.name)
        if one.name.endswith(".toml")
    ]
    return {provider.slug: provider for provider in found}


def read_provider(text: str) -> Provider:
    """A template, from its TOML. Raises `ValueError` with what is wrong."""
    provider = msgspec.convert(tomllib.loads(text), Provider)
    re.compile(provider.numbers)
    unknown = [code for code in provider.currencies if code not in DIGITS]
    for column in provider.columns:
        named = {name for _, name, _, _ in string.Formatter().parse(column.value) if name}
        unknown += named - FIELDS
    if unknown or not provider.columns:
        raise ValueError(f"{provider.slug}: unknown {', '.join(unknown) or 'columns'}")
    return provider


def find_provider(slug: str) -> Provider:
    """Raises `NotFound`."""
    provider = providers().get(slug)
    if provider is None:
        known = ", ".join(providers())
        raise NotFound(f"There is no provider {slug!r}.", mend=f"use one of {known}")
    return provider


def mobile_csv(provider: Provider, payees: Sequence[Payee], currency: str, message: str) -> bytes:
    """The file: a header and a row for each payee, in UTF-8."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=provider.delimiter, lineterminator="\r\n")
    writer.writerow([column.name for column in provider.columns])
    for payee in payees:
        values = _values(payee, currency, message)
        writer.writerow([column.value.format_map(values) for column in provider.columns])
    return out.getvalue().encode()


def _values(payee: Payee, currency: str, message: str) -> dict[str, str]:
    to = payee.destination
    assert isinstance(to, MobileMoney)
    return {
        "digits": to.number.removeprefix("+"),
        "number": to.number,
        "holder": to.holder,
        "amount": decimal(payee.amount, currency),
        "minor": str(payee.amount),
        "currency": currency,
        "reference": reference_of(payee.payout_id),
        "message": message,
    }


def decimal(amount: int, currency: str) -> str:
    """Minor units (0 or more) as "12.50", as files have it."""
    digits = DIGITS[currency]
    whole, part = divmod(amount, 10**digits)
    return f"{whole}.{part:0{digits}d}" if digits else str(whole)
