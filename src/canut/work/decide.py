"""Deciding: from fresh answers to decisions, in vectorised batches per step.

What to believe is `Question.aggregate`'s (and through it `canut.truth`'s) to say; here is only
what follows from it: decide, ask one more, or escalate to an expert.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.errors import CanutError
from canut.quality.audits.draws import judge_audits
from canut.quality.beliefs.held import learn, standing
from canut.quality.beliefs.model import StepPlace
from canut.quality.beliefs.voices import weights
from canut.quality.gold.judging import judge_gold
from canut.quality.licences.streams import settle_blind
from canut.quality.store import add_track
from canut.questions.base import Answers
from canut.questions.voices import voiced
from canut.truth.categorical import backed_off
from canut.truth.votes import Votes
from canut.work import store, store_decide
from canut.work.blind import AnswerRow, Blind, enter_streams
from canut.work.judge import Judged, judge, spent
from canut.work.model import LoadedStep
from canut.work.store_decide import FreshTask, NewDecision, StepRules
from canut.work.tasks import Steps
from canut.work.weighed import (
    Settled,
    Weighed,
    agreement_with_decision,
    evidence_of,
    hear_experts,
    seconded,
    settled_by_expert,
    settled_by_licence,
    truth_of,
)


class Pass(Struct):
    """What one pass of the engine did."""

    answers: int = 0
    decided: int = 0
    escalated: int = 0
    #: batches that are complete: id, client_id, key, name, n_items
    delivered: list[dict[str, Any]] = []
    #: steps that could not be decided, with the error; their answers are back in the inbox
    failed: dict[int, str] = {}


def decide_fresh(conn: SyncConn, steps: Steps, now_ms: int, limit: int) -> Pass:
    """Weigh up to `limit` fresh answers and act on what they say. Call inside a transaction."""
    fresh = store_decide.take_fresh(conn, now_ms, limit)
    done = Pass(answers=sum(task.n_fresh for task in fresh))
    by_step: dict[int, list[FreshTask]] = {}
    for task in fresh:
        by_step.setdefault(task.batch_step_id, []).append(task)
    rules = store_decide.rules(conn, list(by_step))
    # in the order of ids, as all who lock rows of batch_step
    for batch_step_id in sorted(by_step):
        tasks = by_step[batch_step_id]
        try:
            with conn.transaction():
                step = _step(conn, steps, batch_step_id)
                _decide_step(conn, step, rules[batch_step_id], tasks, now_ms, done)
        except (ArithmeticError, LookupError, TypeError, ValueError, CanutError) as error:
            # a question type that fails stops its own step, not the others; its answers wait
            store_decide.put_back(conn, tasks, now_ms)
            done.failed[batch_step_id] = repr(error)
    if done.decided:
        batches = sorted({rule.batch_id for rule in rules.values()})
        done.delivered = store_decide.deliver(conn, batches, now_ms)
    return done


def _decide_step(
    conn: SyncConn,
    step: LoadedStep,
    rules: StepRules,
    tasks: list[FreshTask],
    now_ms: int,
    done: Pass,
) -> None:
    judged = Judged()
    golds = [task.task_id for task in tasks if task.kind == "gold"]
    if golds:
        judge_gold(conn, step.question, step.process_id, step.definition.slug, golds)
    audits = [task.task_id for task in tasks if task.kind == "audit"]
    if audits:
        judge_audits(conn, step.question, audits, now_ms)
    tasks = [task for task in tasks if task.kind == "work"]
    undecided = [task for task in tasks if not task.decided]
    if undecided:
        rows = store_decide.answers(conn, [task.task_id for task in undecided])
        blind = enter_streams(conn, step, rules, rows)
        weighed = _with_experts(conn, weigh(conn, step, undecided, rows, blind), rules)
        settled = settled_by_licence(weighed, blind.licences, blind.slices)
        settled |= settled_by_expert(weighed)
        agreement = agreement_with_decision(step.question, weighed, settled)
        judged = judge(weighed, rules, settled, evidence_of(weighed, agreement))
        if judged.decisions:
            store_decide.decide(conn, step.batch_step_id, judged.decisions, now_ms)
            _learn(conn, weighed, agreement, settled, judged.decisions)
            decided = {decision.task_id: decision.value for decision in judged.decisions}
            settle_blind(conn, step.question, decided, now_ms)
            _go_on(conn, rules, judged.decisions)
        _ask(conn, judged)
    n_fresh = sum(task.n_fresh for task in tasks)
    n_escalated = len(judged.escalate)
    store_decide.count(conn, step.batch_step_id, n_fresh, judged.decisions, n_escalated)
    done.decided += len(judged.decisions)
    done.escalated += n_escalated


def _ask(conn: SyncConn, judged: Judged) -> None:
    """One more answer for each task that needs it."""
    tasks = judged.ask + judged.escalate
    if tasks:
        expert = [False] * len(judged.ask) + [True] * len(judged.escalate)
        doubtful = judged.doubtful + [False] * len(judged.escalate)
        store_decide.ask(conn, tasks, expert, doubtful)


def weigh(
    conn: SyncConn,
    step: LoadedStep,
    tasks: list[FreshTask],
    rows: Sequence[AnswerRow],
    blind: Blind | None = None,
) -> Weighed:
    """Let the question type say what the answers to these tasks mean: `rows`, all there are. Those
    that `blind` calls silent have no voice."""
    blind = blind or Blind()
    silent = blind.silent
    task_index = {task.task_id: i for i, task in enumerate(tasks)}
    unheard = [task_index[row[0]] for row in rows if row[:2] in silent]
    rows = [row for row in rows if row[:2] not in silent]
    contributors = sorted({row[1] for row in rows})
    contributor_index = {contributor: i for i, contributor in enumerate(contributors)}
    decode = msgspec.json.Decoder().decode
    place = StepPlace(step.process_id, step.definition.slug)
    known = standing(conn, place, step.question, contributors)
    of_task = np.fromiter((task_index[row[0]] for row in rows), np.int32, len(rows))
    who = np.fromiter((contributor_index[row[1]] for row in rows), np.int32, len(rows))
    answers = Answers(
        task=of_task,
        contributor=who,
        value=[decode(row[2]) for row in rows],
        n_tasks=len(tasks),
        weight=weights(known.family, known.alike, of_task, who, len(tasks)),
    )
    track = known.track
    beliefs = step.question.aggregate(*voiced(step.question, answers, track))
    record = backed_off(track.right, track.judged)
    return Weighed(
        tasks=tasks,
        contributors=contributors,
        answers=answers,
        expert=[row[3] for row in rows],
        stated=[None if row[:2] in blind.former else row[4] for row in rows],
        beliefs=beliefs,
        standing=known,
        skill=record if beliefs.said is None else beliefs.said.skill,
        silent=np.bincount(np.array(unheard, np.int64), minlength=len(tasks)),
        agents=blind.agents,
        judged=blind.judged,
        seconded=seconded(step.question, answers, tasks, blind.lone),
        lone=frozenset(blind.lone),
    )


def _with_experts(conn: SyncConn, weighed: Weighed, rules: StepRules) -> Weighed:
    """The same, with the answers that experts gave before anybody thought of escalating."""
    tasks = spent(weighed, rules)
    if not tasks or rules.expert_skill is None:
        return weighed
    experts = store_decide.holders(conn, weighed.contributors, rules.expert_skill)
    heard = hear_experts(weighed, tasks, experts)
    return msgspec.structs.replace(weighed, expert=heard)


def _learn(
    conn: SyncConn,
    weighed: Weighed,
    agreement: list[float],
    settled: Settled,
    decisions: list[NewDecision],
) -> None:
    """Add to the contributors' record, and to who confuses what. A lone answer always agrees with
    itself and teaches nothing, nor does the word of one who decided alone. Nor do tasks that one
    may settle who agrees with an agent: what gets there is what people differ about."""
    teaching = {d.task_id for d in decisions if d.n_answers > 1} - weighed.lone
    decided = np.array([task.task_id in teaching for task in weighed.tasks])
    counts = decided[weighed.answers.task] & ~np.array(weighed.expert, bool)
    counts[[row for settlement in settled.values() for row in settlement.rows]] = False
    who = weighed.answers.contributor[counts]
    n = len(weighed.contributors)
    judged = np.bincount(who, minlength=n)
    right = np.bincount(who, np.asarray(agreement)[counts], minlength=n)
    seen = np.flatnonzero(judged).tolist()
    place = weighed.standing.place
    if seen:
        add_track(
            conn,
            place.process_id,
            place.step_slug,
            [weighed.contributors[j] for j in seen],
            right[seen].tolist(),
            judged[seen].astype(float).tolist(),
        )
    truth = truth_of(weighed, settled)
    if truth is not None:
        learn(conn, weighed.standing, weighed.contributors, _votes(weighed), truth, counts)


def _votes(weighed: Weighed) -> Votes:
    """The answers, as places in the list of options."""
    answers, index = weighed.answers, weighed.standing.index
    label = np.fromiter(map(index.__getitem__, answers.value), np.int32, len(answers.value))
    n_contributors = len(weighed.contributors)
    return Votes(
        answers.task, answers.contributor, label, answers.n_tasks, n_contributors, len(index)
    )


def _go_on(conn: SyncConn, rules: StepRules, decisions: list[NewDecision]) -> None:
    """Tasks of the next step for what was decided at this one."""
    if rules.next_step_id is None or rules.next_min_answers is None:
        return
    items = [decision.item_id for decision in decisions]
    new = store_decide.go_on(conn, rules.next_step_id, rules.next_min_answers, items)
    store_decide.count_tasks(conn, rules.next_step_id, new)


def _step(conn: SyncConn, steps: Steps, batch_step_id: int) -> LoadedStep:
    step = steps.kept(batch_step_id)
    if step is None:
        step = store.read_step_sync(conn, batch_step_id)
        if step is None:
            raise LookupError(f"batch_step {batch_step_id} is gone")
        steps.keep(step)
    return step
