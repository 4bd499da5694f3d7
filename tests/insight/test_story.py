"""Why something was decided: true numbers, in words without names, for whom it concerns."""

from typing import Any

import msgspec
import psycopg
import pytest

from canut.errors import Invalid, NotFound
from canut.insight.explain import letters
from canut.insight.explain_words import own_told, told
from canut.insight.story import KEPT_BACK, kept_back, own_answer, read_story
from canut.people.model import Principal
from canut.people.store import COMMAND_LINE
from canut.quality.audits import disputes
from canut.quality.audits.rounds import settle_disputes
from canut.quality.licences.licensing import begin_earning
from canut.quality.model import LicencePlace
from canut.work.decide import decide_fresh
from canut.work.evidence import Evidence, Heard, encode_evidence
from canut.work.model import TaskRef
from canut.work.names import TaskNames
from canut.work.tasks import Steps
from tests import factories as make
from tests.factories import NOW
from tests.quality.test_audits import Auditors

NAMES = TaskNames(b"sixteen bytes ok")


def said(db: psycopg.Connection, who: int, answers: dict[int, str], at: int = NOW) -> None:
    """Claim everything and answer; the engine decides what it can."""
    held = make.claim(db, who, 40, now=at)
    if not held:
        return
    step = make.one(db, "select batch_step_id from task where id = %s", held[0])
    make.submit(db, who, step, {task: answers.get(task, "red") for task in held}, at)
    decide_fresh(db, Steps(), at, 1000)


def test_a_decision_by_answers_is_told_with_the_numbers_that_made_it(
    db: psycopg.Connection,
) -> None:
    """Two strangers contradict each other, more agree: letters in the order of the answers, the
    skills that were believed, and a course that ends at the confidence that was kept."""
    work = make.work(db, make.step(min_answers=2, max_answers=7, target_confidence=0.95), items=1)
    [task] = work.tasks
    people = [make.contributor(db) for _ in range(7)]
    for n, who in enumerate(people):
        if make.one(db, "select decided from task"):
            break
        said(db, who, {task: "green" if n == 0 else "red"}, NOW + n)
    story = read_story(db, COMMAND_LINE, work.batch_id, "1")
    [chapter] = story.chapters
    why = chapter.explanation
    assert why is not None
    stored = make.one(db, "select confidence from decision")
    assert [one.name for one in why.answers] == list("ABCDEFG"[: len(why.answers)])
    assert [one.value for one in why.answers][:2] == ["green", "red"]
    assert {one.skill for one in why.answers} == {0.7}
    assert why.course.exact
    assert why.course.ends == pytest.approx(stored, abs=1e-3)
    beliefs = [point.belief for point in why.course.points]
    assert beliefs[1] < beliefs[0], "contradicted"
    assert beliefs[1:] == sorted(beliefs[1:])
    assert (why.course.points[0].final, why.course.points[-1].final) == (False, True)
    english, french = (told(why, chapter.question, locale) for locale in ("en", "fr"))
    assert english["decision"] == [
        f"Decided: “Red”, with a confidence of {round(stored, 3) * 100:.3g}%."
    ]
    assert "Contributor A (simulated) answered “Green”." in english["answers"][0]
    assert "reaches the target of 95%" in english["why"][0]
    assert "has not been measured" in english["worth"][0]
    assert "objectif de 95\u00a0%" in french["why"][0]
    assert "«\u00a0Red\u00a0»" in french["decision"][0]
    assert {part: len(lines) for part, lines in english.items()} == {
        part: len(lines) for part, lines in french.items()
    }


def test_what_cannot_be_computed_again_says_so(db: psycopg.Connection) -> None:
    """Evidence that today's records do not give is not passed off as history."""
    work = make.work(db, make.step(min_answers=2), items=1)
    people = [make.contributor(db) for _ in range(2)]
    for n, who in enumerate(people):
        said(db, who, {}, NOW + n)
    if not make.one(db, "select count(*) from decision"):
        said(db, make.contributor(db), {}, NOW + 9)
    db.execute("update decision set confidence = 0.8")
    [chapter] = read_story(db, COMMAND_LINE, work.batch_id, "1").chapters
    assert chapter.explanation is not None
    assert not chapter.explanation.course.exact
    course = told(chapter.explanation, chapter.question, "en")["course"][-1]
    assert "what is known of the contributors today" in course
    assert "decided was with 80%" in course
    bare = msgspec.json.encode([[who, 0.9] for who in people]).decode()
    db.execute("update decision set evidence = %s", [bare])
    [chapter] = read_story(db, COMMAND_LINE, work.batch_id, "1").chapters
    assert chapter.explanation is not None
    assert "was not kept" in told(chapter.explanation, chapter.question, "en")["answers"][0]


