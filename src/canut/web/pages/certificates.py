"""What is proved about a batch, for its client: a page, its files, and the disputes."""

import gzip
from collections.abc import Callable
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import CanutError, NotFound
from canut.insight.certificate_pdf import certificate_pdf
from canut.insight.charts import Axis, Level, Line, LineChart
from canut.insight.proof import Reached, proof_course
from canut.people.model import Principal
from canut.quality.audits import disputes
from canut.quality.audits.store_disputes import Dispute
from canut.quality.certificates import store as store_statements
from canut.quality.certificates.bounds import Certificate, export
from canut.quality.certificates.standing import Standing, standing, with_evidence
from canut.quality.certificates.wording import sentences
from canut.quality.figures import Locale, as_share
from canut.questions.base import Localised, Question
from canut.web.api.common import in_thread
from canut.web.api.replying import attachment
from canut.web.auth import WebRequest, principal, requires
from canut.web.i18n import N_
from canut.web.pages import story
from canut.web.pages.render import go, locale_of
from canut.web.pages.view import now_ms, pool, say, show
from canut.web.pages.work import read_form
from canut.work import batches, store
from canut.work.batches import NEWEST

CLIENTS = requires("client", "operator")
#: disputes on a page
PAGE = 30
#: what a certificate was issued for
OCCASIONS: dict[str, str] = {
    "proved": N_("the promise was proved"),
    "spent": N_("no draws were left"),
    "dispute": N_("a dispute was settled"),
}
#: where a list of decisions stands -> its name for people
STANDINGS: dict[str, str] = {
    "open": N_("audits go on"),
    "proved": N_("promise kept"),
    "spent": N_("not proved"),
}
OUTCOMES: dict[str | None, str] = {
    None: N_("being answered again"),
    "upheld": N_("upheld"),
    "overturned": N_("overturned"),
    "unresolved": N_("unresolved"),
}

COURSE = N_("How the proof came about")
AUDITS = N_("audits")
BOUND = N_("proved bound")
ESTIMATE = N_("estimate")
PROMISED = N_("promised at most")


class StepProof(Struct, frozen=True):
    """A step, ready for the page."""

    title: Localised
    standing: Standing
    words: list[str]
    course: list[Reached]
    chart: LineChart | None
    #: of each certificate, its sentences
    issued_words: list[list[str]]


@get("/batches/{batch_id:int}/certificates", opt=CLIENTS, include_in_schema=False)
async def show_certificates(request: WebRequest, batch_id: FromPath[int]) -> Response[str]:
    """What is promised and proved, step by step."""

    def translate(text: str) -> str:
        return say(request, text)

    batch = await batches.read_batch(pool(request), principal(request), batch_id)
    progress = await batches.read_progress(pool(request), batch_id)
    titles = {step.slug: step.title for step in progress}
    locale = locale_of(request)
    proofs = await in_thread(
        request, lambda conn: _proofs(conn, batch_id, titles, locale, translate)
    )
    values: dict[str, Any] = {
        "batch": batch,
        "proofs": proofs,
        "share": lambda value: as_share(value, language(locale)),
        "bound": lambda value: as_share(value, language(locale), up=True),
        "occasions": OCCASIONS,
        "standings": STANDINGS,
    }
    return show(request, "client/certificates.html", **values)


@get("/certificates/{certificate_id:int}/{form:str}", opt=CLIENTS, include_in_schema=False)
async def download(
    request: WebRequest, certificate_id: FromPath[int], form: FromPath[str]
) -> Response[bytes]:
    """A certificate as a file: `json.gz` with all its evidence, or `pdf`."""
    if form not in ("json.gz", "pdf"):
        raise NotFound("There is no such file.", mend="ask for json.gz or pdf")
    who, locale = principal(request), locale_of(request)
    name = f"certificate-{certificate_id}"

    def make(conn: SyncConn) -> bytes:
        return _file(conn, who, certificate_id, form, locale)

    media = {"json.gz": "application/gzip", "pdf": "application/pdf"}[form]
    return attachment(await in_thread(request, make), media, f"{name}.{form}")


