"""What operators write about a contributor: to them, or for each other. The audit log keeps that it
was written, not the words, so that they can be removed."""

from msgspec import Struct

from canut.db.pool import Conn
from canut.errors import Invalid, NotFound, Problem
from canut.people.model import Principal
from canut.people.store.contributors import get_contributor
from canut.people.store.log import audit, rows, scalar

#: characters of a note, and of a reason
NOTE_MAX = 2000
REASON_MAX = 500

ADD = """
insert into contributor_note (contributor_id, account_id, told, body, made_ms)
values (%s, %s, %s, %s, now_ms()) returning id"""

# newest first; with who wrote it, by name
NOTES = """
select n.id, n.told, n.body, n.made_ms, coalesce(a.name, '') as name
from contributor_note n left join account a on a.id = n.account_id
where n.contributor_id = %s and (n.told or not %s) order by n.id desc limit %s"""

REMOVE = """
delete from contributor_note where id = %s and contributor_id = %s and not told returning true"""

SEEN = "update contributor set told_seen_ms = now_ms() where id = %s"


class Note(Struct, frozen=True):
    """Something written about a contributor."""

    id: int
    #: to them, and not only for operators
    told: bool
    body: str
    made_ms: int
    #: who wrote it; empty: a key
    name: str


def check_words(text: str, field: str, most: int) -> str:
    """The text, trimmed. Raises `Invalid` where there is none, or too much."""
    text = text.replace("\0", "\ufffd").strip()
    if not 0 < len(text) <= most:
        message = f"Write 1 to {most} characters."
        raise Invalid(message, problems=[Problem(message, field=field)])
    return text


async def add_note(
    conn: Conn, by: Principal, contributor_id: int, body: str, *, told: bool
) -> None:
    """Write to a contributor (`told`), or about them. Raises `Invalid`, `NotFound`."""
    body = check_words(body, "body", NOTE_MAX)
    await get_contributor(conn, contributor_id)
    async with conn.transaction():
        note = await scalar(conn, ADD, [contributor_id, by.account_id, told, body])
        action = "tell.contributor" if told else "note.contributor"
        await audit(conn, by, action, "contributor", contributor_id, {"note": note})


async def remove_note(conn: Conn, by: Principal, contributor_id: int, note_id: int) -> None:
    """Remove a note of operators; what was told stays told. Raises `NotFound`."""
    async with conn.transaction():
        if not await scalar(conn, REMOVE, [note_id, contributor_id]):
            raise NotFound("There is no such note.")
        detail = {"note": note_id}
        await audit(conn, by, "remove.note", "contributor", contributor_id, detail)


async def list_notes(
    conn: Conn, contributor_id: int, *, told: bool = False, limit: int = 50
) -> list[Note]:
    """What was written, newest first; with `told` only what the contributor may read."""
    return await rows(conn, Note, NOTES, [contributor_id, told, limit])


async def mark_told_seen(conn: Conn, contributor_id: int) -> None:
    """The contributor has read what was told so far."""
    await conn.execute(SEEN, [contributor_id])
