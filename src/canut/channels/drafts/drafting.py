"""What happens to a draft: begun, filled in, launched, deleted. Every verb but `launch` is for
requests; that one is long work in a thread."""

from typing import Any

from msgspec import Struct

from canut.channels.drafts import store
from canut.channels.drafts.composing import Plan, deadline_of, plan
from canut.channels.drafts.files import Uploads
from canut.channels.drafts.model import KEEP_MS, Draft, DraftLine, Facts, Form, Found, Stale, first
from canut.channels.drafts.pictured import pictured
from canut.channels.files import read_stream
from canut.channels.store import audit as audit_sync
from canut.channels.submit import add
from canut.db.pool import Conn, Pool, SyncConn
from canut.errors import Conflict, Invalid, NotFound, Problem
from canut.people.model import Principal
from canut.people.store import audit
from canut.processes.store import ProcessVersion, publish, read_version
from canut.work.intake import IntakeReport, open_batch
from canut.work.store_access import version_of_key

#: drafts on the page of batches
LISTED = 20
#: drafts of a client, and how many times the largest upload their files may hold
DRAFTS_MAX = 50
UPLOADS_HELD = 3
#: nothing takes so long to take in
TAKING_MS = 86_400_000


class Upload(Struct, frozen=True):
    """A file that was just kept."""

    file: str
    file_name: str
    bytes: int
    facts: Facts


async def make_room(
    pool: Pool, uploads: Uploads, client_id: int, draft: Draft | None, now_ms: int
) -> None:
    """Before a file is taken in, for a new draft or in the place of this one's: what expired goes.
    Raises `Conflict` where the client's drafts are too many, or hold too much."""
    await sweep(pool, uploads, now_ms)
    async with pool.connection() as conn, conn.transaction():
        await _check_room(conn, uploads, client_id, draft, 1, now_ms)


async def begin(
    pool: Pool,
    who: Principal,
    client_id: int,
    uploads: Uploads,
    upload: Upload,
    said: dict[str, Form],
    now_ms: int,
) -> int:
    """A draft of this file; its number. Raises `Conflict` where there is no room; then nothing
    stays of the file."""
    values = _values(who, upload, now_ms) | {"client": client_id, "said": said}
    with uploads.kept_if_used(upload.file):
        async with pool.connection() as conn, conn.transaction():
            await _check_room(conn, uploads, client_id, None, upload.bytes, now_ms)
            made = await store.insert(conn, values)
            detail = _detail(upload)
            await audit(conn, who, "create.draft", "draft", made, detail, client_id=client_id)
    return made


async def _check_room(
    conn: Conn, uploads: Uploads, client_id: int, draft: Draft | None, more: int, now_ms: int
) -> None:
    n, held = await store.held(conn, client_id, draft.id if draft else None, now_ms)
    mend, most = "launch or delete some of them first", UPLOADS_HELD * uploads.bytes_max
    if n >= DRAFTS_MAX:
        raise Conflict(f"There are {n:,} drafts already.", mend=mend)
    if held + more > most:
        raise Conflict(f"Your drafts would hold more than {most:,} bytes.", mend=mend)


async def find(pool: Pool, who: Principal, draft_id: int, now_ms: int) -> Draft:
    """A draft of one's clients. Raises `NotFound`."""
    async with pool.connection() as conn:
        found = await store.find(conn, draft_id, who.clients, now_ms)
    if found is None:
        raise NotFound("There is no such draft, or it is not yours to see.")
    return found


async def say(
    pool: Pool, who: Principal, draft: Draft, step: str, form: Form, revision: int, now_ms: int
) -> int:
    """Keep what the form of a step says; the new revision. Raises `Stale` where the draft is not
    what it was when the form was shown."""
    values: dict[str, Any] = {"draft": draft.id, "revision": revision, "account": who.account_id}
    values |= {"now_ms": now_ms, "expires_ms": now_ms + KEEP_MS}
    async with pool.connection() as conn:
        after = await store.say(conn, step, form, values)
    if after is None:
        raise Stale(await find(pool, who, draft.id, now_ms))
    return after


async def replace(
    pool: Pool, who: Principal, draft: Draft, uploads: Uploads, upload: Upload, now_ms: int
) -> None:
    """Another file for the same draft. What was said of its columns is kept where they are the
    same. Raises `Conflict` where there is no room, or it was launched; then nothing stays of the
    file."""
    with uploads.kept_if_used(upload.file):
        async with pool.connection() as conn, conn.transaction():
            client = draft.client_id
            # this may wait for a launch, and holds up nobody else meanwhile
            if not await store.replace(conn, _values(who, upload, now_ms) | {"draft": draft.id}):
                raise Conflict("This draft is launched.", mend="look at its batch")
            await _check_room(conn, uploads, client, draft, upload.bytes, now_ms)
            await _say_again(conn, who, draft, upload, now_ms)
            detail = _detail(upload) | {"instead_of": draft.file_name}
            await audit(conn, who, "replace.draft", "draft", draft.id, detail, client_id=client)


async def _say_again(conn: Conn, who: Principal, draft: Draft, upload: Upload, now_ms: int) -> None:
    same = [one.name for one in draft.facts.columns] == [one.name for one in upload.facts.columns]
    if not (same and draft.form("columns")):
        return
    again = await store.find(conn, draft.id, who.clients, now_ms)
    values: dict[str, Any] = {"draft": draft.id, "revision": again.revision if again else 0}
    values |= {"account": who.account_id, "now_ms": now_ms, "expires_ms": now_ms + KEEP_MS}
    await store.say(conn, "columns", draft.form("columns"), values)


