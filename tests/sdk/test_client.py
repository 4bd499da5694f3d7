"""The client against a real server: sync and async do the same."""

import asyncio
import io
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from canut import AsyncCanut, Canut, CanutAPIError
from canut.sdk.retry import Retry, retry_after_s
from canut.sdk.sources import BLOCK, open_source
from tests.api import PRODUCTS, THINGS, Api, decide

PROCESS = "catalogue/categorise"
ITEMS = [{"reference": key, "title": title} for key, title, _ in PRODUCTS]
TRUTH = {title: thing for _, title, thing in PRODUCTS}


def answered(api: Api, count: int) -> None:
    """This many contributors answer everything rightly."""
    with Canut(api.url, key=api.operator) as operator:
        made = operator.people.create_contributors(count).contributors
    for one in made:
        with Canut(api.url, key=one.key) as worker:
            while tasks := worker.work.claim(10).tasks:
                worker.work.answer_all([(t.task, TRUTH[t.item["title"]]) for t in tasks])


def test_the_ten_lines_of_the_readme(api: Api, tmp_path: Path) -> None:
    """A file is submitted, waited for, and its decisions are read."""
    path = tmp_path / "catalogue.csv"
    rows = "".join(f"{key},{title}\n" for key, title, _ in PRODUCTS)
    path.write_text(f"sku,title\n{rows}")
    with Canut(api.url, key=api.soierie) as canut:
        batch = canut.batches.submit(
            path, process=PROCESS, key="spring", taxonomy=THINGS, read={"reference": "sku"}
        )
        assert list(batch.decisions()) == []
        for _ in range(4):
            answered(api, 3)
            decide(api.database)
        batch.wait(timeout_s=5, poll_s=0.05)
        assert batch.state == "delivered"
        found = {decision.key: decision.value for decision in batch.decisions()}
        assert found == {key: thing for key, _, thing in PRODUCTS}
        assert all(0 < decision.confidence <= 1 for decision in batch.decisions())


def test_the_async_client_does_the_same(api: Api) -> None:
    """Submit, list, wait with a limit, stream, cancel, without blocking."""

    async def use() -> None:
        async with AsyncCanut(api.url, key=api.soierie) as canut:
            assert "client" in (await canut.me()).roles
            batch = await canut.batches.submit(
                (dict(item) for item in ITEMS), process=PROCESS, key="spring", taxonomy=THINGS
            )
            assert batch.value.items == len(ITEMS)
            assert [one.id async for one in canut.batches.list(limit=1)] == [batch.id]
            results = [one async for one in batch.results()]
            assert [one.key for one in results] == [key for key, _, _ in PRODUCTS]
            assert not any(one.done for one in results)
            with pytest.raises(TimeoutError):
                await batch.wait(timeout_s=0.1, poll_s=0.1)
            assert (await batch.pause()).state == "paused"
            assert (await batch.resume()).state == "running"
            assert (await batch.prioritise(3)).value.priority == 3
            assert (await (await batch.cancel()).wait()).state == "cancelled"

    asyncio.run(use())


def test_an_error_says_what_to_mend(api: Api) -> None:
    """Problem details become an exception with code, mend and problems."""
    with Canut(api.url, key=api.soierie) as canut:
        with pytest.raises(CanutAPIError) as caught:
            canut.batches.create("no/such", "spring")
        assert (caught.value.status, caught.value.code) == (404, "not_found")
        assert caught.value.mend
        batch = canut.batches.create(PROCESS, "spring", taxonomy=THINGS)
        with pytest.raises(CanutAPIError) as caught:
            batch.add([{"title": "Kelmoor kettle"}, {"title": ""}])
        assert [problem.row for problem in caught.value.problems] == [2]
        kept = batch.add([{"title": "Kelmoor kettle"}, {"title": ""}], on_error="skip")
        assert (kept.added, kept.rejected) == (1, 1)


