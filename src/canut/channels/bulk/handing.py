"""People's part and the audit sample become a batch: the ordinary intake, all or nothing.

With the batch goes what the agents said about the sample: evidence on their licences, that people
decide without them (`canut.work.blind`).
"""

from collections.abc import Callable, Iterator

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from canut.channels import submit
from canut.channels.bulk import store
from canut.channels.bulk.choose import check_still_licensed
from canut.channels.bulk.folder import Folder
from canut.channels.bulk.model import Counts, Plan, Run
from canut.channels.bulk.rows import BLOCK_ROWS, read_rows
from canut.channels.bulk.run import check_done, problems
from canut.channels.bulk.score import part_name
from canut.errors import Invalid
from canut.people.model import Principal
from canut.processes.model import REFERENCE
from canut.quality.licences import store_blind
from canut.work.intake import Block, IntakeReport, Progress, open_batch, rows_wrong

BATCH = "batch.json"


class Handed(Struct, frozen=True):
    """The batch of people's part."""

    batch_id: int
    #: pieces of evidence on licences that went with it
    evidence: int


def hand_over(
    conn: store.Conn,
    folder: Folder,
    who: Principal,
    now_ms: int,
    progress: Callable[[Progress], None] = lambda progress: None,
) -> tuple[Handed | None, IntakeReport | None]:
    """Make the batch, or find that it is made; None where people have nothing to do.

    Raises `Invalid` where rows are wrong and none may be left out, `Conflict` where a licence has
    ended since or the run is not scored whole; then nothing is handed over.
    """
    run, plan, counts = check_done(folder)
    if folder.exists(BATCH):
        return folder.load(BATCH, Handed), None
    if counts.rejected and run.on_error == "stop":
        raise Invalid(
            f"{rows_wrong(counts.rejected)}; nothing was handed over.",
            mend="mend them and run in another folder, or leave them out with --on-error skip",
            problems=problems(folder)[:20],
        )
    if not counts.audit + counts.people:
        return None, None
    with conn.transaction():
        check_still_licensed(conn, run)
        batch = open_batch(conn, run.client_id, run.key, run.version_id, now_ms)
        report = submit.add(
            conn,
            who,
            batch,
            _blocks(folder, run, plan),
            on_error=run.on_error,
            progress=progress,
        )
        handed = Handed(batch.id, _record(conn, folder, run, plan, batch.id))
    folder.keep(BATCH, handed)
    return handed, report


def _blocks(folder: Folder, run: Run, plan: Plan) -> Iterator[Block]:
    for part in plan.parts:
        name = run.sources[part.source].name
        with folder.open(part_name("people", part.number)) as stream:
            for found in read_rows(stream):
                rows = [row.position - part.offset for row, _ in found]
                records = [{REFERENCE: row.key, **row.payload} for row, _ in found]
                yield Block(rows, records, (), name)


def _record(conn: store.Conn, folder: Folder, run: Run, plan: Plan, batch_id: int) -> int:
    """Keep the evidence, in the order of the input; how much there is."""
    count = 0
    for part in plan.parts:
        for found in read_evidence(folder, part.number):
            tasks = store.tasks(conn, batch_id, run.step, [one.key for one in found])
            rows = [
                (licence, tasks[one.key], one.value, one.sure)
                for one in found
                if (licence := run.stages[one.stage].licence_id) is not None and one.key in tasks
            ]
            if rows:
                store_blind.record(conn, rows)
            count += len(rows)
    return count


class Evidence(Struct, frozen=True):
    """What an agent said about a row of the sample."""

    key: str
    stage: int
    value: object
    sure: float


def read_evidence(folder: Folder, number: int) -> Iterator[list[Evidence]]:
    """What was said about the sample of a part, a block at a time."""
    decode = msgspec.json.decode
    with folder.open(part_name("evidence", number)) as stream:
        for batch in pq.ParquetFile(pa.PythonFile(stream, mode="r")).iter_batches(BLOCK_ROWS):
            columns = [column.to_pylist() for column in batch.columns]
            yield [
                Evidence(key, stage, decode(value), sure)
                for key, stage, value, sure in zip(*columns, strict=True)
            ]


def summary(run: Run, plan: Plan, counts: Counts) -> list[str]:
    """What a run did, in words, for whoever started it."""
    share = counts.decided / counts.rows if counts.rows else 0.0
    lines = [
        f"{counts.rows:,} rows: {counts.decided:,} decided by agents ({share:.1%}), "
        f"{counts.audit:,} in the audit sample, {counts.people:,} for people, "
        f"{counts.rejected:,} with something wrong"
    ]
    if not run.proved:
        lines.append("NOTHING IS PROVED about what agents decided: no licence covers it")
    lines.append(f"sample: {plan.audit_ppm / 10_000:g}% of rows, seed {run.seed}")
    return lines