def _detail(upload: Upload) -> dict[str, Any]:
    told = upload.facts.pictures
    return {"file": upload.file_name} | ({"pictures": told.n} if told else {})


async def delete(pool: Pool, who: Principal, draft: Draft) -> None:
    """Forget a draft. Its file is the caller's to delete."""
    async with pool.connection() as conn, conn.transaction():
        if await store.delete(conn, draft.id) is not None:
            detail = {"file": draft.file_name}
            await audit(
                conn, who, "delete.draft", "draft", draft.id, detail, client_id=draft.client_id
            )


async def set_found(pool: Pool, draft: Draft, found: Found) -> None:
    """Keep what a look at every row found."""
    async with pool.connection() as conn:
        await store.set_found(conn, draft.id, found)


async def set_options(pool: Pool, draft: Draft, options: list[dict[str, Any]] | None) -> int:
    """Keep classes that came as a file, or with None forget them; the new revision."""
    async with pool.connection() as conn:
        return await store.set_options(conn, draft.id, options)


async def listed(pool: Pool, who: Principal, now_ms: int) -> list[DraftLine]:
    """The drafts of one's own clients, the last touched first."""
    if not who.client_ids:
        return []
    async with pool.connection() as conn:
        return await store.listed(conn, list(who.client_ids), now_ms, LISTED)


async def sweep(pool: Pool, uploads: Uploads, now_ms: int) -> None:
    """Forget what expired, and delete its files, with those that a process which was killed left
    behind."""
    async with pool.connection() as conn:
        files = await store.expired(conn, now_ms)
        old = uploads.tokens(now_ms - TAKING_MS)
        files += set(old) - await store.wanted(conn, old) if old else ()
    for file in files:
        uploads.forget(file)


def launch(
    conn: SyncConn,
    who: Principal,
    draft_id: int,
    uploads: Uploads,
    locale: str,
    now_ms: int,
) -> tuple[int, IntakeReport | None]:
    """Make the batch of a draft: its process, its items, the audit log, as one; its number. A
    draft that was launched already gives its batch again, and no report.

    Raises `Invalid` where something is missing, `Refused` where rows are wrong that nobody said to
    leave out, `Conflict` where the client has a batch of this key.
    """
    with conn.transaction():
        draft = store.lock(conn, draft_id)
        if draft is None:
            raise NotFound("There is no such draft, or it is not yours to see.")
        who.check_sees(draft.client_id)
        if draft.batch_id is not None:
            return draft.batch_id, None
        made = plan(draft, chosen_version(conn, draft), store.options(conn, draft_id), locale)
        key, name = _named(conn, draft, made)
        version = _publish(conn, who, draft, made, now_ms)
        batch = open_batch(
            conn, draft.client_id, key, version.id, now_ms, name=name,
            deadline_ms=deadline_of(draft.form("target"), now_ms, []),
        )  # fmt: skip
        uploads.keep_pictures(draft.file, draft.client_id)
        skip = any(first(draft.form(step), "skip") for step in ("columns", "question"))
        with uploads.open(draft.file) as stream:
            blocks = read_stream(
                stream, draft.file_name, made.shape, made.columns, bytes_max=uploads.bytes_max
            )
            blocks = pictured(blocks, made.columns, draft.facts.pictures, uploads, draft.file)
            report = add(conn, who, batch, blocks, on_error="skip" if skip else "stop")
        store.launched(conn, draft_id, batch.id)
    return batch.id, report


def _named(conn: SyncConn, draft: Draft, made: Plan) -> tuple[str, str]:
    problems = [problem for found in made.problems.values() for problem in found]
    name = first(draft.form("launch"), "name").strip()
    if not name:
        problems.append(Problem("the batch has no name", "give it one", field="name"))
    if problems or made.definition is None:
        raise Invalid("Something is missing before this can be launched.", problems=problems)
    key = first(draft.form("launch"), "key").strip() or name
    if version_of_key(conn, draft.client_id, key) is not None:
        problem = Problem(
            f"you have a batch {key!r} already", "give this one another name", field="name"
        )
        raise Conflict("This batch is not launched yet.", problems=[problem])
    return key, name


def _publish(
    conn: SyncConn,
    who: Principal,
    draft: Draft,
    made: Plan,
    now_ms: int,
) -> ProcessVersion:
    chosen = chosen_version(conn, draft)
    if made.way == "published" and chosen is not None:
        return chosen
    assert made.definition is not None
    version = publish(conn, draft.client_id, made.definition, now_ms, adapted=made.way == "adapted")
    detail = {"slug": version.slug, "number": version.number}
    audit_sync(conn, who, "publish.process", "process", version.process_id, detail,
               draft.client_id)  # fmt: skip
    return version


def chosen_version(conn: SyncConn, draft: Draft) -> ProcessVersion | None:
    """The version that a draft chose, if its client may use it."""
    said = first(draft.form("question"), "version")
    found = read_version(conn, int(said)) if said.isdecimal() and len(said) < 19 else None
    return found if found and found.client_id in (None, draft.client_id) else None


def _values(who: Principal, upload: Upload, now_ms: int) -> dict[str, Any]:
    return {
        "account": who.account_id,
        "file": upload.file,
        "file_name": upload.file_name,
        "bytes": upload.bytes,
        "facts": upload.facts,
        "now_ms": now_ms,
        "expires_ms": now_ms + KEEP_MS,
    }
