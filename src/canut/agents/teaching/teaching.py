"""Agents learn from what people decided: when it helps, with provenance, out of everybody's way."""

import logging
from collections.abc import Callable

import msgspec
from msgspec import Struct, structs

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.arena import store_watch
from canut.agents.arena.store_watch import Owed
from canut.agents.llm import store as store_llm
from canut.agents.llm.kind import LLM
from canut.agents.model import Step, items_of
from canut.agents.running.model import AgentAtWork, Hands, VersionAtWork, Worth, as_version
from canut.agents.running.runner import BROKEN, Bench
from canut.agents.running.waits import waits
from canut.agents.teaching import held_out
from canut.agents.teaching import store as store_teaching
from canut.agents.teaching.held_out import HeldOut
from canut.agents.teaching.lessons import Decided, Lesson, Source, lesson
from canut.agents.teaching.rules import FADED, FIRST, Begins, begins_as, coverage_at, lesson_due
from canut.agents.versions import begin_challenger, replace_champion
from canut.db.pool import SyncConn
from canut.errors import Conflict
from canut.quality.licences import store as store_licences

log = logging.getLogger("canut.agents")

#: decisions that a lesson is made of, the newest
LESSON_MAX = 50_000
#: of these, what a language model is tried on, the newest: each costs money
TRIED_MAX = 40
#: blind answers that its scores are fitted to, the newest
CALIBRATED_ON = 2000
#: batches that a lesson looks into
STEPS_MAX = 200
#: decisions that a step must have gained, as a share, before anybody looks again
LOOK_AGAIN = 1.1
#: the same while the work has changed under an agent
LOOK_AGAIN_DRIFTED = 1.02
#: what the record says of a lesson that was asked for and made no version
NOTHING_NEW = "it knows all there is to learn from, or is being taught this moment"
#: `decision.method` -> who decided
SOURCES: dict[str, Source] = {
    "answers": "people",
    "exhausted": "people",
    "expert": "expert",
    "panel": "expert",
}


class Taught(Struct, frozen=True):
    """A version that was learned."""

    agent_id: int
    version_id: int
    role: Begins
    worth: Worth


def newest_step(conn: SyncConn, bench: Bench, agent: AgentAtWork) -> Step | None:
    """The step of an agent as its newest batch with decisions has it, or one that is open."""
    steps = store_teaching.steps(conn, agent, 1) or store.open_steps(
        conn, agent.process_id, agent.step_slug
    )
    return bench.step(conn, steps[0]) if steps else None


def teach_due(
    conn: SyncConn, hands: Hands, bench: Bench, now_ms: Callable[[], int]
) -> list[Taught]:
    """Teach every agent that a lesson would help. `conn` commits by itself."""
    done = []
    owed = store_watch.owed(conn)
    for agent in store.agents(conn):
        # a challenger with another model has its duel first
        if agent.state != "active" or _other_settings(store.open_versions(conn, agent.id)):
            continue
        drifted = owed.get(agent.id)
        count = store_teaching.decided_count(conn, agent)
        looked = store_teaching.looked(conn, agent.id)
        again = LOOK_AGAIN_DRIFTED if drifted else LOOK_AGAIN
        if count < max(1, looked * again) and looked != store_teaching.ASKED:
            continue
        anyway = looked == store_teaching.ASKED
        try:
            taught = teach(conn, hands, bench, agent, now_ms, anyway=anyway, drifted=drifted)
        except Conflict:
            taught = None
        except BROKEN:
            log.exception("agent %d (%s) could not be taught", agent.id, agent.name)
            continue
        finally:
            store_teaching.set_looked(conn, agent.id, count)
        if taught:
            store_watch.paid(conn, agent.id)
            done.append(taught)
        elif anyway:
            store.note(conn, agent.id, "lesson", {"why": NOTHING_NEW}, now_ms())
    return done


def _other_settings(versions: dict[str, VersionAtWork]) -> bool:
    champion, challenger = versions.get("champion"), versions.get("challenger")
    return bool(champion and challenger and champion.settings != challenger.settings)


def teach(
    conn: SyncConn,
    hands: Hands,
    bench: Bench,
    agent: AgentAtWork,
    now_ms: Callable[[], int],
    *,
    anyway: bool = False,
    drifted: Owed | None = None,
) -> Taught | None:
    """A new version from all that may be learned from; None where it would not help (yet), or
    somebody else teaches this agent.

    `anyway`: whatever the rules say of its use; raises `Conflict` where nothing can be learned.
    `drifted`: the work has changed under the agent, and a lesson is owed."""
    if not store.try_lock(conn, agent.id):
        return None
    try:
        found = _material(conn, bench, agent)
        if found is None or not found[1]:
            _nothing(anyway)
            return None
        step, decided, held = found
        answers = len(getattr(step.question, "values", ()) or ()) or 2
        if drifted:
            decided = _since(decided, drifted, answers)
        at_once = drifted is not None and drifted.lesson == "challenge" and len(decided) >= FIRST
        learned = store_teaching.most_learned(conn, agent.id, step.schema_hash())
        if not (anyway or at_once or lesson_due(len(decided), learned, drifted=bool(drifted))):
            return None
        tasks = [one.item.key for one in decided]
        protected = store_teaching.protected(conn, agent.id, tasks)
        made = lesson(
            step,
            decided,
            protected=protected,
            evidence=held.items,
            drawn=[row.drawn_ms for row in held.rows],
            answers=answers,
        )
        return _learned(conn, hands, agent, step, made, held, now_ms)
    finally:
        store.unlock(conn, agent.id)


