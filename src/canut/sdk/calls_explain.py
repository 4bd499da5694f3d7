"""The calls about why something was decided."""

from urllib.parse import quote

from canut.sdk import values as v
from canut.sdk.call import Call, get


def explanation(batch: int, key: str) -> Call[v.Explanation]:
    """Everything that was decided about an item, and why, step by step."""
    path = f"batches/{batch}/explanations"
    return get(path, v.Explanation, {"key": key})


def own_answer(task: str) -> Call[v.OwnAnswer]:
    """What became of an answer that you gave."""
    return get(f"answers/{quote(task)}", v.OwnAnswer)


def pdf(certificate: int, *, locale: str = "en") -> Call[bytes]:
    """A certificate as a PDF, in English (en) or French (fr)."""
    path = f"certificates/{certificate}/pdf"
    return get(path, bytes, {"locale": locale})
