"""The public names of tasks: they lead back to the task, and say nothing about it."""

import itertools
import re
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.db.migrate import migrate
from canut.db.pool import open_pool
from canut.engine.schema import job_scripts
from canut.errors import Invalid
from canut.work import tasks
from canut.work.model import TaskRef
from canut.work.names import STEP_BITS, TASK_BITS, TaskNames
from canut.work.tasks import Steps
from tests import factories as make
from tests.factories import NOW, one

NAMES = TaskNames(bytes(range(16)))
refs = st.builds(TaskRef, st.integers(0, 2**STEP_BITS - 1), st.integers(0, 2**TASK_BITS - 1))


@given(refs)
def test_a_name_leads_back_to_its_task(ref: TaskRef) -> None:
    """Whatever the numbers, a name has one form and one meaning."""
    name = NAMES.name(ref)
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", name)
    assert NAMES.read(name) == ref


def test_names_say_nothing_about_numbers() -> None:
    """Tasks made one after the other have names that share nothing, and names of the same step no
    common beginning; another key gives other names."""
    names = [NAMES.name(TaskRef(7, task)) for task in range(1, 2001)]
    assert len({name[:8] for name in names}) == 2000
    assert len({name[-8:] for name in names}) == 2000
    ordered = sorted(range(2000), key=names.__getitem__)
    rises = sum(b > a for a, b in itertools.pairwise(ordered))
    assert 900 < rises < 1100
    assert TaskNames(bytes(16)).name(TaskRef(7, 1)) != names[0]


@given(st.one_of(st.text(max_size=30), st.from_regex(r"[A-Za-z0-9_-]{22}", fullmatch=True)))
@pytest.mark.parametrize("_", [0])
def test_what_nobody_was_given_is_no_task(_: int, text: str) -> None:
    """A made-up string is refused before anything is asked."""
    with pytest.raises(Invalid, match="is not a task"):
        NAMES.read(text)


def test_a_name_changed_anywhere_is_no_task() -> None:
    """Also where the last character has bits to spare, with another alphabet, or padded."""
    name = NAMES.name(TaskRef(41, 90210))
    other = "A" if name[-1] != "A" else "Q"
    spare = chr(ord(name[-1]) + 1)
    changed = [name[:-1] + other, name[:-1] + spare, name + "==", name + "A", f" {name}"]
    changed += [name[:at] + ("a" if name[at] != "a" else "b") + name[at + 1 :] for at in range(22)]
    changed += ["41.90210", "", name[:-1], "é" * 22, "\x00" * 22]
    for text in changed:
        with pytest.raises(Invalid):
            NAMES.read(text)
    with pytest.raises(OverflowError):
        NAMES.name(TaskRef(1, 2**TASK_BITS))


def test_the_key_is_made_once(db: psycopg.Connection) -> None:
    """Migrating again changes no name; a database that lost its key gets another, of its own."""
    read = "select value from secret where name = 'task_names'"
    first = one(db, read)
    assert len(first) == 16
    migrate(db, job_scripts())
    assert one(db, read) == first
    db.execute("delete from secret")
    migrate(db, job_scripts())
    assert one(db, read) != first


async def test_the_order_of_a_claim_tells_nothing(fresh_url: str) -> None:
    """Neither what is claimed at once nor what is held comes in the order in which tasks were
    made: by it, those made later would be known."""
    with psycopg.connect(fresh_url) as conn:
        who, work = make.contributor(conn), make.work(conn, items=40)
    async with open_pool(fresh_url, 2) as pool:
        names = await tasks.load_names(pool)
        claimed = await tasks.claim(pool, Steps(), names, who, NOW, count=40)
        held = await tasks.live(pool, Steps(), names, who, NOW)
    assert sorted(task.ref.task_id for task in claimed) == work.tasks
    assert [task.name for task in claimed] == sorted(task.name for task in claimed)
    assert held == claimed


def test_threads_share_names() -> None:
    """Names are read in the threads of requests at once; none of them gets another's."""
    names = TaskNames(bytes(range(16)))
    refs = [TaskRef(7, task) for task in range(3000)]
    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(names.name, refs))
        assert list(threads.map(names.read, said)) == refs
