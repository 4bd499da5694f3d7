"""The task screen's verbs: ended once, taken back only while nobody counted it, remarked on."""

from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.db.check import RULES
from canut.errors import Invalid
from canut.work.decide import decide_fresh
from canut.work.remarks import NOTE_MAX, REASONS, check_remark
from canut.work.screen_model import ACTIVE_MS_MAX, SPANS_MAX, Span, read_moment, read_spans
from canut.work.tasks import Steps
from tests import factories as make
from tests.factories import NOW

HOLD = 15_000


def finish(conn: psycopg.Connection, who: int, step: int, task: int, **given: Any) -> str:
    """`finish_task` with a plain answer where nothing else is said."""
    values = {
        "act": "answer",
        "value": '"yes"',
        "after": NOW + HOLD,
        "kind": None,
        "reason": None,
        "spans": "{}",
        "acted": NOW,
        "now": NOW,
    } | given
    return str(
        make.one(
            conn,
            "select finish_task(%s, %s, %s, %s, %s, %s, %s, %s, '', %s::int8multirange, %s, %s)",
            *(who, task, step, values["act"], values["value"], values["after"], values["kind"]),
            *(values["reason"], values["spans"], values["acted"], values["now"]),
        )
    )


def withdraw(conn: psycopg.Connection, who: int, step: int, task: int, acted: int) -> str:
    sql = "select withdraw_answer(%s, %s, %s, 120000, %s, %s)"
    return str(make.one(conn, sql, who, task, step, acted, acted))


def broken(conn: psycopg.Connection) -> list[str]:
    """Rules of `canut db check` that the rows of this transaction break."""
    return [rule for rule, query in RULES.items() if conn.execute(query.encode()).fetchone()]


def test_an_answer_is_taken_back_until_it_is_counted(db: psycopg.Connection) -> None:
    """Taken back: kept as history, the task in hand again, a late copy of it refused, a new answer
    taken; once the engine has it, it stands."""
    work = make.work(db, items=1)
    who = make.contributor(db)
    [task] = make.claim(db, who)
    step = work.batch_steps[0]
    assert finish(db, who, step, task) == "accepted"
    assert decide_fresh(db, Steps(), NOW + HOLD - 1, 10).answers == 0
    assert withdraw(db, who, step, task, NOW + 9) == "withdrawn"
    assert withdraw(db, who, step, task, NOW + 9) == "withdrawn"
    assert finish(db, who, step, task) == "withdrawn"
    assert db.execute("select value, acted_ms from withdrawn").fetchall() == [("yes", NOW + 9)]
    assert broken(db) == []
    assert finish(db, who, step, task, value='"no"', acted=NOW + 20) == "accepted"
    assert decide_fresh(db, Steps(), NOW + HOLD, 10).answers == 1
    assert withdraw(db, who, step, task, NOW + 30) == "counted"
    assert db.execute("select value from answer").fetchall() == [("no",)]
    assert broken(db) == []


def test_an_answer_that_a_decision_rests_on_stands(db: psycopg.Connection) -> None:
    """Others' answers can decide a task while ours could still be taken back: then it is too
    late, and somebody who never answered takes nothing back."""
    work = make.work(db, items=1)
    step = work.batch_steps[0]
    one, other = make.contributor(db), make.contributor(db)
    [task] = make.claim(db, one)
    make.claim(db, other)
    assert finish(db, one, step, task) == "accepted"
    db.execute("update task set decided = true where id = %s", [task])
    assert withdraw(db, one, step, task, NOW + 1) == "decided"
    assert withdraw(db, other, step, task, NOW + 1) == "unknown"


def test_time_at_work_is_the_union_of_what_was_sent(db: psycopg.Connection) -> None:
    """Sent twice, or from two tabs at once, it counts once; given back it is kept too."""
    work = make.work(db, items=2)
    who = make.contributor(db)
    first, second = make.claim(db, who, count=2)
    step = work.batch_steps[0]
    finish(db, who, step, first, spans="{[10,40),[50,60)}")
    finish(db, who, step, first, spans="{[30,55)}")
    assert finish(db, who, step, second, act="skip", spans="{[60,70)}") == "returned"
    assert finish(db, who, step, second, act="skip") == "returned"
    kept = db.execute("select active_ms from activity order by task_id = %s", [second]).fetchall()
    assert kept == [(50,), (10,)]


def test_two_who_remark_on_a_task_call_its_expert(db: psycopg.Connection) -> None:
    """One remark gives the task to others; the second person's calls the expert, once."""
    work = make.work(db, items=1, expert_skill="expert")
    step = work.batch_steps[0]
    for place in range(2):
        who = make.contributor(db)
        [task] = make.claim(db, who)
        for _ in range(2):
            remark = {"act": "remark", "kind": "unsure", "reason": "missing"}
            assert finish(db, who, step, task, **remark) == "returned"
        assert decide_fresh(db, Steps(), NOW, 10).escalated == place
    assert make.claim(db, make.contributor(db)) == []
    assert make.claim(db, make.contributor(db, skills=["expert"])) == [task]
    assert db.execute("select count(*) from remark").fetchone() == (2,)
    assert broken(db) == []


@pytest.mark.parametrize(
    ("kind", "reason", "note", "field"),
    [
        ("praise", "other", "", "kind"),
        ("unsure", "personal", "", "reason"),
        ("fault", "other", "  ", "note"),
        ("fault", "options", "x" * (NOTE_MAX + 1), "note"),
    ],
)
def test_a_remark_says_why(kind: str, reason: str, note: str, field: str) -> None:
    """A reason of the list of its kind; "other" in words; each problem names its field."""
    with pytest.raises(Invalid) as raised:
        check_remark(kind, reason, note)
    assert [problem.field for problem in raised.value.problems] == [field]
    assert all(check_remark("unsure", one, " a ") == "a" for one in REASONS["unsure"])


@given(st.text(alphabet="0123456789-, x", max_size=400))
def test_no_clock_breaks_an_answer(text: str) -> None:
    """Whatever a device sends, what is kept is bounded and in its bounds."""
    spans = read_spans(text, NOW)
    assert len(spans) <= SPANS_MAX
    assert sum(span.to_ms - span.from_ms for span in spans) <= ACTIVE_MS_MAX
    assert all(span.from_ms < span.to_ms for span in spans)


def test_times_at_work_are_read() -> None:
    """The plain form, and what is left out: ends before starts, other years, other things."""
    text = f"{NOW - 900}-{NOW - 500},{NOW - 10}-{NOW - 20},1-2,x-y,{NOW - 9}-{NOW}"
    assert read_spans(text, NOW) == (Span(NOW - 900, NOW - 500), Span(NOW - 9, NOW))
    assert read_spans("", NOW) == ()
    assert read_moment(str(NOW), NOW) == NOW
    assert read_moment("5", NOW) is None
    assert read_moment("-5", NOW) is None
