"""What a decision rests on, as numbers: `decision.evidence`."""

import msgspec
from msgspec import Struct


class Heard(Struct, frozen=True, array_like=True):
    """An answer that was weighed: an array of its fields."""

    contributor: int
    #: how far it agrees with the decision: the probability, then, that it was right
    agreement: float
    #: how often its contributor was believed to be right, then; None where it was not kept
    skill: float | None = None
    #: how much it counted, 0 to 1: clones share a voice
    weight: float = 1.0
    #: how sure the contributor said it was; people are not asked
    stated: float | None = None


class Evidence(Struct, frozen=True, omit_defaults=True):
    """All the answers weighed for a task, and by what."""

    answers: tuple[Heard, ...] = ()
    #: `step_model.version` that weighed them; 0: before the first sweep
    model: int = 0


def decode_evidence(data: bytes | str) -> Evidence:
    """Evidence as it is kept; also as it was before there were skills, a bare list of
    [contributor, agreement]."""
    found = msgspec.json.decode(data, type=Evidence | list[Heard])
    return found if isinstance(found, Evidence) else Evidence(tuple(found))
