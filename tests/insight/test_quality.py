"""What operators look at first, and the diagram of how far confidences can be believed."""

from typing import Any

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.errors import NotFound
from canut.insight import quality
from canut.insight.quality_model import AuditsOf, Counts
from canut.insight.reliability import interval, rows
from canut.people.store import COMMAND_LINE
from canut.quality.beliefs.model import Bin, Calibration, StepPlace
from canut.quality.licences import acts as licence_acts
from canut.quality.licences.people_watch import watch_due
from canut.quality.model import LicencePlace
from tests import factories as make
from tests.quality.test_people_watch import audited, hidden_gold

Conn = psycopg.Connection[Any]


def test_what_is_urgent_comes_first(db: Conn) -> None:
    """A step with a flagged person stands before one whose confidences are off, and that before one
    where all is well; audits that nobody may answer are told apart from those that wait."""
    works = [make.work(db, make.step(licence=True, min_answers=1), items=20) for _ in range(3)]
    fine, off, flagged = works
    for work in works:
        place = LicencePlace(make.contributor(db), work.process_id, "colour")
        licence_acts.grant(db, COMMAND_LINE, place, "Known.", make.NOW)
    who = make.contributor(db)
    place = LicencePlace(who, flagged.process_id, "colour")
    licence = licence_acts.grant(db, COMMAND_LINE, place, "Known.", make.NOW)
    hidden_gold(db, licence, [False] * 40)
    assert watch_due(db, make.NOW + 10**6) == [licence.id]
    audited(db, licence, flagged, ["red", None])
    db.execute(
        """insert into task (id, batch_step_id, item_id, wanted, slots, kind, of_task)
        overriding system value
        select -id, batch_step_id, item_id, 2, 2, 'audit', id from task where id = %s""",
        [flagged.tasks[1]],
    )
    db.execute("update contributor set state = 'paused'")
    for work, error in ((fine, 0.02), (off, 0.3)):
        bins = [Bin(0, 0, 0)] * 9 + [Bin(50, 0.95, 0.95 - error)]
        said = msgspec.json.encode({"calibration": Calibration(50, tuple(bins), error)}).decode()
        db.execute(
            "insert into step_model values (%s, 'colour', 1, 0.8, %s, 0)", [work.process_id, said]
        )
    found = {one.counts.process_id: one for one in quality.overview(db, make.NOW + 10**6)}
    ours = [id for id in found if id in {work.process_id for work in works}]
    assert ours == [flagged.process_id, off.process_id, fine.process_id]
    first = found[flagged.process_id]
    assert [(one.kind, one.count) for one in first.attention] == [("flagged", 1), ("unmanned", 1)]
    assert (first.counts.people, first.counts.gold_answers, first.counts.gold_right) == (2, 40, 0)
    assert first.counts.audited == 1
    assert not first.measured
    assert [one.kind for one in found[off.process_id].attention] == ["miscalibrated"]
    assert found[fine.process_id].attention == []

    view = quality.step_view(db, StepPlace(flagged.process_id, "colour"), make.NOW + 10**6)
    assert view.licences[0].licence.id == licence.id
    assert [line for line in view.licences[0].words("en") if "40 wrong" in line]
    with pytest.raises(NotFound):
        quality.step_view(db, StepPlace(flagged.process_id, "size"), make.NOW)


def test_what_evidence_ended_is_told_for_a_month(db: Conn) -> None:
    """A licence that drift revoked yesterday is told, one of last year is not."""
    work = make.work(db, make.step())
    for version, days in ((1, 1), (2, 400)):
        db.execute(
            """insert into licence (contributor_id, process_id, step_slug, version, state,
            started_ms, ended_ms, reason)
            values (%s, %s, 'colour', %s, 'ended', 0, %s, 'revoked')""",
            [make.contributor(db), work.process_id, version, make.NOW - days * quality.DAY_MS],
        )
    view = quality.step_view(db, StepPlace(work.process_id, "colour"), make.NOW)
    assert [(one.kind, one.count) for one in view.quality.attention] == [("revoked", 1)]
    assert [one.reason for one in view.ended] == ["revoked"]


def test_audits_are_unmanned_only_while_answers_are_wanted() -> None:
    """Somebody who has claimed the last answer is at it: nothing to look at."""
    claimed = AuditsOf(1, "colour", 1, panels=3, answers=0, since_ms=0, qualified=0)
    [said] = quality.attention(Counts(1, "colour"), Calibration(), [claimed])
    assert (said.kind, said.count) == ("waiting", 3)


BINS = st.lists(st.builds(Bin, st.integers(0, 500), st.floats(0, 1), st.floats(0, 1)), max_size=10)


@given(BINS)
def test_a_bin_stands_within_its_interval(bins: list[Bin]) -> None:
    """Whatever was measured: a row for each bin that holds something, with its interval around it,
    all of it between nothing and all."""
    told = rows(bins)
    assert len(told) == sum(one.n > 0 for one in bins)
    for row in told:
        assert 0 <= row.right_low <= row.right + 1e-9
        assert row.right - 1e-9 <= row.right_high <= 1
        assert 0 <= row.low < row.high <= 1 + 1e-9


def test_intervals_are_wilsons() -> None:
    """Known values: 8 of 10 right, and none of 20."""
    assert interval(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert interval(0.0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