@get("/batches/{batch_id:int}/disputes", opt=CLIENTS, include_in_schema=False)
async def show_disputes(
    request: WebRequest, batch_id: FromPath[int], before: FromQuery[int] = NEWEST
) -> Response[str]:
    """What was contested, newest first."""
    batch = await batches.read_batch(pool(request), principal(request), batch_id)

    def read(conn: SyncConn) -> tuple[list[Dispute], dict[str, Question]]:
        return disputes.disputes(conn, batch_id, before, PAGE + 1), _questions(conn, batch_id)

    found, questions = await in_thread(request, read)
    locale = locale_of(request)
    values: dict[str, Any] = {
        "batch": batch,
        "disputes": found[:PAGE],
        "older": found[PAGE - 1].id if len(found) > PAGE else None,
        "first": before == NEWEST,
        "describe": lambda step, value: questions[step].describe(value, locale),
        "outcomes": OUTCOMES,
    }
    return show(request, "client/disputes.html", **values)


@post("/batches/{batch_id:int}/disputes", opt=CLIENTS, include_in_schema=False)
async def contest(request: WebRequest, batch_id: FromPath[int]) -> Response[Any]:
    """Say that a decision is wrong; back to the item's story."""
    form, who = await read_form(request), principal(request)
    key, step, reason = (next(iter(form.get(n, [])), "") for n in ("key", "step", "reason"))
    try:
        await in_thread(
            request,
            lambda conn: disputes.contest(conn, who, batch_id, key, step, reason, now_ms()),
        )
    except NotFound:
        raise
    except CanutError as error:
        return await story.page(request, batch_id, key, error=error, step=step, reason=reason)
    return go(story.address(batch_id, key))


def _proofs(
    conn: SyncConn,
    batch_id: int,
    titles: dict[str, Localised],
    locale: str,
    translate: Callable[[str], str],
) -> list[StepProof]:
    at = now_ms()
    return [
        _proof(conn, one, titles, locale, at, translate) for one in standing(conn, batch_id, at)
    ]


def _proof(
    conn: SyncConn,
    one: Standing,
    titles: dict[str, Localised],
    locale: str,
    at: int,
    translate: Callable[[str], str],
) -> StepProof:
    course = [] if one.frame is None else proof_course(conn, one.frame, at)
    return StepProof(
        title=titles[one.step],
        standing=one,
        words=_words(one.outline, locale) if one.outline else [],
        course=course,
        chart=_chart(course, one.frame.error_max, translate) if course and one.frame else None,
        issued_words=[_words(outline, locale) for _, outline in one.issued],
    )


def _chart(course: list[Reached], promise: float, say: Callable[[str], str]) -> LineChart:
    """Bound and estimate over the audits, once the bound is not far above the promise any more."""
    top = min(1.0, max(4 * promise, 1.3 * course[-1].bound))
    near = [one for one in course if one.bound <= top]
    return LineChart(
        say(COURSE),
        Axis(say(AUDITS), low=0),
        Axis("", "percent", 0, top),
        [
            Line(say(BOUND), [(one.audits, one.bound) for one in near]),
            Line(say(ESTIMATE), [(one.audits, one.rate) for one in near], tone="second"),
        ],
        [Level(promise, say(PROMISED))],
    )


def _words(outline: Certificate, locale: str) -> list[str]:
    return sentences(outline, language(locale))


def _file(conn: SyncConn, who: Principal, certificate_id: int, form: str, locale: str) -> bytes:
    certificate = with_evidence(conn, who, certificate_id)
    if form == "pdf":
        return certificate_pdf(
            certificate, language(locale), f"certificate-{certificate_id}.json.gz"
        )
    # no time in the file: the same certificate is the same bytes
    return gzip.compress(export(certificate), mtime=0)


def language(locale: str) -> Locale:
    """The language that sentences of rooms below are made in."""
    return "fr" if locale == "fr" else "en"


def _questions(conn: SyncConn, batch_id: int) -> dict[str, Question]:
    steps = store_statements.steps(conn, batch_id)
    loaded = [store.read_step_sync(conn, step) for step, _ in steps]
    return {step.definition.slug: step.question for step in loaded if step}


ROUTES: list[Any] = [show_certificates, download, show_disputes, contest]
