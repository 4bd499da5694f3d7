"""One result from both parts, in the order of the input, with where each row comes from."""

from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from canut.channels.bulk import store
from canut.channels.bulk.choose import still_licensed
from canut.channels.bulk.folder import Folder
from canut.channels.bulk.handing import BATCH, Handed, read_evidence
from canut.channels.bulk.model import Part, Run
from canut.channels.bulk.rows import read_rows
from canut.channels.bulk.run import check_done
from canut.channels.bulk.score import part_name
from canut.channels.bulk.sheet import Line, Lines
from canut.channels.cells import csv_lines, quoted, safe_cell
from canut.channels.export import Format, Sink
from canut.errors import Conflict
from canut.quality.model import RIGHT_FROM
from canut.questions.registry import load_question
from canut.truth.bounds import upper_rate
from canut.work.results import Outcome


class Merged(Struct):
    """How many rows of each kind, and what the sample says."""

    rows: int = 0
    agent: int = 0
    people: int = 0
    audit: int = 0
    waiting: int = 0
    rejected: int = 0
    #: rows of the sample that people answered, and where the agent had said otherwise
    audited: int = 0
    wrong: int = 0
    #: rows of the sample that an agent decided: they say nothing about agents
    not_by_people: int = 0
    #: the share of wrong decisions is at most this, at confidence 1 - delta; None: not to be said
    #: while answers are missing, or without a sample
    error_max: float | None = None
    delta: float = 0.05
    #: every threshold was proved, and still is
    proved: bool = False


def merge(
    conn: store.Conn, folder: Folder, out: IO[bytes], format: Format, *, unfinished: bool = False
) -> Merged:
    """Write the result. Raises `Conflict` where the run or the batch is not done, unless
    `unfinished` rows may be written as waiting."""
    run, plan, counts = check_done(folder)
    handed = folder.load(BATCH, Handed) if folder.exists(BATCH) else None
    if not unfinished:
        _check_delivered(conn, run, handed, counts.audit + counts.people)
    told = Merged(delta=run.asked.promise.delta)
    merger = _Merger(conn, folder, run, handed, told)
    writer = _WRITERS[format](Lines(run))
    for piece in writer(merger.table(part) for part in plan.parts):
        out.write(piece)
    told.proved = run.proved and all(still_licensed(conn, stage) for stage in run.stages)
    if told.audited and told.audited == counts.audit:
        told.error_max = upper_rate(told.audited, told.wrong, told.delta)
    return told


def _check_delivered(conn: store.Conn, run: Run, handed: Handed | None, for_people: int) -> None:
    if handed is None:
        if for_people:
            mend = "say canut bulk run again"
            raise Conflict("People's part was not handed over yet.", mend=mend)
        return
    left = store.undecided(conn, handed.batch_id, run.step)
    if left:
        raise Conflict(
            f"{left:,} items of batch {run.key} are not decided yet.",
            mend="wait for them, or write what there is with --unfinished",
        )