def test_calibration_is_told_with_what_it_was_measured_on(db: psycopg.Connection) -> None:
    """Of a hundred such decisions so many are right: rough below a hundred measured, and never
    said to be all."""
    work = make.work(db, make.step(min_answers=1, target_confidence=0.5), items=1)
    said(db, make.contributor(db), {})
    confidence = make.one(db, "select confidence from decision")
    for n, right, words in (
        (40, 0.83, "about 83 are right; but only 40 were measured, so take it as rough"),
        (400, 0.83, "about 83 are right; measured on 400"),
        (400, 0.998, "more than 99 are right; measured on 400"),
    ):
        bins = [[0, 0.0, 0.0]] * 10
        bins[int(confidence * 10)] = [n, confidence, right]
        parameters = msgspec.json.encode({"calibration": {"n": n, "bins": bins}}).decode()
        db.execute(
            """insert into step_model values (%s, 'colour', %s, 0.7, %s, 0)
            on conflict (process_id, step_slug) do update set parameters = excluded.parameters""",
            [work.process_id, n, parameters],
        )
        [chapter] = read_story(db, COMMAND_LINE, work.batch_id, "1").chapters
        assert chapter.explanation is not None
        [worth] = told(chapter.explanation, chapter.question, "en")["worth"]
        assert words in worth


def test_an_overturned_decision_tells_what_it_was(db: psycopg.Connection) -> None:
    """The panel's answers are the evidence now, and the old value is not forgotten."""
    work = make.work(db, make.step(min_answers=1, target_confidence=0.5), items=1)
    db.execute("update batch_step set panel = 2")
    said(db, make.contributor(db), {work.tasks[0]: "green"})
    made = disputes.contest(db, COMMAND_LINE, work.batch_id, "1", "colour", "It is red.", NOW)
    Auditors(db, make.contributor(db), make.contributor(db)).answer("red")
    settle_disputes(db, work.batch_steps[0], NOW)
    [chapter] = read_story(db, COMMAND_LINE, work.batch_id, "1").chapters
    why = chapter.explanation
    assert why is not None
    assert (why.decided.method, [one.value for one in why.answers]) == ("panel", ["red", "red"])
    assert why.course.exact
    assert why.course.ends == pytest.approx(5 / 6)
    assert [one.value for one in why.before] == ["green"]
    assert [(one.id, one.outcome) for one in chapter.facts.disputes] == [(made.id, "overturned")]
    words = told(why, chapter.question, "en")
    assert "2 people who had not seen the item" in words["why"][0]
    assert words["before"][0].startswith("Until “Red” it was “Green”")


def test_an_agent_alone_is_told_with_its_licence(db: psycopg.Connection) -> None:
    """Version, threshold, what it was proved on; agents are named as agents of their family."""
    work = make.work(db, make.step(min_answers=1, target_confidence=0.5), items=1)
    who = make.contributor(db)
    said(db, who, {})
    db.execute("update contributor set kind = 'agent', family = 'acorn-2', simulated = false")
    evidence = encode_evidence(Evidence((Heard(who, 0.98, 0.9, 1.0, 0.97),), 1)).decode()
    db.execute(
        "update decision set method = 'licence', confidence = 0.98, evidence = %s", [evidence]
    )
    finding = {"threshold": 0.9, "coverage": 0.6, "audits": 320, "wrong": 2, "bound": 0.0181}
    db.execute(
        """insert into licence (contributor_id, process_id, step_slug, granted_ms, state, version,
        threshold, finding) values (%s, %s, 'colour', 0, 'in_force', 3, 0.9, %s)""",
        [who, work.process_id, msgspec.json.encode(finding).decode()],
    )
    [chapter] = read_story(db, COMMAND_LINE, work.batch_id, "1").chapters
    assert chapter.explanation is not None
    words = told(chapter.explanation, chapter.question, "en")
    assert "an AI agent of the family acorn-2" in words["answers"][0]
    assert "It said that it was 97% sure." in words["answers"][0]
    assert "version 3 of its licence" in words["why"][0]
    assert "proved on 320 blind answers, 2 of them wrong: at most 1.81% errors" in words["why"][1]


def test_what_an_agent_seconded_or_the_promise_left_room_for_says_so(
    db: psycopg.Connection,
) -> None:
    """Neither reached the target of one decision, and nobody is told that it did."""
    work = make.work(db, make.step(min_answers=1, target_confidence=0.95), items=1)
    [task] = work.tasks
    who = make.contributor(db)
    [held] = make.claim(db, who, 1)
    make.submit(db, who, work.batch_steps[0], {held: "red"})
    db.execute("update batch_step set error_max = 0.1, doubt = 0.1, doubted = 100")
    assert decide_fresh(db, Steps(), NOW, 10).decided == 1
    assert make.one(db, "select doubted = 101 and doubt > 0.4 from batch_step")

    def why() -> tuple[str, str]:
        chapter = read_story(db, COMMAND_LINE, work.batch_id, "1").chapters[0]
        assert chapter.explanation is not None
        texts = [told(chapter.explanation, chapter.question, one)["why"] for one in ("en", "fr")]
        return texts[0][0], texts[1][0]

    english, french = why()
    assert "all of them together" in english
    assert "de la marge" in french
    agent = make.contributor(db)
    db.execute("update contributor set kind = 'agent' where id = %s", [agent])
    place = LicencePlace(agent, work.process_id, "colour")
    licence = begin_earning(db, place, "v1", "ab" * 32, NOW)
    db.execute(
        """insert into blind_answer (root, licence_id, contributor_id, task_id, value, confidence,
                                     wrong, lone)
        values (%(licence)s, %(licence)s, %(agent)s, %(task)s, '"red"', 0.9, false, true)""",
        {"licence": licence.id, "agent": agent, "task": task},
    )
    english, french = why()
    assert "an AI agent had answered the same" in english
    assert "même réponse" in french


