"""Duels: a challenger answers in the champion's shadow until evidence promotes or drops it.

Both answer the same live tasks; those of the champion's blind stream are decided by people who see
neither. Three things promote: the paired test (`duel`); that the challenger's own
evidence proves a licence while the champion decides nothing; or that it proves to decide more. Each
challenger spends a version's share of delta, promoted or not, so that trying many proves nothing.
"""

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Struct, structs

from canut.agents import store
from canut.agents.arena import store as store_duels
from canut.agents.arena.canary import advance
from canut.agents.arena.duel import Pairs, Result, Terms, judge
from canut.agents.arena.store import PairRow
from canut.agents.running.model import AgentAtWork, VersionAtWork
from canut.agents.versions import promote, roll_back
from canut.db.pool import SyncConn
from canut.quality.audits.draws import new_seed
from canut.quality.licences import store_blind
from canut.quality.licences.filing import group, named_as
from canut.quality.licences.licensing import ShadowAnswer, review_licence
from canut.quality.licences.rules import EARNING_PPM
from canut.quality.licences.slices import review
from canut.quality.licences.streams import confirmed
from canut.quality.model import RIGHT_FROM, BlindAnswer, Licence
from canut.questions.base import Question

#: a cheaper challenger may be wrong more often by this share of what the licence allows
MARGIN = 0.25
#: probability of promoting one by the paired test that should not be, at most
DELTA = 0.05
#: pairs after which a challenger that has proved nothing is dropped
PAIRS_MAX = 3000
#: by so much more of the work it must be proved to decide: a rung of a ladder, about
WIDER = 0.02


class Stands(Struct, frozen=True):
    """Where a duel stands."""

    champion: VersionAtWork
    challenger: VersionAtWork
    pairs: Pairs
    result: Result
    #: share of the work that the challenger's own evidence would let it decide; 0: none yet
    coverage: float
    #: the same of the champion, as it is licensed
    champion_coverage: float
    cost_micro: float
    champion_cost_micro: float

    def told(self) -> dict[str, object]:
        """For the record."""
        return {
            "pairs": msgspec.to_builtins(self.pairs),
            "difference": round(self.result.difference, 4),
            "coverage": round(self.coverage, 4),
            "champion_coverage": round(self.champion_coverage, 4),
            "cost_micro": round(self.cost_micro, 1),
            "champion_cost_micro": round(self.champion_cost_micro, 1),
        }


def stands(conn: SyncConn, agent: AgentAtWork, question: Question) -> Stands | None:
    """Where the duel of an agent stands; None where there is none."""
    versions = store.open_versions(conn, agent.id)
    champion, challenger = versions.get("champion"), versions.get("challenger")
    licence = store_duels.open_licence(conn, agent)
    if champion is None or challenger is None or licence is None:
        return None
    rows = store_duels.pairs(conn, agent.id, champion.hash, challenger.id)
    said = shadow(question, rows)
    costs = [store_duels.mean_cost(conn, one.id) for one in (champion, challenger)]
    judged = [
        (row.champion_wrong, one.wrong)
        for row, one in zip(rows, said, strict=True)
        if row.champion_wrong is not None and one.wrong is not None
    ]
    pairs = Pairs(
        len(judged),
        sum(theirs and not ours for ours, theirs in judged),
        sum(ours and not theirs for ours, theirs in judged),
    )
    terms = Terms(MARGIN * licence.error_max, DELTA, PAIRS_MAX)
    result = judge(pairs, terms, cheaper=costs[1] < costs[0])
    ours = licence.finding or {}
    return Stands(
        champion,
        challenger,
        pairs,
        result,
        _coverage(conn, agent, licence, said),
        float(ours.get("coverage", 0.0)) if licence.state == "in_force" else 0.0,
        costs[1],
        costs[0],
    )


def shadow(question: Question, rows: Sequence[PairRow]) -> list[ShadowAnswer]:
    """What a challenger said of blind tasks, and whether it was wrong; None where it is not known
    yet. No answer is a wrong one that it was not sure of."""
    decode = msgspec.json.Decoder().decode
    said = []
    for row in rows:
        value = None if row.value is None else decode(row.value)
        wrong: bool | None = None
        if row.decided is not None:
            agreed = 0.0 if value is None else question.agree(value, decode(row.decided))
            wrong = agreed < RIGHT_FROM
        said.append(
            ShadowAnswer(
                row.task_id,
                value,
                row.confidence,
                wrong,
                group(question, value),
                looked_back=row.looked_back,
                lone=row.lone,
                confirmed=confirmed(question, value, row.first_said),
            )
        )
    return said


