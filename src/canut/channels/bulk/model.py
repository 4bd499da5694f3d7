"""The values of the bulk lane: what a run is, its parts, and what became of each."""

from typing import Literal

from msgspec import Struct

from canut.channels.columns import Columns
from canut.errors import Problem
from canut.processes.model import ProcessDefinition, StepDefinition
from canut.work.intake import OnError

#: form of what is kept in a folder; another is another program's
FORM = "bulk/1"
#: problems of a part that are kept with it; all are counted
PROBLEMS_MAX = 1_000

Engine = Literal["local", "ray"]
#: what becomes of a row: the agent decides; it would, and people are asked instead; people are
#: asked because it may not
Way = Literal["decided", "audit", "people"]


class Stage(Struct, frozen=True):
    """An agent of the run, and how far it decides."""

    #: its type: an entry point of `canut.agents`
    type: str
    #: SHA-256 of its state, a file of the folder; "" for a beginner
    state: str
    #: hash of its version: what a licence is about
    agent: str
    #: decides at or above this confidence
    threshold: float
    #: the licence of this version at this step, in force or being earned
    licence_id: int | None = None
    contributor_id: int | None = None
    #: a licence in force proves this threshold
    proved: bool = False


class Source(Struct, frozen=True):
    """A file of the input."""

    #: path or s3:// place
    place: str
    #: what problems call it
    name: str
    size: int
    #: changes when the file does
    stamp: str


class Run(Struct, frozen=True):
    """What is fixed when a run begins."""

    form: str
    client_id: int
    #: the client's key of the batch for people's part
    key: str
    version_id: int
    version: int
    definition: ProcessDefinition
    step: str
    #: cheapest first: each is asked about what those before it passed on
    stages: tuple[Stage, ...]
    #: of the draw of the audit sample
    seed: str
    #: share of all rows in the sample, as asked for; None: as `planned_share` says
    audit_share: float | None
    columns: Columns
    on_error: OnError
    part_rows: int
    sources: tuple[Source, ...]

    @property
    def asked(self) -> StepDefinition:
        """The step that is answered."""
        found = self.definition.step(self.step)
        assert found is not None
        return found

    @property
    def proved(self) -> bool:
        """Every threshold is proved by a licence."""
        return all(stage.proved for stage in self.stages)


class Part(Struct, frozen=True):
    """Rows that are scored together: all their files appear, or none counts."""

    number: int
    #: place in `Run.sources`
    source: int
    #: rows of the whole input before its source
    offset: int
    #: rows of the source before it
    before: int
    rows: int
    #: row groups of a Parquet file; empty where the rows were staged
    groups: tuple[int, ...] = ()
    #: what was wrong with rows when they were staged
    rejected: int = 0
    n_problems: int = 0
    problems: tuple[Problem, ...] = ()

    @property
    def first(self) -> int:
        """Position of its first row in the whole input, from 1."""
        return self.offset + self.before + 1


class Plan(Struct, frozen=True):
    """The parts of a run, in the order of the input."""

    parts: tuple[Part, ...]
    #: rows of the whole input
    rows: int
    #: share of all rows in the sample, in millionths
    audit_ppm: int


class Done(Struct, frozen=True):
    """What became of a part."""

    number: int
    rows: int
    decided: int
    audit: int
    people: int
    rejected: int
    n_problems: int
    #: the first PROBLEMS_MAX of them
    problems: tuple[Problem, ...]
    #: decided by each stage
    by_stage: tuple[int, ...]
    #: processor seconds it took
    cpu_s: float


class Counts(Struct, frozen=True):
    """What became of the rows of a run."""

    rows: int = 0
    decided: int = 0
    audit: int = 0
    people: int = 0
    rejected: int = 0
    n_problems: int = 0


def counted(done: list[Done]) -> Counts:
    """All parts together."""
    return Counts(*(sum(getattr(part, name) for part in done) for name in Counts.__struct_fields__))
