"""How the pages look to somebody: their language, and light or dark. Works without scripts; a
cookie remembers it, and the account too where it has a setting."""

from typing import Any

from litestar import Response, post

from canut.people import store
from canut.people.rules import LOCALES
from canut.web.auth import OPEN, WebRequest, house, visitor
from canut.web.pages.forms import read_form
from canut.web.pages.render import THEMES, go, kept_cookie, own_path


@post("/look", opt=OPEN, include_in_schema=False)
async def change_look(request: WebRequest) -> Response[Any]:
    """`lang` or `theme` ("" follows the system), and back to `next`. What is unknown changes
    nothing."""
    form = await read_form(request)
    cookies = []
    locale, theme = form.get("lang"), form.get("theme")
    if locale in LOCALES:
        cookies.append(kept_cookie(request, "lang", locale))
        await _remember(request, locale)
    if theme in THEMES:
        cookies.append(kept_cookie(request, "theme", theme))
    return go(own_path(form.get("next", "/")), cookies)


async def _remember(request: WebRequest, locale: str) -> None:
    """The language is the account's too: messages to this person are written in it."""
    shared, who = house(request), visitor(request)
    if who is None or not who.session or who.account_id is None or who.locale == locale:
        return
    async with shared.connection() as conn:
        await store.change_profile(conn, who, who.account_id, name=who.name, locale=locale)
    shared.principals.forget_account(who.account_id)


ROUTES: list[Any] = [change_look]
