"""A run from its beginning to the last part, however often it is killed between the two."""

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct, structs

from canut.channels.bulk import store
from canut.channels.bulk.choose import choose, only_step
from canut.channels.bulk.engines import score_parts
from canut.channels.bulk.folder import Folder
from canut.channels.bulk.model import FORM, Counts, Done, Engine, Plan, Run, counted
from canut.channels.bulk.score import PLAN, RUN, done_name
from canut.channels.bulk.sources import Staging, check_unchanged, find_sources, make_plan
from canut.channels.columns import Columns
from canut.errors import Conflict, Invalid, Problem
from canut.processes.store import ProcessVersion, read_version
from canut.quality.licences import store as store_licences
from canut.work.batches import choose_version
from canut.work.intake import OnError

#: rows of a part: some seconds of work, so that a kill costs little and files are not too many
PART_ROWS = 50_000


class Asked(Struct, frozen=True):
    """What somebody wants of a run."""

    input: str
    client_id: int
    #: slug of the process
    process: str
    #: the client's key of the batch for people's part
    key: str
    #: as `choose.choose` takes them
    agents: Sequence[str]
    step: str = ""
    columns: Columns = Columns()
    #: the client's own classes, in the place of the process's
    options: Sequence[dict[str, Any]] | None = None
    threshold: float | None = None
    audit_share: float | None = None
    #: 64 hexadecimal digits; "": drawn
    seed: str = ""
    on_error: OnError = "stop"
    part_rows: int = PART_ROWS


def prepare(conn: store.Conn, folder: Folder, asked: Asked, now_ms: int) -> Run:
    """The run of this folder: begun, or taken up again where it was.

    Raises as `choose`, `find_sources` and `choose_version`; `Conflict` where the folder holds a
    run that was asked for otherwise, or files of the input have changed.
    """
    before = folder.load(RUN, Run) if folder.exists(RUN) else None
    if before is not None and before.form != FORM:
        raise Conflict("This folder was made by another version of Canut.", mend="use another")
    version = _version(conn, asked, before, now_ms)
    step = only_step(version, asked.step)
    _check(asked)
    chosen = choose(conn, version, step, asked.agents, asked.threshold)
    if any(one.stage.proved for one in chosen) and asked.audit_share == 0:
        raise Invalid(
            "Under a licence a sample goes to people, always: nothing else would see errors.",
            mend="leave --audit-share out, or give more than 0",
        )
    if before is not None:
        check_unchanged(before.sources)
    run = Run(
        form=FORM,
        client_id=asked.client_id,
        key=asked.key,
        version_id=version.id,
        version=version.number,
        definition=version.definition,
        step=step.slug,
        stages=tuple(one.stage for one in chosen),
        seed=asked.seed or (before.seed if before else secrets.token_hex(32)),
        audit_share=asked.audit_share,
        columns=asked.columns,
        on_error=asked.on_error,
        part_rows=asked.part_rows,
        sources=find_sources(asked.input),
    )
    if before is not None:
        _check_same(before, run, folder)
        if before.on_error == run.on_error:
            return run
    for one in chosen:
        if one.state:
            with folder.draft(f"agents/{one.stage.state}") as out:
                out.write(one.state)
    folder.keep(RUN, run)
    return run


def _version(conn: store.Conn, asked: Asked, before: Run | None, now_ms: int) -> ProcessVersion:
    if before is not None and before.definition.slug == asked.process:
        kept = read_version(conn, before.version_id)
        if kept is not None:
            return kept
    return choose_version(
        conn,
        asked.client_id,
        asked.key,
        asked.process,
        now_ms,
        options=asked.options,
        step=asked.step,
    )


def _check(asked: Asked) -> None:
    if asked.audit_share is not None and not 0 <= asked.audit_share <= 1:
        raise Invalid(f"The share of audits is {asked.audit_share}.", mend="from 0 to 1")
    if asked.seed and (len(asked.seed) != 64 or set(asked.seed) - set("0123456789abcdef")):
        raise Invalid("The seed is no 32 bytes.", mend="give 64 hexadecimal digits, or none")


def _check_same(before: Run, run: Run, folder: Folder) -> None:
    """What may differ is what becomes of bad rows: they are found before that matters."""
    told, now = structs.asdict(before), structs.asdict(run)
    other = [name for name in told if name != "on_error" and told[name] != now[name]]
    if other:
        raise Conflict(
            f"{folder.place} holds a run that differs in: {', '.join(other)}.",
            mend="ask for the same, or use another folder",
        )


def plan(conn: store.Conn, folder: Folder, run: Run, staging: Staging) -> Plan:
    """The parts of a run, made once. Raises as `make_plan`."""
    if folder.exists(PLAN):
        return folder.load(PLAN, Plan)
    stages = [stage for stage in run.stages if stage.licence_id is not None]
    licences = [store_licences.one(conn, stage.licence_id or 0) for stage in stages]
    shares = [one.stream_ppm / 1_000_000 for one in licences if one is not None]
    made = make_plan(run, folder, max([*shares, run.asked.promise.stream_share]), staging)
    folder.keep(PLAN, made)
    return made


def finished(folder: Folder) -> list[Done]:
    """The parts that are done, in their order."""
    return [folder.load(name, Done) for name in folder.names("done")]


def score(
    folder: Folder,
    made: Plan,
    engine: Engine,
    workers: int,
    address: str = "",
    progress: Callable[[Counts], None] = lambda counts: None,
) -> Counts:
    """Score what is not scored yet; what became of all rows. Raises as `score_parts`."""
    done = finished(folder)
    progress(counted(done))
    there = {part.number for part in done}
    left = [part.number for part in made.parts if part.number not in there]
    for part in score_parts(folder.place, left, engine, workers, address):
        done.append(part)
        progress(counted(done))
    for name in folder.names("staged"):
        if name.endswith(".parquet"):
            folder.remove(name)
    return counted(finished(folder))


def problems(folder: Folder) -> list[Problem]:
    """What is wrong with rows, in the order of the input; of each part as many as it kept."""
    return [problem for part in finished(folder) for problem in part.problems]


def check_done(folder: Folder) -> tuple[Run, Plan, Counts]:
    """The run of a folder that is scored whole. Raises `Conflict`, and `Invalid` for a folder
    without a run."""
    run, made = folder.load(RUN, Run), folder.load(PLAN, Plan)
    missing = [part.number for part in made.parts if not folder.exists(done_name(part.number))]
    if missing:
        raise Conflict(
            f"{len(missing)} of {len(made.parts)} parts are not scored yet.",
            mend="say canut bulk run again: it does only what is missing",
        )
    return run, made, counted(finished(folder))
