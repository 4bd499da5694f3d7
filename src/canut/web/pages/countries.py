"""The countries of an address, as a person picks one."""

from babel import Locale
from text_unidecode import unidecode

#: unions and codes of no place, among the territories of the CLDR
NO_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"})


def countries(locale: str) -> list[tuple[str, str]]:
    """Code and name of each country, by name in the language."""
    found = Locale.parse(locale).territories
    named = [
        (code, str(name))
        for code, name in found.items()
        if len(code) == 2 and code.isalpha() and code not in NO_COUNTRIES
    ]
    return sorted(named, key=lambda one: unidecode(one[1]).casefold())
