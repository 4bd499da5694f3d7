"""What goes on in the arena is told in both languages, whatever it is."""

from datetime import date
from typing import get_args

import pytest

from canut.agents.arena import words
from canut.agents.arena.canary import Canary
from canut.agents.arena.drift import STEPS, Signal
from canut.agents.arena.duel import Pairs, Terms, judge
from canut.agents.arena.duels import Stands
from canut.agents.arena.order import Reason
from canut.agents.arena.store_calendar import Did, Ending
from canut.agents.running.model import VersionAtWork, Worth
from canut.agents.standing import DriftState, SeenAlarm, Turn
from canut.quality.figures import Locale


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_every_case_has_its_words(locale: Locale) -> None:
    """Steps, signals, reasons and what was done about a model: none is left without a sentence."""
    alarms = [SeenAlarm(signal, "red", 0.02, 0.25, 0) for signal in get_args(Signal)]
    for step in STEPS:
        for alarm in alarms:
            state = DriftState(1, step, 0, 0, [alarm], 1500, 60, 5000, False, None, 0.9, 1)
            told = words.drift_sentences(state, locale)
            assert len(told) == 2 + (step != "steady")
            assert "25" in told[1]
    for reason in get_args(Reason):
        turn = Turn(1, "Loom", 2, True, reason, {"decides": 0.4125}, 0)
        assert words.turn_words(turn, locale)
    assert "41" in words.turn_words(Turn(1, "", 2, True, "decides", {"decides": 0.4125}, 0), locale)
    for did in get_args(Did):
        one = Ending(
            1, "Loom", 1, "s", "heron", date(2027, 3, 31), date(2027, 1, 30), "now", "egret", did, 0
        )
        told = words.ending_sentences(one, locale)
        assert "2027-03-31" in told[0]
        assert told[1]
    assert "20" in words.canary_words(Canary(200_000, 200_000, 3, 1, 20, 1.0), locale)


def test_every_verdict_of_a_duel_is_told_in_french() -> None:
    """The reasons are those of `duel.judge`, word for word."""
    version = VersionAtWork(1, 1, "h", {}, None, "champion", 0, Worth(), None, "", None, 0)
    terms = Terms(0.01, 0.05, 300)
    seen = set()
    for pairs, cheaper in (
        (Pairs(0, 0, 0), False),
        (Pairs(200, 0, 60), False),
        (Pairs(200, 60, 0), False),
        (Pairs(300, 0, 0), False),
        (Pairs(2000, 0, 0), True),
    ):
        result = judge(pairs, terms, cheaper=cheaper)
        duel = Stands(version, version, pairs, result, 0.5, 0.4, 10.0, 20.0)
        told = words.duel_sentences(duel, "fr")
        assert len(told) == 3
        assert result.why not in told[2]
        seen.add(result.why)
    assert len(seen) == 5
