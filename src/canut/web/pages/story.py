"""The story of one item, for its client: what was decided, why, and the way to contest it."""

from typing import Any
from urllib.parse import urlencode

from litestar import Response, get
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from canut.errors import CanutError, Problem
from canut.insight.course_chart import HEIGHT, WIDTH, Chart, chart
from canut.insight.explain_words import Part, held_back_told, told
from canut.insight.story import read_story
from canut.insight.story_model import Chapter, Explanation
from canut.quality.audits.disputes import DISPUTES_MAX, REASON_LENGTH_MAX
from canut.quality.figures import Locale
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal, requires
from canut.web.errors import STATUS
from canut.web.i18n import N_
from canut.web.pages.items import shown_fields
from canut.web.pages.pictures import private_pictures
from canut.web.pages.render import locale_of
from canut.web.pages.view import show
from canut.web.pages.view import told as translated

CLIENTS = requires("client", "operator")
#: who or what decided -> its name for people
METHODS: dict[str, str] = {
    "answers": N_("by answers"),
    "expert": N_("by an expert"),
    "exhausted": N_("answers spent"),
    "licence": N_("by an agent alone"),
    "panel": N_("by a panel, after a dispute"),
}


class Shown(Struct, frozen=True):
    """A step of the story, ready for the page."""

    chapter: Chapter
    words: dict[Part, list[str]] | None
    #: what agents proposed and a check held back
    held_back: list[str]
    chart: Chart | None
    #: whether a dispute may be opened
    free: bool


@get("/batches/{batch_id:int}/items", opt=CLIENTS, include_in_schema=False)
async def show_story(
    request: WebRequest, batch_id: FromPath[int], key: FromQuery[str] = ""
) -> Response[str]:
    """The item of this key."""
    return await page(request, batch_id, key)


async def page(
    request: WebRequest,
    batch_id: int,
    key: str,
    *,
    error: CanutError | None = None,
    step: str = "",
    reason: str = "",
) -> Response[str]:
    """The same, with what was wrong with a dispute."""
    who, locale = principal(request), locale_of(request)
    key = key.replace("\0", "\ufffd")
    found = await in_thread(request, lambda conn: read_story(conn, who, batch_id, key))
    private = await private_pictures(request, found.client_id)
    problems = (error.problems or [Problem(error.message, error.mend)]) if error else []
    values: dict[str, Any] = {
        "story": found,
        "fields": shown_fields(found.fields, found.item, found.process_slug, locale, private),
        "shown": [_shown(one, locale) for one in found.chapters],
        "methods": METHODS,
        "box": (WIDTH, HEIGHT),
        "reason_max": REASON_LENGTH_MAX,
        "wrong_step": step,
        "reason": reason,
        "problems": translated(request, problems),
    }
    status = STATUS[error.code] if error else 200
    return show(request, "client/story.html", status=status, **values)


def address(batch_id: int, key: str) -> str:
    """Where the story of an item is."""
    return f"/batches/{batch_id}/items?{urlencode({'key': key})}"


def _shown(chapter: Chapter, locale: str) -> Shown:
    why, disputes = chapter.explanation, chapter.facts.disputes
    language: Locale = "fr" if locale == "fr" else "en"
    open_ = any(one.outcome is None for one in disputes)
    return Shown(
        chapter=chapter,
        words=told(why, chapter.question, language) if why else None,
        held_back=held_back_told(chapter.facts, chapter.question, language),
        chart=_chart(why) if why else None,
        free=why is not None and not open_ and len(disputes) < DISPUTES_MAX,
    )


def _chart(why: Explanation) -> Chart | None:
    """The belief by answer; where there was one step only there is nothing to draw."""
    points = why.course.points
    if len(points) < 2:
        return None
    beliefs = [point.belief for point in points]
    final = [point.final for point in points]
    return chart(range(1, len(points) + 1), [beliefs], why.target, 1.0, final)


ROUTES: list[Any] = [show_story]
