"""Certificates: what is stated is what the evidence gives, and anybody can find out."""

import gzip
import subprocess
import sys

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from canut.cli.main import cli
from canut.errors import Invalid
from canut.quality.audits.frames import ROUND, ROUND_MIN, round_of
from canut.quality.certificates.bounds import (
    About,
    Audit,
    Certificate,
    Evidence,
    Panel,
    Tally,
    certify,
    conclude,
    export,
    least_more,
    verify,
)
from canut.quality.certificates.wording import sentences
from canut.truth.bounds import upper_batch, upper_rate, upper_weighted
from canut.truth.designs import Design, draw, weights

SEED = "c4" * 32
ABOUT = About("belvoie", "catalogue/categorise", "category", "autumn", 1_790_000_000_000)


def made(size=400, audits=250, wrong=(), kind="uniform", opened=(), **more):
    """Evidence of a batch: which draws were wrong or are open, by number."""
    decisions = tuple(f"7.{i}" for i in range(size))
    design = Design(kind, SEED)
    risk = () if kind == "uniform" else tuple(i % 50 * 100 for i in range(size))
    places = draw(design, size, audits, risk)
    bad = {places[i] for i in wrong}
    blank = {places[i] for i in opened}
    outcome = {p: "open" if p in blank else "wrong" if p in bad else "right" for p in places}
    drawn = tuple(Audit(decisions[p], outcome[p]) for p in places)
    values = {"error_max": 0.02, "delta": 0.05, "panel": Panel(3, 200, 1), **more}
    return Evidence(
        about=ABOUT, design=design, decisions=decisions, audits=drawn, risk_ppm=risk, **values
    )


def test_a_clean_batch_is_certified():
    """Protects the figures of a uniform certificate, against the bounds themselves."""
    said = certify(made()).statement
    assert said.proved
    assert (said.audits, said.wrong, said.rate) == (250, 0, 0)
    assert said.errors_at_most == upper_batch(250, 0, 400, 0.05)
    assert said.bound == said.errors_at_most / 400
    assert said.panel_bound == upper_rate(200, 1, 0.05)


@pytest.mark.parametrize("kind", ["uniform", "risk"])
@pytest.mark.parametrize("wrong", [0, 2])
def test_no_more_is_drawn_than_could_prove(kind, wrong):
    """Protects auditors' time: with so many more right draws the promise is proved, with one fewer
    it is not; where no number in reach would, nothing is named."""
    loss = np.zeros(120)
    loss[:wrong] = 1.0
    most = 1.0 if kind == "uniform" else 1.25
    tally = Tally(5000, "", kind, loss, most, 0, 0.02, 0.05, Panel(0, 0, 0))
    more = least_more(tally, 400)
    assert more is not None
    assert least_more(tally, more - 1) is None

    def proved(count):
        clean = np.append(loss, np.zeros(count))
        return conclude(msgspec.structs.replace(tally, loss=clean)).proved

    assert proved(more)
    assert not proved(more - 1)
    assert [round_of(n) for n in (None, 1, 20, 80)] == [ROUND, ROUND_MIN, 20, ROUND]


def test_draws_by_risk_count_their_weight():
    """Protects the weighted certificate: estimate and bound from inclusion weights."""
    evidence = made(kind="risk", audits=300, wrong=(4, 90))
    said = certify(evidence).statement
    weight = weights(evidence.design, 400, evidence.risk_ppm)
    places = [int(a.decision[2:]) for a in evidence.audits if a.outcome == "wrong"]
    assert said.wrong == len(places)
    assert said.rate == pytest.approx(weight[places].sum() / 300)
    upper = upper_weighted(300, weight[places], weight.max(), 0.05)
    assert said.errors_at_most == int(400 * upper)


def test_draws_after_one_that_is_open_do_not_count():
    """Protects from leaving out what takes long: it may be what is hard."""
    said = certify(made(opened=(100,), wrong=(101, 102))).statement
    assert (said.audits, said.wrong) == (100, 0)
    assert not said.proved


def test_disputes_count_as_errors():
    """Protects the client's say: contested and overturned decisions are wrong, whatever the panel
    found; and those known to be wrong are never more than the bound."""
    clean = made()
    first, second = clean.audits[0].decision, clean.audits[1].decision
    said = certify(made(contested=(first,), overturned=(second,))).statement
    assert said.wrong == 2
    everything = certify(made(overturned=clean.decisions[:50])).statement
    assert everything.errors_at_most >= 50
    assert not everything.proved


def test_before_the_first_audit():
    """Protects the empty state: nothing is proved, and it says so."""
    found = certify(made(audits=0, panel=Panel(0, 0, 0)))
    assert (found.statement.audits, found.statement.bound, found.statement.proved) == (0, 1, False)
    assert found.statement.panel_bound == 1
    assert any("nothing is proved" in sentence for sentence in sentences(found, "en"))
    assert any("rien n’est prouvé" in sentence for sentence in sentences(found, "fr"))


def test_a_batch_of_one():
    """Protects the smallest batch."""
    assert certify(made(size=1, audits=1)).statement.proved
    assert certify(made(size=1, audits=1, wrong=(0,))).statement.bound == 1
    assert certify(made(size=1, audits=9, kind="risk")).statement.decisions == 1


