"""Languages: catalogues compiled in memory at start-up, and which language a request gets.

Messages are written in English in code and templates. `locale/<language>/LC_MESSAGES/*.po` hold
the translations; every file there is read, so that each part of the pages can have its own.
`scripts/messages` brings the files up to date; a test fails when a translation is missing.
"""

import gettext
import importlib.resources
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from canut.people.rules import LOCALES

#: the language of the messages in code and templates
SOURCE = "en"
HOME = Path(str(importlib.resources.files("canut.web"))) / "locale"


def N_(message: str) -> str:  # noqa: N802 - the name that gettext tools know
    """Mark a message for translation where it stands; it is translated where it is shown."""
    return message


def translations(locale: str) -> gettext.NullTranslations:
    """Everything translated into this language; in English, nothing is."""
    compiled: gettext.NullTranslations = gettext.NullTranslations()
    for path in sorted((HOME / locale / "LC_MESSAGES").glob("*.po")):
        part = _compile(path, locale)
        part.add_fallback(compiled)
        compiled = part
    return compiled


def read_catalogue(path: Path, locale: str) -> Catalog:
    """One .po file."""
    with path.open("rb") as file:
        return read_po(file, locale=locale)


def negotiate(asked: Iterable[str | None], accept_language: str = "") -> str:
    """The language of a request: the first that we speak among those asked for, else what the
    browser accepts, else English."""
    for locale in asked:
        if locale in LOCALES:
            return locale
    for locale in _accepted(accept_language):
        if locale in LOCALES:
            return locale
    return SOURCE


def _accepted(header: str) -> Iterator[str]:
    """Languages of an Accept-Language header, best first, without regions (RFC 9110, 12.5.4)."""
    weighted = []
    for place, part in enumerate(header.split(",")[:20]):
        tag, _, weight = part.partition(";")
        try:
            quality = float(weight.partition("=")[2] or 1)
        except ValueError:
            quality = 0.0
        if quality > 0:
            weighted.append((-quality, place, tag.strip().lower().partition("-")[0]))
    for _, _, tag in sorted(weighted):
        yield tag


def _compile(path: Path, locale: str) -> gettext.GNUTranslations:
    compiled = io.BytesIO()
    write_mo(compiled, read_catalogue(path, locale))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
