"""Agents answer: claim in bulk, predict out of the way of everybody, hand in.

Cheapest first: an agent is asked only about what those before it at the step did not decide. What
it cannot answer goes back. A prediction is kept before its answer is handed in, and handed in only
while its version is still the champion; claims of an engine that was killed expire, and any engine
takes them up again, with the predictions that were kept. So nothing is paid or answered twice.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeVar

from msgspec import Struct

from canut.agents import store
from canut.agents.arena import store_watch
from canut.agents.model import Item, Prediction, Step, items_of, step_of
from canut.agents.running import store as store_runner
from canut.agents.running.again import Weighed, weigh_again
from canut.agents.running.checked import checked
from canut.agents.running.exam import admit
from canut.agents.running.fit import champion
from canut.agents.running.model import AgentAtWork, Claimed, Hands, VersionAtWork, as_version
from canut.agents.running.waits import PAUSE_MS, Waits, in_trouble, wait_for, waits
from canut.db.pool import SyncConn
from canut.errors import CanutError
from canut.quality.licences.passed import record_passed
from canut.work.store import read_step_sync

log = logging.getLogger("canut.agents")

#: tasks claimed at once
CHUNK = 2000
#: open tasks that may wait for people behind an agent: were it to run far ahead, it would answer
#: with what it knows now what it will know better soon
AHEAD = 100
#: how often an agent looks again at tasks it has passed by
AGAIN_MS = 60_000
#: items that a beginner is tried on, before it claims any
TRIED = 20
#: tasks of a chunk that the watch over drift looks at
GLIMPSED = 500
#: steps and states kept at hand
KEPT_MAX = 20
#: what an agent that is broken may raise: it stops that agent, not the others
BROKEN = (ArithmeticError, LookupError, TypeError, ValueError, OSError, CanutError)


K = TypeVar("K")
V = TypeVar("V")


class Answered(Struct):
    """What a pass did."""

    #: tasks claimed
    claimed: int = 0
    #: answers handed in
    answers: int = 0
    #: agent -> why it could not work
    trouble: dict[int, str] = {}


class Bench:
    """What a runner keeps at hand between passes. Nothing here is remembered by it alone."""

    def __init__(self) -> None:
        self._steps: OrderedDict[int, Step] = OrderedDict()
        self._schemas: dict[int, str] = {}
        self._states: OrderedDict[str, bytes] = OrderedDict()
        #: what has been weighed again
        self.weighed: Weighed = {}
        #: versions that have something to say
        self.able: set[int] = set()

    def step(self, conn: SyncConn, batch_step_id: int) -> Step:
        """The step as agents may see it."""
        if batch_step_id not in self._steps:
            loaded = read_step_sync(conn, batch_step_id)
            if loaded is None:
                raise LookupError(f"batch_step {batch_step_id} is gone")
            _put(self._steps, batch_step_id, step_of(loaded.definition, loaded.item))
        return self._steps[batch_step_id]

    def schema(self, conn: SyncConn, batch_step_id: int) -> str:
        """`Step.schema_hash` of a step; steps of batches are many, so it is told once."""
        if batch_step_id not in self._schemas:
            self._schemas[batch_step_id] = self.step(conn, batch_step_id).schema_hash()
        return self._schemas[batch_step_id]

    def state(self, conn: SyncConn, version: VersionAtWork) -> bytes | None:
        """What a version has learned."""
        if version.state is None:
            return None
        if version.state not in self._states:
            _put(self._states, version.state, store.state(conn, version.state))
        return self._states[version.state]


def _put(kept: OrderedDict[K, V], key: K, value: V) -> None:
    kept[key] = value
    if len(kept) > KEPT_MAX:
        kept.popitem(last=False)


def answer_once(
    conn: SyncConn,
    hands: Hands,
    bench: Bench,
    now_ms: Callable[[], int],
    *,
    chunk: int = CHUNK,
    ahead: int = AHEAD,
) -> Answered:
    """Let every agent that is ready answer up to `chunk` tasks of each open step. `conn` commits by
    itself."""
    done = Answered()
    before: dict[tuple[int, str], AgentAtWork] = {}
    for agent in store.ready(conn, now_ms()):
        place = (agent.process_id, agent.step_slug)
        first = before.get(place)
        work = _Work(conn, hands, bench, now_ms, agent, first.id if first else None)
        try:
            worked = work.everywhere(chunk, ahead, done)
        except Waits as wait:
            wait_for(conn, agent, wait, now_ms())
            continue
        except BROKEN as error:
            # what is told in words needs no traceback
            ours = isinstance(error, CanutError)
            log.error(
                "agent %d (%s) cannot work: %s", agent.id, agent.name, error, exc_info=not ours
            )
            done.trouble[agent.id] = str(error)
            in_trouble(conn, agent, str(error), now_ms())
            continue
        if worked:
            before[place] = agent
        if agent.trouble:
            store.trouble(conn, agent.id, "", 0)
    return done


class _Work(Struct):
    """One agent in one pass."""

    conn: SyncConn
    hands: Hands
    bench: Bench
    now_ms: Callable[[], int]
    agent: AgentAtWork
    #: the agent asked before it
    after: int | None

    def everywhere(self, chunk: int, ahead: int, done: Answered) -> bool:
        """Answer at each open step; whether it could have."""
        able = False
        steps = store.open_steps(self.conn, self.agent.process_id, self.agent.step_slug)
        for batch_step_id in steps:
            step = self.bench.step(self.conn, batch_step_id)
            newest = batch_step_id == max(steps)
            fit = champion(
                *(self.conn, self.hands, self.agent, step, self._state, self.now_ms), newest=newest
            )
            # learned for another question or other fields: it learns anew before it answers here
            if fit is None or fit.schema != self.bench.schema(self.conn, batch_step_id):
                continue
            if not self._able(fit, step, batch_step_id):
                continue
            if step.definition.licence:
                admit(self.conn, self.hands, self.agent, fit, self._state(fit), self.now_ms)
            able = True
            self._at(batch_step_id, step, fit, chunk, ahead, done)
        return able

    def _state(self, version: VersionAtWork) -> bytes | None:
        return self.bench.state(self.conn, version)

    def _able(self, version: VersionAtWork, step: Step, batch_step_id: int) -> bool:
        """Whether it has anything to say: tasks that a beginner gave back would never come to it
        again when it has learned."""
        if version.id in self.bench.able:
            return True
        # who needs to learn nothing has something to say, and asking it may cost money
        if version.state is None and not version.version.get("prompt"):
            tried = store_runner.sample(self.conn, batch_step_id, TRIED)
            said = self._predict(version, step, tried)
            if not any(prediction.value is not None for prediction in said):
                return False
        self.bench.able.add(version.id)
        return True

    def _at(
        self,
        batch_step_id: int,
        step: Step,
        champion: VersionAtWork,
        chunk: int,
        ahead: int,
        done: Answered,
    ) -> None:
        weigh_again(self.conn, self.bench.weighed, self.agent, batch_step_id, self.now_ms())
        claimed = store_runner.claim(
            self.conn,
            self.agent.id,
            batch_step_id,
            chunk,
            ahead=ahead,
            after=self.after,
            again_ms=AGAIN_MS,
            now_ms=self.now_ms(),
        )
        if not claimed:
            return
        done.claimed += len(claimed)
        try:
            predictions = self._predictions(champion, step, batch_step_id, claimed)
            shadow = self._shadow(step, batch_step_id, claimed)
        except BROKEN:
            tasks = [task.task_id for task in claimed]
            store_runner.release(self.conn, self.agent.id, batch_step_id, tasks, self.now_ms())
            raise
        done.answers += self._hand_in(champion, batch_step_id, predictions, shadow)
        late = waits(predictions, self.now_ms(), PAUSE_MS)
        if late:
            raise late

    def _predictions(
        self, version: VersionAtWork, step: Step, batch_step_id: int, claimed: Sequence[Claimed]
    ) -> list[Prediction]:
        """What a version says of these tasks, kept; asked only about what it never was."""
        tasks = [task.task_id for task in claimed]
        known = store_runner.kept(self.conn, version.id, version.hash, tasks)
        new = [task for task in claimed if task.task_id not in known]
        if new:
            said = self._predict(version, step, new)
            final = [prediction for prediction in said if not prediction.later]
            with self.conn.transaction():
                store_runner.keep(self.conn, version.id, batch_step_id, final, self.now_ms())
                if version.role == "champion" and final:
                    some = [one.key for one in final[:: -(-len(final) // GLIMPSED)]]
                    store_watch.glimpse(self.conn, self.agent.id, version.id, len(final), some)
            known |= {prediction.key: prediction for prediction in said}
        return [known[task] for task in tasks]

    def _predict(
        self, version: VersionAtWork, step: Step, tasks: Sequence[Claimed]
    ) -> list[Prediction]:
        items = self._items(step, tasks)
        agent = as_version(self.agent, version)
        return checked(step, items, self.hands.answer(agent, step, self._state(version), items))

    def _items(self, step: Step, tasks: Sequence[Claimed]) -> list[Item]:
        rows = [(task.task_id, task.key, task.payload) for task in tasks]
        return items_of(step, rows, [task.client_id for task in tasks])

    def _shadow(
        self, step: Step, batch_step_id: int, claimed: Sequence[Claimed]
    ) -> list[Prediction]:
        """The challenger says what it would answer; that is kept, and not handed in."""
        challenger = store.open_versions(self.conn, self.agent.id).get("challenger")
        if challenger is None or challenger.schema != self.bench.schema(self.conn, batch_step_id):
            return []
        try:
            return self._predictions(challenger, step, batch_step_id, claimed)
        except BROKEN as error:
            log.warning("challenger %d cannot answer: %s", challenger.id, error)
            detail = {"why": str(error)}
            store.note(
                self.conn, self.agent.id, "trouble", detail, self.now_ms(), version_id=challenger.id
            )
            return []

    def _hand_in(
        self,
        champion: VersionAtWork,
        batch_step_id: int,
        predictions: Sequence[Prediction],
        shadow: Sequence[Prediction],
    ) -> int:
        """Answers go in, the rest goes back; how many were taken. What its challenger would have
        answered of the rest is judged where it falls into the champion's stream."""
        conn, agent = self.conn, self.agent.id
        with conn.transaction():
            # a version that was replaced meanwhile answers under no licence
            stands = store.hold_champion(conn, agent) == champion.id
            given = [p for p in predictions if p.value is not None] if stands else []
            late = [p.key for p in predictions if p.later]
            passed = {p.key for p in predictions} - {p.key for p in given} - set(late)
            at = self.now_ms()
            if late:
                store_runner.release(conn, agent, batch_step_id, late, at)
            said = store_runner.submit(conn, agent, batch_step_id, given, at) if given else {}
            if passed:
                others = {p.key for p in shadow if p.value is not None}
                record_passed(conn, self.agent.licence_place, sorted(passed & others))
                store_runner.give_back(conn, agent, batch_step_id, sorted(passed), at)
        return sum(outcome == "accepted" for outcome in said.values())
