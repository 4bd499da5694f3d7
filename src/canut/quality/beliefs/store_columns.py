"""All answers of a step at once, as columns: binary COPY, in parts."""

import logging
import struct
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from psycopg import Connection

from canut.truth.votes import Int32, Int64

log = logging.getLogger("canut.quality")

#: answers a sweep reads, the newest: what fits into two gigabytes with all that is made of them
ANSWERS_MAX = 10_000_000
#: rows of a COPY kept as bytes before they become columns
ROWS_AT_ONCE = 250_000
#: a row of a binary COPY: number of fields, then length and value of each
FIELDS = ("fields", "task_length", "task", "who_length", "who", "said_length", "said")
ROW = np.dtype(
    {
        "names": [*FIELDS, "info_length", "info"],
        "formats": [">i2", ">i4", ">i8", ">i4", ">i8", ">i4", ">i4", ">i4", ">i4"],
    }
)
HEADER_BYTES = 19
TRAILER = struct.pack(">h", -1)
#: what is kept of a row
KEPT = np.dtype([("task", "i8"), ("who", "i8"), ("said", "i4"), ("info", "i4")])

# Answers to tasks of these steps, from the newest task to the oldest. info is the place of the step
# in the list x 4, + 1 where the task is decided, + 2 where it is with an expert. An expert's word
# is no vote.
ANSWERS = """
copy (
    select a.task_id, a.contributor_id, (o.place - 1)::int4,
           (s.place - 1)::int4 * 4 + t.decided::int4 + t.expert::int4 * 2
    from unnest(%s::bigint[]) with ordinality as s (id, place)
    join task t on t.batch_step_id = s.id and t.kind = 'work'
    join answer a on a.task_id = t.id and not a.expert
    join unnest(%s::jsonb[]) with ordinality as o (value, place) on o.value = a.value
    order by a.task_id desc, a.contributor_id desc
    limit %s
) to stdout (format binary)"""


class Columns(Struct, frozen=True):
    """The answers of a step, by task, then by contributor; tasks and contributors are sorted."""

    #: ids, int64 (n_tasks,) and int64 (n_contributors,)
    task_id: Int64
    contributor_id: Int64
    #: places in these, and the place of the option that was said, int32 (n,)
    task: Int32
    contributor: Int32
    label: Int32
    #: of each task, int32 (n_tasks,): see ANSWERS
    info: Int32


def answers(
    conn: Connection[Any], batch_steps: list[int], classes: Sequence[str], go_on: Callable[[], None]
) -> Columns:
    """The newest answers to these steps, `ANSWERS_MAX` at most: 24 bytes each, and no more than
    `ROWS_AT_ONCE` as they come. `go_on` is called now and then, and may raise."""
    options = [msgspec.json.encode(value).decode() for value in classes]
    parts: list[NDArray[Any]] = []
    size, pending = 0, bytearray()
    with conn.cursor().copy(ANSWERS, [batch_steps, options, ANSWERS_MAX]) as copy:
        skip = HEADER_BYTES
        for data in copy:
            pending += data
            if len(pending) >= ROWS_AT_ONCE * ROW.itemsize + skip:
                whole = (len(pending) - skip) // ROW.itemsize * ROW.itemsize
                parts.append(_rows(bytes(pending[skip : skip + whole])))
                del pending[: skip + whole]
                skip = 0
                size += len(parts[-1])
                go_on()
                log.info("sweep: %d answers read", size)
    rest = bytes(pending[skip:])
    parts.append(_rows(rest.removesuffix(TRAILER)))
    return _columns(parts)


def _rows(data: bytes) -> NDArray[Any]:
    read = np.frombuffer(data, ROW)
    kept = np.empty(len(read), KEPT)
    for name in KEPT.names or ():
        kept[name] = read[name]
    return kept


def _columns(parts: list[NDArray[Any]]) -> Columns:
    """From newest first to oldest first, with places for ids."""
    parts = [part[::-1] for part in reversed(parts)]
    n = sum(map(len, parts))
    everybody = np.unique(np.concatenate([np.unique(part["who"]) for part in parts]))
    task, who, said = (np.empty(n, np.int32) for _ in range(3))
    ids, infos = [np.empty(0, np.int64)], [np.empty(0, np.int32)]
    begin, n_tasks, last = 0, 0, -1
    for i, part in enumerate(parts):
        end = begin + len(part)
        first = np.empty(len(part), bool)
        if len(part):
            first[0] = part["task"][0] != last
            first[1:] = part["task"][1:] != part["task"][:-1]
            last = int(part["task"][-1])
        task[begin:end] = n_tasks - 1 + np.cumsum(first)
        who[begin:end] = np.searchsorted(everybody, part["who"])
        said[begin:end] = part["said"]
        ids.append(part["task"][first].copy())
        infos.append(part["info"][first].copy())
        n_tasks += len(ids[-1])
        begin = end
        parts[i] = part[:0]
    return Columns(np.concatenate(ids), everybody, task, who, said, np.concatenate(infos))
