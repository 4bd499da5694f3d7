"""The agents of each step, for operators: what they may decide and why, what they cost, what is
done about them. And, for a client, those that decide items of a batch."""

import os
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from canut.agents.arena import words as arena_words
from canut.agents.llm.kind import LLM
from canut.agents.llm.models import load_models
from canut.agents.running import verbs
from canut.agents.running.verbs import NewAgent, known_types
from canut.db.pool import SyncConn
from canut.errors import CanutError, Invalid, NotFound
from canut.insight import agent_events, agents
from canut.insight.agents import main_cost, worries
from canut.people.model import Principal
from canut.processes.store import find_version
from canut.web.api.common import in_thread
from canut.web.auth import WebRequest, house, principal, requires
from canut.web.errors import STATUS
from canut.web.i18n import N_
from canut.web.pages import agent_charts
from canut.web.pages.forms import read_form, whole_number
from canut.web.pages.quality import STATES, locale_words
from canut.web.pages.render import go
from canut.web.pages.view import now_ms, pool, problems_of, say, show, told
from canut.work.batches import read_batch

OPERATORS = requires("operator")
CLIENTS = requires("client", "operator")
#: type of an agent -> what it does, for people
KINDS: dict[str, str] = {
    "rules": N_("rules: what was decided before is decided so again"),
    "learner": N_("learner: learns from what people decide, on any machine"),
    "english": N_("english: knows English beforehand, so it learns from few"),
    "embeddings": N_("embeddings: knows many languages beforehand"),
    "llm": N_("llm: asks a language model"),
}
#: what to look at -> its name for people
WORRIES: dict[str, str] = {
    "trouble": N_("cannot work"),
    "drift": N_("its work changes"),
    "ending": N_("its model ends"),
}
#: signals of the watch over drift -> their names for people
SIGNALS: dict[str, str] = {
    "input": N_("words it has not met"),
    "confidence": N_("how sure it is"),
    "none": N_("no answer, or none of these"),
    "class": N_("share of an answer"),
    "audit": N_("wrong by what people say blind"),
}
ROLES: dict[str, str] = {
    "champion": N_("at work"),
    "challenger": N_("challenger"),
    "replaced": N_("replaced"),
    "dropped": N_("dropped"),
}
#: acts that the page of an agent posts
ACTS = ("pause", "resume", "teach", "end")


@get("/operator/agents", opt=OPERATORS, include_in_schema=False)
async def overview(request: WebRequest) -> Response[str]:
    """Every step with agents, and the form that puts one to work."""
    return await _overview(request)


@post("/operator/agents", opt=OPERATORS, include_in_schema=False)
async def add(request: WebRequest) -> Response[Any]:
    """Put an agent to work at a step."""
    form, by = await read_form(request), principal(request)
    try:
        made = await in_thread(request, lambda conn: _put(conn, by, form))
    except CanutError as error:
        return await _overview(request, error, form)
    return go(f"/operator/agents/{made}")


@get("/operator/agents/{agent_id:int}", opt=OPERATORS, include_in_schema=False)
async def show_agent(request: WebRequest, agent_id: FromPath[int]) -> Response[str]:
    """One agent with everything about it."""
    return await _agent(request, agent_id)


@post("/operator/agents/{agent_id:int}", opt=OPERATORS, include_in_schema=False)
async def act(request: WebRequest, agent_id: FromPath[int]) -> Response[Any]:
    """`act`: pause, resume, teach, or end with a reason."""
    form, by = await read_form(request), principal(request)

    def do(conn: SyncConn) -> None:
        match form.get("act", ""):
            case "pause":
                verbs.pause(conn, by, agent_id)
            case "resume":
                verbs.resume(conn, by, agent_id)
            case "teach":
                verbs.ask_lesson(conn, by, agent_id)
            case "end":
                verbs.end_work(conn, by, agent_id, form.get("reason", ""), now_ms())
            case _:
                raise Invalid("There is no such action.")

    try:
        await in_thread(request, do)
    except NotFound:
        raise
    except CanutError as error:
        return await _agent(request, agent_id, error)
    return go(f"/operator/agents/{agent_id}")