def _since(decided: list[Decided], drifted: Owed, answers: int) -> list[Decided]:
    """What was decided before the first alarm counts less; for a challenger, not at all."""
    if drifted.lesson == "challenge":
        return [one for one in decided if one.decided_at >= drifted.alarmed_ms]
    chance = 1 / max(answers, 2)
    return [
        one
        if one.decided_at >= drifted.alarmed_ms
        else structs.replace(one, trust=chance + FADED * max(0.0, one.trust - chance))
        for one in decided
    ]


def _nothing(anyway: bool) -> None:
    if anyway:
        raise Conflict(
            "There is nothing to learn from yet.",
            mend="wait until people have decided some items that no evidence rests on",
        )


def _material(
    conn: SyncConn, bench: Bench, agent: AgentAtWork
) -> tuple[Step, list[Decided], HeldOut] | None:
    """The step as its newest batch has it, what was decided at steps that ask the same of the same
    fields, and what is held out of it."""
    steps = store_teaching.steps(conn, agent, STEPS_MAX)
    if not steps:
        return None
    newest = bench.step(conn, steps[0])
    schema = newest.schema_hash()
    same = [one for one in steps if bench.schema(conn, one) == schema]
    decode = msgspec.json.Decoder().decode
    rows = store_teaching.decided(conn, agent.id, same, LESSON_MAX)
    told = [(row.task_id, row.key, row.payload) for row in rows]
    items = items_of(newest, told, [row.client_id for row in rows])
    decided = [
        Decided(item, decode(row.value), row.decided_ms, SOURCES[row.method], row.confidence)
        for item, row in zip(items, rows, strict=True)
    ]
    if agent.type == LLM.name:
        # asking it again about what it was asked costs money, and its scores are fitted to that
        return newest, decided, HeldOut()
    return newest, decided, held_out.held_out(conn, agent, same, newest)


def _learned(
    conn: SyncConn,
    hands: Hands,
    agent: AgentAtWork,
    step: Step,
    made: Lesson,
    held: HeldOut,
    now_ms: Callable[[], int],
) -> Taught | None:
    """Learn the older part, see what it is worth on the newer, then learn that too, and look back
    at what is held out."""
    before = store.open_versions(conn, agent.id).get("champion")
    agent, settings = as_version(agent, before), before.settings if before else None
    terms = store_licences.terms(conn, agent.process_id, agent.step_slug)
    worth = Worth(len(made.train) + len(made.validation), left_out=made.left_out)
    state = hands.learn(agent, step, None, made.train)
    if made.validation and state and terms:
        worth = _worth(hands, agent, step, state, made, terms.error_max)
        state = hands.learn(agent, step, None, [*made.train, *made.validation])
    if agent.type == LLM.name and state:
        state = _calibrated(conn, hands, agent, step, state)
    version = hands.version(agent, step, state or None)
    if store.known(conn, agent.id, version.hash()):
        return None
    said = hands.answer(agent, step, state or None, held.items) if held.items else []
    with conn.transaction():
        versions = store.lock(conn, agent.id)
        role = _role(conn, agent, versions.get("champion"), step, worth)
        parent = before.state if before else None
        name = store.keep_state(conn, state, now_ms(), worth.examples, parent) if state else None
        if role == "champion":
            held = held_out.as_of_now(conn, held)
            why, evidence = "learned more", held_out.judged(step.question, held, said)
            number = replace_champion(
                conn, agent, version, name, why, now_ms, worth, evidence, settings
            )
        else:
            number = begin_challenger(conn, agent, version, name, now_ms, worth, settings)
        held_out.keep(conn, number, held, said, now_ms())
    return Taught(agent.id, number, role, worth)


def _calibrated(
    conn: SyncConn, hands: Hands, agent: AgentAtWork, step: Step, state: bytes
) -> bytes:
    """The state that knows what scores are worth, by blind answers of versions told the same. They
    certify nothing of the version that is made of it: what does is answered after it was fixed."""
    version = hands.version(agent, step, state)
    found = store_llm.judged(conn, agent.id, version.schema, version.prompt, CALIBRATED_ON)
    return hands.calibrate(agent, step, state, found)


def _role(
    conn: SyncConn, agent: AgentAtWork, champion: VersionAtWork | None, step: Step, worth: Worth
) -> Begins:
    if champion is None or champion.schema != step.schema_hash():
        return "champion"
    licence = store_duels.open_licence(conn, agent)
    taught = champion.state is not None or champion.version.get("prompt")
    return begins_as(
        in_force=licence is not None and licence.state == "in_force",
        before=champion.lesson if taught else None,
        now=worth,
    )


def _worth(
    hands: Hands, agent: AgentAtWork, step: Step, state: bytes, made: Lesson, error_max: float
) -> Worth:
    tried = made.validation[-TRIED_MAX:] if agent.type == LLM.name else made.validation
    said = hands.answer(agent, step, state, [example.item for example in tried])
    late = waits(said, 0, 0)
    if late:
        raise late
    agreed = [
        0.0 if one.value is None else step.question.agree(one.value, example.value)
        for one, example in zip(said, tried, strict=True)
    ]
    sure = [one.confidence for one in said]
    return Worth(
        len(made.train) + len(made.validation),
        round(sum(agreed) / len(agreed), 4),
        round(coverage_at(sure, agreed, error_max), 4),
        made.left_out,
    )
