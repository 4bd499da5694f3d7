"""Licences in parts: each slice on its own evidence, within one promise."""

from typing import Any

import msgspec
import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from canut.quality.figures import Locale
from canut.quality.licences import slices as sliced
from canut.quality.licences import store, store_blind
from canut.quality.licences.licensing import begin_earning, review_licence
from canut.quality.licences.rules import PLANNED
from canut.quality.licences.slice_words import rows
from canut.quality.licences.slices import Slices, narrowed, review, slices_of, threshold_at
from canut.quality.licences.streams import decides_alone, settle_blind
from canut.quality.licences.thresholds import delta_share
from canut.quality.licences.words import sentences
from canut.quality.model import BlindAnswer, Licence, LicencePlace
from canut.questions.registry import load_question
from tests import factories as make

SEED = "ab" * 32
BY = {"by": "language", "most": 4}


def earning(**given: Any) -> Licence:
    values: dict[str, Any] = {
        "id": 1, "contributor_id": 1, "process_id": 1, "step_slug": "s", "version": 1, "root": 1,
        "root_version": 1, "state": "earning", "basis": "", "error_max": 0.05, "delta": 0.05,
        "threshold": None, "rungs": None, "seed": SEED, "stream_ppm": 300_000, "finding": None,
        "standing": None, "flagged_ms": None, "started_ms": 0, "granted_ms": None,
        "ended_ms": None, "reason": "", "slices": BY,
    }  # fmt: skip
    return Licence(**(values | given))


def answers(
    rng: np.random.Generator, n: int, errors: dict[str, float], licence: int = 1
) -> list[BlindAnswer]:
    """`n` of each slice in any order, wrong as often as said at every confidence."""
    names = rng.permutation([name for name in errors for _ in range(n)]).tolist()
    return [
        BlindAnswer(i, licence, float(sure), bool(chance < errors[name]), name)
        for i, (name, sure, chance) in enumerate(
            zip(names, rng.random(len(names)), rng.random(len(names)), strict=True)
        )
    ]


def held(licence: Licence, found: sliced.Review, number: int) -> Licence:
    """The version that follows a review."""
    state = "earning" if found.threshold is None else "in_force"
    return structs.replace(
        licence, id=number, version=licence.version + 1, state=state,
        threshold=found.threshold, slices=found.slices, stream_ppm=found.stream_ppm,
    )  # fmt: skip


def parts(found: sliced.Review) -> dict[str, sliced.Slice]:
    laid = msgspec.convert(found.slices, Slices).parts
    assert laid is not None
    return {one.name: one for one in laid}


def test_a_bad_slice_is_refused_and_a_good_one_decides() -> None:
    """Random labels in one language: the agent decides nothing there, is told that no number of
    answers would prove anything, and decides alone in the other."""
    found = review(earning(), answers(np.random.default_rng(1), 700, {"en": 0, "la": 0.5}), 30_000)
    assert found.becomes == "granted"
    laid = parts(found)
    assert laid["la"].threshold is None
    assert laid["la"].finding
    assert laid["la"].finding.shortfall
    assert laid["la"].finding.shortfall.about is None
    assert laid["en"].threshold is not None
    licence = held(earning(), found, 2)
    assert decides_alone(licence, 1.0, in_its_stream=False, slice_name="en")
    assert not decides_alone(licence, 1.0, in_its_stream=False, slice_name="la")
    # nobody has seen work like this: people decide it
    assert not decides_alone(licence, 1.0, in_its_stream=False, slice_name="oc")
    assert found.finding
    assert found.finding.coverage <= laid["en"].share


def test_the_whole_would_be_refused() -> None:
    """What parting is for: the same answers prove nothing about the work as a whole."""
    given = answers(np.random.default_rng(1), 700, {"en": 0, "la": 0.5})
    assert review(earning(slices=None), given, 30_000).becomes == "same"


def test_rare_values_are_one_slice_and_new_ones_belong_there() -> None:
    """At most as many slices as the step says, the commonest; the rest together, with whatever has
    no value or comes up later."""
    rng = np.random.default_rng(2)
    names = {"en": 50, "fr": 30, "de": 12, "it": 4, "": 4}
    drawn = rng.permutation([name for name, n in names.items() for _ in range(n)]).tolist()
    first = [BlindAnswer(i, 1, float(rng.random()), None, name) for i, name in enumerate(drawn)]
    found = review(earning(slices={"by": "language", "most": 3}), first, 30_000)
    assert {name: round(one.share, 6) for name, one in parts(found).items()} == {
        "en": 0.5, "fr": 0.3, "": 0.2,
    }  # fmt: skip
    licence = held(earning(), found, 2)
    laid = slices_of(licence)
    assert laid
    assert laid.parts
    assert sliced.slice_at(laid.parts, "oc") == laid.parts[-1]


