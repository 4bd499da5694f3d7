"""Quotes: what a batch will cost, line by line, before it starts."""

from canut.pay.quotes.model import Line, Quote, StepQuote
from canut.pay.quotes.verbs import Offer, make_quote, read_offer, read_offers

__all__ = [
    "Line",
    "Offer",
    "Quote",
    "StepQuote",
    "make_quote",
    "read_offer",
    "read_offers",
]
