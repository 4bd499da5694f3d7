"""A certificate as a PDF, for reading and for the files: tagged (PDF/UA-1) and archival (PDF/A-2a).

The same certificate in the same language is the same bytes. Set by Typst with the fonts it brings,
which know Latin, Greek and Cyrillic; a name in other letters is written in Unicode numbers, and the
page says so.
"""

import hashlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel import dates

from canut.insight.certificate_texts import TEXTS
from canut.quality.certificates.bounds import Certificate, export
from canut.quality.certificates.wording import sentences
from canut.quality.figures import Locale, as_count, as_share
from canut.typesetting import ARCHIVED_AND_TAGGED, pdf_of

TEMPLATE = Path(__file__).with_name("certificate.typ")
#: what the fonts have letters for: Latin, Greek, Cyrillic, and the punctuation of these
_WRITABLE = re.compile(
    r"[\x20-\x7e\xa0-\xac\xae-\u017f\u0384-\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce"
    r"\u0400-\u045f\u1e80-\u1e85\u1e9e\u2002-\u200a\u2010-\u2015\u2018-\u201e\u2020-\u2022\u2026"
    r"\u202f\u2030\u2039\u203a\u20ac\u2122\u2190-\u2193\u2212\u2260\u2264\u2265]"
)
#: a name longer than this is cut: a page is not a place for more
NAME_LENGTH_MAX = 160


def certificate_pdf(certificate: Certificate, locale: Locale, file: str) -> bytes:
    """The PDF. `file` is the name under which its evidence is downloaded."""
    issued = datetime.fromtimestamp(certificate.evidence.about.issued_ms // 1000, UTC)
    said = _said(certificate, locale, file, issued)
    return pdf_of(TEMPLATE, said, issued, standards=ARCHIVED_AND_TAGGED, plainly=_plain)


def written(name: str) -> str:
    """The name in letters that the fonts have; others as their Unicode numbers."""
    shown = name if len(name) <= NAME_LENGTH_MAX else name[: NAME_LENGTH_MAX - 1] + "…"
    signs = [sign if _WRITABLE.match(sign) else f"[U+{ord(sign):04X}]" for sign in shown]
    return "".join(signs)


def _plain(text: str) -> str:
    # a letter that only looks writable: plain ASCII always is
    return "".join(s if s.isascii() and s.isprintable() else f"[U+{ord(s):04X}]" for s in text)


def _said(certificate: Certificate, locale: Locale, file: str, issued: datetime) -> dict[str, Any]:
    """Everything the page says, in words."""
    text, said, evidence = TEXTS[locale], certificate.statement, certificate.evidence
    about = evidence.about
    names = [about.client, about.process, about.step, about.batch]
    client, process, step, batch = map(written, names)
    moment = dates.format_datetime(issued, "d MMMM y, HH:mm 'UTC'", locale=locale)
    promise = as_share(evidence.error_max, locale)
    confidence = as_share(1 - evidence.delta, locale)
    bound = as_share(said.bound, locale, up=True)
    state = "none" if not said.audits else "proved" if said.proved else "unproved"
    lacking = any(written(name) != name for name in names)
    _, *rest = sentences(certificate, locale)
    return {
        "lang": locale,
        "title": text["title"].format(batch=batch, step=step),
        "subject": text["subject"].format(client=client, process=process),
        "issued": {"year": issued.year, "month": issued.month, "day": issued.day}
        | {"hour": issued.hour, "minute": issued.minute, "second": issued.second},
        "proved": said.proved,
        "kicker": text["kicker"].format(moment=moment),
        "heading": text["heading"],
        "about": text["about"].format(client=client, process=process, step=step, batch=batch),
        "hero": text["hero"].format(bound=bound if said.audits else as_share(1.0, locale)),
        "hero_words": text[f"hero_{state}"].format(
            most=as_count(said.errors_at_most, locale),
            decisions=as_count(said.decisions, locale),
            confidence=confidence,
        ),
        "verdict": text[state].format(promise=promise),
        "scale": _scale(certificate, locale) if said.audits else None,
        "words_title": text["words"],
        # the first sentence is what `about` says
        "words": rest,
        "figures_title": text["figures"],
        "figure": text["figure"],
        "value": text["value"],
        "figures": _figures(certificate, locale, moment),
        "verify_title": text["verify"],
        "verify": [text["verify_1"], text["verify_2"]],
        "command": f"canut certificate verify {file}",
        "digests": [
            [text["digest_list"], said.digest],
            [text["digest_file"], hashlib.sha256(export(certificate)).hexdigest()],
        ],
        "footer": text["footer"].format(batch=batch, step=step),
        "page": text["page"],
        "lacking": text["lacking"] if lacking else None,
    }


def _scale(certificate: Certificate, locale: Locale) -> dict[str, Any]:
    """The estimate, the bound and the promise on one line."""
    said, promise = certificate.statement, certificate.evidence.error_max
    text = TEXTS[locale]
    end = max(said.bound, promise, said.rate) * 1.25
    values = {
        "rate": as_share(said.rate, locale),
        "bound": as_share(said.bound, locale, up=True),
        "promise": as_share(promise, locale),
    }
    return {
        "end": end,
        "rate": said.rate,
        "bound": said.bound,
        "promise": promise,
        "promise_left": promise > end / 2,
        "promise_label": text["scale_promise"].format_map(values),
        "key": text["scale_key"].format_map(values),
        "alt": text["scale_alt"].format_map(values),
    }


def _figures(certificate: Certificate, locale: Locale, moment: str) -> list[list[str]]:
    said, evidence, text = certificate.statement, certificate.evidence, TEXTS[locale]
    panel, design = evidence.panel, evidence.design
    gold = (
        text["panel_gold"].format(
            wrong=as_count(panel.gold_wrong, locale),
            gold=as_count(panel.gold, locale),
            bound=as_share(said.panel_bound, locale, up=True),
        )
        if panel.gold
        else text["panel_new"]
    )
    uniform = as_share(design.uniform_ppm / 1_000_000, locale)
    rows = {
        "issued": moment,
        "decisions": as_count(said.decisions, locale),
        "audits": as_count(said.audits, locale),
        "wrong": as_count(said.wrong, locale),
        "rate": as_share(said.rate, locale),
        "bound": as_share(said.bound, locale, up=True),
        "most": as_count(said.errors_at_most, locale),
        "confidence": as_share(1 - evidence.delta, locale),
        "promise": as_share(evidence.error_max, locale),
        "design": text[f"design_{design.kind}"].format(share=uniform),
        "panel": as_count(panel.people, locale),
        "panel_error": gold,
        "contested": as_count(len(evidence.contested), locale),
        "overturned": as_count(len(evidence.overturned), locale),
    }
    return [[text[f"row_{name}"], value] for name, value in rows.items()]
