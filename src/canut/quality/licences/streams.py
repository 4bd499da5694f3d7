"""The blind stream of a licence: which tasks fall into it, who settles them, what comes of it."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from canut.db.pool import SyncConn
from canut.quality.licences import store_blind
from canut.quality.licences.slices import threshold_at
from canut.quality.licences.store_blind import OpenBlind
from canut.quality.licences.unseen import LONE_PPM
from canut.quality.model import RIGHT_FROM, Licence
from canut.questions.base import Question
from canut.truth.designs import PPM, in_stream


def shadowed(licence: Licence, tasks: Sequence[int]) -> NDArray[np.bool_]:
    """Which of these tasks are in the licence's stream, bool (n,): there people decide without the
    agent, and its answer is judged by their decision."""
    return in_stream(licence.seed, [str(task) for task in tasks], licence.stream_ppm)


def lone(licence: Licence, tasks: Sequence[int]) -> NDArray[np.bool_]:
    """Of which of these tasks of its stream one person is enough who agrees with the agent, bool
    (n,): `LONE_PPM` of them, drawn at random."""
    return in_stream(licence.seed, [f"{task}:lone" for task in tasks], LONE_PPM)


def held_back(licence: Licence, tasks: Sequence[int]) -> NDArray[np.bool_]:
    """Which of these tasks the licence decides nothing about, bool (n,): those of its stream, and
    those beyond the share that a canary may decide. What a canary leaves goes to its stream first:
    beside it, it would cost people answers that tell nothing."""
    left = max(licence.stream_ppm, PPM - licence.canary_ppm)
    return in_stream(licence.seed, [str(task) for task in tasks], left)


def decides_alone(
    licence: Licence, confidence: float | None, in_its_stream: bool, slice_name: str = ""
) -> bool:
    """Whether an agent's answer of this confidence is a decision, about work of this slice."""
    threshold = threshold_at(licence, slice_name)
    return (
        licence.state == "in_force"
        and threshold is not None
        and confidence is not None
        and confidence >= threshold
        and not in_its_stream
    )


def settle_blind(
    conn: SyncConn, question: Question, decided: dict[int, Any], now_ms: int
) -> set[int]:
    """Compare blind answers with what people decided (task -> value); the licences concerned."""
    rows = store_blind.open_blind(conn, list(decided))
    decode = msgspec.json.Decoder().decode
    told = [(decode(row.value), decided[row.task_id]) for row in rows]
    # no answer (`store.record`) is not a right one
    wrong = [one is None or question.agree(one, right) < RIGHT_FROM for one, right in told]
    if rows:
        confirmed = _confirmed(conn, question, rows)
        store_blind.settle(conn, [row.id for row in rows], wrong, confirmed, now_ms)
    return {row.licence_id for row in rows}


def _confirmed(conn: SyncConn, question: Question, rows: Sequence[OpenBlind]) -> list[bool | None]:
    """Of each answer that two people at least have judged, whether the first had given it too."""
    decode = msgspec.json.Decoder().decode
    tasks = sorted({row.task_id for row in rows if not row.lone and row.value != "null"})
    first = store_blind.first_said(conn, tasks) if tasks else {}
    return [
        None if row.lone else confirmed(question, decode(row.value), first.get(row.task_id))
        for row in rows
    ]


def confirmed(question: Question, value: Any, first: str | None) -> bool | None:
    """Whether the first person to answer (JSON; None: nobody, or one who was enough) had said the
    same as an agent; None where nobody knows, or the agent said nothing."""
    if value is None or first is None:
        return None
    return question.agree(value, msgspec.json.decode(first)) >= RIGHT_FROM
