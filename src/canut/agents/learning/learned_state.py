"""What the learner has learned, as bytes: frozen, and thawed with every number checked."""

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from msgspec import Struct

from canut.agents.artefact import Array, pack, refuse, unpack
from canut.agents.learning.features import WIDTH
from canut.agents.learning.heads import ABSENT, Head, Kind
from canut.agents.learning.learned import Learned, Part
from canut.agents.learning.linear import Columns, Model
from canut.agents.learning.replay import restored
from canut.agents.model import Step
from canut.errors import Invalid
from canut.questions.number import Number

FORM = "learner/1"


class _PartMeta(Struct, frozen=True, forbid_unknown_fields=True):
    kind: Kind
    answers: tuple[str, ...]
    seen: tuple[int, ...]
    missing: float
    sharpness: float
    shift: float


class _Meta(Struct, frozen=True, forbid_unknown_fields=True):
    schema: str
    code: str
    values: tuple[str, ...]
    unmet: float
    share: float
    parts: tuple[_PartMeta, ...]


def freeze(learned: Learned, step: Step, code: str) -> bytes:
    """The state."""
    assert learned.columns is not None
    arrays: dict[str, Array] = {
        "kept": learned.columns.kept,
        "rarity": learned.columns.rarity,
        **learned.replay.arrays(),
    }
    metas = []
    for i, part in enumerate(learned.parts):
        arrays[f"{i}.weights"] = part.model.weights.astype(np.float16)
        arrays[f"{i}.offset"] = part.model.offset.astype(np.float32)
        sharpness, shift = part.model.sharpness, part.model.shift
        metas.append(_PartMeta(part.kind, part.answers, part.seen, part.missing, sharpness, shift))
    meta = _Meta(
        step.schema_hash(),
        code,
        learned.replay.values,
        learned.columns.unmet,
        learned.columns.share,
        tuple(metas),
    )
    return pack(FORM, msgspec.to_builtins(meta), arrays)


def thaw(state: bytes, step: Step, heads: Sequence[Head], code: str) -> Learned:
    """What a state holds; raises `Invalid` where it is damaged, or was learned for another
    question, for other fields, or by another version of the code."""
    plain, arrays = unpack(FORM, state)
    try:
        meta = msgspec.convert(plain, _Meta)
    except msgspec.ValidationError as error:
        refuse(f"its header cannot be read: {error}")
    if meta.schema != step.schema_hash():
        refuse("it was learned for another question or other fields")
    if meta.code != code:
        refuse(f"it was learned by version {meta.code[:20]!r}, this is {code!r}")
    if len(meta.parts) != len(heads):
        refuse("it does not answer what the question asks")
    columns = _columns(arrays, meta)
    parts = tuple(
        _part(head, one, arrays, i, len(columns.kept))
        for i, (head, one) in enumerate(zip(heads, meta.parts, strict=True))
    )
    _all_normal(step, meta.values)
    return Learned(columns, parts, restored(arrays, meta.values))


def _all_normal(step: Step, values: Sequence[str]) -> None:
    for value in values:
        try:
            step.question.normalise(msgspec.json.decode(value))
        except (Invalid, msgspec.DecodeError):
            refuse("it remembers an answer that the question does not take")


def _columns(arrays: Mapping[str, Array], meta: _Meta) -> Columns:
    kept, rarity = arrays.get("kept"), arrays.get("rarity")
    if kept is None or rarity is None or kept.dtype != np.int32 or kept.ndim != 1:
        refuse("it reads no columns")
    if rarity.dtype != np.float32 or rarity.shape != kept.shape or not np.isfinite(rarity).all():
        refuse("its columns have no weight each")
    if len(kept) and (kept[0] < 0 or kept[-1] >= WIDTH or (np.diff(kept) <= 0).any()):
        refuse("its columns are not in order")
    if not (0 < meta.unmet < 100 and 0 < meta.share < 100):
        refuse("its columns have no weight each")
    return Columns(kept, rarity, meta.unmet, meta.share)


def _part(head: Head, meta: _PartMeta, arrays: Mapping[str, Array], i: int, width: int) -> Part:
    weights, offset = arrays.get(f"{i}.weights"), arrays.get(f"{i}.offset")
    outputs = 1 if meta.kind == "size" else len(meta.answers)
    if weights is None or weights.dtype != np.float16 or weights.shape != (width, outputs):
        refuse("its weights do not fit its answers")
    if offset is None or offset.dtype != np.float32 or offset.shape != (outputs,):
        refuse("its weights do not fit its answers")
    if not outputs or (meta.kind != "size" and len(meta.seen) != outputs):
        refuse("its answers were not counted")
    numbers = (meta.sharpness, meta.shift, meta.missing)
    if not (
        np.isfinite(weights).all() and np.isfinite(offset).all() and np.isfinite(numbers).all()
    ):
        refuse("its weights are not numbers")
    if not 0 <= meta.missing <= 1 or meta.sharpness <= 0:
        refuse("its confidence cannot be told")
    if meta.kind == "size" and (len(meta.answers) != 2 or not isinstance(head.question, Number)):
        refuse("its confidence cannot be told")
    for answer in meta.answers:
        if answer == ABSENT and not head.required:
            continue
        try:
            head.question.normalise(msgspec.json.decode(answer))
        except (Invalid, msgspec.DecodeError):
            if meta.kind != "several":
                refuse("it knows an answer that the question does not take")
    if meta.kind == "several" and list(meta.answers) != head.answers(()):
        refuse("its options are not those of the question")
    model = Model(weights.astype(np.float32), offset, meta.sharpness, meta.shift)
    return Part(meta.kind, meta.answers, model, meta.seen, meta.missing)