def test_errors_end_one_slice_and_not_the_others() -> None:
    """The watch of a slice revokes that slice alone; its evidence begins anew, the other's goes
    on, and so does the watch over it."""
    rng = np.random.default_rng(3)
    before = answers(rng, 600, {"en": 0, "fr": 0})
    granted = review(earning(), before, 30_000)
    licence = held(earning(), granted, 2)
    after = [*before, *answers(rng, 60, {"en": 0, "fr": 1}, licence=2)]
    found = review(licence, after, 30_000)
    assert found.becomes == "narrowed"
    laid = parts(found)
    assert laid["fr"].threshold is None
    assert laid["fr"].finding is None
    assert laid["en"].threshold == parts(granted)["en"].threshold
    third = held(licence, found, 3)
    own = slices_of(third)
    assert own
    assert own.parts
    by_name = {one.name: one for one in own.parts}
    assert (by_name["fr"].root, by_name["fr"].root_version) == (3, 3)
    assert (by_name["en"].root, by_name["en"].since) == (1, 2)
    again = review(third, [*after, *answers(rng, 30, {"en": 0, "fr": 0}, licence=3)], 30_000)
    assert parts(again)["en"].standing is not None
    seen = parts(again)["en"].standing
    assert seen
    # those since version 2, as if nothing had happened elsewhere
    assert seen.answers > 60
    assert threshold_at(third, "fr") is None


def test_when_the_last_slice_goes_the_licence_is_earned_anew() -> None:
    """All slices revoked is a licence revoked; what was proved of none is not forgotten."""
    rng = np.random.default_rng(4)
    before = answers(rng, 600, {"en": 0, "la": 0.5})
    licence = held(earning(), review(earning(), before, 30_000), 2)
    found = review(licence, [*before, *answers(rng, 80, {"en": 1, "la": 0.5}, licence=2)], 30_000)
    assert (found.becomes, found.threshold) == ("revoked", None)
    assert parts(found)["la"].finding is not None
    assert review(held(licence, found, 3), before, 30_000).becomes == "same"


def test_an_alarm_about_all_work_raises_every_slice() -> None:
    """Each goes to its next rung, and must prove anew what is below."""
    given = answers(np.random.default_rng(5), 900, {"en": 0, "fr": 0})
    licence = held(earning(), review(earning(), given, 30_000), 2)
    found = narrowed(licence)
    assert found
    assert found.becomes == "narrowed"
    for name, one in parts(found).items():
        lowest = threshold_at(licence, name)
        assert lowest is not None
        assert one.threshold is not None
        assert one.threshold > lowest
        assert one.root is None


@given(
    st.lists(st.sampled_from(["grant", "narrow", "revoke"]), max_size=12),
    st.integers(1, 20),
    st.sampled_from([0.01, 0.05, 0.2]),
)
def test_all_slices_and_versions_share_one_delta(history: list[str], n: int, delta: float) -> None:
    """Whatever happens to which slice: no two proofs, and no two watches, of a slice spend the
    share of the same version. So all proofs together are false with a chance of delta at most, and
    all watches together revoke a licence that is kept with no more."""
    spent: dict[tuple[str, str, int], float] = {}
    licence = earning(delta=delta)
    laid = [sliced.Slice(f"{i}", 1 / n, root=1, root_version=1) for i in range(n)]
    for number, change in enumerate(["lay", *history], start=1):
        each = delta / n
        for one in laid:
            root, since = one.root_version or number, one.since_version or number
            spent["proof", one.name, root] = delta_share(each, root)
            if one.threshold is not None:
                spent["watch", one.name, since] = delta_share(each, since)
        place = number % n
        becomes: dict[str, Any] = {"grant": "granted", "narrow": "narrowed", "revoke": "revoked"}
        if change in becomes:
            threshold = None if change == "revoke" else 0.9
            turned = sliced.Review(becomes[change], None, threshold, None, None, 0)
            kept = structs.replace(licence, id=number, version=number)
            slices = msgspec.to_builtins(Slices("language", n, laid))
            now = slices_of(structs.replace(kept, slices=slices))
            assert now
            assert now.parts
            laid = list(now.parts)
            laid[place] = sliced._after(laid[place], turned)
    for kind in ("proof", "watch"):
        assert sum(share for key, share in spent.items() if key[0] == kind) <= delta + 1e-12


