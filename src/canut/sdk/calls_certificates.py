"""The calls about certificates and disputes."""

from canut.sdk import values as v
from canut.sdk.call import Call, get, post


def certificates(batch: int) -> Call[v.Standings]:
    """What is promised about each step of a batch, what is proved, and what was stated."""
    return get(f"batches/{batch}/certificates", v.Standings)


def evidence(certificate: int) -> Call[bytes]:
    """A certificate with its evidence: the bytes of a .json.gz, for `canut certificate verify`."""
    return get(f"certificates/{certificate}/evidence", bytes)


def contest(batch: int, key: str, step: str, reason: str) -> Call[v.Dispute]:
    """Say that what was decided about an item at a step is wrong."""
    body = v.NewDispute(key, step, reason)
    path = f"batches/{batch}/disputes"
    return post(path, v.Dispute, body, repeatable=False)


def disputes(batch: int, *, limit: int = 50, cursor: str | None = None) -> Call[v.Page[v.Dispute]]:
    """What was contested of a batch, newest first."""
    query = {"limit": limit, "cursor": cursor}
    path = f"batches/{batch}/disputes"
    return get(path, v.Page[v.Dispute], query)
