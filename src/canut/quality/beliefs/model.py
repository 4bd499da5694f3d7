"""The values of what a step knows, from its own answers and from gold."""

import hashlib
from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct

from canut.questions.base import HasClasses, Question
from canut.truth.calibration import Reliability
from canut.truth.categorical import PLAUSIBLE
from canut.truth.pool import Stack

#: with more options than this confusions are not counted: naive Bayes among 10,000 options costs
#: what it does among 10
CLASSES_MAX = PLAUSIBLE
#: a count of one answer in the database
UNIT = 1_000_000


class StepPlace(Struct, frozen=True):
    """A step of a process, through all its versions and batches."""

    process_id: int
    step_slug: str


class Bin(Struct, frozen=True, array_like=True):
    """A bin of a reliability diagram."""

    n: int
    #: mean confidence of the decisions in it, and the share of them that was right
    confidence: float
    right: float


class Calibration(Struct, frozen=True):
    """How far the beliefs of a step can be taken at their word; nothing where `n` is 0."""

    #: answers to gold, and audits, that it was measured on
    n: int = 0
    #: in order of confidence, of equal width, from 0 to 1
    bins: tuple[Bin, ...] = ()
    #: expected calibration error
    error: float = 0.0

    @classmethod
    def of(cls, diagram: Reliability) -> "Calibration":
        """The values of a diagram, rounded."""
        columns = zip(diagram.n.tolist(), diagram.confidence, diagram.right, strict=True)
        bins = tuple(Bin(n, round(float(c), 4), round(float(r), 4)) for n, c, r in columns)
        return cls(int(diagram.n.sum()), bins, round(diagram.expected_error, 4))


class Fitted(Struct, frozen=True):
    """What gold says of how opinions are to be pooled, for one list of options."""

    #: `canut.truth.pool.Stack`
    weight: tuple[float, ...]
    bias: tuple[float, ...]
    n_gold: int

    @classmethod
    def of(cls, stack: Stack) -> "Fitted":
        """The values of a stack."""
        return cls(tuple(stack.weight.tolist()), tuple(stack.bias.tolist()), stack.n_gold)

    def stack(self) -> Stack:
        """The stack of these values."""
        return Stack(np.array(self.weight), np.array(self.bias), self.n_gold)


class Parameters(Struct, frozen=True):
    """`step_model.parameters`: what a sweep found."""

    #: by the hash of the list of options (`options_hash`)
    fitted: dict[str, Fitted] = {}
    calibration: Calibration = Calibration()


class StepModel(Struct, frozen=True):
    """What a step knows, as its last sweep left it."""

    #: one more with every sweep; 0 before the first
    version: int = 0
    #: how often a usual answer is right
    skill: float = 0.7
    parameters: Parameters = Parameters()


def classes_of(question: Question) -> list[str] | None:
    """The classes between which confusions are counted; None where they are not."""
    if not isinstance(question, HasClasses):
        return None
    classes = question.classes
    return classes if 2 <= len(classes) <= CLASSES_MAX else None


def options_hash(classes: Sequence[str]) -> str:
    """A name of this list of options, in this order: 16 hexadecimal digits."""
    return hashlib.sha256(msgspec.json.encode(list(classes))).hexdigest()[:16]
