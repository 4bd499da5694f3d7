"""What the demo shows: a client, an account for each role, a batch of every process, one of which
pays.

May be made any number of times on the same database: what is there stays.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from canut.channels.submit import Order, submit
from canut.cli.demo_pay import PAID, fund_sample, make_money
from canut.db.pool import Conn, SyncConn, connect, connect_async
from canut.errors import Conflict
from canut.people import store as people
from canut.people.model import SignUp
from canut.processes.library import load_shipped
from canut.processes.load import Loaded
from canut.processes.model import REFERENCE, ItemShape, ProcessDefinition
from canut.processes.shipped import library_slugs
from canut.processes.store import publish
from canut.questions.base import localise
from canut.work.intake import Block, one_block, open_batch

#: of every sample account: the demo listens on this machine only
PASSWORD = "canut-demo-loom"  # noqa: S105
CLIENT = "atelier-croix-rousse"
#: the process whose batch the simulated contributors work off
PROCESS = "catalogue/categorise"
#: where the truth of its sample is, as `canut simulate` wants it
TRUTH_COLUMN = "category"
#: what it promises and spends on the proof, so that its 330 decisions can prove it, two wrong ones
#: among those drawn: with the usual tenth, no error at all would prove 10 %
ERROR_MAX, AUDIT_SHARE = 0.05, 0.5

ACCOUNTS = {
    "operator": SignUp("operator@demo.example", "Sample operator", PASSWORD),
    "client": SignUp("client@demo.example", "Sample client", PASSWORD),
    "contributor": SignUp("contributor@demo.example", "Sample contributor", PASSWORD),
    "steward": SignUp("steward@demo.example", "Sample steward", PASSWORD),
}


class Demo(Struct, frozen=True):
    """What was made."""

    #: the batch the simulated contributors work off
    batch_id: int
    #: rows with the truth of its items
    truth: list[dict[str, Any]]


async def make_demo(url: str, now_ms: int) -> Demo:
    """Make what is missing of the demo."""
    async with connect_async(url) as conn:
        client_id = await _make_people(conn)
    with connect(url) as sync:
        make_money(sync, client_id, now_ms)
    batches = {slug: _submit(url, client_id, slug, now_ms) for slug in _order()}
    with connect(url) as sync:
        fund_sample(sync, batches[PAID], now_ms)
    return Demo(batches[PROCESS], truth_of(load_shipped(PROCESS)))


async def client_key(url: str) -> str:
    """A key of the sample client that reads its batches."""
    async with connect_async(url) as conn:
        client = await people.find_client(conn, CLIENT)
        made = await people.create_api_key(
            conn,
            people.COMMAND_LINE,
            name="demo",
            scopes=("batches:read",),
            client_id=client.id,
        )
    return made.secret


def truth_of(process: Loaded) -> list[dict[str, Any]]:
    """The gold of a process as rows of a file."""
    return [{REFERENCE: gold.reference, **gold.payload, **gold.answers} for gold in process.gold]


def _order() -> list[str]:
    """The catalogue first: its batch gets the first number."""
    return sorted(library_slugs(), key=lambda slug: (slug != PROCESS, slug))


async def _make_people(conn: Conn) -> int:
    by = people.COMMAND_LINE
    try:
        client_id = await people.create_client(conn, by, CLIENT, "Atelier de la Croix-Rousse")
    except Conflict:
        return (await people.find_client(conn, CLIENT)).id
    await people.create_account(conn, by, ACCOUNTS["operator"], roles=("operator",))
    await people.create_account(conn, by, ACCOUNTS["steward"], roles=("steward",))
    member = await people.create_account(conn, by, ACCOUNTS["client"])
    await people.add_member(conn, by, client_id, member)
    person = await people.create_account(conn, by, ACCOUNTS["contributor"])
    contributor = await people.create_contributor(conn, by, person)
    for skill in _skills():
        await people.grant_skill(conn, by, contributor, skill)
    return client_id


def _skills() -> list[str]:
    """All that the shipped processes ask for, experts' skills included: the sample contributor
    may try everything."""
    steps = [step for slug in library_slugs() for step in load_shipped(slug).definition.steps]
    asked = {skill for step in steps for skill in [*step.skills, step.expert_skill] if skill}
    return sorted(asked)


def _submit(url: str, client_id: int, slug: str, now_ms: int) -> int:
    process = load_shipped(slug)
    name = f"{localise(process.definition.title, 'en')} (sample)"
    order = Order(client_id, slug, key=f"sample-{slug.replace('/', '-')}", name=name)
    with connect(url) as conn:
        if slug == PROCESS:
            _promise(conn, order, process.definition, now_ms)
        batch, _ = submit(conn, people.COMMAND_LINE, order, _opener(process), now_ms)
    return batch.id


def _promise(conn: SyncConn, order: Order, shipped: ProcessDefinition, now_ms: int) -> None:
    """Open the batch with a promise that its sample can prove."""
    steps = tuple(
        replace(step, promise=replace(step.promise, error_max=ERROR_MAX, audit_share=AUDIT_SHARE))
        for step in shipped.steps
    )
    version = publish(conn, order.client_id, replace(shipped, steps=steps), now_ms, adapted=True)
    # a demo of old keeps the promise that it began with
    with suppress(Conflict):
        open_batch(conn, order.client_id, order.key, version.id, now_ms, name=order.name)


def _opener(process: Loaded) -> Any:
    @contextmanager
    def opened(_: ItemShape) -> Iterator[Iterator[Block]]:
        rows = [{REFERENCE: item.reference, **item.payload} for item in process.sample]
        yield one_block(rows, file="sample")

    return opened
