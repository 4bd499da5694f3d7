"""The values of evidence about contributors."""

from typing import Any, Literal

from msgspec import Struct

LicenceState = Literal["earning", "in_force", "ended"]

#: an answer is wrong where it agrees with the right one by less (`Question.agree`): texts may
#: differ by a comma, everything else must be the same
RIGHT_FROM = 0.95


class Licence(Struct, frozen=True):
    """A contributor's permission at a step, in one of its versions."""

    id: int
    contributor_id: int
    process_id: int
    step_slug: str
    version: int
    #: the version that began to earn what this one holds: its own id where that is itself
    root: int
    root_version: int
    state: LicenceState
    #: hash of the agent version it is about; empty for a person
    basis: str
    error_max: float
    delta: float
    #: an agent decides alone at or above it
    threshold: float | None
    #: (threshold, coverage), falling
    rungs: list[tuple[float, float]] | None
    seed: str
    stream_ppm: int
    finding: dict[str, Any] | None
    standing: dict[str, Any] | None
    flagged_ms: int | None
    started_ms: int
    granted_ms: int | None
    ended_ms: int | None
    reason: str
    #: when the root began: answers given before are about something else
    root_started_ms: int = 0
    #: its stream is at least this share for a while
    stream_floor_ppm: int = 0
    #: it decides this share of its tasks alone
    canary_ppm: int = 1_000_000
    #: how it is parted (`licences.slices.Slices`); None: it is not. `threshold` is then the highest
    #: of those in force, and `finding` and `standing` are the sums
    slices: dict[str, Any] | None = None


class BlindAnswer(Struct, frozen=True):
    """An agent's answer to a task of its stream."""

    task_id: int
    #: the version it fell to
    licence_id: int
    confidence: float
    #: None while people have not decided
    wrong: bool | None
    #: what the item or the answer says of the slice it belongs to
    slice: str = ""
    #: one person who agrees with it settles its task (`licences.unseen`)
    lone: bool = False
    #: people had decided it when the version that is judged by it was fixed
    looked_back: bool = False
    #: where two were asked: whether the first of them had given it too
    confirmed: bool | None = None


class LicencePlace(Struct, frozen=True):
    """Where a licence holds: a contributor at a step, of all versions of a process."""

    contributor_id: int
    process_id: int
    step_slug: str
