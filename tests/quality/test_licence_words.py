"""Licences in words: every state says what holds, why, and what is missing, in both languages."""

import psycopg
import pytest
from msgspec import structs

from canut.quality.figures import Locale, as_count, as_share
from canut.quality.licences import store
from canut.quality.licences.licensing import begin_earning, grant_person, review_licence
from canut.quality.licences.words import sentences
from tests import factories as make
from tests.quality.test_licensing import SEED, answered, place


@pytest.mark.parametrize(
    ("locale", "missing", "held", "gone"),
    [
        ("en", "Not yet provable", "decides alone from a confidence of 90% on", "earned anew"),
        ("fr", "Pas encore prouvable", "à partir d’une confiance de 90\u00a0%", "regagnée"),
    ],
)
def test_an_agents_licence_in_words(
    db: psycopg.Connection, locale: Locale, missing: str, held: str, gone: str
) -> None:
    """Earning says how many more answers are needed instead of inventing a figure; in force says
    from where on and what proved it; revoked says so."""
    at, _ = place(db)
    licence = begin_earning(db, at, "v1", SEED, make.NOW)
    assert len(sentences(licence, "A", locale)) == 2
    answered(db, licence, [True] * 150)
    review_licence(db, licence.id, SEED, make.NOW)
    earning = store.locked(db, licence.id)
    assert earning
    assert earning.finding
    said = " ".join(sentences(earning, "A", locale))
    assert missing in said
    assert as_count(earning.finding["shortfall"]["about"], locale) in said
    answered(db, licence, [True] * 350)
    change = review_licence(db, licence.id, SEED, make.NOW)
    assert change
    new = store.locked(db, change.licence_id)
    assert new
    answered(db, new, [False] * 30)
    review_licence(db, new.id, SEED, make.NOW)
    assert held in " ".join(sentences(new, "A", locale))
    revoked = store.locked(db, new.id)
    assert revoked
    assert gone in " ".join(sentences(revoked, "A", locale))


@pytest.mark.parametrize(
    ("locale", "unseen"),
    [("en", "3.2% of the errors went unseen"), ("fr", "3,2\u00a0% des erreurs sont")],
)
def test_where_one_person_was_enough_the_licence_says_what_went_unseen(
    db: psycopg.Connection, locale: Locale, unseen: str
) -> None:
    """Rounded up, never to its favour; and nothing is said where two judged everything."""
    at, _ = place(db)
    licence = begin_earning(db, at, "v1", SEED, make.NOW)
    answered(db, licence, [True] * 500)
    change = review_licence(db, licence.id, SEED, make.NOW)
    assert change
    new = store.locked(db, change.licence_id)
    assert new
    assert new.finding
    assert unseen not in " ".join(sentences(new, "A", locale))
    part = structs.replace(new, finding={**new.finding, "unseen": 0.0312})
    assert unseen in " ".join(sentences(part, "A", locale))


def test_a_persons_licence_in_words(db: psycopg.Connection) -> None:
    """Evidence against a person is said to them, and that a person will look; the reason a person
    gave for an end is given as it was written."""
    at, _ = place(db, "person")
    licence = grant_person(db, at, make.NOW)
    assert sentences(licence, "Ada", "en") == ["In force: Ada may work on this step."]
    store.flag(db, licence.id, make.NOW, {"answers": 40, "wrong": 30, "capital": 50.0})
    flagged = store.locked(db, licence.id)
    assert flagged
    assert "30 of 40 wrong" not in sentences(flagged, "Ada", "en")[0]
    assert "(30 of 40 wrong)" in sentences(flagged, "Ada", "en")[1]
    store.end(db, at, make.NOW, "Moved to another team {x}")
    ended = store.locked(db, licence.id)
    assert ended
    assert sentences(ended, "Ada", "en") == ["Ended by a person: Moved to another team {x}"]


def test_bounds_are_rounded_up() -> None:
    """A bound is never stated smaller than it is."""
    assert as_share(0.0123401, "en", up=True) == "1.235%"
    assert as_share(0.0123401, "en") == "1.234%"
    assert as_share(0.5, "fr") == "50\u00a0%"