@pytest.mark.parametrize(("language", "told_of"), [("fr", "“fr”"), ("oc", "everything else")])
def test_a_parted_licence_is_told_by_its_slice(
    db: psycopg.Connection, language: str, told_of: str
) -> None:
    """The threshold, and what proved it, are those of the slice that the item belongs to."""
    work = make.work(db, make.step(min_answers=1, target_confidence=0.5), items=1)
    who = make.contributor(db)
    said(db, who, {})
    db.execute("update item set payload = payload || jsonb_build_object('lang', %s::text)",
               [language])  # fmt: skip
    db.execute("update contributor set kind = 'agent', family = 'acorn-2', simulated = false")
    evidence = encode_evidence(Evidence((Heard(who, 0.98, 0.9, 1.0, 0.75),), 1)).decode()
    db.execute("update decision set method = 'licence', evidence = %s", [evidence])
    found = {"threshold": 0.7, "coverage": 0.6, "audits": 320, "wrong": 2, "bound": 0.0181,
             "shortfall": None}  # fmt: skip
    slices = {"by": "lang", "most": 8, "parts": [
        {"name": "en", "share": 0.5, "threshold": 0.9, "finding": None},
        {"name": "fr", "share": 0.4, "threshold": 0.7, "finding": found},
        {"name": "", "share": 0.1, "threshold": 0.6, "finding": found},
    ]}  # fmt: skip
    db.execute(
        """insert into licence (contributor_id, process_id, step_slug, granted_ms, state, version,
        threshold, slices) values (%s, %s, 'colour', 0, 'in_force', 3, 0.9, %s)""",
        [who, work.process_id, msgspec.json.encode(slices).decode()],
    )
    [chapter] = read_story(db, COMMAND_LINE, work.batch_id, "1").chapters
    assert chapter.explanation is not None
    why = told(chapter.explanation, chapter.question, "en")["why"]
    assert f"told by the field “lang”: this is {told_of}" in why[1]
    assert ("at least 70% sure" in why[0]) == (language == "fr")
    assert "proved on 320 blind answers" in why[2]


def test_another_client_and_an_unknown_item_find_nothing(db: psycopg.Connection) -> None:
    """That an item exists is its client's secret too; before there is a decision, none is told."""
    work = make.work(db)
    stranger = Principal(name="another", client_ids=(make.client(db),))
    for who, key in ((stranger, "1"), (COMMAND_LINE, "99")):
        with pytest.raises(NotFound):
            read_story(db, who, work.batch_id, key)
    [chapter] = read_story(db, COMMAND_LINE, work.batch_id, "1").chapters
    assert chapter.explanation is None


def test_a_contributor_learns_of_their_own_answer_and_no_more(db: psycopg.Connection) -> None:
    """Their answer, the decision and why. Checks look like what is not decided yet or kept back,
    and so many decisions are kept back that nobody can tell."""
    work = make.work(db, make.step(min_answers=2, max_answers=5, target_confidence=0.9), items=40)
    people = [make.contributor(db) for _ in range(5)]
    for n, who in enumerate(people):
        said(db, who, {work.tasks[0]: "green"} if n == 0 else {}, NOW + n)
    assert make.one(db, "select count(*) from decision") == 40
    shown: list[Any] = []
    for task in work.tasks:
        name = NAMES.name(TaskRef(work.batch_steps[0], task))
        own = own_answer(db, NAMES, people[0], name)
        assert (own.decision is None) == kept_back(NAMES, NAMES.read(name))
        words = own_told(own, "en")
        shown += [words] if own.decision else []
        assert len(words) == (2 if own.decision is None else 4)
        assert "Contributor" not in " ".join(words)
    assert 20 <= len(shown) < 40
    assert all("answers were weighed" in words[-1] for words in shown)
    db.execute("update task set kind = 'audit', of_task = id")
    called = [NAMES.name(TaskRef(work.batch_steps[0], task)) for task in work.tasks]
    assert {own_answer(db, NAMES, people[0], name).decision for name in called} == {None}
    with pytest.raises(NotFound):
        own_answer(db, NAMES, make.contributor(db), called[0])
    with pytest.raises(Invalid):
        own_answer(db, NAMES, people[0], "not a task")
    lots = [kept_back(NAMES, TaskRef(1, n)) for n in range(4000)]
    assert sum(lots) / len(lots) == pytest.approx(KEPT_BACK / 256, abs=0.03)


def test_letters() -> None:
    """Twenty-six, and then in twos."""
    assert [letters(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]
