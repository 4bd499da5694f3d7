"""Languages: catalogues compiled in memory at start-up, and which language a request gets.

Messages are written in English in code and templates. `locale/<language>/LC_MESSAGES/*.po` hold
the translations; every file there is read, so that each part of the pages can have its own.
`scripts/messages` brings the files up to date; a test fails when a translation is missing.
"""

import gettext
import importlib.resources
import io
import re
from collections.abc import Iterable, Iterator, Sequence
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


def catalogues(locale: str) -> list[Catalog]:
    """Every file of this language; in English, there is none."""
    return [read_catalogue(path, locale) for path in _files(locale)]


def translations(read: Iterable[Catalog]) -> gettext.NullTranslations:
    """Everything that these catalogues translate."""
    compiled: gettext.NullTranslations = gettext.NullTranslations()
    for catalogue in read:
        part = _compiled(catalogue)
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


class Patterns:
    """Messages that hold values, said in another language.

    Rooms below `web` know no language, and what they say may come by way of JSON or the database:
    it arrives as finished English. The catalogue has its pattern ("{0} rows were added"), which
    tells the values from the words. A message that no pattern fits stays as it is.
    """

    def __init__(self, read: Sequence[Catalog], plain: gettext.NullTranslations) -> None:
        self._plain = plain
        held = {
            entry.id: str(entry.string)
            for catalogue in read
            for entry in catalogue
            if isinstance(entry.id, str) and _PLACE.search(entry.id)
        }
        # the pattern with the most words of its own is the one that was meant
        meant = sorted(held, key=lambda message: (-len(_PLACE.sub("", message)), message))
        self._patterns = [(_pattern(message), held[message]) for message in meant]

    def gettext(self, message: str) -> str:
        """The message in this language, its values written as there."""
        if not message:
            return ""
        plain = self._plain.gettext(message)
        if plain != message or len(message) > MESSAGE_LENGTH_MAX:
            return plain
        for pattern, said in self._patterns:
            if found := pattern.fullmatch(message):
                values = [self._value(value) for value in found.groups()]
                return _PLACE.sub(lambda place: values[int(place[1])], said)  # noqa: B023
        return message

    def _value(self, value: str) -> str:
        if _QUOTED.fullmatch(value):
            return re.sub(r"(['\"])(.*?)\1(?=, ['\"]|$)", "\u00ab\u00a0\\2\u00a0\u00bb", value)
        if _THOUSANDS.fullmatch(value):
            return value.replace(",", "\u202f")
        return self.gettext(value)


#: longest message that patterns are tried on
MESSAGE_LENGTH_MAX = 4000
_PLACE = re.compile(r"\{(\d)\}")
_QUOTED = re.compile(r"(['\"]).*\1", re.DOTALL)
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")


def _pattern(message: str) -> re.Pattern[str]:
    words = re.split(r"\{\d\}", message)
    return re.compile("(.*?)".join(map(re.escape, words)), re.DOTALL)


def sentence(text: str) -> str:
    """What a problem says, as a sentence: a capital, but for the name of a file, and a full stop
    where there is no mark."""
    if not text:
        return ""
    first = text[0] if "." in text.partition(" ")[0].rstrip(".") else text[0].upper()
    return first + text[1:] + ("" if text[-1] in ".!?…:" else ".")


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


def _files(locale: str) -> list[Path]:
    return sorted((HOME / locale / "LC_MESSAGES").glob("*.po"))


def _compiled(catalogue: Catalog) -> gettext.GNUTranslations:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
