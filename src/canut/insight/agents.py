"""Agents as people read them: by step, one by one, and what they did of a client's batch."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from canut.agents import store
from canut.agents.arena.duels import Stands, stands
from canut.agents.arena.order import PERSON_MICRO
from canut.agents.running.model import AgentAtWork, VersionAtWork
from canut.agents.running.runner import Bench
from canut.agents.running.verbs import find
from canut.agents.standing import Cost, Standing, Turn, cascade_order, standing
from canut.agents.teaching.teaching import newest_step
from canut.db.pool import SyncConn
from canut.insight import licence_cards, store_agents
from canut.insight.licence_cards import Card
from canut.insight.store_agents import Lately
from canut.pay.tariffs.per_answer import AnswerCost, answer_cost
from canut.quality.figures import Locale
from canut.quality.licences import slice_words, words
from canut.quality.licences import store as store_licences
from canut.quality.licences.slice_words import SliceRow
from canut.quality.licences.store_acts import StepTitle, titles
from canut.quality.model import Licence

#: versions on a page, the newest
VERSIONS = 20
#: currency of the cost that is assumed where people are not paid for their answers
CURRENCY = "EUR"


class Shared(Struct, frozen=True):
    """Who decided the newest work at a step, and what people gave for it."""

    #: decisions in the batches looked at
    decided: int
    #: share of them that an agent took alone
    alone: float
    #: answers of people to an item that agents did not decide, and to one that they did
    instead: float
    beside: float
    #: answers of people to an item, over all
    each: float
    #: how likely what people decided is right, by its confidence; 0: they decided nothing
    right: float
    #: what an answer of a person costs; None: nobody knows, and `PERSON_MICRO` is assumed
    priced: AnswerCost | None = None

    @property
    def person(self) -> AnswerCost:
        """What an answer of a person costs, or is assumed to."""
        return self.priced or AnswerCost(PERSON_MICRO, CURRENCY)

    @property
    def right_micro(self) -> float | None:
        """What a right decision by people costs, in micro-units of the currency of `person`."""
        return self.person.micro * self.instead / self.right if self.right else None


class StepAgents(Struct, frozen=True):
    """The agents of a step, in the order in which they are asked."""

    title: StepTitle
    #: None: nothing is decided yet
    shared: Shared | None
    standings: list[Standing]

    @property
    def alarms(self) -> int:
        """Agents that somebody should look at."""
        return sum(bool(worries(one)) for one in self.standings)


class AgentView(Struct, frozen=True):
    """Everything about one agent."""

    standing: Standing
    title: StepTitle
    shared: Shared | None
    #: the open licence with what was done about it; None: it earns none
    card: Card | None
    slices: list[SliceRow]
    duel: Stands | None
    versions: list[VersionAtWork]
    turns: list[Turn]
    lesson_asked: bool

    @property
    def cost(self) -> Cost | None:
        """Of the champion, in the currency it is asked most in."""
        return main_cost(self.standing)


class OnBatch(Struct, frozen=True):
    """What an agent did of one batch at a step."""

    agent: AgentAtWork
    licence: Licence | None
    #: whether the agent works for this client alone: then its licence can be told part by part
    own: bool
    #: share of what is decided that it took alone
    alone: float
    #: answers in this batch, of those that it may decide alone, that people judged blind, and how
    #: many of them were wrong
    answers: int
    wrong: int

    def words(self, locale: Locale) -> list[str]:
        """The licence for its client. Parts of the work that is shared bear names from the items of
        others, so these are told together."""
        if self.licence is None:
            return []
        said = words.sentences(self.licence, self.agent.name, locale)
        return said if self.own or self.licence.slices is None else said[:2]


class StepOfBatch(Struct, frozen=True):
    """A step of a batch with its agents."""

    title: StepTitle
    #: share of what is decided that agents took alone
    alone: float
    decided: int
    agents: list[OnBatch]


def worries(one: Standing) -> list[str]:
    """What to look at: "trouble", "drift", "ending", "revoked"; none: all is well."""
    found = []
    if one.agent.trouble:
        found.append("trouble")
    if one.drift and one.drift.step != "steady":
        found.append("drift")
    if one.ending and one.ending.state != "later" and one.ending.did not in ("follows",):
        found.append("ending")
    return found


def main_cost(one: Standing) -> Cost | None:
    """Of the champion, in the currency it is asked most in."""
    return max(one.costs, key=lambda cost: cost.predictions, default=None)


def overview(conn: SyncConn, now_ms: int) -> list[StepAgents]:
    """Every step with agents, those that somebody should look at first."""
    steps: dict[tuple[int, str], list[AgentAtWork]] = defaultdict(list)
    for agent in store.agents(conn):
        steps[agent.process_id, agent.step_slug].append(agent)
    named = titles(conn, list(steps))
    shares = _shares(conn, store_agents.lately(conn), now_ms)
    found = [
        StepAgents(named[place], shares.get(place), [standing(conn, one) for one in agents])
        for place, agents in steps.items()
    ]
    return sorted(found, key=lambda one: (-one.alarms, one.title.process_slug, one.title.step_slug))


def view(conn: SyncConn, agent_id: int, now_ms: int) -> AgentView:
    """One agent. Raises `NotFound`."""
    agent = find(conn, agent_id)
    found = standing(conn, agent)
    place = agent.process_id, agent.step_slug
    step = newest_step(conn, Bench(), agent)
    licence = found.licence
    return AgentView(
        standing=found,
        title=titles(conn, [place])[place],
        shared=_shares(conn, store_agents.lately(conn, place), now_ms).get(place),
        card=licence_cards.cards(conn, [licence])[0] if licence else None,
        slices=slice_words.rows(licence) if licence else [],
        duel=stands(conn, agent, step.question) if step else None,
        versions=store.versions(conn, agent_id, VERSIONS),
        turns=cascade_order(conn, *place),
        lesson_asked=store_agents.lesson_asked(conn, agent_id),
    )


def places(conn: SyncConn) -> list[StepTitle]:
    """Where an agent could be put to work."""
    return list(titles(conn, store_agents.places(conn)).values())


def of_batch(conn: SyncConn, batch_id: int) -> list[StepOfBatch]:
    """The agents that work on a batch. The caller has asked whether it may be seen."""
    steps = store_agents.steps_of(conn, batch_id)
    named = titles(conn, [(process, slug) for process, slug, _ in steps])
    agents = {(process, slug): store.at_step(conn, process, slug) for process, slug, _ in steps}
    ids = [one.id for found in agents.values() for one in found]
    done, blind = store_agents.alone(conn, batch_id, ids), store_agents.blind(conn, batch_id, ids)
    found = []
    for process, slug, client in steps:
        at = process, slug
        parts = {part.agent_id: part for part in done if part.step_slug == slug}
        whole = parts.get(None)
        seen = whole.seen if whole else 1
        judged = {one.agent_id: one for one in blind if one.step_slug == slug}
        held = store_licences.open_of_agents(conn, *at, [one.id for one in agents[at]])
        licences = {one.contributor_id: one for one in held}
        told = [
            OnBatch(
                agent,
                licences.get(agent.id),
                client is not None,
                parts[agent.id].alone / seen if agent.id in parts else 0.0,
                judged[agent.id].answers if agent.id in judged else 0,
                judged[agent.id].wrong if agent.id in judged else 0,
            )
            for agent in agents[at]
        ]
        alone, decided = (whole.alone / seen, whole.n_decided) if whole else (0.0, 0)
        found.append(StepOfBatch(named[at], alone, decided, told))
    return found


def _shares(conn: SyncConn, rows: Sequence[Lately], now_ms: int) -> dict[tuple[int, str], Shared]:
    """By step; a batch counts by what was decided in it."""
    steps: dict[tuple[int, str], list[Lately]] = defaultdict(list)
    for row in rows:
        steps[row.process_id, row.step_slug].append(row)
    return {
        place: _shared(found, answer_cost(conn, *place, now_ms)) for place, found in steps.items()
    }


def _shared(rows: Sequence[Lately], priced: AnswerCost | None) -> Shared:
    def total(of: str) -> float:
        return float(sum(getattr(row, of) * row.n_decided / row.seen for row in rows))

    decided = sum(row.n_decided for row in rows)
    alone, beside, instead = (total(name) for name in ("alone", "beside", "instead"))
    people = decided - alone
    return Shared(
        decided=decided,
        alone=alone / decided,
        instead=instead / people if people else 0.0,
        beside=beside / alone if alone else 0.0,
        each=(beside + instead) / decided,
        right=total("belief") / people if people else 0.0,
        priced=priced,
    )
