"""What is proved about a client's decisions, and what it contests."""

import gzip
from typing import Any, cast

from litestar import Response, get, post

from canut.db.pool import SyncConn
from canut.people.model import Principal
from canut.quality.audits import disputes
from canut.quality.audits.store_disputes import Dispute
from canut.quality.certificates.bounds import Certificate, Statement, export
from canut.quality.certificates.standing import Standing, standing, with_evidence
from canut.quality.certificates.store import Issued
from canut.quality.certificates.wording import sentences
from canut.sdk import values as v
from canut.web.api.common import PREFIX, in_thread, now_ms, number, pool
from canut.web.api.describe import Operation, described
from canut.web.api.once import create
from canut.web.api.reading import Reader, read_query
from canut.web.api.replying import Json, PageQuery, after, attachment, page, reply
from canut.web.auth import WebRequest, principal
from canut.work.batches import NEWEST, read_batch

NEW_DISPUTE = Reader(v.NewDispute)
READ, WRITE = ("batches:read",), ("batches:write",)
WHEN_MS = 1_790_000_000_000

PROOF = v.Proof(2_400, 250, 1, 0.004, 37, 37 / 2_400, 0.96, True, 0.032)
WORDS = {
    "en": ["At most 1.542% of them are wrong (37 decisions), with 96% confidence."],
    "fr": ["Au plus 1,542 % d’entre elles sont fausses (37 décisions)."],
}
STANDING = v.Standing(
    step="category",
    state="proved",
    promise=0.02,
    proof=PROOF,
    words=WORDS,
    draws=250,
    draws_max=250,
    design="uniform: about 181 audits, by risk: about 240 audits",
    certificates=[v.Certificate(7, "category", 1, 1, "proved", WHEN_MS, PROOF, WORDS, "9c" * 32)],
)
DISPUTE = v.Dispute(
    id=3,
    batch=12,
    key="A1",
    step="category",
    reason="This is a toaster.",
    was="kettles",
    value="toasters",
    opened_ms=WHEN_MS,
    outcome="overturned",
    settled_ms=WHEN_MS + 600_000,
)

LIST = Operation(
    name="list_certificates",
    summary="Read what is proved",
    description="Of each step of a batch: the promise, what is proved of it so far, and every "
    "certificate that was issued. Look as often as you like: the bound holds at all looks.",
    tag="certificates",
    scopes=READ,
    reply=v.Standings,
    reply_example=v.Standings([STANDING]),
    refuses=(404,),
)
EVIDENCE = Operation(
    name="get_evidence",
    summary="Download a certificate with its evidence",
    description="JSON, packed with gzip: the whole list of decisions, the design of the draw and "
    "every outcome. `canut certificate verify` checks the file without a server.",
    tag="certificates",
    scopes=READ,
    reply_stream={"application/gzip": ""},
    refuses=(404,),
)
CONTEST = Operation(
    name="create_dispute",
    summary="Contest a decision",
    description="Free of charge: people who never had the item answer it again, and see neither "
    "the decision nor your reason. Until then the decision counts as wrong.",
    tag="certificates",
    scopes=WRITE,
    body=v.NewDispute,
    body_example=v.NewDispute("A1", "category", "This is a toaster."),
    status=201,
    reply=v.Dispute,
    reply_example=DISPUTE,
    idempotent=True,
    refuses=(400, 404, 409, 415, 422),
)
DISPUTES = Operation(
    name="list_disputes",
    summary="List disputes",
    description="What was contested of a batch, newest first.",
    tag="certificates",
    scopes=READ,
    query=PageQuery,
    reply=v.Page[v.Dispute],
    reply_example=v.Page(data=[DISPUTE]),
    refuses=(404, 422),
)


@get(f"{PREFIX}/batches/{{id:str}}/certificates", opt=described(LIST))
async def list_certificates(request: WebRequest) -> Json:
    """What is promised and proved about a batch."""
    batch = await read_batch(pool(request), principal(request), number(request))
    found = await in_thread(request, lambda conn: standing(conn, batch.id, now_ms()))
    return reply(v.Standings([_standing(one) for one in found]))


