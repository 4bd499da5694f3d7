"""Simulated contributors at work, through the public API and nothing else.

    stop = asyncio.Event()
    await simulate(url, keys, truth, errors, seed=1, stop=stop)

Each contributor sees what a person would see, finds the truth by it, and errs as often as stated.
"""

import asyncio
from collections.abc import Callable, Sequence
from random import Random

import msgspec
from msgspec import Struct

from canut.cli.simulate_answers import answer
from canut.cli.simulate_truth import Truth
from canut.sdk import AsyncCanut
from canut.sdk import values as v

#: seconds without a task before a contributor asks again, at first and at most
IDLE_S = (0.1, 1.0)
#: answers that are accepted count; others took the task over, or the batch ended
ACCEPTED = "accepted"


class Tally(Struct):
    """What the contributors have done so far."""

    #: answers that were taken
    answers: int = 0
    #: of those, wrong ones
    wrong: int = 0
    #: of those, to escalated tasks
    expert: int = 0
    #: answers that were refused: late, or overtaken
    refused: int = 0
    #: tasks of which the truth file knows nothing: guessed
    unknown: int = 0


def spread_errors(count: int, error: float, spread: float, seed: int) -> list[float]:
    """An error rate per contributor: normal around `error`, kept between 0 and 0.9."""
    chance = Random(f"{seed}:errors")  # noqa: S311
    return [min(max(chance.gauss(error, spread), 0.0), 0.9) for _ in range(count)]


async def simulate(
    url: str,
    keys: Sequence[str],
    truth: Truth,
    errors: Sequence[float],
    seed: int,
    stop: asyncio.Event,
    *,
    packet: int = 10,
    pace_s: float = 0.0,
    batch: int | None = None,
    on_progress: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Answer tasks with all these keys at once until `stop` is set.

    `errors` has the error rate of each key; `packet` is how many tasks are claimed at a time,
    `pace_s` how long a contributor thinks about each; `batch` is the only batch to work on.
    What a contributor answers to a task depends on `seed` and the item seen, not on who was faster,
    nor on the database: names of tasks are different in each.
    Raises `CanutAPIError` when the server refuses, or is away for longer than retries last.
    """
    tally = Tally()
    questions: dict[int, v.StepQuestion] = {}
    contributors = [
        _Contributor(
            AsyncCanut(url, key=key),
            truth,
            error,
            f"{seed}/{place}",
            questions,
            tally,
        )
        for place, (key, error) in enumerate(zip(keys, errors, strict=True))
    ]
    async with asyncio.TaskGroup() as group:
        for contributor in contributors:
            group.create_task(contributor.work(stop, packet, pace_s, batch, on_progress))
    return tally


class _Contributor:
    """One of them."""

    def __init__(
        self,
        canut: AsyncCanut,
        truth: Truth,
        error: float,
        seed: str,
        questions: dict[int, v.StepQuestion],
        tally: Tally,
    ):
        self.canut = canut
        self.truth = truth
        self.error = error
        self.seed = seed
        self.questions = questions
        self.tally = tally

    async def work(
        self,
        stop: asyncio.Event,
        packet: int,
        pace_s: float,
        batch: int | None,
        on_progress: Callable[[Tally], None],
    ) -> None:
        """Claim, answer, and again; wait a little when there is nothing to do."""
        idle_s = IDLE_S[0]
        async with self.canut:
            # what a run before this one left in hand comes first
            tasks = (await self.canut.work.live()).tasks
            while not stop.is_set():
                if tasks:
                    await self._answer(tasks, pace_s, stop)
                    on_progress(self.tally)
                    idle_s = IDLE_S[0]
                else:
                    await _sleep(idle_s, stop)
                    idle_s = min(idle_s * 2, IDLE_S[1])
                tasks = (await self.canut.work.claim(packet, batch=batch)).tasks
            for task in tasks:
                await self.canut.work.give_back(task.task)

    async def _answer(self, tasks: list[v.Task], pace_s: float, stop: asyncio.Event) -> None:
        given = {task.task: await self._think(task) for task in tasks}
        await _sleep(pace_s * len(tasks), stop)
        answered = await self.canut.work.answer_all(
            [(name, value) for name, (value, _) in given.items()]
        )
        experts = {task.task for task in tasks if task.expert}
        for one in answered.outcomes:
            if one.outcome != ACCEPTED:
                self.tally.refused += 1
                continue
            self.tally.answers += 1
            self.tally.wrong += not given[one.task][1]
            self.tally.expert += one.task in experts

    async def _think(self, task: v.Task) -> tuple[object, bool]:
        """The answer, and whether it is right."""
        question = await self._question(task.step)
        known = self.truth.find(question, task)
        self.tally.unknown += known is None
        seen = msgspec.json.encode((question.slug, task.item), order="deterministic").decode()
        chance = Random(f"{self.seed}/{seen}")  # noqa: S311
        given = answer(question.answer, known, self.error, chance)
        return given, known is not None and given == known

    async def _question(self, step: int) -> v.StepQuestion:
        if step not in self.questions:
            self.questions[step] = await self.canut.work.question(step)
        return self.questions[step]


async def _sleep(seconds: float, stop: asyncio.Event) -> None:
    """Sleep, but not past the end."""
    if seconds <= 0:
        return
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
