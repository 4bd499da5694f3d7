"""A pay slip as a PDF, tagged (PDF/UA-1) and archival (PDF/A-2a).

The same slip in the same language is the same bytes.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from text_unidecode import unidecode

from canut.pay.settlement.model import LineGroup, Slip
from canut.pay.settlement.slip_sum import steps
from canut.pay.settlement.slip_texts import TEXTS, Locale
from canut.pay.settlement.slip_words import day, grouped, moment, seconds, shown, titled
from canut.typesetting import ARCHIVED_AND_TAGGED, pdf_of

TEMPLATE = Path(__file__).with_name("slip.typ")


def slip_pdf(slip: Slip, locale: Locale, name: Callable[[int], str] = str, coop: str = "") -> bytes:
    """The PDF; `name` makes what a contributor calls a task of its number, `coop` is the name of
    the co-op. Names in letters that its fonts lack are written in Latin ones."""
    said = _said(slip, locale, name, coop)
    written = datetime.fromtimestamp(slip.summary.written_ms // 1000, UTC)
    return pdf_of(TEMPLATE, said, written, standards=ARCHIVED_AND_TAGGED, plainly=unidecode)


def _said(slip: Slip, locale: Locale, name: Callable[[int], str], coop: str) -> dict[str, Any]:
    text, one = TEXTS[locale], slip.summary
    written = datetime.fromtimestamp(one.written_ms // 1000, UTC)
    span = text["span"].format(first=day(one.from_ms, locale), last=day(one.until_ms - 1, locale))
    who = one.contributor or text["contributor"].format(id=one.contributor_id)
    return {
        "lang": locale,
        "title": text["title"].format(id=one.id),
        "author": coop or "Canut",
        "heading": text["heading"],
        "coop": coop,
        "day": {"year": written.year, "month": written.month, "day": written.day},
        "facts": [
            [text["who"], who],
            [text["period"], span],
            [text["slip"], text["number"].format(id=one.id, number=one.number)],
            [text["written"], day(one.written_ms, locale)],
        ],
        "note": text["later"] if one.number > 1 else None,
        "columns": [text[key] for key in ("work", "tasks", "each", "time", "pay")],
        "groups": [_group(group, slip, locale) for group in grouped(slip.lines)],
        "together": [
            text["together"],
            str(one.n_tasks),
            "",
            seconds(one.agreed_ms, locale),
            shown(one.qualifying_minor, one.currency, locale),
        ],
        "sum_title": text["sum_title"],
        "steps": [
            [step.words, _value(step.minor, step.ms, slip, locale), step.strong]
            for step in steps(slip, locale)
        ],
        "every": text["every"],
        "task_columns": [text[key] for key in ("task", "work", "ended", "time", "pay")],
        "tasks": [
            [
                name(line.task_id),
                titled(line, locale),
                moment(line.ended_ms, locale),
                seconds(line.agreed_ms, locale),
                shown(line.pay_minor, one.currency, locale),
            ]
            for line in slip.lines
        ],
        "hours": text["hours"],
        "hours_columns": [text[key] for key in ("work", "when", "time")],
        "hours_lines": [
            [
                text[f"kind_{line.kind}"],
                f"{moment(line.from_ms, locale)} – {moment(line.until_ms, locale)}",
                seconds(line.agreed_ms, locale),
            ]
            for line in slip.hours
        ],
        "terms": text["notes"],
        "footer": f"{text['title'].format(id=one.id)} · {who}",
        "page": text["page"],
    }


def _group(group: LineGroup, slip: Slip, locale: Locale) -> list[str]:
    text, currency = TEXTS[locale], slip.summary.currency
    each = text["hour"]
    if group.basis == "none":
        each = text["none"]
    elif group.each_minor is not None:
        each = shown(group.each_minor, currency, locale)
    return [
        titled(group, locale),
        str(group.n_tasks),
        each,
        seconds(group.agreed_ms, locale),
        shown(group.pay_minor, currency, locale),
    ]


def _value(minor: int | None, ms: int | None, slip: Slip, locale: Locale) -> str:
    if minor is None:
        return seconds(ms or 0, locale)
    return shown(minor, slip.summary.currency, locale)
