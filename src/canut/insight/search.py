"""Words of items, gathered while nobody waits, so that a search in millions of items is short."""

from canut.db.pool import SyncConn
from canut.insight import store_search as store

#: blocks made in one transaction: their batch is locked for a fraction of a second
BLOCKS_AT_ONCE = 16


def weave_blocks(conn: SyncConn) -> int:
    """Gather the words of some items that were not gathered yet; how many blocks were made. Killed
    at any moment, the next call goes on. Searches are complete without: they read more."""
    with conn.transaction():
        batch_id = store.unwoven(conn)
        return 0 if batch_id is None else store.weave(conn, batch_id, BLOCKS_AT_ONCE)
