"""The story of one item, for its client: what was decided, why, and the way to contest it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from litestar import Response
from msgspec import Struct

from canut.errors import CanutError, Problem
from canut.insight.charts import Axis, Level, Line, LineChart
from canut.insight.explain import letters
from canut.insight.explain_words import Part, held_back_told, told
from canut.insight.story import read_story
from canut.insight.story_model import Chapter, Explanation
from canut.quality.audits.disputes import DISPUTES_MAX, REASON_LENGTH_MAX
from canut.quality.figures import Locale
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal
from canut.web.errors import STATUS
from canut.web.i18n import N_
from canut.web.pages.items import shown_fields
from canut.web.pages.pictures import private_pictures
from canut.web.pages.render import locale_of
from canut.web.pages.view import say, show
from canut.web.pages.view import told as translated

#: who or what decided -> its name for people
METHODS: dict[str, str] = {
    "answers": N_("by answers"),
    "expert": N_("by an expert"),
    "exhausted": N_("answers spent"),
    "licence": N_("by an agent alone"),
    "panel": N_("by a panel, after a dispute"),
}

BELIEF = N_("How the belief moved")
ANSWERS = N_("answers")
TARGET = N_("target")

#: what a prediction of an agent came to
BECAME: dict[str, str] = {
    "answered": N_("was its answer"),
    "checks": N_("held back by a check"),
    "beside": N_("tried beside, counts for nothing"),
    "passed": N_("not given as an answer"),
}


class Shown(Struct, frozen=True):
    """A step of the story, ready for the page."""

    chapter: Chapter
    words: dict[Part, list[str]] | None
    #: what agents proposed and a check held back
    held_back: list[str]
    chart: LineChart | None
    #: whether a dispute may be opened
    free: bool


async def page(
    request: WebRequest,
    batch_id: int,
    key: str,
    *,
    error: CanutError | None = None,
    step: str = "",
    reason: str = "",
) -> Response[str]:
    """The story of the item of this key, with what was wrong with a dispute."""
    who, locale = principal(request), locale_of(request)
    key = key.replace("\0", "\ufffd")
    found = await in_thread(request, lambda conn: read_story(conn, who, batch_id, key))
    private = await private_pictures(request, found.client_id)
    problems = (error.problems or [Problem(error.message, error.mend)]) if error else []

    def translate(text: str) -> str:
        return say(request, text)

    values: dict[str, Any] = {
        "story": found,
        "fields": shown_fields(found.fields, found.item, found.process_slug, locale, private),
        "shown": [_shown(one, locale, translate) for one in found.chapters],
        "methods": METHODS,
        "became": BECAME,
        "letters": letters,
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


def _shown(chapter: Chapter, locale: str, say: Callable[[str], str]) -> Shown:
    why, disputes = chapter.explanation, chapter.facts.disputes
    language: Locale = "fr" if locale == "fr" else "en"
    open_ = any(one.outcome is None for one in disputes)
    return Shown(
        chapter=chapter,
        words=told(why, chapter.question, language) if why else None,
        held_back=held_back_told(chapter.facts, chapter.question, language),
        chart=_chart(why, say) if why else None,
        free=why is not None and not open_ and len(disputes) < DISPUTES_MAX,
    )


def _chart(why: Explanation, say: Callable[[str], str]) -> LineChart | None:
    """The belief by answer; where there was one step only there is nothing to draw."""
    points = why.course.points
    if len(points) < 2:
        return None
    course = [(float(n), point.belief) for n, point in enumerate(points, 1)]
    return LineChart(
        say(BELIEF),
        Axis(say(ANSWERS), "count", 1, len(points)),
        Axis("", "belief", 0, 1),
        [Line("", course, marked=True)],
        [Level(why.target, say(TARGET))],
    )
