"""Agents at work, for operators: what each may decide and why, and what is done about them."""

from collections.abc import Callable
from typing import Any

from litestar import get, post

from canut.agents.arena import words
from canut.agents.arena.duels import Stands
from canut.agents.running import verbs
from canut.agents.standing import DriftState, Standing
from canut.db.pool import SyncConn
from canut.insight import agent_events, agents
from canut.insight.agents import AgentView, worries
from canut.people.model import Principal
from canut.quality.licences.store_acts import StepTitle
from canut.sdk import values as v
from canut.truth.designs import PPM
from canut.web.api.common import PREFIX, in_thread, now_ms, number
from canut.web.api.describe import Operation, described
from canut.web.api.licence_values import LANGUAGES, licence
from canut.web.api.licences import LICENCE, WHEN_MS
from canut.web.api.reading import Reader
from canut.web.api.replying import Json, reply
from canut.web.auth import WebRequest, principal

END = Reader(v.EndAgent)
AGENT = v.AgentAtWork(
    id=14,
    name="Loom",
    type="learner",
    process_id=4,
    process="catalogue/categorise",
    step="category",
    title={"en": "Categorise products", "fr": "Classer des produits"},
    step_title={"en": "Category", "fr": "Catégorie"},
    state="active",
    licence="in_force",
    decides=0.82,
    costs=[v.AgentCost("EUR", 7428, 0, 0.0, 19.0)],
    attention=[],
    turn={"en": "asked as number 1: it can decide 82% of the tasks measured"},
)
DETAIL = v.AgentDetail(
    agent=AGENT,
    licence=LICENCE,
    curve=[v.CurvePoint(0.93, 0.5, 0.996, 574)],
    lessons=[v.AgentLesson(10, "ea75b797", "champion", WHEN_MS, 1219, 0.927, {"late copies": 26})],
    happenings=[v.AgentHappening("promoted", WHEN_MS, {"en": ["The challenger took over"]})],
    people_micro=161_000.0,
    people_currency="EUR",
)


def _operation(name: str, summary: str, description: str, **more: Any) -> Operation:
    given: dict[str, Any] = {"reply": v.AgentAtWork, "reply_example": AGENT, "refuses": (404,)}
    return Operation(
        name=name, summary=summary, description=description, tag="people", scopes=("operate",),
        **(given | more),
    )  # fmt: skip


LIST_OP = _operation(
    "list_agents",
    "List the agents at work",
    "By step, in the order in which they are asked.",
    reply=v.AgentsAtWork,
    reply_example=v.AgentsAtWork([AGENT]),
    refuses=(),
)
GET_OP = _operation(
    "read_agent",
    "Read everything about an agent",
    "Its licence with evidence, accuracy over coverage on blind answers, what a right answer costs "
    "beside people's, its duel, whether its work changes, what it was taught, what happened.",
    reply=v.AgentDetail,
    reply_example=DETAIL,
)
PAUSE_OP = _operation("pause_agent", "Pause an agent", "No work for it; what it decided stands.")
RESUME_OP = _operation(
    "resume_agent",
    "Let an agent work again",
    "Where its work had been ended, it earns a licence anew.",
)
TEACH_OP = _operation(
    "teach_agent",
    "Have an agent taught",
    "The engine teaches it within seconds, whatever the rules say of the use of that; 409 while it "
    "is paused.",
    refuses=(404, 409),
)
END_OP = _operation(
    "end_agent",
    "End an agent's work",
    "It is paused, and the licence that it holds or earns ends.",
    body=v.EndAgent,
    body_example=v.EndAgent("Another one does it."),
    refuses=(400, 404, 415, 422),
)


@get(f"{PREFIX}/agents", opt=described(LIST_OP))
async def list_agents(request: WebRequest) -> Json:
    """All agents at work."""

    def read(conn: SyncConn) -> v.AgentsAtWork:
        steps = agents.overview(conn, now_ms())
        return v.AgentsAtWork([_brief(one, s.title) for s in steps for one in s.standings])

    return reply(await in_thread(request, read))


@get(f"{PREFIX}/agents/{{id:str}}", opt=described(GET_OP))
async def read_agent(request: WebRequest) -> Json:
    """One."""
    id = number(request)
    return reply(await in_thread(request, lambda conn: _detail(agents.view(conn, id, now_ms()))))


