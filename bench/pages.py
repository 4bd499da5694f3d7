"""What each main page weighs and how long it takes, with a million items in the database.

    python -m bench.pages [--items 1000000] [--latency 80] [--times 100]

Starts `canut serve`, fills a batch of `--items` items, logs in a contributor, a client and an
operator in a real Chromium whose every request takes `--latency` ms longer, and asks each page
`--times` times over HTTP without that latency. The last line is one JSON object: for each page
`bytes_first` (over the wire, never there before), `bytes_next` (a second visit; for the task
screen, each further task), `first_paint_ms`, `next_task_ms` (median from the key to the next task
painted), `p99_ms_1m_items` (of the server).
"""

import argparse
import asyncio
import json
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, StorageState

from bench import million
from bench.browser import WATCH, chromium, opened, weigh
from bench.house import House, running
from canut.db.pool import connect, connect_async
from canut.people import store as people
from canut.people.model import SignUp

PASSWORD = "seven silver bobbins"
#: answers given in a row on the task screen
ANSWERS = 20
#: first answers that fill the packet: what comes after is what each further task costs
LEARNT = 4
TASK = """document.querySelector("#loom .task")?.dataset.task"""
#: who looks, and where; {batch} is the batch of a million items
PAGES = {
    "": ["/", "/login"],
    "contributor": ["/work", "/answers", "/account"],
    "client": [
        "/batches",
        "/batches/{batch}",
        "/batches/{batch}?state=open",
        "/batches/{batch}/items?key=SKU-00500000",
        "/batches/{batch}/agents",
        "/batches/{batch}/certificates",
        "/batches/new",
    ],
    "operator": [
        "/operator",
        "/operator/batches/{batch}",
        "/operator/queue",
        "/operator/contributors",
        "/operator/audit",
        "/operator/quality",
        "/operator/agents",
        "/search?q=SKU-00500000",
    ],
}


async def make_people(url: str) -> int:
    """A contributor, a client's member and an operator, each `<role>@example.org`; the number of
    the client."""
    by = people.COMMAND_LINE
    async with connect_async(url) as conn:
        client = await people.create_client(conn, by, "belvoie", "Belvoie")
        for role in ("contributor", "client", "operator"):
            sign_up = SignUp(f"{role}@example.org", role.title(), PASSWORD)
            roles = ("operator",) if role == "operator" else ()
            account = await people.create_account(conn, by, sign_up, roles=roles)
            if role == "contributor":
                await people.create_contributor(conn, by, account)
            if role == "client":
                await people.add_member(conn, by, client, account)
    return client


def log_in(browser: Browser, server: House, role: str) -> StorageState | None:
    """The cookies of one of the people; None for nobody."""
    if not role:
        return None
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}/login?lang=en")
    page.fill("[name=email]", f"{role}@example.org")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    state = context.storage_state()
    context.close()
    return state


def p99_ms(url: str, state: StorageState | None, times: int) -> float:
    """Of the server, over HTTP, one request after the other."""
    pairs = [f"{one['name']}={one['value']}" for one in (state or {}).get("cookies", [])]
    asked = urllib.request.Request(url, headers={"cookie": "; ".join(pairs)})
    took = []
    for _ in range(times):
        began = time.perf_counter()
        with urllib.request.urlopen(asked, timeout=60) as reply:
            reply.read()
        took.append((time.perf_counter() - began) * 1000)
    return round(float(np.percentile(took, 99)), 1)


def task_screen(
    browser: Browser, state: StorageState | None, url: str, latency_ms: int
) -> dict[str, Any]:
    """The first task, and each further one, answered by keyboard."""
    context = browser.new_context(storage_state=state)
    page, wire = opened(context, latency_ms)
    page.goto(url)
    if page.locator(".task").count() == 0:
        page.click("main button.main")
        page.wait_for_selector(".task[data-grown]")
    context.close()
    weighed = weigh(browser, state, url, latency_ms)
    context = browser.new_context(storage_state=state, service_workers="block")
    page, wire = opened(context, latency_ms)
    page.goto(url, wait_until="networkidle")
    page.wait_for_selector(".task[data-grown]")
    page.evaluate(WATCH, TASK)
    for number in range(ANSWERS + LEARNT):
        if number == LEARNT:
            page.wait_for_load_state("networkidle")
            wire.clear()
        _answer(page, number)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)
    took = page.evaluate("window.benchTook")[LEARNT:]
    context.close()
    return {
        **weighed,
        "bytes_next": round(wire.bytes / ANSWERS),
        "requests_next": round(wire.requests / ANSWERS, 1),
        "next_task_ms": round(float(np.median(took)), 1),
        "next_task_max_ms": round(max(took), 1),
    }


def _answer(page: Any, number: int) -> None:
    """A digit and Enter, at the pace of somebody quick."""
    page.keyboard.press(str(1 + number % 8))
    page.keyboard.press("Enter")
    page.wait_for_function("(n) => window.benchTook.length > n", arg=number)
    page.wait_for_timeout(300)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Every page, on a fresh server."""
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="canut-bench-") as folder:
        Path(folder).chmod(0o711)
        with running(Path(folder) / "data") as server:
            client = asyncio.run(make_people(server.database()))
            with connect(server.database(), autocommit=True) as conn:
                now_ms = time.time_ns() // 1_000_000
                batch = million.fill(conn, client, arguments.items, now_ms)
            with chromium() as browser:
                for role, paths in PAGES.items():
                    state = log_in(browser, server, role)
                    for path in paths:
                        url = server.url + path.format(batch=batch)
                        found[path] = weigh(browser, state, url, arguments.latency)
                        found[path]["p99_ms_1m_items"] = p99_ms(url, state, arguments.times)
                        print(path, json.dumps(found[path]), flush=True)
                state = log_in(browser, server, "contributor")
                url = f"{server.url}/work/{batch}"
                task = task_screen(browser, state, url, arguments.latency)
                task["p99_ms_1m_items"] = p99_ms(url, state, arguments.times)
                found["/work/{batch}"] = task
                print("/work/{batch}", json.dumps(task), flush=True)
    return {"items": arguments.items, "latency_ms": arguments.latency, "pages": found}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--latency", type=int, default=80, help="ms added to each request")
    parser.add_argument("--times", type=int, default=100, help="requests for each p99")
    print(json.dumps(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
