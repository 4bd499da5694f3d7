"""The port to language models against a real server that misbehaves: patience, limits, money."""

import asyncio
import email.utils
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from canut.agents.llm.books import MemoryBooks
from canut.agents.llm.budget import Budget, Charge, Pace, Prices, most
from canut.agents.llm.client import Client, Limits, Said
from canut.agents.llm.wire import Ask, Endpoint, Message, Secret, Usage, body
from canut.errors import Unavailable
from tests.agents.fake_llm import FakeServer, Play, Request, anthropic, failure, fake_server, openai

KEY = "sk-woven-and-secret"
ASK = Ask("You answer.", (Message("user", "silk"),), {"type": "object"}, max_tokens=50)
QUICK = Limits(backoff_s=0.001, timeout_s=5.0)
PRICES = Prices(input=1_000_000, output=4_000_000)
#: what a reply of 100 and 10 tokens costs
COST = 140


def play(*plays: Play) -> Callable[[Request], Play]:
    """These one after the other, the last for ever."""
    left = list(plays)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


class Talk(msgspec.Struct):
    """A client of a fake server, and what it kept."""

    server: FakeServer
    client: Client
    rows: list[Charge]
    waited: list[float]


def talk(server: FakeServer, **changed: Any) -> Talk:
    rows: list[Charge] = []
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0)

    def clock() -> float:
        return sum(waited)

    dialect = changed.pop("dialect", "openai")
    given = {"chance": lambda: 1.0, "sleep": sleep, "clock": clock, "ledger": rows.append} | changed
    limits = given.pop("limits", QUICK)
    pace = Pace(limits.requests_per_minute, limits.tokens_per_minute, given["clock"], sleep)
    books = given.pop("books", None) or MemoryBooks(given.pop("budget", None), pace)
    endpoint = given.pop("endpoint", Endpoint(server.url, "weaver-1", Secret(KEY), dialect))
    return Talk(server, Client(endpoint, PRICES, limits, books, **given), rows, waited)


async def asked(talk: Talk, asks: Iterable[Ask] = (ASK,)) -> list[Said]:
    async with talk.client:
        return list(await asyncio.gather(*(talk.client.ask(ask, 7) for ask in asks)))


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
async def test_a_good_reply_is_read_and_paid(dialect: Any) -> None:
    """Both dialects: the request is what the vendor documents, the reply is read, one row of the
    ledger says what it cost."""
    good = anthropic(text="silk") if dialect == "anthropic" else openai(text="silk")
    with fake_server(play(good)) as server:
        one = talk(server, dialect=dialect)
        (said,) = await asked(one)
    request = server.requests[0]
    assert said.reply is not None
    assert said.reply.text == "silk"
    assert said.reply.usage == Usage(100, 0, 10)
    assert [(row.item, row.cost, row.basis) for row in one.rows] == [(7, COST, "counted")]
    assert one.client.books.budget.spent == COST
    assert one.client.books.budget.reserved == 0
    held = {name.lower(): value for name, value in request.headers.items()}
    if dialect == "anthropic":
        assert request.path == "/v1/messages"
        assert held["x-api-key"] == KEY
        assert held["anthropic-version"] == "2023-06-01"
        assert request.body["tool_choice"] == {"type": "tool", "name": "answer"}
        assert request.body["max_tokens"] == 50
    else:
        assert request.path == "/v1/chat/completions"
        assert held["authorization"] == f"Bearer {KEY}"
        assert request.body["response_format"]["type"] == "json_schema"
        assert request.body["messages"][0]["role"] == "system"


async def test_a_busy_server_is_given_the_peace_it_asks_for() -> None:
    """429 with Retry-After in seconds and as a date, 529, a dropped connection and one that is
    garbled: tried again, no sooner than asked, with pauses that grow."""
    soon = email.utils.formatdate(1_000_009, usegmt=True)
    script = play(
        failure(429, "slow down", retry_after="7"),
        failure(503, "overloaded", retry_after=soon),
        Play(drop=True),
        Play(b"<html>gateway</html>"),
        openai(text="silk"),
    )
    with fake_server(script) as server:
        one = talk(server, wall=lambda: 1_000_000.0)
        (said,) = await asked(one)
    assert said.reply is not None
    assert len(server.requests) == 5
    longest = [wait for wait in one.waited if wait > 0.5]
    assert longest[0] == 7
    assert any(abs(wait - 9) < 0.01 for wait in longest)
    # refusals cost nothing; a broken or garbled reply may have been charged, at most this much
    assert [row.basis for row in one.rows] == ["assumed", "assumed", "counted"]
    assert one.client.books.budget.spent == sum(row.cost for row in one.rows)


