"""A contributor's own licences: what they hold, what it rests on, what is missing, what evidence
says, and how to contest what was decided. As a page, and as a file to take away."""

from typing import Any

import msgspec
from litestar import Response, get

from canut.db.pool import SyncConn
from canut.insight import licence_cards
from canut.insight.licence_cards import Mine
from canut.quality.exams import sitting as exams
from canut.quality.exams.values import OpenExam
from canut.web.api.common import in_thread
from canut.web.api.licence_values import my_licences
from canut.web.api.replying import attachment
from canut.web.auth import WebRequest, principal, requires
from canut.web.pages.quality import STATES, locale_words
from canut.web.pages.view import now_ms, show

CONTRIBUTORS = requires("contributor")


@get("/licences", opt=CONTRIBUTORS, include_in_schema=False)
async def list_mine(request: WebRequest) -> Response[str]:
    """What the contributor holds, could earn, and held."""
    who = principal(request).contributor()

    def read(conn: SyncConn) -> tuple[Mine, list[OpenExam]]:
        return licence_cards.mine(conn, who), exams.list_open(conn, who)

    mine, offers = await in_thread(request, read)
    values: dict[str, Any] = {
        "mine": mine,
        "offers": offers,
        "states": STATES,
        "locale_words": locale_words(request),
        "now": now_ms(),
    }
    return show(request, "licences/list.html", **values)


@get("/licences.json", opt=CONTRIBUTORS, include_in_schema=False)
async def take_away(request: WebRequest) -> Response[bytes]:
    """The same as a file: it belongs to whoever it is about."""
    who = principal(request).contributor()
    found = await in_thread(request, lambda conn: my_licences(conn, who))
    body = msgspec.json.format(msgspec.json.encode(found), indent=2)
    return attachment(body, "application/json", "licences.json")


ROUTES: list[Any] = [list_mine, take_away]
