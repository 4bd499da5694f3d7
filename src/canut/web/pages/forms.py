"""What the forms of these pages share: reading them, and showing them again with what is wrong."""

from typing import Any

from litestar import Response

from canut.errors import CanutError, Problem
from canut.web.auth import WebRequest, house
from canut.web.errors import STATUS, headers_of
from canut.web.i18n import N_
from canut.web.pages.render import locale_of, render

TOO_MANY_LOG_INS = N_("Too many attempts to log in. Wait a minute.")


async def read_form(request: WebRequest) -> dict[str, str]:
    """The text fields of the form."""
    return {key: value for key, value in (await request.form()).items() if isinstance(value, str)}


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
