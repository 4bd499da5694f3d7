"""The calls about certificates and disputes."""

from canut.sdk import values as v
from canut.sdk.call import Call


def certificates(batch: int) -> Call[v.Standings]:
    """What is promised about each step of a batch, what is proved, and what was stated."""
    return Call(method="GET", path=f"batches/{batch}/certificates", reply=v.Standings)


def evidence(certificate: int) -> Call[bytes]:
    """A certificate with its evidence: the bytes of a .json.gz, for `canut certificate verify`."""
    return Call(method="GET", path=f"certificates/{certificate}/evidence", reply=bytes)


def contest(batch: int, key: str, step: str, reason: str) -> Call[v.Dispute]:
    """Say that what was decided about an item at a step is wrong."""
    body = v.NewDispute(key, step, reason)
    path = f"batches/{batch}/disputes"
    return Call(method="POST", path=path, body=body, reply=v.Dispute, repeatable=False)


def disputes(batch: int, *, limit: int = 50, cursor: str | None = None) -> Call[v.Page[v.Dispute]]:
    """What was contested of a batch, newest first."""
    query = {"limit": limit, "cursor": cursor}
    path = f"batches/{batch}/disputes"
    return Call(method="GET", path=path, query=query, reply=v.Page[v.Dispute])
