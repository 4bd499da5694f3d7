"""The items of a batch: searched, filtered, page by page, however many there are."""

from typing import Any, get_args
from urllib.parse import urlencode

import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery
from msgspec import UNSET, Struct, UnsetType

from canut.db.pool import SyncConn
from canut.errors import CanutError
from canut.insight.browse import (
    PAGE,
    Asked,
    Page,
    Place,
    State,
    browse,
    folded_words,
    has_key,
)
from canut.questions.base import HasClasses, HasOptions, Question, localise
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal, requires
from canut.web.i18n import N_
from canut.web.pages import story
from canut.web.pages.listing import Listed, listed, step_of
from canut.web.pages.render import locale_of
from canut.web.pages.view import pool, say, show
from canut.work import batches
from canut.work.model import StepProgress

CLIENTS = requires("client", "operator")
#: options of a question that a page offers to choose from; more are reached from a decision
OPTIONS_MAX = 300
#: a decision as it stands in an address
VALUE_MAX = 2_000
STATES: dict[str, str] = {
    "": N_("in any state"),
    "open": N_("not decided yet"),
    "expert": N_("with an expert"),
    "decided": N_("decided"),
    "contested": N_("contested"),
}
DECIDED_BY = {"": N_("by anybody"), **story.METHODS}
#: confidences that one may ask to be below
UNDER = (0.5, 0.7, 0.8, 0.9, 0.95, 0.99)


class Form(Struct, frozen=True):
    """What the form of the page says, as it was given."""

    step: str = ""
    q: str = ""
    #: "" whatever fits, "key" or "words"
    within: str = ""
    state: str = ""
    method: str = ""
    value: str = ""
    under: str = ""
    order: str = ""

    def address(self, batch_id: int, **more: str) -> str:
        """Of the page with it."""
        given = {name: text for name, text in msgspec.structs.asdict(self).items() if text} | more
        kept = urlencode([(name, text) for name, text in given.items() if text])
        return f"/batches/{batch_id}/items" + (f"?{kept}" if kept else "")


class Found(Struct, frozen=True):
    """What was found for a form."""

    page: Page
    rows: list[Listed]
    #: where `q` was looked for: "key" or "words"; "" without
    within: str
    #: of the question: (value as JSON, name)
    options: list[tuple[str, str]]
    #: the decision asked for, in words
    said: str


@get("/batches/{batch_id:int}/items", opt=CLIENTS, include_in_schema=False)
async def show_items(
    request: WebRequest,
    batch_id: FromPath[int],
    key: FromQuery[str] = "",
    after: FromQuery[str] = "",
    before: FromQuery[str] = "",
) -> Response[str]:
    """Items of a batch; with a `key`, the story of that item."""
    if key:
        return await story.page(request, batch_id, key)
    batch = await batches.read_batch(pool(request), principal(request), batch_id)
    steps = await batches.read_progress(pool(request), batch_id)
    form, locale = _read_form(request), locale_of(request)
    step = next((one for one in steps if one.slug == form.step), steps[0])
    place = _read_place(before or after)
    back = bool(before)

    def find(conn: SyncConn) -> Found:
        loaded = step_of(conn, step.batch_step_id)
        question = loaded.question
        asked, within = _asked(conn, batch_id, form, step, question)
        page = browse(conn, batch_id, asked, place, back=back)
        rows = listed(page.rows, loaded, locale)
        said = "" if asked.value is UNSET else question.describe(asked.value, locale)
        return Found(page, rows, within, _options(question, locale), said)

    found = await in_thread(request, find)
    values: dict[str, Any] = {
        "batch": batch,
        "steps": [(one.slug, localise(one.title, locale)) for one in steps],
        "step": step,
        "form": form,
        "found": found,
        "narrowed": bool(form.state or form.method or form.value or form.under or form.order),
        "first": not (after or before),
        "older": form.address(batch_id, after=_written(found.page.next)),
        "newer": form.address(batch_id, before=_written(found.page.previous)),
        "methods": story.METHODS,
        "decided_by": [(name, say(request, text)) for name, text in DECIDED_BY.items()],
        "states": [(name, say(request, text)) for name, text in STATES.items()],
        "below": UNDER,
        "page_items": PAGE,
    }
    return show(request, "client/items.html", **values)


def _read_form(request: WebRequest) -> Form:
    given = {
        name: request.query_params.get(name, "").replace("\0", "")[:VALUE_MAX].strip()
        for name in Form.__struct_fields__
    }
    if given["state"] not in get_args(State):
        given["state"] = ""
    if given["method"] not in story.METHODS:
        given["method"] = ""
    if given["under"] not in {str(one) for one in UNDER}:
        given["under"] = ""
    given["order"] = "sure" if given["order"] == "sure" else ""
    given["q"] = given["q"][:200]
    return Form(**given)


def _asked(
    conn: SyncConn, batch_id: int, form: Form, step: StepProgress, question: Question
) -> tuple[Asked, str]:
    """What is asked for, and where its text is looked for: among the keys, if one begins so."""
    within = ""
    if form.q:
        by_key = form.within == "key" or (
            form.within != "words" and has_key(conn, batch_id, form.q)
        )
        within = "key" if by_key else "words"
    asked = Asked(
        step=step.batch_step_id,
        state=form.state,  # type: ignore[arg-type]
        method=form.method,
        value=_value(form.value, question),
        under=float(form.under) if form.under else None,
        key=form.q if within == "key" else "",
        words=folded_words(conn, form.q) if within == "words" else (),
        by_confidence=form.order == "sure",
    )
    return asked, within


def _value(text: str, question: Question) -> Any | UnsetType:
    """A decision from an address; what no answer to the question can be asks for nothing."""
    if not text:
        return UNSET
    try:
        return question.normalise(msgspec.json.decode(text))
    except (msgspec.DecodeError, CanutError):
        return UNSET


def _options(question: Question, locale: str) -> list[tuple[str, str]]:
    if not isinstance(question, HasOptions) or not isinstance(question, HasClasses):
        return []
    found = question.options(locale) if len(question.classes) <= OPTIONS_MAX else []
    return [(msgspec.json.encode(one["value"]).decode(), str(one["label"])) for one in found]


def _read_place(text: str) -> Place:
    item, _, sort = text.replace("\0", "").partition("~")
    if not item.isascii() or not item.isdigit() or len(item) > 18:
        return Place()
    return Place(int(item), sort[:300])


def _written(place: Place | None) -> str:
    if place is None:
        return ""
    return f"{place.item}~{place.sort}" if place.sort else str(place.item)


ROUTES: list[Any] = [show_items]
