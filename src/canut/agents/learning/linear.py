"""Linear models over hashed n-grams, with probabilities that were checked on rows held out.

Of few examples, one logistic model of all answers; of many, one support vector machine against the
rest per answer (Fan, Chang, Hsieh, Wang & Lin, "LIBLINEAR", JMLR 9, 2008), both through
scikit-learn. Margins become probabilities by one factor, fitted on rows
that the model had not seen (temperature scaling: Guo, Pleiss, Sun & Weinberger, ICML 2017); near
duplicates are never on both sides.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import solve_triangular
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax

from canut.agents.learning.features import WIDTH, Rows

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]

#: numbers a model may have, over all its answers
WEIGHTS_MAX = 1 << 24
COLUMNS_MAX = 1 << 18
#: with fewer rows than this, what occurs once is looked at too
ROWS_FEW = 3000
#: up to so many rows, names of answers among them, answers are weighed against each other in one
#: model: better there, and its time grows with the square of the rows
ROWS_JOINT = 2000
#: how closely that model follows its examples
CLOSENESS = 10.0
#: non-zero numbers x answers up to which rows are held out three times; once beyond
THRICE_MAX = 2e9
#: margins of rows held out that are looked at, over all answers
MARGINS_MAX = 20_000_000
#: how strongly rare n-grams outweigh common ones: the square root of the usual
RARITY = 0.5


class Columns(Struct, frozen=True):
    """Which columns a model reads, and what each weighs."""

    #: int32 (F,), rising
    kept: Int32
    #: float32 (F,)
    rarity: Float32
    #: what an n-gram weighs that was never met
    unmet: float
    #: how long a row is of what stands beside its n-grams, over 0
    share: float = 1.0

    def read(self, counts: Rows) -> Rows:
        """float32 csr (n, F): 1 + log of each count, times its rarity. With the n-grams that are
        not read, a row would have length 1: what is mostly unknown is shorter, and told with less
        confidence."""
        place = np.full(WIDTH, -1, np.int32)
        place[self.kept] = np.arange(len(self.kept), dtype=np.int32)
        column = place[counts.indices]
        known = column >= 0
        n = counts.shape[0]
        rarity = np.append(self.rarity, np.float32(self.unmet))
        value = (1 + np.log(counts.data)) * rarity[column]
        owner = np.repeat(np.arange(n), np.diff(counts.indptr))
        norm = np.sqrt(np.bincount(owner, value * value, minlength=n))
        value = (value / np.maximum(norm, 1e-12)[owner])[known].astype(np.float32)
        starts = np.concatenate([[0], np.cumsum(known)])[counts.indptr]
        return sparse.csr_matrix((value, column[known], starts), shape=(n, len(self.kept)))


class Model(Struct, frozen=True):
    """Weights of K answers, and how far to trust them."""

    #: float32 (F, K)
    weights: Float32
    #: float32 (K,)
    offset: Float32
    #: what margins are multiplied by before they become probabilities, over 0
    sharpness: float
    #: what is added to them (`several` only)
    shift: float = 0.0

    def margins(self, x: Rows) -> Float32:
        """float32 (n, K)."""
        told: Float32 = np.asarray(x @ self.weights) + self.offset
        return told


def columns_of(counts: Rows, answers: int) -> Columns:
    """The columns worth reading, for a model of so many answers in all."""
    df = np.bincount(counts.indices, minlength=WIDTH)
    least = 1 if counts.shape[0] < ROWS_FEW else 2
    kept = np.flatnonzero(df >= least)
    room = min(COLUMNS_MAX, max(1, WEIGHTS_MAX // max(answers, 1)))
    if len(kept) > room:
        # the most frequent, and of equals the first: the same on every machine
        kept = np.sort(kept[np.lexsort((kept, -df[kept]))[:room]])
    rows = counts.shape[0]
    rarity = (np.log((1 + rows) / (1 + df[kept])) + 1) ** RARITY
    unmet = float((np.log(1 + rows) + 1) ** RARITY)
    return Columns(kept.astype(np.int32), rarity.astype(np.float32), unmet)


def fit_one(
    x: Rows, label: Int64, answers: int, weight: Float64, group: Int64, hint: Rows, seed: int
) -> Model:
    """One of `answers` answers. `x` csr (n, F), `label` int64 (n,) from 0; `hint` csr (H, F) is a
    row for each of the first H answers, made of its names, and may have no row."""

    def fitted(rows: Int64) -> tuple[Float32, Float32]:
        return _one_against_rest(x[rows], label[rows], answers, weight[rows], hint, seed)

    out, held = _held_out(fitted, x, label, answers, group)
    sharpness = _sharpness(out, label[held], weight[held]) if len(held) else 1.0
    weights, offset = fitted(np.arange(x.shape[0]))
    return Model(weights, offset, sharpness)


def fit_several(
    x: Rows, picked: NDArray[np.bool_], weight: Float64, group: Int64, seed: int
) -> Model:
    """Yes or no for each of K options; `picked` bool (n, K)."""

    def fitted(rows: Int64) -> tuple[Float32, Float32]:
        parts = [_yes_or_no(x[rows], picked[rows, k], weight[rows], seed) for k in
                 range(picked.shape[1])]  # fmt: skip
        return np.stack([w for w, _ in parts], axis=1), np.array([b for _, b in parts], np.float32)

    code = (picked @ (1 + np.arange(picked.shape[1]))).astype(np.int64)
    out, held = _held_out(fitted, x, code, picked.shape[1], group)
    sharpness, shift = _platt(out, picked[held], weight[held]) if len(held) else (1.0, 0.0)
    weights, offset = fitted(np.arange(x.shape[0]))
    return Model(weights, offset, sharpness, shift)


def fit_size(x: Rows, size: Float64, weight: Float64, group: Int64) -> tuple[Model, Float64, Int64]:
    """A quantity, and the quantities told of rows held out (float64, of rows int64)."""

    def fitted(rows: Int64) -> tuple[Float32, Float32]:
        from sklearn.linear_model import Ridge

        centre = np.average(size[rows], weights=weight[rows])
        ridge = Ridge(alpha=1.0, fit_intercept=False, solver="sparse_cg", tol=1e-6)
        ridge.fit(x[rows], size[rows] - centre, sample_weight=weight[rows])
        weights = np.asarray(ridge.coef_, np.float32).reshape(-1, 1)
        return weights, np.array([centre], np.float32)

    out, held = _held_out(fitted, x, np.zeros(len(size), np.int64), 1, group)
    weights, offset = fitted(np.arange(x.shape[0]))
    return Model(weights, offset, 1.0), out[:, 0].astype(np.float64), held


def probabilities(model: Model, margins: Float32) -> Float64:
    """Of each of K answers, float64 (n, K): rows sum to 1."""
    told: Float64 = np.exp(log_softmax(margins.astype(np.float64) * model.sharpness, axis=1))
    return told


def chances(model: Model, margins: Float32) -> Float64:
    """Of each option that it is picked, float64 (n, K)."""
    told: Float64 = expit(margins.astype(np.float64) * model.sharpness + model.shift)
    return told


def folds(label: Int64, group: Int64, count: int) -> Int64:
    """Which fold each row is held out in, int64 (n,): groups stay together, and each label's
    groups are dealt out evenly."""
    first = np.unique(group, return_index=True, return_inverse=True)
    places, of = first[1], first[2]
    order = np.lexsort((group[places], label[places]))
    fold = np.empty(len(places), np.int64)
    fold[order] = np.arange(len(places)) % count
    return fold[of]


def _held_out(
    fitted: Callable[[Int64], tuple[Float32, Float32]],
    x: Rows,
    label: Int64,
    answers: int,
    group: Int64,
) -> tuple[Float32, Int64]:
    """Margins of rows that the model told of had not seen, and which rows these are."""
    thrice = x.nnz * answers <= THRICE_MAX
    fold = folds(label, group, 3 if thrice else 5)
    parts: list[tuple[Float32, Int64]] = []
    for part in range(3 if thrice else 1):
        held, rest = np.flatnonzero(fold == part), np.flatnonzero(fold != part)
        held = held[:: 1 + len(held) * answers // MARGINS_MAX]
        if len(held) and len(rest):
            weights, offset = fitted(rest)
            parts.append((np.asarray(x[held] @ weights) + offset, held))
    if not parts:
        return np.zeros((0, answers), np.float32), np.zeros(0, np.int64)
    return np.concatenate([m for m, _ in parts]), np.concatenate([rows for _, rows in parts])


def _one_against_rest(
    x: Rows, label: Int64, answers: int, weight: Float64, hint: Rows, seed: int
) -> tuple[Float32, Float32]:
    hints = hint.shape[0]
    if hints:
        x = sparse.vstack([x, hint], format="csr")
        label = np.concatenate([label, np.arange(hints)])
        # a name says as much as two examples
        weight = np.concatenate([weight, np.full(hints, 2.0)])
    weights = np.zeros((x.shape[1], answers), np.float32)
    offset = np.full(answers, -1.0, np.float32)
    seen = np.unique(label)
    if len(seen) < 2:
        offset[seen] = 1.0
        return weights, offset
    if x.shape[0] <= ROWS_JOINT and len(seen) > 2:
        weights[:, seen], offset[seen] = _joint(x, label, weight)
        return weights, offset
    machine = _machine(x, label, weight, seed)
    told, base = machine.coef_.astype(np.float32), machine.intercept_.astype(np.float32)
    if len(seen) == 2:
        told, base = np.concatenate([-told, told]), np.concatenate([-base, base])
    weights[:, seen], offset[seen] = told.T, base
    return weights, offset


def _joint(x: Rows, label: Int64, weight: Float64) -> tuple[Float32, Float32]:
    """Weights (F, K) and offsets (K,) of the K > 2 answers seen: multinomial logistic regression,
    in as many dimensions as there are rows. The best weights are a sum of rows (Kimeldorf & Wahba,
    1971), so nothing is lost by that."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    wide = x.astype(np.float64)
    alike = (wide @ wide.T).toarray()
    # rows may repeat
    alike[np.diag_indices_from(alike)] += 1e-6
    half = np.linalg.cholesky(alike)
    machine = LogisticRegression(C=CLOSENESS, tol=1e-3, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(half, label, sample_weight=weight)
    share = solve_triangular(half, machine.coef_.T, lower=True, trans="T")
    return np.asarray(wide.T @ share, np.float32), machine.intercept_.astype(np.float32)


def _yes_or_no(
    x: Rows, picked: NDArray[np.bool_], weight: Float64, seed: int
) -> tuple[Float32, float]:
    if picked.all() or not picked.any():
        return np.zeros(x.shape[1], np.float32), 1.0 if picked.all() else -1.0
    machine = _machine(x, picked.astype(np.int64), weight, seed)
    return machine.coef_[0].astype(np.float32), float(machine.intercept_[0])


def _machine(x: Rows, label: Int64, weight: Float64, seed: int) -> Any:
    # a second to import, and only those who learn need it
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=1.0, dual=True, random_state=seed, max_iter=1000)
    with warnings.catch_warnings():
        # contradictory examples may keep it from settling; what it says is checked all the same
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(x, label, sample_weight=weight)
    return machine


def _sharpness(margins: Float32, label: Int64, weight: Float64) -> float:
    wide = margins.astype(np.float64)
    rows = np.arange(len(label))

    def loss(log_sharpness: float) -> float:
        told = log_softmax(wide * np.exp(log_sharpness), axis=1)[rows, label]
        return float(-(weight * told).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded").x))


def _platt(margins: Float32, picked: NDArray[np.bool_], weight: Float64) -> tuple[float, float]:
    """One factor and one shift for all options (Platt, 1999)."""
    wide, sign = margins.astype(np.float64), np.where(picked, 1.0, -1.0)

    def best_shift(log_sharpness: float) -> tuple[float, float]:
        scaled = wide * np.exp(log_sharpness)

        def loss(shift: float) -> float:
            return float((weight[:, None] * np.logaddexp(0, -sign * (scaled + shift))).sum())

        found = minimize_scalar(loss, bounds=(-6.0, 6.0), method="bounded")
        return float(found.x), float(found.fun)

    found = minimize_scalar(lambda a: best_shift(a)[1], bounds=(-4.0, 4.0), method="bounded")
    return float(np.exp(found.x)), best_shift(float(found.x))[0]
