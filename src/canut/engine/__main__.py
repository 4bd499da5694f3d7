"""One engine process: decides in the main thread, does jobs in another; agents
work in threads and processes of their own. Started by `canut serve`,
which hands its settings down; ends with it."""

import logging
import os
import signal
import threading

from canut.config import handed_down
from canut.engine.agents import run_agents
from canut.engine.jobs import run_jobs
from canut.engine.loop import run

#: seconds between looks whether the parent still lives
PARENT_EVERY_S = 1.0


def main() -> None:
    settings = handed_down()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_end_with_parent, args=(stop,), daemon=True).start()
    jobs = threading.Thread(
        target=run_jobs,
        args=(settings.database_url, stop),
        kwargs={
            "webhooks_private": settings.webhooks_private,
            "models": settings.models_file,
        },
        name="jobs",
        daemon=True,
    )
    jobs.start()
    agents = threading.Thread(
        target=run_agents,
        args=(settings.database_url, settings.models_file, stop),
        name="agents",
        daemon=True,
    )
    agents.start()
    run(settings.database_url, settings.engine_idle_s, stop)
    jobs.join(timeout=15)
    agents.join(timeout=15)


def _end_with_parent(stop: threading.Event) -> None:
    """A parent that was killed cannot stop us; an engine nobody supervises must not go on."""
    parent = os.getppid()
    while not stop.wait(PARENT_EVERY_S):
        if os.getppid() != parent:
            stop.set()


if __name__ == "__main__":
    main()
