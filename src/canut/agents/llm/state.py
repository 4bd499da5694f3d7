"""What an agent with a language model has learned: precedents, and what its scores are worth."""

from collections.abc import Sequence

import msgspec
from msgspec import Struct, structs

from canut.agents.artefact import pack, refuse, unpack
from canut.agents.llm.confidence import Calibration, calibrate
from canut.agents.llm.prompt import Precedent
from canut.agents.model import Step, digest
from canut.errors import Invalid

KIND = "llm/2"
#: precedents kept, the newest
PRECEDENTS_MAX = 2000


class State(Struct, frozen=True):
    """What has been learned."""

    precedents: tuple[Precedent, ...] = ()
    calibration: Calibration = Calibration()

    def calibrated(self, evidence: Sequence[tuple[float, bool]]) -> "State":
        """With a calibration fitted to this evidence: score, and whether it was right."""
        fitted = calibrate([score for score, _ in evidence], [right for _, right in evidence])
        return structs.replace(self, calibration=fitted)


def taught(state: State, new: Sequence[Precedent]) -> State:
    """With these precedents; of the same item, the newest decision stands."""
    by_item: dict[str, Precedent] = {}
    for one in [*state.precedents, *new]:
        key = digest([one.client, one.item])
        by_item.pop(key, None)
        if one.item:
            by_item[key] = one
    return structs.replace(state, precedents=tuple(by_item.values())[-PRECEDENTS_MAX:])


def pack_state(state: State, step: Step) -> bytes:
    """The state as bytes (`canut.agents.artefact`), bound to the question of this step."""
    learned = msgspec.to_builtins(state)
    return pack(KIND, {"schema": step.schema_hash(), "learned": learned}, {})


def unpack_state(packed: bytes, step: Step) -> State:
    """The state in these bytes; raises `Invalid` where they are damaged or learned for another
    question or other fields."""
    meta, _ = unpack(KIND, packed)
    if meta.get("schema") != step.schema_hash():
        refuse("it was learned for another question or other fields")
    try:
        state = msgspec.convert(meta.get("learned"), State)
    except msgspec.ValidationError as error:
        refuse(f"it cannot be read: {error}")
    shape = {field.name for field in step.shape.fields}
    try:
        for one in state.precedents:
            if step.question.normalise(one.value) != one.value or not shape >= set(one.item):
                refuse("a precedent does not answer the question")
    except Invalid:
        refuse("a precedent does not answer the question")
    steps = state.calibration
    if len(steps.score) != len(steps.confidence) or not all(0 <= c <= 1 for c in steps.confidence):
        refuse("its calibration cannot be used")
    return state