@get(f"{PREFIX}/certificates/{{id:str}}/evidence", opt=described(EVIDENCE))
async def get_evidence(request: WebRequest) -> Response[bytes]:
    """A certificate as a file."""
    who, id = principal(request), number(request)
    packed = await in_thread(request, lambda conn: _packed(conn, who, id))
    return attachment(packed, "application/gzip", f"certificate-{id}.json.gz")


@post(f"{PREFIX}/batches/{{id:str}}/disputes", opt=described(CONTEST))
async def create_dispute(request: WebRequest) -> Json:
    """A dispute, once per Idempotency-Key."""
    return await create(request, NEW_DISPUTE, _contest)


@get(f"{PREFIX}/batches/{{id:str}}/disputes", opt=described(DISPUTES))
async def list_disputes(request: WebRequest) -> Json:
    """A page of disputes."""
    query = read_query(request, PageQuery)
    before = after(query, NEWEST)
    batch = await read_batch(pool(request), principal(request), number(request))
    found = await in_thread(
        request, lambda conn: disputes.disputes(conn, batch.id, before, query.limit + 1)
    )
    return page(request, query, found, _dispute, lambda one: one.id)


async def _contest(request: WebRequest, new: v.NewDispute) -> v.Dispute:
    who, batch = principal(request), number(request)
    made = await in_thread(
        request,
        lambda conn: disputes.contest(conn, who, batch, new.key, new.step, new.reason, now_ms()),
    )
    return _dispute(made)


def _packed(conn: SyncConn, who: Principal, id: int) -> bytes:
    # no time in the file: the same certificate is the same bytes
    return gzip.compress(export(with_evidence(conn, who, id)), mtime=0)


def _standing(one: Standing) -> v.Standing:
    if one.frame is None or one.outline is None:
        return v.Standing(one.step, "running")
    frame, waiting = one.frame, one.waiting
    return v.Standing(
        step=one.step,
        # the latest list is never one that was replaced
        state=cast(Any, frame.state),
        promise=frame.error_max,
        proof=_proof(one.outline.statement, frame.delta),
        words=_words(one.outline),
        draws=one.draws,
        draws_max=frame.audits_max,
        draws_open=one.open_draws,
        design=frame.reason,
        answers_wanted=0 if waiting is None else waiting.answers,
        qualified=0 if waiting is None else waiting.qualified,
        certificates=[_certificate(issued, outline) for issued, outline in one.issued],
    )


def _certificate(one: Issued, outline: Certificate) -> v.Certificate:
    return v.Certificate(
        id=one.id,
        step=outline.evidence.about.step,
        delivery=one.list,
        number=one.number,
        occasion=cast(Any, one.occasion),
        issued_ms=outline.evidence.about.issued_ms,
        proof=_proof(outline.statement, outline.evidence.delta),
        words=_words(outline),
        digest=one.digest,
    )


def _proof(said: Statement, delta: float) -> v.Proof:
    return v.Proof(
        said.decisions,
        said.audits,
        said.wrong,
        said.rate,
        said.errors_at_most,
        said.bound,
        1 - delta,
        said.proved,
        said.panel_bound,
    )


def _words(outline: Certificate) -> dict[str, list[str]]:
    return {"en": sentences(outline, "en"), "fr": sentences(outline, "fr")}


def _dispute(one: Dispute) -> v.Dispute:
    return v.Dispute(
        id=one.id,
        batch=one.batch_id,
        key=one.key,
        step=one.step,
        reason=one.reason,
        was=one.was,
        value=one.value,
        opened_ms=one.opened_ms,
        outcome=cast(Any, one.outcome),
        settled_ms=one.settled_ms,
    )


ROUTES = [list_certificates, get_evidence, create_dispute, list_disputes]
