"""A running Canut with a sample of everything a page can show: for browser tests and pictures.

Everything is made through the verbs that the product itself uses; nothing is invented here but
the people and the brands.
"""

import asyncio
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from canut.agents.running.verbs import NewAgent, put_to_work
from canut.channels.files import open_items
from canut.config import Settings, hand_down
from canut.db.pool import connect, connect_async, open_pool
from canut.people import store as people
from canut.people.model import SignUp
from canut.people.store import COMMAND_LINE
from canut.processes.library import library_folder, library_slugs, load_shipped
from canut.processes.store import find_version, publish
from canut.questions.registry import load_question
from canut.work import tasks
from canut.work.decide import decide_fresh
from canut.work.intake import add_items, one_block, open_batch
from canut.work.tasks import Steps
from tests.waiting import wait_for

T = TypeVar("T")

PASSWORD = "warp and weft and silk"
PEOPLE = {
    "operator": ("odile@canut.example", "Odile Perrache", "en"),
    "steward": ("simon@canut.example", "Simon Villette", "en"),
    "client": ("bastien@belvoie.example", "Bastien Maurel", "en"),
    "contributor": ("salome@canut.example", "Salomé Terreaux", "en"),
    "newcomer": ("yann@canut.example", "Yann Bellecour", "fr"),
    "traveller": ("margaux@canut.example", "Margaux Ourdissoir", "en"),
}
SKILLS = ("moderation", "moderation-expert")
SIMULATED = 6


class Sample(msgspec.Struct):
    """What is in a database that was filled."""

    batches: dict[str, int]
    accounts: dict[str, int]


class House(msgspec.Struct):
    """Where the server is, and what is in it."""

    url: str
    database: str
    settings: Settings
    #: batch by key: the library's slugs with "-" for "/", and "large-taxonomy"
    batches: dict[str, int]
    accounts: dict[str, int]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def fill(database: str) -> Sample:
    """Put the sample into this migrated, empty database."""
    accounts, workers = _apart(_people(database))
    batches = _batches(database, accounts["belvoie"])
    accounts["agent"] = _agent(database)
    _apart(_answers(database, batches, workers))
    return Sample(batches, accounts)