def test_file_objects_and_webhooks(api: Api) -> None:
    """A file object without a name needs its type; a webhook comes, is listed, and goes."""
    with Canut(api.url, key=api.soierie) as canut:
        batch = canut.batches.create(PROCESS, "spring", taxonomy=THINGS)
        stream = io.BytesIO(b"title\nKelmoor kettle\n")
        with pytest.raises(CanutAPIError, match="format"):
            batch.add(stream)
        assert batch.add(stream, media_type="text/csv").added == 1
        made = canut.webhooks.create("http://127.0.0.1:9/hook")
        assert made.secret.startswith("whsec_")
        assert [one.id for one in canut.webhooks.list()] == [made.id]
        canut.webhooks.delete(made.id)
        assert list(canut.webhooks.list()) == []


class Flaky(httpx.HTTPTransport):
    """Loses every first reply after the server has done its work, then says 503 once."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        reply = super().handle_request(request)
        if self.asked % 3 == 1:
            reply.read()
            raise httpx.ReadError("the cable", request=request)
        if self.asked % 3 == 2:
            reply.read()
            return httpx.Response(503, headers={"retry-after": "0"}, request=request)
        return reply


def test_lost_replies_make_nothing_twice(api: Api) -> None:
    """Each request is served three times, and the result is as if once: contributors by the
    idempotency key that is added, a batch by its own, items and answers by what they are."""
    quick = Retry(base_s=0.001)
    with Canut(api.url, key=api.operator, retry=quick, transport=Flaky()) as operator:
        made = operator.people.create_contributors(2).contributors
        assert [one.id for one in operator.people.contributors()] == [one.id for one in made]
    with Canut(api.url, key=api.soierie, retry=quick, transport=Flaky()) as canut:
        batch = canut.batches.submit(ITEMS, process=PROCESS, key="spring", taxonomy=THINGS)
        assert batch.value.items == len(ITEMS)
    with Canut(api.url, key=made[0].key, retry=quick, transport=Flaky()) as worker:
        worker.work.claim(2)
        held = worker.work.live().tasks
        done = worker.work.answer_all([(task.task, "lamp") for task in held])
        assert {one.outcome for one in done.outcomes} == {"accepted"}


def test_an_unreachable_server_is_an_error_of_ours() -> None:
    """Not the HTTP library's, and only after every attempt."""
    with (
        Canut("http://127.0.0.1:9", key="x", retry=Retry(attempts=2, base_s=0.001)) as canut,
        pytest.raises(CanutAPIError, match="does not answer"),
    ):
        canut.me()


def test_waits_grow_and_the_server_has_the_last_word() -> None:
    """Doubling with chance, bounded; Retry-After in seconds or as a date wins."""
    retry = Retry(base_s=1, wait_max_s=10)
    assert [retry.wait_s(n, 1.0, None, 0) for n in (1, 2, 3, 9)] == [1, 2, 4, 10]
    assert retry.wait_s(3, 0.0, None, 0) == 2
    assert retry.wait_s(1, 0.5, "7", 0) == 7
    assert retry_after_s("Thu, 01 Jan 1970 00:01:00 GMT", 20) == 40
    assert retry_after_s("soon", 0) is None


def test_items_are_sent_in_blocks() -> None:
    """However many there are, no block is much larger than its bound."""
    blocks = list(open_source({"title": "x" * 1000} for _ in range(2000)).blocks())
    assert len(blocks) > 5
    assert max(map(len, blocks)) < BLOCK + 2000


def test_importing_canut_is_light() -> None:
    """`import canut` loads nothing; the client loads httpx and msgspec, and no server code."""
    code = (
        "import sys, canut; assert not {'httpx', 'msgspec'} & set(sys.modules); "
        "canut.Canut; print(sorted(m for m in sys.modules if m.split('.')[0] in "
        "('canut', 'litestar', 'psycopg', 'numpy', 'pyarrow')))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(out.stdout.strip("[]\n").replace("'", "").split(", "))
    assert all(name == "canut" or name.startswith("canut.sdk") for name in loaded), loaded
