"""Which agents a run asks, and how far each may decide."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from canut.agents import store as store_agents
from canut.agents.artefact import MAGIC
from canut.agents.model import Step, step_of
from canut.agents.registry import agent_type, agent_types
from canut.channels.bulk import store
from canut.channels.bulk.model import Run, Stage
from canut.errors import Conflict, Invalid, NotFound
from canut.processes.model import StepDefinition
from canut.processes.store import ProcessVersion
from canut.quality.licences import store as store_licences
from canut.quality.model import Licence


class Chosen(Struct, frozen=True):
    """An agent of a run, with its state."""

    stage: Stage
    state: bytes


class _Named(Struct, frozen=True):
    type: str
    state: bytes
    contributor_id: int | None = None


def only_step(version: ProcessVersion, slug: str) -> StepDefinition:
    """The step to be answered. Raises `NotFound`, and `Invalid` for a process of several steps:
    what comes after a step depends on people's part too."""
    steps = version.definition.steps
    known = ", ".join(step.slug for step in steps)
    if slug and version.definition.step(slug) is None:
        raise NotFound(f"{version.slug} has no step {slug!r}.", mend=f"it has: {known}")
    if len(steps) > 1:
        raise Invalid(
            f"{version.slug} asks several questions ({known}); the bulk lane answers one.",
            mend="hand the file over as a batch, or make a process of one step",
        )
    return steps[0]


def choose(
    conn: store.Conn,
    version: ProcessVersion,
    step: StepDefinition,
    names: Sequence[str],
    threshold: float | None,
) -> list[Chosen]:
    """The agents of these names, in their order: a contributor's number, the file of a state, or
    TYPE=FILE. Each decides from the threshold of its licence on, or from `threshold`.

    Raises `Conflict` where an agent has no licence in force and no threshold is given, `NotFound`
    and `Invalid` for what is no agent of this step.
    """
    if threshold is not None and not 0 < threshold <= 1:
        raise Invalid(f"The threshold is {threshold}.", mend="above 0, and at most 1")
    if not names:
        raise Invalid("No agent is named.", mend="--agent NUMBER or --agent FILE")
    seen = step_of(step, version.definition.item)
    licences = store_licences.open_at(conn, version.process_id, step.slug)
    return [
        _chosen(_named(conn, version, step, name), seen, name, licences, threshold)
        for name in names
    ]


def _named(conn: store.Conn, version: ProcessVersion, step: StepDefinition, name: str) -> _Named:
    if name.isdecimal():
        return _at_work(conn, version, step, int(name))
    kind, equals, file = name.partition("=")
    if not equals or kind not in agent_types():
        kind, file = "", name
    try:
        state = Path(file).read_bytes() if file else b""
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}.") from error
    return _Named(kind or _kind_of(state, file), state)


def _at_work(
    conn: store.Conn, version: ProcessVersion, step: StepDefinition, number: int
) -> _Named:
    """An agent that works at this step, as it answers now."""
    found = store_agents.agent(conn, number)
    champion = store_agents.open_versions(conn, number).get("champion") if found else None
    at = (found.process_id, found.step_slug) if found else None
    if not found or at != (version.process_id, step.slug) or champion is None:
        raise NotFound(
            f"Contributor {number} is no agent that has learned {version.slug}, {step.slug}.",
            mend="an agent that works through the API runs elsewhere: give the file of a state",
        )
    state = store_agents.state(conn, champion.state) if champion.state else b""
    return _Named(found.type, state, number)


class _Header(Struct, frozen=True):
    kind: str = ""


def _kind_of(state: bytes, file: str) -> str:
    """The agent type that a state is of, by its own header."""
    at = len(MAGIC) + 4
    length = int.from_bytes(state[len(MAGIC) : at], "little")
    try:
        header = msgspec.json.decode(state[at : at + length], type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        header = _Header()
    kind = header.kind.partition("/")[0]
    if not state.startswith(MAGIC) or kind not in agent_types():
        known = ", ".join(agent_types())
        raise Invalid(
            f"{file} does not say which agent it is the state of.",
            mend=f"--agent TYPE=FILE, where TYPE is one of: {known}",
        )
    return kind


def _chosen(
    named: _Named, step: Step, name: str, licences: Sequence[Licence], threshold: float | None
) -> Chosen:
    agent = agent_type(named.type).load(step, named.state or None)
    basis = agent.version.hash()
    licence = next(
        (
            one
            for one in licences
            if one.basis == basis and named.contributor_id in (None, one.contributor_id)
        ),
        None,
    )
    if licence and licence.slices:
        if threshold is None:
            raise Conflict(
                f"The licence of the agent {name} holds for parts of the work, each on its own.",
                mend="a run in bulk has one threshold: give --threshold, and nothing is proved",
            )
        # evidence that does not say which part it is about is none
        licence = None
    licensed = licence.threshold if licence and licence.state == "in_force" else None
    if licensed is None and threshold is None:
        raise Conflict(
            f"The agent {name} has no licence in force at this step.",
            mend="let it earn one on a batch; or give --threshold, and nothing is proved",
        )
    decides = licensed if threshold is None else threshold
    assert decides is not None
    stage = Stage(
        type=named.type,
        state=hashlib.sha256(named.state).hexdigest() if named.state else "",
        agent=basis,
        threshold=decides,
        licence_id=licence.id if licence else None,
        contributor_id=licence.contributor_id if licence else named.contributor_id,
        proved=licensed is not None and decides >= licensed,
    )
    return Chosen(stage, named.state)


def check_still_licensed(conn: store.Conn, run: Run) -> None:
    """Raises `Conflict` where a licence that a run decided under is no longer in force."""
    for stage in run.stages:
        if stage.proved and not still_licensed(conn, stage):
            raise Conflict(
                f"The licence {stage.licence_id} of the agent {stage.type} is not in force any "
                "more: evidence raised its threshold or took it away.",
                mend="run again in another folder, with the licence there is now",
            )


def still_licensed(conn: store.Conn, stage: Stage) -> bool:
    """Whether the version of the agent still decides alone at the threshold of the run."""
    then = store_licences.one(conn, stage.licence_id) if stage.licence_id is not None else None
    if then is None:
        return False
    return any(
        now.state == "in_force" and now.threshold is not None and now.threshold <= stage.threshold
        for now in store_licences.open_of_agents(
            conn, then.process_id, then.step_slug, [then.contributor_id]
        )
        if now.basis == stage.agent
    )
