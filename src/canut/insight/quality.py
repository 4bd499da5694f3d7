"""How the steps do: what needs attention, how far confidences can be believed, who may do what."""

import msgspec
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import NotFound
from canut.insight import licence_cards, store_quality
from canut.insight.licence_cards import Card
from canut.insight.quality_model import (
    ERROR_MAX,
    LATELY_DAYS,
    MEASURED_MIN,
    URGENCY,
    Alike,
    Attention,
    AuditsOf,
    Counts,
    Ended,
    Kind,
    StepQuality,
)
from canut.quality.audits import store as store_audits
from canut.quality.beliefs.model import Calibration, Parameters, StepPlace
from canut.quality.licences import store_acts as store_licence_acts
from canut.quality.model import RIGHT_FROM

DAY_MS = 86_400_000
#: licences and pairs on a page
LICENCES_PAGE = 100
PAIRS_PAGE = 50


class StepView(Struct, frozen=True):
    """A step with everything about its quality."""

    quality: StepQuality
    #: in force or being earned, flagged ones first
    licences: list[Card]
    alike: list[Alike]
    ended: list[Ended]


def overview(conn: SyncConn, now_ms: int) -> list[StepQuality]:
    """Every step, those that need attention first."""
    found = _read(conn, now_ms, None)
    return sorted(found, key=_order)


def step_view(conn: SyncConn, place: StepPlace, now_ms: int) -> StepView:
    """A step. Raises `NotFound`."""
    found = _read(conn, now_ms, place)
    if not found:
        raise NotFound("There is no such step.")
    at = place.process_id, place.step_slug
    return StepView(
        quality=found[0],
        licences=licence_cards.open_at(conn, *at, LICENCES_PAGE),
        alike=store_quality.alike(conn, place, PAIRS_PAGE),
        ended=store_quality.ended(conn, place, now_ms - LATELY_DAYS * DAY_MS),
    )


def _read(conn: SyncConn, now_ms: int, place: StepPlace | None) -> list[StepQuality]:
    rows = store_quality.counts(conn, now_ms - LATELY_DAYS * DAY_MS, RIGHT_FROM, place)
    titles = store_licence_acts.titles(conn, [(one.process_id, one.step_slug) for one in rows])
    waiting = _waiting(conn)
    found = []
    for one in rows:
        audits = waiting.get((one.process_id, one.step_slug), [])
        calibration = _calibration(one)
        found.append(
            StepQuality(
                title=titles[one.process_id, one.step_slug],
                counts=one,
                calibration=calibration,
                audits=audits,
                attention=attention(one, calibration, audits),
            )
        )
    return found


def _waiting(conn: SyncConn) -> dict[tuple[int, str], list[AuditsOf]]:
    rows = store_audits.waiting(conn)
    processes = store_quality.processes_of(conn, [one.batch_step_id for one in rows])
    found: dict[tuple[int, str], list[AuditsOf]] = {}
    for one in rows:
        process = processes[one.batch_step_id]
        said = AuditsOf(
            *(process, one.slug, one.batch_id, one.panels, one.answers),
            *(one.since_ms, one.qualified),
        )
        found.setdefault((process, one.slug), []).append(said)
    return found


def _calibration(one: Counts) -> Calibration:
    if one.parameters is None:
        return Calibration()
    return msgspec.convert(one.parameters, Parameters).calibration


def attention(one: Counts, calibration: Calibration, audits: list[AuditsOf]) -> list[Attention]:
    """What to look at, the most urgent first."""
    unmanned = sum(audit.panels for audit in audits if audit.answers and not audit.qualified)
    wrong = calibration.n >= MEASURED_MIN and calibration.error > ERROR_MAX
    counted: dict[Kind, int] = {
        "flagged": one.flagged,
        "unmanned": unmanned,
        "revoked": one.revoked,
        "narrowed": one.narrowed,
        "gold": one.gold_bad,
        "waiting": sum(audit.panels for audit in audits) - unmanned,
        "alike": one.alike,
        "miscalibrated": int(wrong),
    }
    return [Attention(kind, counted[kind]) for kind in URGENCY if counted[kind]]


def _order(one: StepQuality) -> tuple[tuple[int, ...], bool, str, str]:
    """What is most urgent decides, then the next; then steps where people work, by name."""
    worst = tuple(URGENCY.index(what.kind) for what in one.attention)
    counts = one.counts
    idle = not (counts.people or counts.agents or counts.earning or one.calibration.n)
    return ((*worst, len(URGENCY)), idle, one.title.process_slug, one.counts.step_slug)
