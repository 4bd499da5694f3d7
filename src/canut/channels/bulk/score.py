"""Scoring one part: its rows are read, checked, answered by the agents and split.

Runs in whatever process, on whatever machine; all it needs is in the folder of the run. Memory
holds a block of rows at a time.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import lru_cache
from itertools import repeat
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from canut.agents.model import items_of, step_of
from canut.agents.registry import agent_type
from canut.channels.bulk import sources
from canut.channels.bulk.folder import Folder, files_at, open_seekable
from canut.channels.bulk.model import PROBLEMS_MAX, Done, Part, Plan, Run
from canut.channels.bulk.rows import BLOCK_ROWS, Checked, Checker, Row, RowWriter, read_rows
from canut.channels.bulk.sheet import Line, LineWriter
from canut.channels.bulk.split import Heard, Splitter, Told, sampled
from canut.channels.parquet import read_groups
from canut.errors import Conflict
from canut.work.results import Outcome

RUN, PLAN = "run.json", "plan.json"

#: what agents said about the sample
EVIDENCE = pa.schema(
    [("key", pa.string()), ("stage", pa.int32()), ("value", pa.string()), ("sure", pa.float64())]
)


class _Tally(Struct):
    """Counts of a part while it is scored."""

    decided: int = 0
    audit: int = 0
    people: int = 0
    rejected: int = 0
    n_problems: int = 0


def done_name(number: int) -> str:
    """Kept when everything else of a part is."""
    return f"done/{number:06}.json"


def part_name(kind: str, number: int) -> str:
    """A file of a part: `decided`, `people` or `evidence`."""
    return f"{kind}/{number:06}.parquet"


class Scorer:
    """The agents of a run, loaded; `step` is what they see of it."""

    def __init__(self, folder: Folder):
        self.folder = folder
        self.run = folder.load(RUN, Run)
        self.plan = folder.load(PLAN, Plan)
        step = step_of(self.run.asked, self.run.definition.item)
        agents = []
        for stage in self.run.stages:
            state = folder.read(f"agents/{stage.state}") if stage.state else None
            agent = agent_type(stage.type).load(step, state)
            if agent.version.hash() != stage.agent:
                raise Conflict(
                    f"The agent {stage.type} is another here: its program has another version.",
                    mend="install the same version of Canut and its plug-ins everywhere",
                )
            agents.append(agent)
        self.step = step
        self._splitter = Splitter(step, agents, [stage.threshold for stage in self.run.stages])

    def score(self, number: int) -> Done:
        """Score a part and keep what became of it, its `Done` last. Raises `Invalid`."""
        part = self.plan.parts[number]
        begun = time.process_time()
        tally = _Tally(rejected=part.rejected, n_problems=part.n_problems)
        problems = list(part.problems)
        by_stage = [0] * len(self.run.stages)
        with ExitStack() as stack:
            writers = _Writers(self, number, stack)
            for checked in self._blocks(part):
                tally.rejected += checked.rejected
                tally.n_problems += len(checked.problems)
                problems += checked.problems[: PROBLEMS_MAX - len(problems)]
                for start in range(0, len(checked.rows), BLOCK_ROWS):
                    rows = checked.rows[start : start + BLOCK_ROWS]
                    told, heard = self._told(rows)
                    writers.write(rows, told, heard)
                    for one in told:
                        setattr(tally, one.way, getattr(tally, one.way) + 1)
                        if one.way == "decided" and one.stage is not None:
                            by_stage[one.stage] += 1
        counts = msgspec.structs.asdict(tally)
        cpu_s = round(time.process_time() - begun, 3)
        done = Done(
            number=number,
            rows=part.rows,
            problems=tuple(problems),
            by_stage=tuple(by_stage),
            cpu_s=cpu_s,
            **counts,
        )
        self.folder.keep(done_name(number), done)
        return done

    def _told(self, rows: list[Row]) -> tuple[list[Told], list[Heard]]:
        told = [(row.position, row.key, row.payload) for row in rows]
        items = items_of(self.step, told, repeat(self.run.client_id))
        inside = sampled(self.run.seed, [row.key for row in rows], self.plan.audit_ppm)
        return self._splitter.split(items, inside)

    def _blocks(self, part: Part) -> Iterator[Checked]:
        if not part.groups:
            with self.folder.open(sources.staged_name(part)) as stream:
                for found in read_rows(stream):
                    yield Checked([row for row, _ in found], [], 0)
            return
        source, shape = self.run.sources[part.source], self.run.definition.item
        checker = Checker(shape, source.name, part.offset)
        files, path = files_at(source.place)
        with open_seekable(files, path) as stream:
            about = source.name, self.run.columns, shape
            for block in read_groups(stream, *about, part.groups, part.before):
                yield checker.check(block)


class _Writers:
    """The three files of a part."""

    def __init__(self, scorer: Scorer, number: int, stack: ExitStack):
        def draft(kind: str) -> IO[bytes]:
            return stack.enter_context(scorer.folder.draft(part_name(kind, number)))

        self._run = scorer.run
        self._source = scorer.run.sources[scorer.plan.parts[number].source].name
        self._offset = scorer.plan.parts[number].offset
        # closed before their drafts are
        self._decided = stack.enter_context(closing(LineWriter(draft("decided"), scorer.run)))
        self._people = stack.enter_context(closing(RowWriter(draft("people"))))
        out = pa.PythonFile(draft("evidence"), mode="w")
        self._evidence = stack.enter_context(pq.ParquetWriter(out, EVIDENCE, compression="zstd"))

    def write(self, rows: list[Row], told: list[Told], heard: list[Heard]) -> None:
        now_ms = time.time_ns() // 1_000_000
        pairs = list(zip(rows, told, strict=True))
        self._decided.write(
            [self._line(row, one, now_ms) for row, one in pairs if one.way == "decided"]
        )
        self._people.write((row, one.way) for row, one in pairs if one.way != "decided")
        if heard:
            keys = {row.position: row.key for row in rows}
            values = [msgspec.json.encode(one.value).decode() for one in heard]
            columns: list[Any] = [
                [keys[one.key] for one in heard],
                [one.stage for one in heard],
                values,
                [one.confidence for one in heard],
            ]
            self._evidence.write_batch(pa.record_batch(columns, schema=EVIDENCE))

    def _line(self, row: Row, told: Told, now_ms: int) -> Line:
        assert told.stage is not None
        stage, prediction = self._run.stages[told.stage], told.prediction
        method = "licence" if stage.proved else "unproved"
        outcome = Outcome(prediction.value, prediction.confidence, method, 1, now_ms)
        return Line(
            position=row.position,
            file=self._source,
            row=row.position - self._offset,
            key=row.key,
            way="agent",
            outcome=outcome,
            stage=stage,
        )


@lru_cache(maxsize=1)
def _scorer(place: str, run: bytes, plan: bytes) -> Scorer:
    # run and plan: agents stay loaded as long as they are the same
    return Scorer(Folder(place))


def score_part(place: str, number: int) -> Done:
    """Score a part of the run in the folder `place`, with agents kept warm for the next."""
    folder = Folder(place)
    return _scorer(place, folder.read(RUN), folder.read(PLAN)).score(number)
