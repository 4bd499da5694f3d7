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


class Evidence(Struct, frozen=True):
    """All the answers weighed for a task, and by what."""

    answers: tuple[Heard, ...] = ()
    #: `step_model.version` that weighed them; 0: before the first sweep
    model: int = 0


def encode_evidence(evidence: Evidence) -> bytes:
    """As it is kept: [model, [contributor, agreement, skill], ...]; an answer's last fields are
    left out where they are usual. There is one for each decision, so it is short."""
    return msgspec.json.encode([evidence.model, *map(_short, evidence.answers)])


def _short(heard: Heard) -> list[float | None]:
    if heard.stated is not None:
        return [heard.contributor, heard.agreement, heard.skill, heard.weight, heard.stated]
    if heard.weight != 1:
        return [heard.contributor, heard.agreement, heard.skill, heard.weight]
    return [heard.contributor, heard.agreement, heard.skill]


def decode_evidence(data: bytes | str) -> Evidence:
    """Evidence as it is kept; also as it was before there were skills, a list of
    [contributor, agreement] alone."""
    found = msgspec.json.decode(data, type=list[int | Heard])
    answers = tuple(one for one in found if isinstance(one, Heard))
    return Evidence(answers, next((one for one in found if isinstance(one, int)), 0))
