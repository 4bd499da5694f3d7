"""Handing a template to a browser."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response
from litestar.datastructures import Cookie
from litestar.enums import MediaType
from litestar.response import Redirect

from canut.people.rules import LOCALES
from canut.web.auth import CSRF_FIELD, WebRequest, asked, guest_cookie, house, visitor
from canut.web.i18n import negotiate

LANGUAGES = {"en": "English", "fr": "Français"}
A_YEAR_S = 31_536_000


def locale_of(request: WebRequest) -> str:
    """Language of the reply: ?lang=, the cookie `lang`, the account's, the browser's."""
    who = visitor(request)
    wanted = [
        request.query_params.get("lang"),
        request.cookies.get("lang"),
        who.locale if who is not None else None,
    ]
    return negotiate(wanted, request.headers.get("accept-language", ""))


def render(
    request: WebRequest,
    template: str,
    *,
    status: int = 200,
    cookies: list[Cookie] | None = None,
    **values: Any,
) -> Response[str]:
    """The page. Besides `values` a template has: `who` (Principal or None), `locale`, `path`,
    `languages` (list of code, name, address), `csrf_token` and `csrf_field`."""
    shared, shown, locale = house(request), asked(request), locale_of(request)
    context = {
        "who": visitor(request),
        "path": request.scope["path"],
        "languages": _languages(request),
        "csrf_token": shown.csrf_token(),
        "csrf_field": CSRF_FIELD,
    }
    content = shared.templates.render(template, locale, context | values)
    given = list(cookies or [])
    if shown.new_guest and shown.guest is not None:
        given.append(guest_cookie(shared, shown.guest))
    if request.query_params.get("lang") in LOCALES:
        given.append(language_cookie(request, locale))
    return Response(
        content,
        status_code=status,
        media_type=MediaType.HTML,
        headers={"cache-control": "no-store", "content-language": locale},
        cookies=given,
    )


def go(path: str, cookies: list[Cookie] | None = None) -> Redirect:
    """See other: what a form answers with when it has done its work."""
    return Redirect(path, status_code=303, cookies=cookies or [])


def language_cookie(request: WebRequest, locale: str) -> Cookie:
    """The cookie that remembers a language."""
    secure = house(request).secure
    return Cookie(key="lang", value=locale, max_age=A_YEAR_S, path="/", secure=secure)


def own_path(path: str, otherwise: str = "/") -> str:
    """A path to go to next, if it is one of ours: never a link to elsewhere."""
    inside = path.startswith("/") and not path.startswith(("//", "/\\"))
    # browsers drop control characters and read \\ as /: nothing of the kind gets through
    plain = path.isprintable() and "\\" not in path
    return path if inside and plain else otherwise


def _languages(request: WebRequest) -> list[tuple[str, str, str]]:
    """Code, name in the language itself, and this page in that language."""
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    path = request.scope["path"]
    return [
        (code, name, f"{path}?{urlencode([*kept, ('lang', code)])}")
        for code, name in LANGUAGES.items()
    ]
