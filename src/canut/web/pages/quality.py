"""How the steps do, for operators: what needs attention, and why; and what is done about licences,
by a person, with a reason."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from canut.db.pool import SyncConn
from canut.errors import CanutError
from canut.insight import licence_cards, quality
from canut.insight.licence_cards import Card
from canut.insight.quality import StepView
from canut.insight.quality_model import ERROR_MAX, LATELY_DAYS, MEASURED_MIN
from canut.insight.reliability import rows
from canut.quality.beliefs.model import StepPlace
from canut.quality.figures import Locale
from canut.quality.licences import acts as licence_acts
from canut.quality.licences import slice_words
from canut.quality.licences.grounds import CAUSES
from canut.quality.licences.people_watch import evidence_of
from canut.quality.licences.people_watch_rules import Seen
from canut.quality.model import LicencePlace
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, principal, requires
from canut.web.i18n import N_
from canut.web.pages.forms import whole_number
from canut.web.pages.render import go, locale_of
from canut.web.pages.view import now_ms, problems_of, show, told
from canut.web.pages.work import read_form

OPERATORS = requires("operator")
#: pieces of evidence on a page, the newest
EVIDENCE_SHOWN = 20
#: state of a licence -> its name for people
STATES: dict[str, str] = {
    "earning": N_("being earned"),
    "in_force": N_("in force"),
    "ended": N_("ended"),
}


@get("/operator/quality", opt=OPERATORS, include_in_schema=False)
async def overview(request: WebRequest) -> Response[str]:
    """Every step, those that need attention first."""
    steps = await in_thread(request, lambda conn: quality.overview(conn, now_ms()))
    limits = {"measured_min": MEASURED_MIN, "days": LATELY_DAYS}
    return show(request, "quality/overview.html", steps=steps, **limits)


@get("/operator/quality/{process_id:int}/{step:str}", opt=OPERATORS, include_in_schema=False)
async def show_step(
    request: WebRequest, process_id: FromPath[int], step: FromPath[str]
) -> Response[str]:
    """A step with everything about its quality."""
    return await _step(request, StepPlace(process_id, step))


@post("/operator/quality/{process_id:int}/{step:str}", opt=OPERATORS, include_in_schema=False)
async def grant(
    request: WebRequest, process_id: FromPath[int], step: FromPath[str]
) -> Response[Any]:
    """Grant a licence to a person, with a reason."""
    form, by = await read_form(request), principal(request)
    who, reason = whole_number(_first(form, "contributor")) or 0, _first(form, "reason")
    place = LicencePlace(who, process_id, step)
    try:
        done = await in_thread(
            request, lambda conn: licence_acts.grant(conn, by, place, reason, now_ms())
        )
    except CanutError as error:
        return await _step(request, StepPlace(process_id, step), error, form)
    return go(f"/operator/licences/{done.id}")


@get("/operator/licences/{licence_id:int}", opt=OPERATORS, include_in_schema=False)
async def show_licence(request: WebRequest, licence_id: FromPath[int]) -> Response[str]:
    """A licence, the evidence about it, and its history."""
    return await _licence(request, licence_id)


@post("/operator/licences/{licence_id:int}", opt=OPERATORS, include_in_schema=False)
async def decide(request: WebRequest, licence_id: FromPath[int]) -> Response[Any]:
    """`act`: end it for a cause, or keep it though it was flagged; both with a reason."""
    form, by = await read_form(request), principal(request)
    cause, reason = _first(form, "cause"), _first(form, "reason")

    def act(conn: SyncConn) -> int:
        if _first(form, "act") == "keep":
            return licence_acts.keep(conn, by, licence_id, reason, now_ms()).id
        return licence_acts.end(conn, by, licence_id, cause, reason, now_ms()).id

    try:
        done = await in_thread(request, act)
    except CanutError as error:
        return await _licence(request, licence_id, error, form)
    return go(f"/operator/licences/{done}")


async def _step(
    request: WebRequest,
    place: StepPlace,
    error: CanutError | None = None,
    given: dict[str, list[str]] | None = None,
) -> Response[str]:
    view = await in_thread(request, lambda conn: quality.step_view(conn, place, now_ms()))
    values: dict[str, Any] = {
        "view": view,
        "quality": view.quality,
        "counts": view.quality.counts,
        "rows": rows(view.quality.calibration.bins),
        "answers": answers_for_measure(view),
        "measured_min": MEASURED_MIN,
        "error_max": ERROR_MAX,
        "days": LATELY_DAYS,
        "locale_words": locale_words(request),
        "states": STATES,
        "given": given or {},
    }
    problems = told(request, problems_of(error))
    status = 422 if error else 200
    return show(request, "quality/step.html", status=status, problems=problems, **values)


async def _licence(
    request: WebRequest,
    licence_id: int,
    error: CanutError | None = None,
    given: dict[str, list[str]] | None = None,
) -> Response[str]:
    def read(conn: SyncConn) -> tuple[list[Card], list[Seen]]:
        cards = licence_cards.with_versions(conn, licence_id)
        watched = cards[0].holder.kind == "person" and cards[0].licence.granted_ms is not None
        seen = evidence_of(conn, [licence_id]).get(licence_id, []) if watched else []
        return cards, seen

    cards, seen = await in_thread(request, read)
    card = cards[0]
    causes = licence_acts.CAUSES_OF[card.holder.kind]
    values: dict[str, Any] = {
        "card": card,
        "licence": card.licence,
        "slices": slice_words.rows(card.licence),
        "versions": cards[1:],
        "seen": list(reversed(seen))[:EVIDENCE_SHOWN],
        "n_seen": len(seen),
        "n_wrong": sum(one.wrong for one in seen),
        "causes": {code: CAUSES[locale_words(request)][code] for code in causes},
        "locale_words": locale_words(request),
        "states": STATES,
        "own": principal(request).contributor_id == card.licence.contributor_id,
        "given": given or {},
    }
    problems = told(request, problems_of(error))
    status = 422 if error else 200
    return show(request, "quality/licence.html", status=status, problems=problems, **values)


def answers_for_measure(view: StepView) -> int:
    """Gold and audited answers of a step so far."""
    counts = view.quality.counts
    return max(view.quality.calibration.n, counts.gold_answers + counts.audited)


def locale_words(request: WebRequest) -> Locale:
    """The language of sentences about licences."""
    return "fr" if locale_of(request) == "fr" else "en"


def _first(form: dict[str, list[str]], name: str) -> str:
    return next(iter(form.get(name, [])), "")


ROUTES: list[Any] = [overview, show_step, grant, show_licence, decide]
