"""Handing a template to a browser."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from litestar import Response
from litestar.datastructures import Cookie
from litestar.enums import MediaType
from litestar.response import Redirect

from canut.people.rules import LOCALES
from canut.web.auth import CSRF_FIELD, WebRequest, asked, guest_cookie, house, visitor
from canut.web.i18n import negotiate

LANGUAGES = {"en": "English", "fr": "Français"}
#: light or dark whatever the system says; "" follows the system
THEMES = ("", "light", "dark")
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
    `here` (the address to come back to), `theme`, `languages` (list of code, name, address),
    `csrf_token` and `csrf_field`."""
    shared, shown, locale = house(request), asked(request), locale_of(request)
    context = {
        "who": visitor(request),
        "path": request.scope["path"],
        "here": here(request),
        "theme": theme_of(request),
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
    return kept_cookie(request, "lang", locale)


def kept_cookie(request: WebRequest, name: str, value: str) -> Cookie:
    """A cookie that remembers for a year how pages look; an empty value forgets."""
    seconds = A_YEAR_S if value else 0
    secure = house(request).secure
    return Cookie(key=name, value=value, max_age=seconds, path="/", samesite="lax", secure=secure)


def theme_of(request: WebRequest) -> str:
    """What the cookie `theme` says, if it is one of `THEMES`."""
    said = request.cookies.get("theme", "")
    return said if said in THEMES else ""


def here(request: WebRequest) -> str:
    """The address of this page without its language, to come back to. A page that answers a form
    stands where the form was."""
    path, pairs = request.scope["path"], list(request.query_params.multi_items())
    if request.method not in {"GET", "HEAD"}:
        before = urlsplit(request.headers.get("referer", ""))
        if before.netloc != request.headers.get("host"):
            return "/"
        path, pairs = own_path(before.path), parse_qsl(before.query, keep_blank_values=True)
    kept = urlencode([(key, value) for key, value in pairs if key != "lang"])
    return f"{path}?{kept}" if kept else path


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
