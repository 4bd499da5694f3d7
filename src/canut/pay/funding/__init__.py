"""Money before work: batches are funded, and what is claimed is always covered."""

from canut.pay.funding.covering import Covered, cover_batches
from canut.pay.funding.model import BatchFunds
from canut.pay.funding.verbs import deposit, fund, read_funds

__all__ = [
    "BatchFunds",
    "Covered",
    "cover_batches",
    "deposit",
    "fund",
    "read_funds",
]
