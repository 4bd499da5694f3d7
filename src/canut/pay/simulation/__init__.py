"""Pay, tried on a simulated crowd: the real books, prices and settlement, on a simulated clock."""

from canut.pay.simulation.crowd import Plan, Shift, draw
from canut.pay.simulation.outcome import Outcome
from canut.pay.simulation.run import run

__all__ = ["Outcome", "Plan", "Shift", "draw", "run"]