def _coverage(
    conn: SyncConn, agent: AgentAtWork, licence: Licence, said: Sequence[ShadowAnswer]
) -> float:
    """Share of the work that this evidence would let it decide, as a version of its own."""
    number = licence.version + 1 + store_duels.tried(conn, agent)
    beginner = structs.replace(
        licence,
        id=0,
        version=number,
        root=0,
        root_version=number,
        state="earning",
        threshold=None,
        rungs=None,
        slices=licence.slices and {**licence.slices, "parts": None},
    )
    names = named_as(conn, licence.slices, [(one.task_id, one.group) for one in said])
    answers = [
        BlindAnswer(
            one.task_id,
            0,
            one.confidence,
            one.wrong,
            name,
            lone=one.lone,
            looked_back=one.looked_back,
            confirmed=one.confirmed,
        )
        for one, name in zip(said, names, strict=True)
    ]
    found = review(beginner, answers, EARNING_PPM)
    granted = found.becomes == "granted" and found.finding is not None
    return found.finding.coverage if granted and found.finding else 0.0


def verdict(found: Stands, *, in_force: bool) -> tuple[str, str]:
    """promote, drop or continue, and why. Nobody takes over from one that decides alone before its
    own evidence would let it decide as much: the work would go back to people meanwhile."""
    if found.result.verdict == "promote":
        if in_force and found.coverage < found.champion_coverage:
            return "continue", f"{found.result.why}; it cannot decide as much yet"
        return "promote", found.result.why
    if not in_force and found.coverage > 0:
        return "promote", "its own evidence proves a licence, which the champion has not"
    if found.coverage >= found.champion_coverage + WIDER:
        return "promote", "proved to decide more"
    return found.result.verdict, found.result.why


def judge_duels(
    conn: SyncConn,
    question_of: Callable[[AgentAtWork], Question | None],
    now_ms: Callable[[], int],
) -> dict[int, str]:
    """Judge every duel and roll back what was revoked; agent -> what was done."""
    done: dict[int, str] = {}
    for agent in store.agents(conn):
        question = question_of(agent)
        if question is None:
            continue
        with conn.transaction():
            store.lock(conn, agent.id)
            did = (
                _rolled_back(conn, agent, now_ms)
                or advance(conn, agent, now_ms)
                or _judged(conn, agent, question, now_ms)
            )
        if did:
            done[agent.id] = did
    return done


def _judged(
    conn: SyncConn, agent: AgentAtWork, question: Question, now_ms: Callable[[], int]
) -> str:
    found = stands(conn, agent, question)
    if found is None:
        return ""
    licence = store_duels.open_licence(conn, agent)
    in_force = licence is not None and licence.state == "in_force"
    what, why = verdict(found, in_force=in_force)
    if what == "promote":
        _promoted(conn, agent, question, found, why, now_ms)
        return "promoted"
    if what == "drop":
        at = now_ms()
        store.end(conn, found.challenger.id, "dropped", why, at)
        told = {"why": why, **found.told()}
        store.note(conn, agent.id, "dropped", told, at, version_id=found.challenger.id)
        return "dropped"
    return ""


def _promoted(
    conn: SyncConn,
    agent: AgentAtWork,
    question: Question,
    found: Stands,
    why: str,
    now_ms: Callable[[], int],
) -> None:
    of = (conn, agent.id, found.champion.hash, found.challenger.id)
    # what is being decided this moment would be settled by nobody
    waiting = [row.task_id for row in store_duels.pairs(*of) if row.decided is None]
    store_blind.wait_for(conn, waiting)
    said = shadow(question, store_duels.pairs(*of))
    new = promote(conn, agent, found.challenger, said, why, now_ms, found.told())
    review_licence(conn, new.id, new_seed(), now_ms() + 1)


def take_over(
    conn: SyncConn, agent: AgentAtWork, question: Question, why: str, now_ms: Callable[[], int]
) -> bool:
    """Promote the challenger without a verdict: it decides alone only what its evidence proves.
    Whether there was one. Call it inside a transaction that holds the agent's versions."""
    found = stands(conn, agent, question)
    if found is None:
        return False
    _promoted(conn, agent, question, found, why, now_ms)
    return True


def _rolled_back(conn: SyncConn, agent: AgentAtWork, now_ms: Callable[[], int]) -> str:
    """Evidence has ended the licence of a champion that was promoted: back to the one before."""
    champion = store.open_versions(conn, agent.id).get("champion")
    if champion is None or champion.against is None:
        return ""
    if not store_duels.revoked_since(conn, agent, champion.hash, champion.fixed_ms):
        return ""
    before = store.version(conn, champion.against)
    if before is None or before.role != "replaced":
        return ""
    roll_back(conn, agent, before, "evidence ended the licence of the one that replaced it", now_ms)
    return "rolled back"