@pytest.mark.parametrize(
    ("script", "code", "tries"),
    [
        (play(failure(429, "no more today", retry_after="86400")), "busy", 1),
        (play(failure(500, "broken")), "busy", 3),
        (play(openai(text="si", finish="length")), "length", 1),
        (play(openai(text="", refusal="I will not")), "refused", 1),
        (play(openai(text="", finish="content_filter")), "refused", 1),
        (play(Play(b'{"choices": []}')), "garbled", 3),
        (play(Play(drop=True)), "lost", 3),
        (play(msgspec.structs.replace(openai(text="silk"), late_s=0.5)), "late", 3),
        (play(failure(413, "too large")), "error", 1),
    ],
)
async def test_what_cannot_be_had_is_told_and_not_hammered(
    script: Callable[[Request], Play], code: str, tries: int
) -> None:
    """Each failure ends in its fault, after as many tries as make sense."""
    with fake_server(script) as server:
        # a busy machine is no late server
        limits = Limits(tries=3, backoff_s=0.001, timeout_s=0.15 if code == "late" else 30)
        (said,) = await asked(talk(server, limits=limits))
    assert said.reply is None
    assert said.fault is not None
    assert said.fault.code == code
    assert len(server.requests) == tries


async def test_a_server_that_is_down_is_left_alone() -> None:
    """A hundred items do not wait for it one by one; the next run tries anew."""
    asks = [msgspec.structs.replace(ASK, sample=i) for i in range(100)]
    up = False
    script = play(failure(429, "no more today", retry_after="86400"))
    with fake_server(lambda request: openai(text="silk") if up else script(request)) as server:
        one = talk(server, limits=Limits(concurrency=2, backoff_s=0.001))
        said = await asked(one, asks)
        assert 10 <= len(server.requests) <= 12
        assert {each.fault.code for each in said if each.fault} == {"busy"}
        assert len(said) == 100
        up = True
        assert all(each.reply for each in await asked(one, asks))


@pytest.mark.parametrize("stop", ["max_tokens", "refusal"])
async def test_the_second_dialect_says_cut_off_and_refused_in_its_own_way(stop: str) -> None:
    """`stop_reason` of Anthropic's interface."""
    with fake_server(play(anthropic(text="I", stop=stop))) as server:
        (said,) = await asked(talk(server, dialect="anthropic"))
    assert said.fault is not None
    assert said.fault.code == {"max_tokens": "length", "refusal": "refused"}[stop]


@pytest.mark.parametrize("status", [401, 403, 404, 301])
async def test_what_fails_for_every_item_is_raised_without_the_key(status: int) -> None:
    """A wrong key, model or address stops the run, even if the server repeats the key."""
    with fake_server(play(failure(status, f"no {KEY}", location="http://x.test/"))) as server:
        one = talk(server)
        with pytest.raises(Unavailable) as raised:
            await asked(one)
    assert KEY not in str(raised.value)
    assert KEY not in repr(one.client.endpoint)
    assert len(server.requests) == 1
    assert one.client.books.budget.reserved == 0


async def test_a_server_without_json_schema_is_asked_otherwise() -> None:
    """400 to `response_format`, then to tools: the next way is tried at no cost, and remembered;
    a 400 about one item does not change how the others are asked."""

    def script(request: Request) -> Play:
        if "bad item" in request.body["messages"][-1]["content"]:
            return failure(400, "bad item")
        kind = request.body.get("response_format", {}).get("type")
        if kind == "json_schema" or "tools" in request.body:
            return failure(400, "not supported")
        return openai(text="silk")

    bad = msgspec.structs.replace(ASK, messages=(Message("user", "bad item"),))
    with fake_server(script) as server:
        one = talk(server)
        async with one.client:
            first = await one.client.ask(ASK)
            fault = (await one.client.ask(bad)).fault
            second = await one.client.ask(msgspec.structs.replace(ASK, sample=1))
    assert first.reply is not None
    assert second.reply is not None
    assert fault is not None
    assert fault.code == "error"
    assert len(server.requests) == 3 + 2 + 1
    assert "JSON Schema" in server.requests[-1].body["messages"][0]["content"]
    assert sum(row.cost for row in one.rows) == 2 * COST


