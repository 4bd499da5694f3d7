"""Agents' answers that people judge: who has no voice where, and who may decide alone.

A task in the stream of an agent's licence is decided by people. No agent has a voice in it: neither
the one that is judged, nor others that may err as it does. But of most such tasks one person is
enough who has said the same.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from canut.db.pool import SyncConn
from canut.quality.licences import filing, store_blind
from canut.quality.licences import store as store_licences
from canut.quality.licences.streams import lone, shadowed
from canut.quality.model import Licence
from canut.work import store_decide
from canut.work.model import LoadedStep
from canut.work.store_decide import StepRules

#: (task, contributor, value as JSON, expert, stated confidence, submitted_ms)
AnswerRow = tuple[int, int, str, bool, float | None, int]


class Blind(Struct, frozen=True):
    """What is blind among the answers at hand."""

    #: open licences of the agents who answered
    licences: list[Licence] = []
    #: (task, contributor) of answers without a voice
    silent: set[tuple[int, int]] = set()
    #: those who answered and are agents
    agents: frozenset[int] = frozenset()
    #: (task, contributor) of answers that an agent gave before what its licence is about: they are
    #: another version's, and nothing that it says of itself counts
    former: set[tuple[int, int]] = set()
    #: tasks that are judged blind, whoever has answered them
    judged: frozenset[int] = frozenset()
    #: of these, the tasks that one person settles who agrees with what is judged
    lone: dict[int, list[Any]] = {}
    #: what answers say of their slices, where their agent's licence is parted
    slices: filing.Names = {}


def enter_streams(
    conn: SyncConn, step: LoadedStep, rules: StepRules, rows: Sequence[AnswerRow]
) -> Blind:
    """Keep the answers that fall into the stream of their agent's licence, in the order in which
    they were given, and say who has no voice. `rows` are the answers to undecided tasks."""
    agents = store_decide.agents(conn, sorted({row[1] for row in rows}))
    tasks = sorted({row[0] for row in rows})
    if not agents:
        # an agent may have passed them on, and its challenger be judged by them
        return Blind(judged=frozenset(task for task, _ in store_blind.shadowed(conn, tasks)))
    place = step.process_id, step.definition.slug
    licences = store_licences.open_of_agents(conn, *place, sorted(agents))
    decode = msgspec.json.Decoder().decode
    parted = {one.contributor_id for one in licences if one.slices}
    said = [(*row[:2], decode(row[2])) for row in rows if row[1] in parted]
    slices = filing.names(conn, step.question, licences, said) if said else {}
    entering: list[tuple[int, int, Any, float]] = []
    filed: list[str] = []
    alone: list[bool] = []
    former: set[tuple[int, int]] = set()
    for licence in licences:
        since = licence.root_started_ms
        former |= {row[:2] for row in rows if row[1] == licence.contributor_id and row[5] < since}
        own = [row for row in rows if row[1] == licence.contributor_id and row[5] >= since]
        theirs = [row[0] for row in own]
        chosen = shadowed(licence, theirs)
        if not chosen.any():
            continue
        known = store_blind.judged_by_two(conn, licence.root)
        enough = rules.max_answers > 1 and known.one_is_enough(1 - rules.target)
        ones = (lone(licence, theirs) & enough).tolist()
        for (task, _, value, _, stated, _), inside, one in zip(own, chosen, ones, strict=True):
            if inside:
                # one that does not say how sure it is, is not sure
                entering.append((licence.id, task, decode(value), stated or 0.0))
                filed.append(slices.get((task, licence.contributor_id), ""))
                alone.append(one)
    if entering:
        store_blind.record(conn, entering, filed, alone)
    blind = frozenset(task for task, _ in store_blind.shadowed(conn, tasks))
    ones_enough = {
        task: [decode(value) for value in values]
        for task, values in (store_blind.lone(conn, sorted(blind)) if blind else {}).items()
    }
    silent = {row[:2] for row in rows if row[0] in blind and row[1] in agents}
    return Blind(licences, silent, frozenset(agents), former, blind, ones_enough, slices)