def test_slices_cost_people_no_more_than_a_stream() -> None:
    """One slice in force: the stream is no longer that of one who earns, though another proves
    nothing; and at last it is the permanent one."""
    rng = np.random.default_rng(6)
    found = review(earning(), answers(rng, 500, {"en": 0, "la": 0.5}), 30_000)
    assert found.stream_ppm == 100_000
    late = review(held(earning(), found, 2), answers(rng, PLANNED, {"en": 0, "la": 0.5}), 30_000)
    assert late.stream_ppm == 30_000


@pytest.mark.parametrize(("runs", "slices"), [(40, 4)])
def test_false_licences_are_rare_over_all_slices(runs: int, slices: int) -> None:
    """An agent that errs more than allowed in every slice is granted one anywhere in at most delta
    of runs."""
    rng = np.random.default_rng(7)
    errors = {f"{i}": 0.06 for i in range(slices)}
    false = 0
    for _ in range(runs):
        given = answers(rng, 400, errors)
        false += any(
            review(earning(), given[:n], 30_000).becomes == "granted" for n in (400, 1000, 1600)
        )
    assert false <= 0.05 * runs


def test_from_blind_answers_to_deciding_in_one_slice(db: psycopg.Connection[Any]) -> None:
    """Through the database: the step says what parts a licence, answers say their slice, and the
    version that follows decides in the slice that was proved."""
    work = make.work(db, make.step(), items=5)
    sql = "update batch_step set slices = 'language' where process_id = %s"
    db.execute(sql, [work.process_id])
    who = make.contributor(db)
    db.execute("update contributor set kind = 'agent' where id = %s", [who])
    place = LicencePlace(who, work.process_id, "colour")
    licence = begin_earning(db, place, "v1", SEED, make.NOW)
    assert licence.slices == {"by": "language", "most": 8}
    tasks = range(10**9, 10**9 + 1400)
    names = ["fr" if task % 2 else "la" for task in tasks]
    rows = [(licence.id, task, "red", 0.9) for task in tasks]
    store_blind.record(db, rows, names)
    decided = {
        t: "blue" if n == "la" and t % 4 else "red" for t, n in zip(tasks, names, strict=True)
    }
    settle_blind(db, load_question(make.COLOURS), decided, make.NOW)
    change = review_licence(db, licence.id, SEED, make.NOW + 1)
    assert change
    assert change.becomes == "granted"
    new = store.locked(db, change.licence_id)
    assert new
    assert (new.state, new.version, new.root) == ("in_force", 2, licence.id)
    assert threshold_at(new, "fr") == pytest.approx(0.9)
    assert threshold_at(new, "la") is None
    assert review_licence(db, new.id, SEED, make.NOW + 2) is None
    kept = store.locked(db, new.id)
    assert kept
    assert kept.standing
    assert slices_of(kept) is not None


@pytest.mark.parametrize(
    ("locale", "alone", "never", "few"),
    [
        ("en", "Part “en”, 45% of the work: decides alone from", "it never will be", "too few"),
        ("fr", "Partie «\u00a0en\u00a0», 45\u00a0% du travail : décide seul", "jamais", "trop peu"),
    ],
)
def test_every_slice_is_told(locale: Locale, alone: str, never: str, few: str) -> None:
    """Where it decides and from where on, where it never will, and where too little is known."""
    rng = np.random.default_rng(9)
    first = [*["en"] * 45, *["la"] * 45, *["fr"] * 10]
    given = [BlindAnswer(i, 1, float(rng.random()), name == "la", name)
             for i, name in enumerate([*first, *["en"] * 600, *["la"] * 600])]  # fmt: skip
    found = review(earning(), given, 30_000)
    licence = held(earning(finding=msgspec.to_builtins(found.finding)), found, 2)
    said = sentences(licence, "A", locale)
    assert any(line.startswith(alone) for line in said)
    assert any(never in line and "la" in line for line in said)
    assert any(few in line and "fr" in line for line in said)
    assert len(said) == 6
    by_name = {row.name: row for row in rows(licence)}
    assert (by_name["en"].threshold is None, by_name["la"].threshold) == (False, None)
    assert by_name["fr"].answers == 0
    assert len(sentences(earning(), "A", locale)) == 2
