"""Prices before there is a batch, limits on what is spent, and where a client's money is."""

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.errors import Invalid, NotFound
from canut.pay.accrual.accepting import accept_due
from canut.pay.funding import deposit, fund
from canut.pay.money import purses
from canut.pay.money.refunds import release_batch
from canut.pay.quotes import estimate, make_quote, read_basis
from canut.pay.quotes.rules import items_within
from canut.pay.settlement import settle_next
from canut.pay.tariffs import find_step, set_tariff
from canut.people.model import Principal
from canut.people.store import COMMAND_LINE
from canut.processes.library import load_shipped
from canut.processes.store import publish
from canut.work.intake import add_items, one_block, open_batch
from tests import factories as make
from tests.pay.paid import NOW, engine, funded, paid, work_on
from tests.pay.payees import sound

DAY = 86_400_000
SLUG = "search/relevance"


@given(st.integers(0, 400), st.integers(1, 60), st.integers(0, 9), st.integers(0, 50))
def test_a_limit_covers_as_many_items_as_it_can(
    most: int, items: int, each: int, once: int
) -> None:
    """The price of what it covers is within it, and that of one more is not."""
    found = items_within(most, items, lambda n: once + each * n)
    assert found == 0 or once + each * found <= most
    assert found == items or once + each * (found + 1) > most


def test_an_estimate_is_the_quote_of_the_batch_to_come(db: psycopg.Connection) -> None:
    """What is shown before a batch is made is what it is then quoted, to the cent; what has no
    tariff, or is not there yet, has no price. A limit quotes as many items as it covers."""
    definition = load_shipped(SLUG).definition
    client = make.client(db)
    assert read_basis(db, client, definition, NOW) is None
    version = publish(db, None, definition, NOW - 5)
    assert read_basis(db, client, definition, NOW) is None
    step = find_step(db, SLUG, "relevance", None)
    set_tariff(db, COMMAND_LINE, step, NOW - 1, currency="EUR", assumed_ms=20_000, why="a pilot")
    basis = read_basis(db, client, definition, NOW)
    assert basis is not None
    batch = open_batch(db, client, "k", version.id, NOW)
    rows = ({"query": f"lamp {n}", "product": "Ondelaine lamp"} for n in range(40))
    add_items(db, batch, one_block(rows))
    made = make_quote(db, COMMAND_LINE, batch.id, NOW).quote
    ahead = estimate(basis, definition, 40, NOW)
    assert (ahead.lines, ahead.total_minor) == (made.lines, made.total_minor)
    half = make_quote(db, COMMAND_LINE, batch.id, NOW, most_minor=made.total_minor * 9 // 10).quote
    assert 0 < half.items < 40
    assert half.total_minor <= made.total_minor * 9 // 10
    assert estimate(basis, definition, half.items + 1, NOW).total_minor > made.total_minor * 9 // 10
    with pytest.raises(Invalid) as refused:
        make_quote(db, COMMAND_LINE, batch.id, NOW, most_minor=1)
    assert refused.value.problems[0].field == "budget"


def test_every_cent_of_a_batch_has_a_place(db: psycopg.Connection) -> None:
    """Set aside is used, held, left or given back: before anything is accepted, after, and when the
    rest went back; what it went on adds up to what was used. Others see nothing of it."""
    one = paid(db, items=3)
    batch, client = one.work.batch_id, one.work.client_id
    mine = Principal(client_ids=(client,))
    waits = purses.read_batch_purse(db, mine, batch)
    assert waits is not None
    assert (waits.waits, waits.currency) == (True, None)
    assert [b.id for b in purses.list_batches(db, mine, client, waiting=True)] == [batch]
    offer, _ = funded(db, one)
    work_on(db, one, make.contributor(db), 3, 20_000)
    assert engine(db) == 3

    def look() -> purses.BatchPurse:
        found = purses.read_batch_purse(db, mine, batch)
        assert found is not None
        assert found.used + found.held + found.left + found.back == offer.quote.total_minor
        parts = purses.batch_parts(db, mine, found)
        assert sum(part.used for part in parts) == found.used
        assert sum(part.held for part in parts) == found.held
        return found

    held = look()
    assert held.held > 0 == held.used
    accept_due(db, NOW + 6 * DAY)
    used = look()
    assert (used.held, used.used) == (0, held.held)
    db.execute("update batch set state = 'cancelled' where id = %s", [batch])
    while settle_next(db, NOW + 20 * DAY):
        look()
    release_batch(db, mine, batch, NOW + 20 * DAY)
    assert look().left == 0
    purse = purses.read_purses(db, mine, client).purses[0]
    assert (purse.deposit, purse.aside) == (look().back, 0)
    moves = purses.list_moves(db, mine, client)
    assert sum(move.amount for move in moves) == purse.deposit
    assert moves[-1].reference == f"wire {offer.id}"
    page = purses.list_moves(db, mine, client, before=(moves[0].at_ms, moves[0].transfer_id))
    assert page == moves[1:]
    other = Principal(client_ids=(client + 1,))
    for read in (purses.read_purses, purses.list_batches, purses.list_moves):
        with pytest.raises(NotFound):
            read(db, other, client)
    with pytest.raises(NotFound):
        purses.read_batch_purse(db, other, batch)
    with pytest.raises(NotFound):
        purses.list_purses(db, mine)
    assert sound(db)


def test_a_deposit_is_booked_and_logged_once(db: psycopg.Connection) -> None:
    """Sent twice, at another moment too, it is one transfer and one entry of the log; a quote that
    is agreed to twice takes its money once."""
    one = paid(db)
    client = one.work.client_id
    made = deposit(db, COMMAND_LINE, client, 50_000, "EUR", "E2E-1", NOW)
    assert deposit(db, COMMAND_LINE, client, 50_000, "EUR", " E2E-1", NOW + 5) == made
    assert make.one(db, "select count(*) from audit_log where action = 'book.deposit'") == 1
    offer = make_quote(db, COMMAND_LINE, one.work.batch_id, NOW)
    assert fund(db, COMMAND_LINE, offer.id, NOW) == fund(db, COMMAND_LINE, offer.id, NOW + 5)
    found = purses.read_purses(db, COMMAND_LINE, client).purses[0]
    assert found.deposit == 50_000 - offer.quote.total_minor
