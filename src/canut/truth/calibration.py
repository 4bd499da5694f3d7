"""How far a confidence can be taken at its word."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.truth.votes import Float64, Int32, Int64


class Reliability(Struct, frozen=True):
    """A reliability diagram: confidences in bins of equal width, and what came true. Bins in
    which there is nothing have 0 everywhere."""

    #: lower edge of each bin, float64 (bins,); the last ends at 1
    edge: Float64
    #: how many fell into it, int64 (bins,)
    n: Int64
    #: their mean confidence, float64 (bins,)
    confidence: Float64
    #: share of them that were right, float64 (bins,)
    right: Float64

    @property
    def expected_error(self) -> float:
        """Expected calibration error: mean distance of confidence and share right, weighted by
        n; 0 where there is nothing. Naeini, Cooper & Hauskrecht, AAAI 2015."""
        total = int(self.n.sum())
        return float((self.n * np.abs(self.confidence - self.right)).sum() / max(total, 1))


def reliability(confidence: Float64, right: NDArray[np.bool_], bins: int = 10) -> Reliability:
    """Compare confidences, float64 (n,) in 0..1, with whether what they spoke of was right.

    DeGroot & Fienberg, The Statistician 32 (1983). Raises ValueError outside of 0..1.
    """
    if len(confidence) and not (confidence.min() >= 0 and confidence.max() <= 1):
        raise ValueError("a confidence is not between 0 and 1")
    into = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    n = np.bincount(into, minlength=bins)
    divisor = np.maximum(n, 1)
    return Reliability(
        edge=np.arange(bins) / bins,
        n=n,
        confidence=np.bincount(into, confidence, bins) / divisor,
        right=np.bincount(into, right, bins) / divisor,
    )


def log_loss(posterior: Float64, task: Int32, label: Int32, floor: float = 1e-6) -> float:
    """Mean negative log likelihood (nats) of what is right; 0 where there is nothing.

    A right answer that was called impossible counts as one called `floor`.
    """
    if not len(task):
        return 0.0
    return float(-np.log(np.maximum(posterior[task, label], floor)).mean())
