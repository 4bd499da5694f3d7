"""The rules of pay with their dates, and how one is decided."""

from typing import Any

from litestar import Response, get, post

from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid, Problem
from canut.pay.amounts import read_minor
from canut.pay.policy import decide_rule, list_rules
from canut.pay.policy.model import NAMES, PLACED, Rule, in_force
from canut.people.model import Principal
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal
from canut.web.i18n import N_
from canut.web.pages.books.shared import KEEPERS, page
from canut.web.pages.books.words import RULES, spoken
from canut.web.pages.forms import day_ms, read_form
from canut.web.pages.render import go
from canut.web.pages.view import now_ms

#: hundredths of a percent
SHARES = ("fee", "social", "reserve")
REFUSED = N_("This cannot be a rule.")


@get("/operator/pay/rules", opt=KEEPERS, include_in_schema=False)
async def show_rules(request: WebRequest) -> Response[str]:
    """What holds today, what will, and what did."""
    return await _page(request)


@post("/operator/pay/rules", opt=KEEPERS, include_in_schema=False)
async def decide(request: WebRequest) -> Response[Any]:
    """Let a rule hold from a day on: `name`, `value`, `jurisdiction`, `currency`, `from`, and the
    `resolution` that decided it."""
    form, who = await read_form(request), principal(request)
    try:
        await in_thread(request, lambda conn: _decide(conn, who, form))
    except CanutError as error:
        return await _page(request, error, form)
    return go("/operator/pay/rules")


def _decide(conn: SyncConn, who: Principal, form: dict[str, str]) -> None:
    name, text, from_ms = form.get("name", ""), form.get("value", ""), day_ms(form.get("from", ""))
    resolution = form.get("resolution", "").strip()[:200]
    found = []
    if name not in NAMES:
        found.append(Problem(f"{name!r} is no rule", field="name"))
    if from_ms is None:
        found.append(Problem("is no day", "name the day from which it holds", field="from"))
    if not resolution:
        found.append(Problem("is empty", "name what decided it", field="resolution"))
    if found or from_ms is None:
        raise Invalid(REFUSED, problems=found)
    currency = form.get("currency", "").strip().upper() if name == "floor" else ""
    place = form.get("jurisdiction", "").strip().upper() if name in PLACED else ""
    decide_rule(
        conn,
        who,
        name,
        _value(name, text.strip(), currency),
        now_ms(),
        jurisdiction=place,
        currency=currency,
        from_ms=from_ms,
        resolution=resolution,
    )


def _value(name: str, text: str, currency: str) -> int:
    if name == "home":
        return 1
    if name == "floor":
        return read_minor(text, currency, "value")
    try:
        return round(float(text.replace(",", ".")) * 100) if name in SHARES else int(text)
    except (ValueError, OverflowError):
        problem = Problem(f"{text!r} is no number", "write it as 12.50 or 7", field="value")
        raise Invalid(REFUSED, problems=[problem]) from None


async def _page(
    request: WebRequest, error: CanutError | None = None, form: dict[str, str] | None = None
) -> Response[str]:
    at_ms = now_ms()
    rules = await in_thread(request, list_rules)
    values: dict[str, Any] = {
        "rules": list(reversed(rules)),
        "holds": _holding(rules, at_ms),
        "policy": in_force(rules, at_ms),
        "names": spoken(request, RULES),
        "shares": SHARES,
        "at_ms": at_ms,
        "form": dict.fromkeys(
            ("name", "value", "jurisdiction", "currency", "from", "resolution"), ""
        )
        | {"name": "floor", "currency": "EUR"}
        | (form or {}),
    }
    return page(request, "rules.html", error, **values)


def _holding(rules: list[Rule], at_ms: int) -> set[int]:
    """Ids of those in force."""
    last = {}
    for rule in sorted(rules, key=lambda one: (one.from_ms, one.id)):
        if rule.from_ms <= at_ms:
            place = "" if rule.name == "home" else rule.jurisdiction
            last[rule.name, place, rule.currency] = rule.id
    return set(last.values())


ROUTES: list[Any] = [show_rules, decide]