class _Merger:
    def __init__(
        self, conn: store.Conn, folder: Folder, run: Run, handed: Handed | None, told: Merged
    ):
        self._conn, self._folder, self._run = conn, folder, run
        self._handed, self._told = handed, told
        self._lines = Lines(run)
        self._question = load_question(run.asked.question)

    def table(self, part: Part) -> pa.Table:
        """The rows of a part, in the order of the input."""
        with self._folder.open(part_name("decided", part.number)) as stream:
            decided = pq.ParquetFile(pa.PythonFile(stream, mode="r")).read()
        others = self._others(part)
        seen = set(decided["position"].to_pylist()) | {line.position for line in others}
        span = range(part.first, part.first + part.rows)
        others += [
            self._line(part, position, None, "rejected")
            for position in span
            if position not in seen
        ]
        self._told.rows += part.rows
        self._told.agent += decided.num_rows
        for line in others:
            setattr(self._told, line.way, getattr(self._told, line.way) + 1)
        joined = pa.concat_tables([decided, self._lines.table(others)])
        return joined.sort_by("position")

    def _others(self, part: Part) -> list[Line]:
        said = {
            one.key: one.value
            for block in read_evidence(self._folder, part.number)
            for one in block
        }
        lines: list[Line] = []
        with self._folder.open(part_name("people", part.number)) as stream:
            for block in read_rows(stream):
                found = self._results([row.key for row, _ in block])
                for row, way in block:
                    result = found.get(row.key)
                    if way == "audit":
                        self._audit(said.get(row.key), result)
                    lines.append(self._answered(part, (row.position, row.key), way, result))
        return lines

    def _results(self, keys: list[str]) -> dict[str, store.Decided]:
        if self._handed is None:
            return {}
        return store.results(self._conn, self._handed.batch_id, self._run.step, keys)

    def _answered(
        self, part: Part, at: tuple[int, str], way: str, result: store.Decided | None
    ) -> Line:
        position, key = at
        if result is None and self._handed is not None:
            # intake left it out
            return self._line(part, position, key, "rejected")
        if result is None or result.method is None:
            return self._line(part, position, key, "waiting")
        outcome = Outcome(
            result.value,
            result.confidence or 0.0,
            result.method,
            result.n_answers or 0,
            result.decided_ms or 0,
        )
        return self._line(part, position, key, way, outcome)

    def _audit(self, said: Any, result: store.Decided | None) -> None:
        """Count an audit. The value last heard is that of the agent that would have decided."""
        if result is None or result.method is None:
            return
        if result.method == "licence":
            self._told.not_by_people += 1
            return
        self._told.audited += 1
        self._told.wrong += self._question.agree(said, result.value) < RIGHT_FROM

    def _line(
        self, part: Part, position: int, key: str | None, way: Any, outcome: Any = None
    ) -> Line:
        file = self._run.sources[part.source].name
        return Line(position, file, position - part.offset, key, way, outcome)


Write = Callable[[Iterable[pa.Table]], Iterator[bytes]]


def _parquet(lines: Lines) -> Write:
    def write(tables: Iterable[pa.Table]) -> Iterator[bytes]:
        sink = Sink()
        with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), lines.schema) as writer:
            for table in tables:
                writer.write_table(table)
                yield sink.taken()
        yield sink.taken()

    return write


def _csv(lines: Lines) -> Write:
    def write(tables: Iterable[pa.Table]) -> Iterator[bytes]:
        yield csv_lines([[quoted(safe_cell(name))] for name in lines.schema.names])
        for table in tables:
            columns = [column.to_pylist() for column in table.columns]
            cells = [[quoted(safe_cell(value)) for value in column] for column in columns]
            yield csv_lines(cells)

    return write


def _jsonl(lines: Lines) -> Write:
    def write(tables: Iterable[pa.Table]) -> Iterator[bytes]:
        encode = msgspec.json.Encoder().encode_lines
        for table in tables:
            yield encode(table.to_pylist())

    return write


_WRITERS: dict[Format, Callable[[Lines], Write]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
}


def told_in_words(merged: Merged, run: Run) -> list[str]:
    """What a merge did, in words."""
    lines = [
        f"{merged.rows:,} rows: {merged.agent:,} by agents, {merged.people:,} by people, "
        f"{merged.audit:,} of the sample by people, {merged.waiting:,} waiting, "
        f"{merged.rejected:,} that could not be used"
    ]
    if merged.audited:
        lines.append(f"sample: {merged.wrong:,} of {merged.audited:,} audits found the agent wrong")
    if merged.not_by_people:
        lines.append(f"{merged.not_by_people:,} rows of the sample were decided by an agent alone")
    if merged.error_max is not None:
        sure = 1 - merged.delta
        lines.append(f"at most {merged.error_max:.2%} of what agents decided is wrong ({sure:.0%})")
    if not merged.proved:
        why = "its licence has ended since" if run.proved else "no licence covers it"
        lines.append(f"NOTHING IS PROVED about what agents decided: {why}")
    return lines
