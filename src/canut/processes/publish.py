"""Publishing the library: what comes with Canut becomes what every client can submit to."""

from canut.db.pool import SyncConn
from canut.processes.library import library_slugs, load_shipped
from canut.processes.store import ProcessVersion, publish


def publish_library(conn: SyncConn, now_ms: int) -> list[ProcessVersion]:
    """The newest version of every shipped process, published if it is not yet; may be called at
    every start, by several servers at once."""
    return [publish(conn, None, load_shipped(slug).definition, now_ms) for slug in library_slugs()]