@get("/batches/{batch_id:int}/agents", opt=CLIENTS, include_in_schema=False)
async def of_batch(request: WebRequest, batch_id: FromPath[int]) -> Response[str]:
    """The agents that decide items of a batch, with their licences, for its client."""
    batch = await read_batch(pool(request), principal(request), batch_id)
    steps = await in_thread(request, lambda conn: agents.of_batch(conn, batch_id))
    values: dict[str, Any] = {
        "batch": batch,
        "steps": steps,
        "states": STATES,
        "locale_words": locale_words(request),
    }
    return show(request, "client/agents.html", **values)


def _put(conn: SyncConn, by: Principal, form: dict[str, str]) -> int:
    process, _, step = form.get("step", "").partition("/")
    place = next(
        (
            one
            for one in agents.places(conn)
            if (one.process_id, one.step_slug) == (whole_number(process), step)
        ),
        None,
    )
    if place is None:
        raise NotFound("There is no such step.")
    version = find_version(conn, place.client_id, place.process_slug)
    if version is None:
        raise NotFound("There is no such step.")
    model = form.get("model", "") if form.get("type") == LLM.name else ""
    new = NewAgent(
        form.get("type", ""), place.process_id, step, form.get("name", "").strip(), model=model
    )
    return verbs.put_to_work(conn, by, new, version.definition, now_ms())


async def _overview(
    request: WebRequest, error: CanutError | None = None, given: dict[str, str] | None = None
) -> Response[str]:
    def read(conn: SyncConn) -> tuple[list[agents.StepAgents], list[Any]]:
        return agents.overview(conn, now_ms()), agents.places(conn)

    steps, places = await in_thread(request, read)
    every = [one for step in steps for one in step.standings]
    values: dict[str, Any] = {
        "steps": steps,
        "places": places,
        "kinds": [
            (name, say(request, KINDS[name]) if name in KINDS else name) for name in known_types()
        ],
        "models": [("", "–"), *((name, name) for name in _models(request))],
        "given": given or {},
        "n_agents": len(every),
        "n_alone": sum(bool(one.licence and one.licence.state == "in_force") for one in every),
        "n_worries": sum(bool(worries(one)) for one in every),
        "main_cost": main_cost,
        "worries": lambda one: [say(request, WORRIES[what]) for what in worries(one)],
        "turn_words": arena_words.turn_words,
        **_words(request),
    }
    problems = told(request, problems_of(error))
    status = STATUS[error.code] if error else 200
    return show(request, "agents/overview.html", status=status, problems=problems, **values)


def _models(request: WebRequest) -> list[str]:
    """Names of the language models that could be asked; none where there is no file, or it is
    wrong: the engine says what is wrong with it."""
    path = house(request).settings.models_file
    try:
        return list(load_models(path, os.environ)) if path.exists() else []
    except CanutError:
        return []


def _words(request: WebRequest) -> dict[str, Any]:
    return {"states": STATES, "locale_words": locale_words(request)}


async def _agent(
    request: WebRequest, agent_id: int, error: CanutError | None = None
) -> Response[str]:
    view = await in_thread(request, lambda conn: agents.view(conn, agent_id, now_ms()))
    locale, found = locale_words(request), view.standing

    def word(message: str) -> str:
        return say(request, message)

    values: dict[str, Any] = {
        "view": view,
        "found": found,
        "agent": found.agent,
        "cost": view.cost,
        "curve": agent_charts.curve(found, word),
        "lessons": agent_charts.lessons(view.versions, word),
        "events": [
            agent_events.told(one, locale) for one in found.events if agent_events.tells(one)
        ],
        "step_names": agent_events.STEP_NAMES[locale],
        "left_out": agent_events.LEFT_OUT[locale],
        "why": lambda text: agent_events.said(text, locale),
        "arena": arena_words,
        "signals": SIGNALS,
        "roles": ROLES,
        "worried": [word(WORRIES[what]) for what in worries(found)],
        **_words(request),
    }
    problems = told(request, problems_of(error))
    status = STATUS[error.code] if error else 200
    return show(request, "agents/agent.html", status=status, problems=problems, **values)


ROUTES: list[Any] = [overview, add, show_agent, act, of_batch]
