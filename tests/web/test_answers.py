"""A contributor's own answers: theirs alone, by pages, and nothing that tells checks from work."""

import re

import msgspec
import psycopg
import pytest

from canut.insight.story import kept_back
from canut.work.model import TaskRef
from canut.work.names import TaskNames
from tests import factories as make
from tests.factories import NOW
from tests.web.conftest import CSRF, Browser, Serving

LINK = re.compile(r'href="/answers/([\w-]{22})"')
OLDER = re.compile(r'href="(/answers\?before=[\w-]{22})"')
EVERY, AT_ONCE = 120, 60


class Made(msgspec.Struct):
    """Answers of the worker, the newest 60 given at once; another contributor gave one."""

    step: int
    tasks: list[int]
    names: TaskNames
    #: name by task
    name: dict[int, str]
    others: str


def answered(conn: psycopg.Connection, step: int, who: int, count: int) -> list[int]:
    """Tasks that are claimed and answered one by one, in that order."""
    tasks = []
    for n in range(count):
        [task] = make.claim(conn, who)
        make.submit(conn, who, step, {task: "red"}, NOW + min(n, EVERY - AT_ONCE))
        tasks.append(task)
    assert make.one(conn, "select count(*) from answer where contributor_id = %s", who) == count
    return tasks


@pytest.fixture
async def made(fresh_url: str, people: dict[str, int]) -> Made:
    with psycopg.connect(fresh_url) as conn:
        work = make.work(conn, make.step(min_answers=1), items=EVERY + 1)
        [step] = work.batch_steps
        [alone] = answered(conn, step, make.contributor(conn), 1)
        tasks = answered(conn, step, people["contributor"], EVERY)
        names = TaskNames(make.one(conn, "select value from secret where name = 'task_names'"))
        conn.commit()
    called = {task: names.name(TaskRef(step, task)) for task in tasks}
    return Made(step, tasks, names, called, names.name(TaskRef(step, alone)))


async def leaf_through(browser: Browser) -> list[str]:
    """Every page of the list, without the tokens of its forms, which are new on every page."""
    pages = [CSRF.sub("", (await browser.get("/answers")).text)]
    while older := OLDER.search(pages[-1]):
        pages.append(CSRF.sub("", (await browser.get(older[1])).text))
    return pages


def mark(url: str, made: Made) -> None:
    """A third becomes gold, a third audits; of the rest, half is decided."""
    with psycopg.connect(url) as conn:
        kinds = {"gold": made.tasks[::3], "audit": made.tasks[1::3]}
        for kind, some in kinds.items():
            sql = "update task set kind = %s, of_task = id where id = any (%s)"
            conn.execute(sql, [kind, some])
        conn.execute(
            """insert into decision (task_id, batch_step_id, item_id, value, confidence, method,
            n_answers, evidence, decided_ms)
            select id, batch_step_id, item_id, '"red"', 0.95, 'answers', 2, '[]', %s
            from task where id = any (%s)""",
            [NOW + 9, made.tasks[2::6]],
        )
        conn.commit()


async def test_the_list_is_ones_own_whole_and_blind(
    serving: Serving, made: Made, fresh_url: str
) -> None:
    """Every answer once, newest first, fifty a page. Answers given at once are in the order of
    random names, not of the tasks' numbers, which would tell what was made late. And the pages
    are the same to the letter whatever the tasks are and whatever became of them."""
    async with serving() as browsers:
        browser = browsers()
        await browser.log_in("worker@example.org")
        pages = await leaf_through(browser)
        found = [LINK.findall(page) for page in pages]
        assert [len(page) for page in found] == [50, 50, 20]
        flat = [name for page in found for name in page]
        split = EVERY - AT_ONCE
        assert flat[:AT_ONCE] == sorted(made.name[task] for task in made.tasks[split:])
        assert flat[AT_ONCE:] == [made.name[task] for task in reversed(made.tasks[:split])]
        assert "Colours, Colour" in pages[0]
        assert ">Red<" in pages[0]
        assert "Batch" not in LINK.split(pages[0], maxsplit=1)[1]
        mark(fresh_url, made)
        assert await leaf_through(browser) == pages
        for path in (f"/answers/{made.others}", f"/answers?before={made.others}"):
            assert (await browser.get(path)).status_code == 404
        assert (await browser.get("/answers?before=nonsense")).status_code == 422


async def test_answers_of_a_step_and_of_some_days(
    serving: Serving, made: Made, fresh_url: str
) -> None:
    """A filter leaves out what is not asked for, on every page; the time at work stands beside an
    answer that has one; what cannot be read asks for nothing."""
    day, [newest] = "2026-09-21", made.tasks[-1:]
    with psycopg.connect(fresh_url) as conn:
        process, slug = conn.execute("select process_id, slug from batch_step").fetchone() or ()
        early = made.tasks[0]
        conn.execute("update answer set submitted_ms = 1000 where task_id = %s", [early])
        conn.execute(
            """insert into activity (task_id, contributor_id, batch_step_id, intervals, active_ms,
            sent_ms) select task_id, contributor_id, %s, '{[0,42000)}', 42000, 1
            from answer where task_id = %s""",
            [made.step, newest],
        )
        conn.commit()
    async with serving() as browsers:
        browser = browsers()
        await browser.log_in("worker@example.org")

        async def named(query: str) -> list[str]:
            return LINK.findall((await browser.get(f"/answers?{query}")).text)

        assert await named("to=1970-01-01") == [made.name[early]]
        assert len(await named(f"from={day}&step={process}:{slug}")) == 50
        assert await named(f"step={process}:other") == []
        assert await named("from=2400-01-01") == []
        assert len(await named("from=never&step=x:y")) == 50
        second = await named(f"from={day}&before={made.name[made.tasks[EVERY - AT_ONCE]]}")
        assert made.name[early] not in second
        pages = await leaf_through(browser)
        assert "42 sec at work" in "".join(pages)


async def test_one_answer_in_words(serving: Serving, made: Made, fresh_url: str) -> None:
    """A decision is told, but for one in four; checks, what is kept back and what is open are the
    same page to the letter. Who answered nothing is told where to begin; others are kept out."""
    mark(fresh_url, made)
    tasks = made.tasks[EVERY - AT_ONCE :]
    decided = set(made.tasks[2::6])
    back = {task for task in tasks if kept_back(made.names, TaskRef(made.step, task))}
    assert decided & set(tasks) - back
    hidden = set()
    async with serving() as browsers:
        browser = browsers()
        await browser.log_in("worker@example.org")
        for task in tasks:
            page = (await browser.get(f"/answers/{made.name[task]}")).text
            assert "You answered “Red”." in page
            if task in decided - back:
                assert "Decided: “Red”" in page
            else:
                hidden.add(CSRF.sub("", page).replace(made.name[task], ""))
        assert len(hidden) == 1
        assert "It is not decided yet, or not shown" in hidden.pop()
        with psycopg.connect(fresh_url) as conn:
            conn.execute("delete from answer")
        assert "You have answered nothing yet" in (await browser.get("/answers")).text
        assert "Mes réponses" in (await browser.get("/answers?lang=fr")).text
        member = browsers()
        await member.log_in("member@example.org")
        for path in ("/answers", f"/answers/{made.name[tasks[0]]}"):
            assert (await member.get(path)).status_code == 403
