"""What the forms of these pages share: reading them, and showing them again with what is wrong."""

from datetime import UTC, datetime
from typing import Any

from litestar import Response

from canut.errors import CanutError, NotFound, Problem
from canut.web.auth import WebRequest, house
from canut.web.errors import STATUS, headers_of
from canut.web.i18n import N_
from canut.web.pages.render import locale_of, render

TOO_MANY_LOG_INS = N_("Too many attempts to log in. Wait a minute.")


async def read_form(request: WebRequest) -> dict[str, str]:
    """The text fields of the form."""
    sent = (await request.form()).items()
    return {key: storable(value) for key, value in sent if isinstance(value, str)}


def storable(text: str) -> str:
    """The text without NUL, which nobody types and PostgreSQL does not keep."""
    return text.replace("\0", "\ufffd")


def whole_number(text: str) -> int | None:
    """The number of something in a form; None where nothing is said. Raises `NotFound` for what
    cannot be one."""
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    raise NotFound("There is no such thing, or it is not yours to see.")


def day_ms(text: str) -> int | None:
    """When the day that a date field holds begins, milliseconds UTC; None for what is no day."""
    try:
        found = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(found.timestamp() * 1000)


def again(request: WebRequest, template: str, error: CanutError, **values: Any) -> Response[Any]:
    """The form once more, with what is wrong beside the fields."""
    shown = shown_error(told(request, error))
    page = render(request, template, status=STATUS[error.code], **values, **shown)
    page.headers.update(headers_of(error))
    return page


def told(request: WebRequest, error: CanutError | None) -> CanutError | None:
    """The error in the language of the page."""
    if error is None:
        return None
    say, locale = house(request).templates.gettext, locale_of(request)
    problems = [
        Problem(
            say(problem.message, locale),
            mend=say(problem.mend, locale) if problem.mend else "",
            field=problem.field,
        )
        for problem in error.problems
    ]
    mend = say(error.mend, locale) if error.mend else ""
    return CanutError(say(error.message, locale), mend=mend, problems=problems)


def shown_error(error: CanutError | None, *, beside_fields: bool = True) -> dict[str, Any]:
    """What the forms show: the error, and its problems by field."""
    problems = error.problems if error is not None and beside_fields else []
    return {"error": error, "wrong": {problem.field: problem for problem in problems}}
