"""Templates: one Jinja environment per language, so that nothing is looked up per request.

A template calls `gettext`, `ngettext` or `_`, and these, which know the language:
`number(1234.5)`, `percent(0.934)`, `money(1250, "EUR")`, `moment(at_ms)`, `day(at_ms)`,
`duration(ms)`, `measure(value, unit)` for the units of charts; `charts` has the values that charts
are made of and `draw(chart)` draws one; `asset("canut.css")` is the address of a static file.
"""

import hashlib
import importlib.resources
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

import msgspec
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from jinja2.loaders import ChoiceLoader, PrefixLoader
from markupsafe import Markup, escape

from canut.insight import charts
from canut.people.rules import LOCALES
from canut.web.formats import formats
from canut.web.i18n import SOURCE, Patterns, catalogues, sentence, translations

_WEB = Path(str(importlib.resources.files("canut.web")))
STATIC = _WEB / "static"
TEMPLATES = _WEB / "templates"
#: templates of the question types, as `widgets/choice.html`
WIDGETS = Path(str(importlib.resources.files("canut"))) / "questions" / "widgets"


class Templates:
    """Every template in every language."""

    def __init__(self) -> None:
        self.version = _version(STATIC)
        read = {locale: catalogues(locale) for locale in LOCALES}
        self._translations = {locale: translations(read[locale]) for locale in LOCALES}
        self._patterns = {
            locale: Patterns(read[locale], self._translations[locale])
            for locale in LOCALES
            if locale != SOURCE
        }
        self._code = _Code()
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
            bytecode_cache=self._code,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        install: Callable[..., None] = made.install_gettext_translations  # type: ignore[attr-defined]
        install(self._translations[locale], newstyle=True)
        made.filters.update(sentence=sentence, coded=coded)
        given = formats(locale)
        drawn = partial(_drawn, write=given["measure"])
        made.globals.update(asset=self.asset, locale=locale, charts=charts, draw=drawn, **given)
        return made


class _Code(BytecodeCache):
    """What templates are compiled to, for as long as the process lives. It is the same in every
    language: languages differ in what a template is given."""

    def __init__(self) -> None:
        self._code: dict[str, CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.code


def coded(text: str) -> Markup:
    """Text with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704


def _drawn(chart: charts.Chart, write: charts.Write) -> charts.Drawing:
    """The chart, its markup marked as safe: the module escapes what comes from outside."""
    drawn = charts.draw(chart, write)
    return msgspec.structs.replace(drawn, svg=Markup(drawn.svg))  # noqa: S704


def _version(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