async def test_the_budget_is_never_overspent() -> None:
    """Twenty calls at once against a budget for a few: what is on its way counts at its most, no
    more than the budget is spent, and no less than it allows for."""
    asks = [msgspec.structs.replace(ASK, sample=i) for i in range(20)]
    endpoint = Endpoint("http://x/v1", "weaver-1")
    fear = PRICES.cost(most(msgspec.json.encode(body(endpoint, ASK, "schema")), ASK))
    for limit in (fear - 1, fear, fear + 5 * COST, 3 * fear):
        with fake_server(play(msgspec.structs.replace(openai(text="silk"), late_s=0.01))) as server:
            one = talk(server, budget=Budget(limit))
            said = await asked(one, asks)
        answered = [one for one in said if one.reply]
        spent = one.client.books.budget.spent
        assert spent == len(answered) * COST <= limit
        assert {one.fault.code for one in said if one.fault} <= {"budget"}
        assert len(answered) == min((limit - fear) // COST + 1, 20)


async def test_the_same_question_is_paid_once() -> None:
    """What was paid for comes from the books, at no cost, a refusal too; another sample, model or
    wording does not."""
    books = MemoryBooks()
    script = play(openai(text="silk"), openai(refusal="no"), openai(text="silk"))
    with fake_server(script) as server:
        one = talk(server, books=books)
        async with one.client:
            await one.client.ask(ASK)
            again = await one.client.ask(ASK)
            second = msgspec.structs.replace(ASK, sample=1)
            refused = [await one.client.ask(second), await one.client.ask(second)]
        other = talk(server, books=books, endpoint=Endpoint(server.url, "weaver-2"))
        await asked(other)
    assert [said.fault and said.fault.code for said in refused] == ["refused"] * 2
    assert again.reply is not None
    assert again.reply.text == "silk"
    assert [row.basis for row in one.rows] == ["counted", "cache", "counted", "cache"]
    assert len(server.requests) == 3
    assert KEY.encode() not in b"".join(books.kept.values())


async def test_no_more_calls_are_on_their_way_than_allowed() -> None:
    """Concurrency is bounded, and used."""
    asks = [msgspec.structs.replace(ASK, sample=i) for i in range(12)]
    with fake_server(play(msgspec.structs.replace(openai(text="silk"), late_s=0.03))) as server:
        await asked(talk(server, limits=Limits(concurrency=3)), asks)
    assert server.most_at_once == 3


async def test_a_cancelled_call_leaves_its_row() -> None:
    """Who stops a run knows what it may have cost, and the budget holds no ghost."""
    with fake_server(play(msgspec.structs.replace(openai(text="silk"), late_s=1.0))) as server:
        one = talk(server)
        task = asyncio.create_task(asked(one))
        await asyncio.to_thread(server.came.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [row.basis for row in one.rows] == ["assumed"]
    assert one.client.books.budget.reserved == 0
    assert one.client.books.budget.spent == one.rows[0].cost > 0


@pytest.mark.parametrize(("requests", "tokens"), [(3, None), (None, 250), (2, 1000)])
async def test_no_minute_holds_more_than_the_limit(
    requests: int | None, tokens: int | None
) -> None:
    """Wherever a minute begins; and a request larger than the limit still goes, alone."""
    now, passed = [0.0], []

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(requests, tokens, lambda: now[0], sleep)
    for size in [100, 40, 300, 10, 100, 100, 100, 90, 5]:
        await pace.wait(size)
        passed.append((now[0], size))
        now[0] += 1.0
    for start, _ in passed:
        inside = [size for at, size in passed if start <= at < start + 60]
        assert requests is None or len(inside) <= requests
        assert tokens is None or sum(inside) <= tokens or len(inside) == 1
    assert now[0] < 60 * len(passed)


def test_a_price_is_rounded_up_and_knows_what_was_kept() -> None:
    """2.50 and 10.00 per million tokens; half price for what the server had kept."""
    prices = Prices(2_500_000, 10_000_000, 1_250_000)
    assert prices.cost(Usage(1000, 0, 100)) == 2500 + 1000
    assert prices.cost(Usage(1000, 800, 0)) == 500 + 1000
    assert Prices(1, 0).cost(Usage(1, 0, 0)) == 1
