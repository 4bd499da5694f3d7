"""Text as people search it: as `fold.js` does in the browser."""

import unicodedata

_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss"})


def fold(text: str) -> str:
    """Lower case, without accents and ligatures."""
    lower = text.lower()
    if lower.isascii():
        return lower
    apart = unicodedata.normalize("NFD", lower)
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).translate(_LIGATURES)
