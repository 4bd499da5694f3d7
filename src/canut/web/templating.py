"""Templates: one Jinja environment per language, so that nothing is looked up per request.

A template calls `gettext`, `ngettext` or `_`, and these, which know the language:
`number(1234.5)`, `percent(0.934)`, `money(1250, "EUR")`, `moment(at_ms)`, `day(at_ms)`,
`duration(ms)`; `asset("canut.css")` is the address of a static file.
"""

import hashlib
import importlib.resources
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from babel import dates, numbers
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.loaders import ChoiceLoader, PrefixLoader
from markupsafe import Markup, escape

from canut.people.rules import LOCALES
from canut.web.i18n import SOURCE, Patterns, sentence, translations

_WEB = Path(str(importlib.resources.files("canut.web")))
STATIC = _WEB / "static"
TEMPLATES = _WEB / "templates"
#: templates of the question types, as `widgets/choice.html`
WIDGETS = Path(str(importlib.resources.files("canut"))) / "questions" / "widgets"


#: where a language is at home, for dates: most English readers put the day first
REGIONS = {"en": "en_GB"}


class Templates:
    """Every template in every language."""

    def __init__(self) -> None:
        self.version = _version(STATIC)
        self._translations = {locale: translations(locale) for locale in LOCALES}
        self._patterns = {locale: Patterns(locale) for locale in LOCALES if locale != SOURCE}
        self._environments = {locale: self._environment(locale) for locale in LOCALES}

    def render(self, name: str, locale: str, values: Mapping[str, Any]) -> str:
        """The template filled in. Raises on a name that nobody gave a value."""
        return self._environments[locale].get_template(name).render(values)

    def gettext(self, message: str, locale: str) -> str:
        """The message in this language; as it is if nobody translated it."""
        patterns = self._patterns.get(locale)
        return patterns.gettext(message) if patterns else message

    def asset(self, name: str) -> str:
        """Address of a static file. It holds a hash of all of them, so that browsers may keep
        it for ever and modules still find each other by relative names."""
        return f"/static/{self.version}/{name}"

    def _environment(self, locale: str) -> Environment:
        made = Environment(
            loader=ChoiceLoader(
                [
                    FileSystemLoader(TEMPLATES),
                    PrefixLoader({"widgets": FileSystemLoader(WIDGETS)}),
                ]
            ),
            autoescape=True,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        install: Callable[..., None] = made.install_gettext_translations  # type: ignore[attr-defined]
        install(self._translations[locale], newstyle=True)
        made.filters.update(sentence=sentence, coded=coded)
        made.globals.update(asset=self.asset, locale=locale, **formats(locale))
        return made


def coded(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


def formats(locale: str) -> dict[str, Callable[..., str]]:
    """How numbers, money and times are written in this language. Times are UTC."""
    regional = REGIONS.get(locale, locale)

    def number(value: float, digits: int | None = None) -> str:
        pattern = None if digits is None else "#,##0." + "0" * digits if digits else "#,##0"
        return numbers.format_decimal(value, format=pattern, locale=locale)

    def percent(share: float, digits: int = 1) -> str:
        pattern = "#,##0." + "0" * digits if digits else "#,##0"
        space = "\u202f" if locale == "fr" else ""
        return numbers.format_percent(share, format=f"{pattern}{space}%", locale=locale)

    def money(minor: int, currency: str) -> str:
        places = numbers.get_currency_precision(currency)
        amount = Decimal(minor).scaleb(-places)
        return numbers.format_currency(amount, currency, locale=locale)

    def moment(at_ms: int, style: str = "medium") -> str:
        return dates.format_datetime(_utc(at_ms), format=style, locale=regional)

    def day(at_ms: int, style: str = "medium") -> str:
        return dates.format_date(_utc(at_ms), format=style, locale=regional)

    def duration(ms: int) -> str:
        return dates.format_timedelta(timedelta(milliseconds=ms), threshold=1.5, locale=locale)

    return {
        "number": number,
        "percent": percent,
        "money": money,
        "moment": moment,
        "day": day,
        "duration": duration,
    }


def _utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _version(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
