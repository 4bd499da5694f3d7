"""Licences: what contributors hold and earn, and what operators do about it."""

import secrets
from typing import Annotated, Any

from litestar import get, post
from msgspec import Meta

from canut.db.pool import SyncConn
from canut.errors import Invalid, Problem
from canut.insight import licence_cards
from canut.insight.licence_cards import Card
from canut.quality.audits.draws import SEED_BYTES
from canut.quality.gold import pool as gold_pool
from canut.quality.licences import acts as licence_acts
from canut.quality.model import LicencePlace
from canut.sdk import values as v
from canut.sdk.values.common import Id
from canut.web.api.common import PREFIX, in_thread, now_ms, number
from canut.web.api.describe import Operation, described
from canut.web.api.licence_values import licence, my_licences, one_licence
from canut.web.api.once import create
from canut.web.api.reading import ID_MAX, Reader, read_query
from canut.web.api.replying import Json, PageQuery, after, page, reply
from canut.web.auth import WebRequest, principal

BEGIN = Reader(v.BeginLicence)
GRANT = Reader(v.GrantLicence)
END = Reader(v.EndLicence)
KEEP = Reader(v.KeepLicence)
WHEN_MS = 1_790_000_000_000


class LicenceQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which step, and which part of its list."""

    process: Annotated[
        str, Meta(description="Name of the process.", examples=["catalogue/categorise"])
    ]
    step: Annotated[str, Meta(description="Slug of the step.", examples=["category"])]
    client: Annotated[
        Id | None, Meta(description="Whose process; the library's if left out.", examples=[3])
    ] = None


LICENCE = v.Licence(
    id=41,
    contributor=14,
    name="Loom",
    kind="agent",
    process_id=4,
    process="catalogue/categorise",
    step="category",
    title={"en": "Categorise products", "fr": "Classer des produits"},
    step_title={"en": "Category", "fr": "Catégorie"},
    version=1,
    state="earning",
    words={
        "en": ["Not in force: people decide everything.", "About 310 more are needed."],
        "fr": ["Pas en vigueur : des personnes décident de tout."],
    },
    promise=0.02,
    started_ms=WHEN_MS,
    basis="sha256:9c1f",
)
HELD = v.Licence(
    id=42, contributor=7, name="Simulated 1", kind="person", process_id=4,
    process="catalogue/categorise", step="category", title=LICENCE.title,
    step_title=LICENCE.step_title, version=1, state="ended",
    words={"en": ["Odile ended it (its holder asked for it): By letter."], "fr": []},
    promise=0.02, started_ms=WHEN_MS, granted_ms=WHEN_MS, ended_ms=WHEN_MS + 86_400_000,
    cause="asked", reason="By letter.",
)  # fmt: skip

MINE_OP = Operation(
    name="list_my_licences",
    summary="Read your licences",
    description="What you hold or earn and what it rests on, what is missing, what blind evidence "
    "says, and everything that has ended; in words, and as figures to take with you.",
    tag="work",
    scopes=("work",),
    reply=v.MyLicences,
    reply_example=v.MyLicences(
        [LICENCE],
        [],
        [v.EarnableStep(5, "reviews/moderate", "verdict", "Moderate reviews", "Verdict")],
        [v.Contact("Odile Perrache", "odile@canut.example")],
    ),
)
LIST_OP = Operation(
    name="list_licences",
    summary="List the licences of a step",
    description="Every version of every licence, the newest first.",
    tag="people",
    scopes=("operate",),
    query=LicenceQuery,
    reply=v.Page[v.Licence],
    reply_example=v.Page(data=[LICENCE]),
    refuses=(404, 422),
)
BEGIN_OP = Operation(
    name="begin_licence",
    summary="Begin to earn a licence",
    description="For agents, by their own key or an operator's. From then on a random share of its "
    "answers is kept from deciding, and people's decisions judge them. Another `basis` ends what "
    "the agent holds at the step and begins anew; the same one changes nothing.",
    tag="work",
    scopes=("work", "operate"),
    body=v.BeginLicence,
    body_example=v.BeginLicence(4, "category", "sha256:9c1f"),
    reply=v.Licence,
    reply_example=LICENCE,
    refuses=(400, 404, 409, 415, 422),
)
GRANT_OP = Operation(
    name="grant_licence",
    summary="Grant a licence to a person",
    description="They may work on the step without an exam. 409 where they hold a licence.",
    tag="people",
    scopes=("operate",),
    body=v.GrantLicence,
    body_example=v.GrantLicence(7, 4, "category", "Wrote the instructions."),
    status=201,
    reply=v.Licence,
    reply_example=HELD,
    idempotent=True,
    refuses=(400, 404, 409, 415, 422),
)
END_OP = Operation(
    name="end_licence",
    summary="End a licence",
    description="No program ends a person's licence: this is for a person who has looked. Its "
    "holder reads the cause, your reason, the evidence and whom to write to.",
    tag="people",
    scopes=("operate",),
    body=v.EndLicence,
    body_example=v.EndLicence("asked", "By letter."),
    reply=v.Licence,
    reply_example=HELD,
    refuses=(400, 404, 409, 415, 422),
)
KEEP_OP = Operation(
    name="keep_licence",
    summary="Keep a flagged licence",
    description="Somebody looked at what speaks against it, and it stays: a new version begins, "
    "and the old evidence is not held against it again.",
    tag="people",
    scopes=("operate",),
    body=v.KeepLicence,
    body_example=v.KeepLicence("The items were in a dialect."),
    reply=v.Licence,
    reply_example=LICENCE,
    refuses=(400, 404, 409, 415, 422),
)


@get(f"{PREFIX}/me/licences", opt=described(MINE_OP))
async def mine(request: WebRequest) -> Json:
    """The licences of the contributor who asks."""
    who = principal(request).contributor()
    return reply(await in_thread(request, lambda conn: my_licences(conn, who)))


@get(f"{PREFIX}/licences", opt=described(LIST_OP))
async def list_licences(request: WebRequest) -> Json:
    """A page of the licences of a step."""
    query = read_query(request, LicenceQuery)
    before = after(query, ID_MAX)
    # PostgreSQL keeps no NUL, so no slug has one
    plain = query.process.replace("\0", "\ufffd"), query.step.replace("\0", "\ufffd")

    def read(conn: SyncConn) -> list[Card]:
        at = gold_pool.find_place(conn, query.client, *plain)
        return licence_cards.of_step(conn, at.process_id, at.step_slug, query.limit + 1, before)

    found = await in_thread(request, read)
    return page(request, query, found, licence, lambda one: one.licence.id)


@post(f"{PREFIX}/licences/begin", opt=described(BEGIN_OP), status_code=200)
async def begin(request: WebRequest) -> Json:
    """Begin to earn."""
    new, who = await BEGIN.read(request), principal(request)
    contributor = new.contributor or who.contributor_id
    if contributor is None:
        message = "Say which agent this is for."
        raise Invalid(message, problems=[Problem(message, field="contributor")])
    place = LicencePlace(contributor, new.process_id, new.step)
    seed = secrets.token_hex(SEED_BYTES)

    def act(conn: SyncConn) -> v.Licence:
        return one_licence(conn, licence_acts.begin(conn, who, place, new.basis, seed, now_ms()))

    return reply(await in_thread(request, act))


@post(f"{PREFIX}/licences/grant", opt=described(GRANT_OP))
async def grant(request: WebRequest) -> Json:
    """Grant one, once per Idempotency-Key."""
    return await create(request, GRANT, _grant)


@post(f"{PREFIX}/licences/{{id:str}}/end", opt=described(END_OP), status_code=200)
async def end(request: WebRequest) -> Json:
    """End one."""
    why, who, id = await END.read(request), principal(request), number(request)

    def act(conn: SyncConn) -> v.Licence:
        return one_licence(conn, licence_acts.end(conn, who, id, why.cause, why.reason, now_ms()))

    return reply(await in_thread(request, act))


@post(f"{PREFIX}/licences/{{id:str}}/keep", opt=described(KEEP_OP), status_code=200)
async def keep(request: WebRequest) -> Json:
    """Keep a flagged one."""
    why, who, id = await KEEP.read(request), principal(request), number(request)

    def act(conn: SyncConn) -> v.Licence:
        return one_licence(conn, licence_acts.keep(conn, who, id, why.reason, now_ms()))

    return reply(await in_thread(request, act))


async def _grant(request: WebRequest, new: Any) -> v.Licence:
    who, place = principal(request), LicencePlace(new.contributor, new.process_id, new.step)
    return await in_thread(
        request,
        lambda conn: one_licence(conn, licence_acts.grant(conn, who, place, new.reason, now_ms())),
    )


ROUTES = [mine, list_licences, begin, grant, end, keep]
