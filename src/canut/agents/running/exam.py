"""Agents sit the same exam as people: on gold, as long as it takes, before they are given work."""

from collections.abc import Callable

from canut.agents import store
from canut.agents.model import Item, Prediction, Step, items_of, step_of
from canut.agents.running import store as store_runner
from canut.agents.running.checked import checked
from canut.agents.running.model import AgentAtWork, Hands, VersionAtWork
from canut.agents.running.waits import Waits, waits
from canut.db.pool import SyncConn
from canut.errors import Conflict, NotFound
from canut.quality.audits.draws import new_seed
from canut.quality.exams import sitting
from canut.quality.exams.values import Exam, ExamQuestion

#: how long one that may not sit it now waits before it looks again
AGAIN_MS = 600_000
#: questions asked for at once
ASKED = 10
_FAILED = {
    "en": "It has not passed the exam of the step; it may sit it again later.",
    "fr": "Il n’a pas réussi l’examen de l’étape ; il pourra le repasser plus tard.",
}
_NONE = {
    "en": "The step asks for an exam, and has too few known answers for one.",
    "fr": "L’étape demande un examen, et a trop peu de réponses connues pour en faire un.",
}
_OTHER = {
    "en": "The exam of the step asks another question than it has learned to answer.",
    "fr": "L’examen de l’étape pose une autre question que celle qu’il a apprise.",
}


def admit(
    conn: SyncConn,
    hands: Hands,
    agent: AgentAtWork,
    version: VersionAtWork,
    state: bytes | None,
    now_ms: Callable[[], int],
) -> None:
    """Return where the agent has passed the exam of its step; else it sits it, now. What it does
    not answer counts as a wrong answer. Raises `Waits` where it has not passed."""
    if store_runner.passed_exam(conn, agent.id, agent.process_id, agent.step_slug):
        return
    exam = _begun(conn, agent, now_ms())
    at = sitting.find_step(conn, exam)
    step = step_of(at.definition, at.item)
    if version.schema != step.schema_hash():
        if not version.version.get("prompt"):
            raise Waits(_OTHER, AGAIN_MS)
        # a language model reads the question; what it has learned is about another
        state = None
    while asked := sitting.questions(conn, agent.id, exam.id, ASKED, now_ms()):
        _answer(conn, hands, agent, exam, step, state, asked, now_ms())
    ended = sitting.find(conn, agent.id, exam.id)
    told = {"exam": exam.id, "state": ended.state}
    if ended.verdict:
        told |= {"right": ended.verdict.right, "of": ended.verdict.answered}
    store.note(conn, agent.id, "exam", told, now_ms(), version_id=version.id)
    if ended.state != "passed":
        raise Waits(_FAILED, AGAIN_MS)


def _begun(conn: SyncConn, agent: AgentAtWork, now_ms: int) -> Exam:
    seed = int(new_seed()[:15], 16)
    try:
        return sitting.start(conn, agent.id, agent.process_id, agent.step_slug, seed, now_ms)
    except Conflict as error:
        retake = store_runner.retake_ms(conn, agent.id, agent.process_id, agent.step_slug)
        if retake and retake > now_ms:
            raise Waits(_FAILED, min(retake - now_ms, AGAIN_MS)) from error
        raise Waits(_NONE, AGAIN_MS) from error
    except NotFound as error:
        raise Waits(_NONE, AGAIN_MS) from error


def _answer(
    conn: SyncConn,
    hands: Hands,
    agent: AgentAtWork,
    exam: Exam,
    step: Step,
    state: bytes | None,
    asked: list[ExamQuestion],
    now_ms: int,
) -> None:
    # questions are no tasks: their numbers stand below 0
    items: list[Item] = items_of(step, [(-one.number, "", one.item) for one in asked])
    said: list[Prediction] = checked(step, items, hands.answer(agent, step, state, items))
    late = waits(said, now_ms, AGAIN_MS)
    if late:
        raise late
    given = [(-one.key, one.value) for one in said if one.value is not None]
    if given:
        sitting.answer(conn, agent.id, exam.id, given, now_ms)
    sitting.pass_by(conn, agent.id, exam.id, [-p.key for p in said if p.value is None], now_ms)
