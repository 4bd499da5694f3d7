"""What the demo shows, without its servers; the whole of it is in test_serve."""

import asyncio
from pathlib import Path

from canut.cli.demo import _plan
from canut.cli.demo_data import ACCOUNTS, make_demo
from canut.cli.demo_pay import DEPOSIT_MINOR, PAID, write_coop
from canut.db.pool import connect
from canut.pay.identity import read_coop
from canut.processes.library import library_slugs, load_shipped
from canut.processes.model import Promise
from canut.processes.store import publish
from canut.quality.audits.frames import budget, frame_delta
from canut.quality.gold.pool import publish_shipped
from canut.truth.bounds import errors_allowed, upper_batch
from tests.factories import NOW, one


def test_the_demo_has_something_for_everybody(fresh_url: str) -> None:
    """An account for each role, and an open batch of every process with items to answer."""
    with connect(fresh_url) as conn:
        for slug in library_slugs():
            publish(conn, None, load_shipped(slug).definition, NOW)
    asyncio.run(make_demo(fresh_url, NOW))
    with connect(fresh_url) as conn:
        emails = {email for (email,) in conn.execute("select email from account")}
        assert emails == {account.email for account in ACCOUNTS.values()}
        batches = conn.execute(
            """select p.slug, b.n_items from batch b
            join process_version v on v.id = b.process_version_id
            join process p on p.id = v.process_id where b.state = 'running'"""
        ).fetchall()
        assert {slug for slug, _ in batches} == set(library_slugs())
        assert all(items for _, items in batches)
        assert one(conn, "select count(*) from task") >= len(batches)


def test_the_catalogue_of_the_demo_can_prove_its_promise(fresh_url: str) -> None:
    """Its sample and its draws are enough for a proof, with two errors among them, and
    programs answer them; the process itself promises what it always does."""
    with connect(fresh_url) as conn:
        publish_shipped(conn, NOW)
    made = asyncio.run(make_demo(fresh_url, NOW))
    with connect(fresh_url) as conn:
        promised = "select error_max, delta, audits_max, audit_share, panel from batch_step"
        step = conn.execute(f"{promised} where batch_id = %s", [made.batch_id]).fetchall()
        others = conn.execute(
            f"select distinct error_max from ({promised} where batch_id <> %s) s", [made.batch_id]
        ).fetchall()
    [(error_max, delta, audits_max, audit_share, panel)] = step
    size = len(made.truth)
    draws = budget(size, audits_max, audit_share)
    proved = upper_batch(draws, 2, size, frame_delta(delta, 1)) <= errors_allowed(error_max, size)
    assert proved
    assert _plan(made, 0.0).auditors > panel
    assert others == [(Promise().error_max,)]


def test_one_process_of_the_demo_pays(fresh_url: str, tmp_path: Path) -> None:
    """Its sample has its money aside, more is on deposit for whoever tries a quote, and the co-op
    that pays out is written down; made again, nothing is doubled."""
    with connect(fresh_url) as conn:
        for slug in library_slugs():
            publish(conn, None, load_shipped(slug).definition, NOW)
    for _ in range(2):
        asyncio.run(make_demo(fresh_url, NOW))
        write_coop(tmp_path / "data" / "coop.toml")
    assert read_coop(tmp_path / "data" / "coop.toml").iban
    with connect(fresh_url) as conn:
        funded = conn.execute(
            """select p.slug from batch_pay m join batch b on b.id = m.batch_id
            join process_version v on v.id = b.process_version_id
            join process p on p.id = v.process_id"""
        ).fetchall()
        assert funded == [(PAID,)]
        sums = "select sum(credits - debits) from ledger_account where kind = any (%s)"
        assert one(conn, sums, ["client_deposit", "batch_escrow", "topup_reserve"]) == DEPOSIT_MINOR
        assert 0 < one(conn, sums, ["client_deposit"]) < DEPOSIT_MINOR
