"""How an error leaves: one table from codes to statuses, problem details for programs (RFC 9457),
a page for people."""

import logging
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException
from msgspec import Struct

from canut.db.pool import UNREACHABLE, UNSTORABLE
from canut.errors import (
    CanutError,
    Conflict,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    Problem,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from canut.web.auth import WebRequest, house
from canut.web.i18n import N_
from canut.web.pages.render import go, locale_of, render

log = logging.getLogger("canut.web")

PROBLEM_JSON = "application/problem+json"

#: code of an error -> HTTP status
STATUS: dict[str, int] = {
    Invalid.code: 422,
    NotFound.code: 404,
    Conflict.code: 409,
    Expired.code: 410,
    Forbidden.code: 403,
    Unauthenticated.code: 401,
    TooMany.code: 429,
    Unavailable.code: 503,
    "method_not_allowed": 405,
    "too_large": 413,
    "malformed": 400,
    "unsupported_media_type": 415,
    CanutError.code: 500,
}
#: what we say where the framework's own words are for developers
_DETAIL: dict[str, str] = {
    NotFound.code: N_("There is nothing at this address."),
    "method_not_allowed": N_("This address does not answer to this method."),
    "too_large": N_("What you sent is too large."),
}
_CODE_OF_STATUS = {status: code for code, status in STATUS.items()}

#: code -> title, for people
TITLE: dict[str, str] = {
    Invalid.code: N_("Something is not right yet"),
    NotFound.code: N_("Not found"),
    Conflict.code: N_("This contradicts what is there"),
    Expired.code: N_("Too late"),
    Forbidden.code: N_("Not allowed"),
    Unauthenticated.code: N_("Log in first"),
    TooMany.code: N_("Too many requests"),
    Unavailable.code: N_("Not available now"),
    "method_not_allowed": N_("Not done this way"),
    "too_large": N_("Too large"),
    "malformed": N_("Cannot be read"),
    "unsupported_media_type": N_("Not a format we read"),
    CanutError.code: N_("Our mistake"),
}


class ProblemDetails(Struct, frozen=True, omit_defaults=True):
    """The body of an error, as RFC 9457 lays it down, with our members `code` to `problems`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    mend: str = ""
    problems: list[Problem] = []


def on_canut_error(request: WebRequest, error: CanutError) -> Response[Any]:
    """An error that we raised on purpose."""
    return _reply(request, error, error.code)


def on_http_error(request: WebRequest, error: HTTPException) -> Response[Any]:
    """An error of the framework: no such route, a body that cannot be read."""
    if isinstance(error, ValidationException):
        unfit = Invalid("The request does not fit.", problems=_problems(error))
        return on_canut_error(request, unfit)
    code = _CODE_OF_STATUS.get(error.status_code, "malformed")
    return _reply(request, CanutError(_DETAIL.get(code, error.detail)), code)


def on_unreachable(request: WebRequest, error: Exception) -> Response[Any]:
    """The database does not answer; what was asked may be asked again."""
    log.error("the database does not answer: %s", error)
    return on_canut_error(
        request, Unavailable("The database does not answer.", mend="try again in a moment")
    )


def on_unstorable(request: WebRequest, error: Exception) -> Response[Any]:
    """A value that PostgreSQL has no room for (NUL in a text, a number beyond all of ours): what
    was sent, not the server, is wrong. Logged, because a page should have refused it itself."""
    log.warning("unfit value at %s %s: %s", request.method, request.scope["path"], error)
    return on_canut_error(request, Invalid("The request does not fit."))


def on_surprise(request: WebRequest, error: Exception) -> Response[Any]:
    """A mistake of ours: logged with a number that the person can quote; nothing is shown."""
    number = secrets.token_hex(4)
    log.error("incident %s at %s %s", number, request.method, request.scope["path"], exc_info=error)
    return on_canut_error(
        request,
        CanutError("Something went wrong on our side.", mend=f"quote the number {number}"),
    )


def handlers() -> dict[int | type[Exception], Any]:
    """Exception handlers of the application."""
    return {
        CanutError: on_canut_error,
        HTTPException: on_http_error,
        **dict.fromkeys(UNREACHABLE, on_unreachable),
        UNSTORABLE: on_unstorable,
        msgspec.ValidationError: on_unfit,
        Exception: on_surprise,
    }


def on_unfit(request: WebRequest, error: msgspec.ValidationError) -> Response[Any]:
    """A body that a handler decoded itself and that does not fit."""
    problems = [Problem(str(error), file="request")]
    return on_canut_error(request, Invalid("The request does not fit.", problems=problems))


def wants_json(request: WebRequest) -> bool:
    """Whether a program asks: under /api, or a script of a page that says so."""
    return request.scope["path"].startswith("/api/") or "json" in request.headers.get("accept", "")


def _reply(request: WebRequest, error: CanutError, code: str) -> Response[Any]:
    status, headers, locale = STATUS.get(code, 500), headers_of(error), locale_of(request)
    if status == 401 and request.method == "GET" and not wants_json(request):
        return go(f"/login?{urlencode({'next': _here(request)})}")
    say = house(request).templates.gettext
    details = ProblemDetails(
        type=f"urn:canut:problem:{code}",
        title=say(TITLE.get(code, code), locale),
        status=status,
        detail=say(error.message, locale),
        instance=request.scope["path"],
        code=code,
        mend=say(error.mend, locale) if error.mend else "",
        problems=[_told(problem, say, locale) for problem in error.problems],
    )
    if wants_json(request):
        body = msgspec.json.encode(details)
        return Response(body, status_code=status, media_type=PROBLEM_JSON, headers=headers)
    response = render(request, "error.html", status=status, problem=details)
    response.headers.update(headers)
    return response


def _problems(error: ValidationException) -> list[Problem]:
    """The framework tells every field that does not fit, with where it was found."""
    extra = error.extra if isinstance(error.extra, list) else []
    return [
        Problem(
            str(one.get("message", one)),
            file=str(getattr(one.get("source"), "value", one.get("source", "request"))),
            field=str(one.get("key", "")),
        )
        for one in extra
        if isinstance(one, dict)
    ]


def _told(problem: Problem, say: Callable[[str, str], str], locale: str) -> Problem:
    mend = say(problem.mend, locale) if problem.mend else ""
    return msgspec.structs.replace(problem, message=say(problem.message, locale), mend=mend)


def headers_of(error: CanutError) -> dict[str, str]:
    """Headers that tell a program when to try again, or how to say who it is."""
    retry_after_s = getattr(error, "retry_after_s", None)
    if retry_after_s is not None:
        return {"retry-after": str(retry_after_s)}
    if isinstance(error, Unavailable):
        return {"retry-after": "5"}
    if isinstance(error, Unauthenticated):
        return {"www-authenticate": "Bearer"}
    return {}


def _here(request: WebRequest) -> str:
    query = request.scope["query_string"].decode("latin-1")
    path = str(request.scope["path"])
    return f"{path}?{query}" if query else path
