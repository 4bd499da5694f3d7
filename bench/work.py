"""Work for measurements: a batch of the shipped catalogue process, contributors with keys, and
contributors that claim and answer over HTTP, keeping a journal of what was acknowledged."""

import asyncio
import random
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import aiohttp
import msgspec

from canut.db.pool import connect, connect_async
from canut.people import store as people
from canut.people.credentials import token_hash
from canut.processes.library import load_shipped
from canut.processes.store import find_version
from canut.work.intake import Block, add_items, open_batch
from canut.work.names import TaskNames

PROCESS = "catalogue/categorise"
ROWS_PER_BLOCK = 10_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


async def make_batch(url: str, tasks: int, key: str = "bench") -> int:
    """A client's batch with this many tasks, ready to claim; returns its id."""
    async with connect_async(url) as conn:
        client = await people.create_client(conn, people.COMMAND_LINE, f"bench-{key}", "Bench")
    with connect(url) as sync:
        version = find_version(sync, client, PROCESS)
        assert version is not None
        batch = open_batch(sync, client, key, version.id, now_ms())
        add_items(sync, batch, _blocks(tasks))
    return batch.id


def _blocks(tasks: int) -> Iterator[Block]:
    for start in range(1, tasks + 1, ROWS_PER_BLOCK):
        rows = range(start, min(start + ROWS_PER_BLOCK, tasks + 1))
        records = [
            {"reference": f"R{n}", "title": f"Kettle {n}", "description": "steel, 1.7 l " * 15}
            for n in rows
        ]
        yield Block(rows=rows, records=records, file="bench")


async def make_contributors(url: str, count: int) -> list[str]:
    """Keys of new simulated contributors."""
    async with connect_async(url) as conn:
        names = [f"Simulated {n + 1}" for n in range(count)]
        made = await people.create_simulated(conn, people.COMMAND_LINE, names)
    return [secret for _, secret in made]


def categories() -> list[str]:
    """What the answers of the process can be."""
    question = load_shipped(PROCESS).definition.steps[0].question
    parents = {option.get("parent") for option in question["options"]}
    return [o["value"] for o in question["options"] if o["value"] not in parents]


@dataclass
class Journal:
    """What the server acknowledged, by the contributor's own account."""

    #: (contributor, task) -> value
    acknowledged: dict[tuple[int, str], str] = field(default_factory=dict)
    #: tasks handed to the same contributor again
    claimed_again: int = 0
    claimed: set[tuple[int, str]] = field(default_factory=set)
    outcomes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    #: milliseconds of each claim + submit
    cycle_ms: list[float] = field(default_factory=list)


class Contributor:
    """Claims and answers over HTTP, `packet` tasks at a time. Eight in ten answers agree."""

    def __init__(self, number: int, key: str, journal: Journal, answers: list[str], packet: int):
        self.number = number
        self.journal = journal
        self.headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self.answers = answers
        self.packet = packet
        self.random = random.Random(number)

    async def work(
        self, http: aiohttp.ClientSession, go_on: Callable[[], bool], *, patient: bool = False
    ) -> None:
        """Until `go_on` says no, or there is no task left. `patient`: errors are noted and tried
        again, for a server that dies."""
        nothing = 0
        while go_on() and nothing < 3:
            began = time.perf_counter()
            try:
                tasks = await self._claim(http)
                if tasks:
                    await self._answer(http, tasks, patient)
            except (TimeoutError, aiohttp.ClientError, _RefusedError) as error:
                self.journal.errors[type(error).__name__] += 1
                if not patient:
                    raise
                await asyncio.sleep(0.1)
                continue
            if tasks:
                nothing = 0
                self.journal.cycle_ms.append((time.perf_counter() - began) * 1000)
            else:
                nothing += 1

    async def _claim(self, http: aiohttp.ClientSession) -> list[str]:
        body = b'{"count":%d}' % self.packet
        reply = await self._post(http, "/api/v1/claims", body)
        tasks = [task["task"] for task in reply["tasks"]]
        for task in tasks:
            if (self.number, task) in self.journal.claimed:
                self.journal.claimed_again += 1
            self.journal.claimed.add((self.number, task))
        return tasks

    async def _answer(self, http: aiohttp.ClientSession, tasks: list[str], patient: bool) -> None:
        given = {task: self._choose(task) for task in tasks}
        answers = [{"task": task, "value": value} for task, value in given.items()]
        body = msgspec.json.encode({"answers": answers})
        reply = await self._send(http, body, patient)
        for outcome in reply["outcomes"]:
            self.journal.outcomes[outcome["outcome"]] += 1
            if outcome["outcome"] == "accepted":
                task = outcome["task"]
                self.journal.acknowledged[self.number, task] = given[task]

    async def _send(
        self, http: aiohttp.ClientSession, body: bytes, patient: bool
    ) -> dict[str, list[dict[str, str]]]:
        """Hand in; where the server dies, send the same again until it says something."""
        while True:
            try:
                return await self._post(http, "/api/v1/answers", body)
            except (TimeoutError, aiohttp.ClientError, _RefusedError):
                if not patient:
                    raise
                self.journal.errors["resent"] += 1
                await asyncio.sleep(0.1)

    async def _post(
        self, http: aiohttp.ClientSession, path: str, body: bytes
    ) -> dict[str, list[dict[str, str]]]:
        async with http.post(path, data=body, headers=self.headers) as reply:
            content = await reply.read()
            if reply.status != 200:
                raise _RefusedError(f"{reply.status} {content[:300]!r}")
        decoded: dict[str, list[dict[str, str]]] = msgspec.json.decode(content)
        return decoded

    def _choose(self, task: str) -> str:
        if self.random.random() < 0.8:
            return self.answers[zlib.crc32(task.encode()) % len(self.answers)]
        return self.random.choice(self.answers)


class _RefusedError(Exception):
    """The server replied with an error."""


def compare(url: str, keys: list[str], journal: Journal) -> tuple[int, int, int]:
    """(lost, doubled, wrong): acknowledged answers against what the database holds."""
    with connect(url) as conn:
        hashes = [token_hash(key) for key in keys]
        rows = conn.execute(
            "select token_hash, contributor_id from api_key where token_hash = any (%s)", [hashes]
        )
        who = {contributor: hashes.index(hashed) for hashed, contributor in rows}
        secret = conn.execute("select value from secret where name = 'task_names'").fetchone()
        assert secret is not None
        names = TaskNames(secret[0])
        stored = conn.execute("select task_id, contributor_id, value #>> '{}' from answer")
        found: Counter[tuple[int, int]] = Counter()
        values = {}
        for task, contributor, value in stored:
            found[who[contributor], task] += 1
            values[who[contributor], task] = value
    lost = doubled = wrong = 0
    for (number, name), value in journal.acknowledged.items():
        task = names.read(name).task_id
        lost += found[number, task] == 0
        wrong += values.get((number, task), value) != value
    doubled = sum(n > 1 for n in found.values())
    return lost, doubled, wrong
