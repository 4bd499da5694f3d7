"""What the pages share: words for states, texts in the language of the request, safe problems."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Response

from canut.db.pool import Pool
from canut.errors import CanutError, Problem, Unavailable
from canut.questions.base import Localised, localise
from canut.web.auth import CSRF_FIELD, WebRequest, asked, house
from canut.web.i18n import N_
from canut.web.pages.render import locale_of, render

#: state of a batch, of a delivery, of a contributor -> its name for people
STATES: dict[str, str] = {
    "running": N_("running"),
    "paused": N_("paused"),
    "delivered": N_("delivered"),
    "cancelled": N_("cancelled"),
    "waiting": N_("waiting"),
    "failed": N_("failed"),
    "active": N_("active"),
}


def now_ms() -> int:
    """The time, UTC."""
    return time.time_ns() // 1_000_000


def pool(request: WebRequest) -> Pool:
    """The connections of this process."""
    found = house(request).pool
    if found is None:
        raise Unavailable("The server is not ready.")
    return found


def show(request: WebRequest, template: str, *, status: int = 200, **values: Any) -> Response[str]:
    """`render` with the words of `words`."""
    return render(request, template, status=status, **words(request), **values)


def fragment(request: WebRequest, template: str, **values: Any) -> str:
    """A part of a page, for a script that puts it into one."""
    locale = locale_of(request)
    context = {"csrf_token": asked(request).csrf_token(), "csrf_field": CSRF_FIELD}
    return house(request).templates.render(template, locale, context | words(request) | values)


def words(request: WebRequest) -> dict[str, Any]:
    """`localise(text)`, `state_name(state)`, `clock(at_ms)`, `groupwise` for templates."""
    locale = locale_of(request)
    say = house(request).templates.gettext

    def in_language(text: Localised) -> str:
        return localise(text, locale)

    def state_name(state: str) -> str:
        return say(STATES.get(state, state), locale)

    def clock(at_ms: int) -> str:
        return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M UTC")

    return {
        "localise": in_language,
        "state_name": state_name,
        "clock": clock,
        "groups": groupwise,
    }


def groupwise(options: Iterable[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Options under the path they belong to, in the order in which paths first appear."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for option in options:
        groups.setdefault(" › ".join(option["path"]), []).append(option)
    return list(groups.items())


def problems_of(error: CanutError | None) -> list[Problem]:
    """What is wrong, for the top of the page and beside the fields."""
    return (error.problems or [Problem(error.message, error.mend)]) if error else []


def told(request: WebRequest, problems: Sequence[Problem], prefix: str = "") -> list[Problem]:
    """The problems in the language of the request; `field` as a form name under `prefix`."""
    locale, say = locale_of(request), house(request).templates.gettext
    return [
        msgspec.structs.replace(
            problem,
            message=say(problem.message, locale),
            mend=say(problem.mend, locale) if problem.mend else "",
            field=".".join(part for part in (prefix, problem.field) if part),
        )
        for problem in problems
    ]


def say(request: WebRequest, message: str) -> str:
    """A message marked with `N_`, in the language of the request."""
    return house(request).templates.gettext(message, locale_of(request))