@contextmanager
def running(database: str, data: Path, sample: Sample | None = None) -> Iterator[House]:
    """A server on this database: with `sample` in it, or else migrated, empty, and then filled."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Settings(
        data=str(data), database_url=database, port=port, rate_per_s=0, webhooks_private=True
    )
    sample = sample or fill(database)
    command = [
        *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory"),
        *("--host", "127.0.0.1", "--port", str(port), "--no-ws", "--log-level", "warning"),
        "canut.web.app:app_factory",
    ]
    log = data / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            command, env={**os.environ, **hand_down(settings)}, stdout=out, stderr=out
        )
        try:
            wait_for(settings.url + "/alive", server, log)
            yield House(settings.url, database, settings, sample.batches, sample.accounts)
        finally:
            server.terminate()
            server.wait(20)


def _apart(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread: the browser's driver may have an event loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _people(database: str) -> tuple[dict[str, int], list[int]]:
    made = {}
    async with connect_async(database) as conn:
        for role, (email, name, locale) in PEOPLE.items():
            roles = (role,) if role in ("operator", "steward") else ()
            sign_up = SignUp(email, name, PASSWORD, locale)
            made[role] = await people.create_account(conn, COMMAND_LINE, sign_up, roles=roles)
        client = await people.create_client(conn, COMMAND_LINE, "belvoie", "Belvoie")
        await people.add_member(conn, COMMAND_LINE, client, made["client"])
        for role in ("contributor", "newcomer", "traveller"):
            found = await people.create_contributor(conn, COMMAND_LINE, made[role])
            made[f"{role} id"] = found
        for skill in SKILLS:
            await people.grant_skill(conn, COMMAND_LINE, made["contributor id"], skill)
        names = [f"Simulated {n}" for n in range(1, SIMULATED + 1)]
        simulated = await people.create_simulated(conn, COMMAND_LINE, names, skills=SKILLS)
    return {**made, "belvoie": client}, [contributor for contributor, _ in simulated]


def _batches(database: str, client: int) -> dict[str, int]:
    made = {}
    with connect(database) as conn:
        for slug in library_slugs():
            loaded = load_shipped(slug)
            version = publish(conn, None, loaded.definition, now_ms())
            key = slug.replace("/", "-")
            batch = open_batch(conn, client, key, version.id, now_ms(), name=_name(slug))
            folder = Path(str(library_folder(slug)))
            sample = next(folder.glob("sample.*"))
            with open_items(str(sample), loaded.definition.item) as blocks:
                add_items(conn, batch, blocks)
            made[key] = batch.id
        made["large-taxonomy"] = _large(conn, client)
        conn.commit()
    return made


def _agent(database: str) -> int:
    """An agent at the first step of a process of the library, which has not begun."""
    with connect(database) as conn:
        version = find_version(conn, None, "catalogue/categorise")
        assert version is not None
        new = NewAgent("rules", version.process_id, version.definition.steps[0].slug, "Ariadne")
        made = put_to_work(conn, COMMAND_LINE, new, version.definition, now_ms())
        conn.commit()
    return made


def _name(slug: str) -> str:
    return {
        "catalogue/categorise": "Autumn range",
        "catalogue/enrich": "Product sheets, home and sport",
        "reviews/moderate": "Customer reviews, week 46",
        "search/relevance": "Queries from the shop's search",
        "images/tag": "Photos from merchants",
        "invoices/capture": "Invoices of March",
    }.get(slug, slug)


def _large(conn: Any, client: int) -> int:
    """The same question over 10,000 classes."""
    base = find_version(conn, None, "catalogue/categorise")
    assert base is not None
    things = ["Kettle", "Écharpe", "Bicycle", "Lamp", "Œuvre", "Casserole", "Tent", "Sofa"]
    options: list[dict[str, Any]] = [
        {"value": f"d{n}", "label": f"Department {n}"} for n in range(100)
    ]
    options += [
        {
            "value": f"c{n}",
            "label": f"{things[n % len(things)]} {n}",
            "parent": f"d{n % 100}",
            "synonyms": ["bouilloire"] if n % len(things) == 0 else [],
        }
        for n in range(10_000)
    ]
    step = base.definition.steps[0]
    changed = msgspec.structs.replace(step, question={**step.question, "options": options})
    definition = msgspec.structs.replace(base.definition, steps=(changed,))
    version = publish(conn, client, definition, now_ms())
    batch = open_batch(conn, client, "large-taxonomy", version.id, now_ms(), name="Every class")
    add_items(conn, batch, one_block({"title": f"Kelmoor kettle {n}"} for n in range(20)))
    return batch.id


async def _answers(database: str, batches: dict[str, int], workers: list[int]) -> None:
    """Simulated contributors answer part of the work, and the engine decides what it can."""
    chance, steps = random.Random(46), Steps()
    shares = {"catalogue-categorise": 120, "reviews-moderate": 30, "search-relevance": 12}
    async with open_pool(database, 2) as pool:
        names = await tasks.load_names(pool)
        for key, count in shares.items():
            for worker in workers[:4]:
                claimed = await tasks.claim(
                    pool,
                    steps,
                    names,
                    worker,
                    now_ms(),
                    count=min(count, 50),
                    batch_id=batches[key],
                )
                gold = load_shipped(key.replace("-", "/", 1)).gold
                for task in claimed:
                    step = await steps.load(pool, task.ref.batch_step_id)
                    slug = step.definition.slug
                    right = {str(step.visible(one.payload)): one.answers[slug] for one in gold}
                    value = _guess(step.definition.question, right.get(str(task.item)), chance)
                    await tasks.submit_one(pool, steps, names, worker, now_ms(), task.name, value)
    with connect(database) as conn:
        decide_fresh(conn, Steps(), now_ms(), 10_000)
        conn.commit()


def _guess(question: dict[str, Any], right: Any, chance: random.Random) -> Any:
    """The right answer nine times in ten, where there is gold; else any other."""
    if right is not None and chance.random() < 0.9:
        return right
    if question["type"] == "scale":
        return chance.randrange(4)
    if question["type"] == "record":
        return {"verdict": "reject", "reasons": ["off-topic"]}
    options = load_question(question).options("en")  # type: ignore[attr-defined]
    return chance.choice(options)["value"]