@given(st.integers(1, 60), st.data())
def test_what_is_exported_verifies(tmp_path_factory, size, data):
    """Protects the round trip: any certificate of ours holds when it is read again."""
    kind = data.draw(st.sampled_from(["uniform", "risk"]))
    audits = data.draw(st.integers(0, size))
    places = st.lists(st.integers(0, audits - 1), max_size=4) if audits else st.just([])
    found = certify(
        made(size, audits, data.draw(places), kind, data.draw(places), delta=data.draw(DOUBTS))
    )
    file = tmp_path_factory.mktemp("certificate") / "c.json"
    file.write_bytes(export(found))
    assert verify(file) == found
    packed = file.with_suffix(".json.gz")
    packed.write_bytes(gzip.compress(export(found)))
    assert verify(packed) == found


DOUBTS = st.sampled_from([0.01, 0.05, 0.5])


def altered(change):
    """A certificate as JSON values, changed."""
    values = msgspec.json.decode(export(certify(made(wrong=(3,), kind="uniform"))))
    change(values)
    return msgspec.json.encode(values)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c["statement"].update(bound=0.001), "statement.bound"),
        (lambda c: c["statement"].update(proved=False), "statement.proved"),
        (lambda c: c["statement"].update(digest="0" * 64), "statement.digest"),
        (lambda c: c["statement"].update(panel_bound=0.0), "statement.panel_bound"),
        (lambda c: c["evidence"]["design"].update(seed="c5" * 32), "the design draws"),
        (lambda c: c["evidence"]["audits"].pop(3), "the design draws"),
        (lambda c: c["evidence"]["audits"][3].update(outcome="right"), "statement.wrong"),
        (lambda c: c["evidence"]["decisions"].reverse(), "the design draws"),
        (lambda c: c["evidence"]["decisions"].append("7.400"), "the design draws"),
        (lambda c: c["evidence"]["decisions"].append("7.0"), "is there 2 times"),
        (lambda c: c["evidence"].update(delta=0.5), "statement."),
        (lambda c: c["evidence"].update(delta=0), "delta"),
        (lambda c: c["evidence"].update(contested=["9.9"]), "not among the decisions"),
        (lambda c: c["evidence"].update(risk_ppm=[1]), "no risks"),
        (lambda c: c["evidence"]["panel"].update(gold_wrong=999), "more errors than gold"),
        (lambda c: c["evidence"].update(surprise=1), "is not a certificate"),
        (lambda c: c.update(format="canut-certificate/2"), "is not a certificate"),
    ],
)
def test_whatever_is_altered_is_found(tmp_path, change, says):
    """Protects whoever receives a certificate from whoever handed it on."""
    file = tmp_path / "c.json"
    file.write_bytes(altered(change))
    with pytest.raises(Invalid) as refused:
        verify(file)
    assert says in str(refused.value)


def test_every_problem_is_named_at_once():
    """Protects from mending one thing at a time; in the design by risk as well."""
    bad = msgspec.structs.replace(
        made(kind="risk"), risk_ppm=(-1,), error_max=1.0, contested=("x", "x")
    )
    with pytest.raises(Invalid) as refused:
        certify(bad)
    fields = [problem.field for problem in refused.value.problems]
    assert fields.count("risk_ppm") == 2
    assert {"error_max", "contested"} <= set(fields)


def test_a_decision_drawn_twice_has_one_outcome():
    """Protects the design with replacement from a second opinion that suits."""
    evidence = made(size=3, audits=12, kind="risk")
    audits = (msgspec.structs.replace(evidence.audits[0], outcome="wrong"), *evidence.audits[1:])
    with pytest.raises(Invalid, match="drawn twice"):
        certify(msgspec.structs.replace(evidence, audits=audits))


def test_the_command_verifies_and_refuses(tmp_path):
    """Protects `canut certificate verify FILE`, in both languages, and its exit codes."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(export(certify(made())))
    bad.write_bytes(altered(lambda c: c["statement"].update(rate=0.0)))
    shown = CliRunner().invoke(cli, ["certificate", "verify", str(good)])
    assert shown.exit_code == 0
    assert "This keeps the promise of at most 2%." in shown.output
    assert shown.output.splitlines()[-1].startswith("verified: 250 draws")
    shown = CliRunner().invoke(cli, ["certificate", "verify", str(good), "--locale", "fr"])
    assert "La promesse d’au plus 2\u00a0% est tenue." in shown.output
    for file in (bad, tmp_path / "nowhere.json"):
        refused = CliRunner().invoke(cli, ["certificate", "verify", str(file)])
        assert isinstance(refused.exception, Invalid)


def test_the_command_needs_no_server(tmp_path):
    """Protects verification by outsiders: no database driver, no web framework."""
    file = tmp_path / "c.json"
    file.write_bytes(export(certify(made())))
    program = (
        "import sys; from canut.cli.main import cli\n"
        f"cli.main(['certificate', 'verify', {str(file)!r}], standalone_mode=False)\n"
        "print(sorted({'psycopg', 'litestar', 'procrastinate'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"


def test_bounds_are_rounded_up_in_words():
    """Protects the reader: 1.99995% is never written as 1.999%, nor 3.33334% as 3.333%."""
    evidence = made(size=3000, audits=3000, wrong=range(100))
    words = sentences(certify(evidence), "en")
    assert "At most 3.334% of them are wrong (100 decisions)" in words[1]
    assert "This does not prove" in words[2]


def test_a_certificate_is_frozen():
    """Protects what was issued."""
    found = certify(made())
    assert isinstance(found, Certificate)
    with pytest.raises(AttributeError):
        found.statement = None  # type: ignore[misc]
    assert np.isfinite(found.statement.bound)
