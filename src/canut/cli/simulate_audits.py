"""Simulated auditors: once a batch is delivered, people who had none of it answer its audits."""

import asyncio
import time
from collections.abc import Sequence

from canut.cli.simulate_report import Plan
from canut.cli.simulate_truth import Truth
from canut.cli.simulation import Tally
from canut.cli.simulation import simulate as run_simulation
from canut.sdk import AsyncCanut
from canut.sdk import values as v

#: seconds between looks at what is proved
LOOK_S = 0.5
#: states of a step at which there is nothing left to audit
ENDED = ("proved", "spent")


async def answer_audits(
    url: str, canut: AsyncCanut, keys: Sequence[str], truth: Truth, plan: Plan
) -> list[v.Standing]:
    """Answer until each step of the batch is proved or its draws are spent, or nothing moves any
    more; where its promises stand then."""
    batch = await canut.batches.get(plan.batch)
    stop, tally = asyncio.Event(), Tally()

    def note(so_far: Tally) -> None:
        nonlocal tally
        tally = so_far

    working = asyncio.create_task(
        run_simulation(
            url,
            keys,
            truth,
            [plan.expert_error] * len(keys),
            # other people than those who decided
            plan.seed + 1,
            stop,
            packet=plan.packet,
            pace_s=plan.pace_s,
            batch=plan.batch,
            on_progress=note,
        )
    )
    try:
        moved, last = time.monotonic(), -1
        while True:
            steps = (await batch.certificates()).steps
            if tally.answers != last:
                moved, last = time.monotonic(), tally.answers
            ended = all(step.state in ENDED for step in steps)
            if ended or working.done() or time.monotonic() - moved > plan.stuck_s:
                return steps
            await asyncio.sleep(LOOK_S)
    finally:
        stop.set()
        await working


def tell(steps: Sequence[v.Standing]) -> list[str]:
    """What is proved, in words."""
    lines: list[str] = []
    for step in steps:
        lines += [f"{step.step}: {step.state}", *(f"  {said}" for said in step.words.get("en", []))]
    return lines