@post(f"{PREFIX}/agents/{{id:str}}/pause", opt=described(PAUSE_OP), status_code=200)
async def pause(request: WebRequest) -> Json:
    """No work for it."""
    return await _act(request, verbs.pause)


@post(f"{PREFIX}/agents/{{id:str}}/resume", opt=described(RESUME_OP), status_code=200)
async def resume(request: WebRequest) -> Json:
    """Work again."""
    return await _act(request, verbs.resume)


@post(f"{PREFIX}/agents/{{id:str}}/teach", opt=described(TEACH_OP), status_code=200)
async def teach(request: WebRequest) -> Json:
    """A lesson, soon."""
    return await _act(request, verbs.ask_lesson)


@post(f"{PREFIX}/agents/{{id:str}}/end", opt=described(END_OP), status_code=200)
async def end(request: WebRequest) -> Json:
    """The end of its work."""
    reason = (await END.read(request)).reason
    return await _act(request, lambda conn, by, id: verbs.end_work(conn, by, id, reason, now_ms()))


async def _act(request: WebRequest, verb: Callable[[SyncConn, Principal, int], None]) -> Json:
    by, id = principal(request), number(request)

    def act(conn: SyncConn) -> v.AgentAtWork:
        verb(conn, by, id)
        found = agents.view(conn, id, now_ms())
        return _brief(found.standing, found.title)

    return reply(await in_thread(request, act))


def _brief(one: Standing, title: StepTitle) -> v.AgentAtWork:
    held = one.licence
    alone = held is not None and held.threshold is not None
    at_work: Any = held.state if held else "none"
    attention: Any = worries(one)
    return v.AgentAtWork(
        id=one.agent.id,
        name=one.agent.name,
        type=one.agent.type,
        process_id=title.process_id,
        process=title.process_slug,
        step=title.step_slug,
        title=title.title,
        step_title=title.step_title,
        state=one.agent.state,
        licence=at_work,
        decides=float((held.finding or {}).get("coverage", 0.0)) if held and alone else 0.0,
        costs=[
            v.AgentCost(c.currency, c.predictions, c.cost_micro, c.right_micro, c.latency_ms)
            for c in one.costs
        ],
        attention=attention,
        trouble=one.agent.trouble,
        model=str(one.agent.settings.get("model", "")),
        family=one.agent.family,
        challenged=one.challenger is not None,
        turn={at: words.turn_words(one.turn, at) for at in LANGUAGES} if one.turn else {},
    )


def _detail(view: AgentView) -> v.AgentDetail:
    one = view.standing
    happenings = [
        v.AgentHappening(
            event.kind,
            event.at_ms,
            {
                at: [told.title, told.text]
                for at in LANGUAGES
                if (told := agent_events.told(event, at))
            },
        )
        for event in one.events
    ]
    ending = one.ending
    return v.AgentDetail(
        agent=_brief(one, view.title),
        licence=licence(view.card) if view.card else None,
        curve=[v.CurvePoint(p.confidence, p.coverage, p.accuracy, p.answers) for p in one.curve],
        lessons=[
            v.AgentLesson(
                made.id, made.hash, made.role, made.fixed_ms, made.lesson.examples,
                made.lesson.right, made.lesson.left_out, made.why,
            )
            for made in view.versions
        ],
        happenings=happenings,
        duel=_duel(view.duel) if view.duel else None,
        drift=_drift(one.drift) if one.drift else None,
        drift_words={at: words.drift_sentences(one.drift, at) for at in LANGUAGES}
        if one.drift
        else {},
        canary=one.canary.share_ppm / PPM if one.canary else None,
        ending={at: words.ending_sentences(ending, at) for at in LANGUAGES} if ending else {},
        people_micro=view.shared.right_micro if view.shared else None,
        people_currency=view.shared.person.currency if view.shared else None,
    )  # fmt: skip


def _duel(found: Stands) -> v.AgentDuel:
    pairs, result = found.pairs, found.result
    return v.AgentDuel(
        found.champion.id, found.challenger.id, pairs.judged, pairs.won, pairs.lost,
        result.better, result.worse, result.verdict, result.why,
    )  # fmt: skip


def _drift(found: DriftState) -> v.AgentDrift:
    alarms = [
        v.AgentAlarm(one.signal, one.name, one.before, one.after, one.at_ms) for one in found.alarms
    ]
    return v.AgentDrift(found.step, found.step_ms, found.items, found.audits, alarms)


ROUTES = [list_agents, read_agent, pause, resume, teach, end]
