"""Check digits, by the library python-stdnum: one name for each kind of number we know."""

from collections.abc import Callable

from stdnum import bic, ean, iban, isbn, isin, issn, luhn
from stdnum.eu import vat
from stdnum.fr import nif, nir, siren, siret, tva

#: scheme of a check -> whether a number is right, spaces and dashes aside
SCHEMES: dict[str, Callable[[str], bool]] = {
    "iban": iban.is_valid,
    "bic": bic.is_valid,
    # EAN-8, UPC, EAN-13 and GTIN-14 have one rule
    "ean": ean.is_valid,
    "gtin": ean.is_valid,
    "isbn": isbn.is_valid,
    "issn": issn.is_valid,
    "isin": isin.is_valid,
    "luhn": lambda number: luhn.is_valid(number.replace(" ", "").replace("-", "")),
    "vat": vat.is_valid,
    "siren": siren.is_valid,
    "siret": siret.is_valid,
    "tva": tva.is_valid,
    "nif": nif.is_valid,
    "nir": nir.is_valid,
}
