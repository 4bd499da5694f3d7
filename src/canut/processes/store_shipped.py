"""The SQL of what came with Canut: which version of it was published from what."""

from typing import Any

from psycopg import Connection

Sync = Connection[Any]

# published: of the shared library only; a client may have a process of the same slug
PUBLISHED = """
select p.slug, v.shipped from process p join process_version v on v.process_id = p.id
where p.client_id is null and v.shipped is not null"""

# mark: one version of a process at most, the one that was published last
MARK = """
update process_version set shipped = case when id = %(version)s then %(digest)s end
where process_id = (select process_id from process_version where id = %(version)s)
  and (id = %(version)s or shipped is not null)"""


def published(conn: Sync) -> dict[str, str]:
    """Slug -> digest of what it was last published from."""
    return dict(conn.execute(PUBLISHED).fetchall())


def mark(conn: Sync, version_id: int, digest: str) -> None:
    """This version is what came with Canut under this digest."""
    conn.execute(MARK, {"version": version_id, "digest": digest})
