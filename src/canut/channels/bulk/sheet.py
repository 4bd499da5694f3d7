"""The columns of a result: those of an ordinary export, and where each row comes from."""

from collections.abc import Callable, Sequence
from typing import IO, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from canut.channels.bulk.model import Run, Stage
from canut.channels.export import flat_columns
from canut.questions.registry import load_question
from canut.work.results import Outcome, Result, Sheet, SheetStep

#: who answered a row: an agent, people, people whom the sample asked, nobody yet; or nobody ever,
#: because the row cannot be used
From = Literal["agent", "people", "audit", "waiting", "rejected"]


class Line(Struct, frozen=True):
    """One row of a result."""

    #: in the whole input, from 1
    position: int
    #: name of its file, and its number there
    file: str
    row: int
    key: str | None
    way: From
    outcome: Outcome | None = None
    #: the agent that decided it
    stage: Stage | None = None


def _of_stage(take: Callable[[Stage], Any]) -> Callable[[Line], Any]:
    return lambda line: None if line.stage is None else take(line.stage)


_ABOUT: tuple[tuple[str, pa.DataType, Callable[[Line], Any]], ...] = (
    ("source", pa.string(), lambda line: line.way),
    ("stage", pa.string(), _of_stage(lambda stage: stage.type)),
    ("agent", pa.string(), _of_stage(lambda stage: stage.agent)),
    ("contributor", pa.int64(), _of_stage(lambda stage: stage.contributor_id)),
    ("licence", pa.int64(), _of_stage(lambda stage: stage.licence_id)),
    ("proved", pa.bool_(), _of_stage(lambda stage: stage.proved)),
    ("file", pa.string(), lambda line: line.file),
    ("row", pa.int64(), lambda line: line.row),
    ("position", pa.int64(), lambda line: line.position),
)


class Lines:
    """Lines as columns."""

    def __init__(self, run: Run):
        step = run.asked
        schema = load_question(step.question).schema()
        sheet = Sheet(
            batch_id=0,
            batch_key=run.key,
            process_slug=run.definition.slug,
            version=run.version,
            columns=(),
            fields={},
            steps=(SheetStep(0, step.slug, schema),),
        )
        self._slug = step.slug
        self._columns = flat_columns(sheet, items=False)
        fields = [(column.name, column.kind) for column in self._columns]
        self.schema = pa.schema([*fields, *((name, kind) for name, kind, _ in _ABOUT)])

    def table(self, lines: Sequence[Line]) -> pa.Table:
        """A row a line, in their order."""
        results = [self._result(line) for line in lines]
        arrays = [
            pa.array([column.take(result) for result in results], column.kind)
            for column in self._columns
        ]
        arrays += [pa.array([take(line) for line in lines], kind) for _, kind, take in _ABOUT]
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def _result(self, line: Line) -> Result:
        decisions = {} if line.outcome is None else {self._slug: line.outcome}
        # the columns take the key as it is, and a row that cannot be used may have none
        key: Any = line.key
        return Result(line.position, key, {}, decisions, line.outcome is not None)


class LineWriter:
    """Writes lines to a Parquet file."""

    def __init__(self, out: IO[bytes], run: Run):
        self._lines = Lines(run)
        sink = pa.PythonFile(out, mode="w")
        self._writer = pq.ParquetWriter(sink, self._lines.schema, compression="zstd")

    def write(self, lines: Sequence[Line]) -> None:
        if lines:
            self._writer.write_table(self._lines.table(lines))

    def close(self) -> None:
        self._writer.close()
