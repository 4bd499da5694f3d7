"""Taking in what was handed in for a batch: a table, pictures, or both."""

from collections.abc import Sequence

from canut.channels.drafts.drafting import Upload
from canut.channels.drafts.files import Uploads
from canut.channels.drafts.looking import begin
from canut.channels.drafts.pictured import Called, Sent, gather


def take_in(uploads: Uploads, sent: Sequence[Sent], client_id: int, called: Called) -> Upload:
    """Keep these files, and look at what they begin with. Raises `Invalid` for what is neither a
    table nor pictures; then nothing of them stays."""
    token = uploads.new()
    with uploads.kept_if_used(token):
        found = gather(sent, uploads.pictures(token), client_id, uploads.bytes_max, called)
        if found.names:
            uploads.name_pictures(token, found.names)
        size = uploads.keep(token, found.table.stream)
        with uploads.open(token) as stream:
            facts = begin(stream, found.table.name, uploads.bytes_max, found)
    return Upload(token, found.table.name, size + found.bytes, facts)
