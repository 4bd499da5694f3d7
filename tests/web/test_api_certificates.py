"""Certificates and disputes over a real server: what a client sees, takes away and contests."""

import gzip
import hashlib
from contextlib import ExitStack
from pathlib import Path

import pytest

from canut.db.pool import connect
from canut.engine.audits import advance
from canut.quality.certificates.bounds import verify
from canut.sdk import Canut, CanutAPIError
from canut.sdk import calls_certificates as calls
from canut.sdk import calls_explain as explains
from tests.api import PRODUCTS, THINGS, Api, decide

TRUE = {title: category for _, title, category in PRODUCTS}


def test_a_client_reads_checks_and_contests(api: Api, tmp_path: Path) -> None:
    """From a delivered batch to a file that holds without the server; a decision is contested,
    answered again by others and overturned. Another client finds nothing of it."""
    with (
        Canut(api.url, key=api.soierie) as client,
        Canut(api.url, key=api.tulle) as other,
        Canut(api.url, key=api.operator) as operator,
        ExitStack() as hands,
    ):
        made = operator.people.create_contributors(6, skills=["catalogue-expert"]).contributors
        people = [hands.enter_context(Canut(api.url, key=one.key)) for one in made]
        batch = client.batches.submit(
            [{"reference": key, "title": title} for key, title, _ in PRODUCTS],
            process="catalogue/categorise",
            key="proof",
            taxonomy=THINGS,
        )
        with connect(api.database) as conn:
            conn.execute("update batch_step set gold_share = 0, audit_share = 1")

        named: dict[str, str] = {}

        def answer(who: list[Canut], wrong: str = "") -> int:
            count = 0
            for person in who:
                for task in person.work.claim(50).tasks:
                    title = task.item["title"]
                    value = "lamp" if title == wrong else TRUE[title]
                    person.work.answer(task.task, value)
                    named.setdefault(title, task.task)
                    count += 1
            decide(api.database)
            return count

        def job() -> None:
            with connect(api.database, autocommit=True) as conn:
                while advance(conn, lambda: 1_790_000_000_000):
                    pass

        while answer(people[:4], PRODUCTS[0][1]):
            pass
        assert batch.refresh().state == "delivered"
        [before] = batch.certificates().steps
        assert before.state == "running"
        # not before: decisions may be the less sure the more errors are allowed among all of them
        with connect(api.database) as conn:
            conn.execute("update batch_step set error_max = 0.2")
        job()
        [opened] = batch.certificates().steps
        # as many as prove the promise if all are right, then as many more as the wrong one costs
        assert (opened.state, opened.draws, opened.draws_open) == ("open", 8, 8)
        assert (opened.answers_wanted, opened.qualified) == (16, 2)
        assert answer(people[4:]) == 16
        job()
        while answer(people[4:]):
            job()
        [standing] = batch.certificates().steps
        [stated] = standing.certificates
        # whether the wrong one was among the draws is chance
        wrong = ["A0"] * stated.proof.wrong
        assert (stated.occasion, stated.proof.audits) == ("proved", 12 if wrong else 8)
        assert standing.proof == stated.proof
        assert set(stated.words) == {"en", "fr"}

        packed = client.certificates.evidence(stated.id)
        assert packed == client.certificates.evidence(stated.id)
        assert hashlib.sha256(gzip.decompress(packed)).hexdigest() == stated.digest
        file = tmp_path / "certificate.json.gz"
        file.write_bytes(packed)
        assert [a.decision for a in verify(file).evidence.audits if a.outcome == "wrong"] == wrong

        assert client.certificates.pdf(stated.id, locale="fr").startswith(b"%PDF-1.7")
        [why] = batch.explain("A1").steps
        assert (why.value, why.method, why.answers[0].contributor) == ("toaster", "answers", "A")
        assert len(why.course) == len(why.answers)
        assert set(why.words) == {"en", "fr"}
        own = [people[0].work.explain(task) for task in named.values()]
        assert any(one.decided for one in own)
        assert all(one.agreement is not None for one in own if one.decided)
        for one in own:
            assert one.words["en"][0].startswith("You answered")

        dispute = batch.contest("A0", "category", "It is a kettle.")
        assert (dispute.outcome, dispute.was) == (None, "lamp")
        job()
        # one that no audit looked at yet is answered again now
        while answer(people[4:]):
            job()
        [settled] = client.certificates.disputes(batch.id)
        assert (settled.id, settled.outcome, settled.value) == (dispute.id, "overturned", "kettle")
        [first, *_] = batch.decisions()
        assert (first.key, first.value, first.method) == ("A0", "kettle", "panel")
        [standing] = batch.certificates().steps
        assert [one.occasion for one in standing.certificates] == ["proved", "dispute"]

        for refused in (
            lambda: other.certificates.evidence(stated.id),
            lambda: other.certificates.pdf(stated.id),
            lambda: other.http.send(explains.explanation(batch.id, "A1")),
            lambda: client.http.send(explains.explanation(batch.id, "nothing")),
            lambda: people[5].work.explain(next(iter(named.values()))),
            lambda: list(other.certificates.disputes(batch.id)),
            lambda: other.http.send(calls.certificates(batch.id)),
            lambda: other.http.send(calls.contest(batch.id, "A0", "category", "Mine.")),
            lambda: client.certificates.evidence(stated.id + 999),
        ):
            with pytest.raises(CanutAPIError) as found:
                refused()
            assert found.value.status == 404
        with pytest.raises(CanutAPIError) as found:
            batch.contest("A1", "category", " ")
        assert found.value.status == 422
        log = [entry.action for entry in operator.people.audit()]
        assert {"open.dispute", "settle.dispute"} <= set(log)
