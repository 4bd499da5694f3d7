"""Quotes: what a batch will cost, line by line, before it starts."""

from canut.pay.quotes.estimating import Basis, estimate, read_basis
from canut.pay.quotes.model import Line, Quote, StepQuote
from canut.pay.quotes.verbs import (
    Offer,
    make_quote,
    open_offers,
    read_offer,
    read_offers,
    within,
)

__all__ = [
    "Basis",
    "Line",
    "Offer",
    "Quote",
    "StepQuote",
    "estimate",
    "make_quote",
    "open_offers",
    "read_basis",
    "read_offer",
    "read_offers",
    "within",
]
