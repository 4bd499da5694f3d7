"""What the columns of a file are: which values they hold, and which field of a process each fits.
Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from canut.channels.drafts.model import Column, Facts
from canut.channels.text import kept
from canut.processes.model import REFERENCE, FieldType, ItemField
from canut.processes.shape import NO, YES
from canut.questions.base import localise

#: rows kept of a file, and how long their texts may be
ROWS_KEPT = 20
TEXT_KEPT = 4_000
SAMPLES = 3
SAMPLE_LENGTH = 120
#: a column is what so many of its values are: the others are rows to mend
NEARLY_ALL = 0.95
#: what is called a key is different in so many rows
MOST = 0.7
#: a match below this is no match
FITS = 0.45

_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_PICTURE = re.compile(
    r"(https://\S+\.(?:jpe?g|png|webp|gif|avif)(?:[?#]\S*)?|(?:asset|picture):\S+)", re.I
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", re.IGNORECASE)

#: words for the same thing, in English and French, folded
ALIKE: tuple[frozenset[str], ...] = tuple(
    frozenset(words.split())
    for words in (
        "reference ref sku id key cle code ean gtin identifier identifiant productid itemid",
        "title name titre nom libelle designation intitule productname nomproduit label product"
        " produit article headline",
        "description desc details texte descriptif body contenu content longdescription",
        "brand marque maker manufacturer fabricant",
        "price prix tarif amount montant cost",
        "image photo picture visuel imageurl photourl illustration img picture1 image1",
        "url link lien address adresse web website page",
        "query requete search recherche searchterm motcle keyword",
        "review avis comment commentaire text texte message feedback verbatim",
        "category categorie rayon shelf class classe segment",
        "language langue lang locale",
        "rating note stars etoiles score",
        "date day jour when",
        "attributes attributs specs caracteristiques features",
        "document invoice facture receipt recu pdf",
    )
)
PERSONAL = frozenset(
    ("email", "mail", "courriel", "phone", "telephone", "tel", "mobile", "portable", "firstname",
     "lastname", "prenom", "surname", "nomclient", "customername", "nomdefamille", "birthdate",
     "datedenaissance", "iban", "ssn", "customeremail")
)  # fmt: skip


def plain(text: str) -> str:
    """A name as it is compared: small letters and digits without accents."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in apart if sign.isalnum() and sign.isascii())


def recognise(names: Sequence[str], records: Sequence[Mapping[str, Any]]) -> Facts:
    """What a file of these columns, which begins with these rows, holds."""
    keyed = False
    columns = []
    for name in names:
        values = [record.get(name) for record in records]
        held = [kept(str(value)).strip() for value in values if value not in (None, "")]
        held = [value for value in held if value]
        kind = _kind(name, held)
        whole = len(held) >= NEARLY_ALL * len(records)
        key = not keyed and kind in ("text", "number") and _is_key(name, held, len(records))
        keyed = keyed or key
        personal = plain(name) in PERSONAL or _nearly(held, _EMAIL.fullmatch)
        samples = tuple(_cut(value, SAMPLE_LENGTH) for value in dict.fromkeys(held))[:SAMPLES]
        columns.append(Column(name, kind, samples, not whole, key, personal and not key))
    rows = [{name: _kept(record.get(name)) for name in names} for record in records[:ROWS_KEPT]]
    return Facts(tuple(columns), tuple(rows))


def match(fields: Sequence[ItemField], columns: Sequence[Column]) -> dict[str, str]:
    """Column by field, each used once, the surest first; "" where nothing fits. The column with
    the client's own key is under `reference`."""
    key = next((column.name for column in columns if column.key), "")
    free = [column for column in columns if column.name != key]
    scored = sorted(
        (
            (-_fit(field, column), place, field.name, column.name)
            for field in fields
            for place, column in enumerate(free)
        ),
    )
    found: dict[str, str] = {field.name: "" for field in fields}
    taken: set[str] = set()
    for score, _, name, column in scored:
        if -score >= FITS and not found[name] and column not in taken:
            found[name] = column
            taken.add(column)
    return found | {REFERENCE: key}


def _fit(field: ItemField, column: Column) -> float:
    """How well a column fits a field, from 0 to 1."""
    wanted = {
        plain(name)
        for name in (field.name, localise(field.title, "en"), localise(field.title, "fr"))
    } - {""}
    name = plain(column.name)
    alike = any(name in words and wanted & words for words in ALIKE)
    close = max((SequenceMatcher(None, name, one).ratio() for one in wanted), default=0.0)
    inside = any(len(one) > 3 and len(name) > 3 and (one in name or name in one) for one in wanted)
    score = 1.0 if name in wanted else 0.8 if alike else 0.6 if close > 0.84 or inside else 0.0
    if field.type == column.kind:
        # a picture is a picture whatever its column is called
        return score + 0.1 if score else 0.5 * (field.type == "image")
    refused = field.type in ("image", "url", "number", "boolean") and column.kind != "url"
    return score * 0.5 if refused else score


def _kind(name: str, held: Sequence[str]) -> FieldType:
    if not held:
        return "text"
    if _nearly(held, _PICTURE.fullmatch):
        return "image"
    if _nearly(held, _ADDRESS.fullmatch):
        named = any(plain(name) in words for words in ALIKE if "photo" in words)
        return "image" if named and all(one.startswith("https") for one in held) else "url"
    if _nearly(held, _NUMBER.fullmatch):
        # what begins with a nought is a code, and a nought that is dropped is lost
        coded = any(len(one) > 1 and one.startswith("0") and one.isdigit() for one in held)
        return "text" if coded else "number"
    words = {one.casefold() for one in held}
    if len(words) == 2 and words <= (YES | NO) - {"0", "1", "x", "o", "n", "y"}:
        return "boolean"
    return "text"


def _nearly(held: Sequence[str], fits: Any) -> bool:
    return bool(held) and sum(bool(fits(one)) for one in held) >= NEARLY_ALL * len(held)


def _is_key(name: str, held: Sequence[str], rows: int) -> bool:
    """Whether a column holds a key of its own in each row. What is called a key is one even where
    some rows have it wrong: they are rows to mend."""
    called = plain(name) in ALIKE[0]
    most = MOST if called else NEARLY_ALL
    ends = plain(name).endswith(("id", "ref", "sku", "reference"))
    return (called or ends) and len(set(held)) >= most * len(held) >= most * most * rows


def _kept(value: Any) -> Any:
    return kept(value[:TEXT_KEPT]) if isinstance(value, str) else value


def _cut(value: str, length: int) -> str:
    return value if len(value) <= length else f"{value[:length]}…"
