"""Beliefs that follow the answers as they come, and sweeps that put them in order again."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from canut.truth.confusion import ROUNDS, backed_off_confusion, refine
from canut.truth.grid import Float32, expected, grid, log, softmax
from canut.truth.pool import FLOOR, PRIOR
from canut.truth.votes import Float64, Int32, Int64, Votes, starts
from canut.truth.voting import wawa_shares

#: exponent on an online belief: that of the whole pool
TEMPER = float(PRIOR.sum())
#: tasks that the balance of classes is worth before any is seen
BALANCE_WEIGHT = 10.0


class Online:
    """The state of one step, as arrays that grow; one owner, no locks.

    `add` is incremental EM (Neal & Hinton, 1998, "A view of the EM algorithm that justifies
    incremental, sparse, and other variants"): the tasks that new answers speak of get a new
    posterior, with what is known of their contributors, and the contributors' counts are
    corrected by the change. `refresh` fits all answers anew. What a refresh makes depends on the
    answers alone, not on their order nor on when they came: a state made from the answers of the
    database after a crash is the refreshed state, to the bit.

    Classes are fixed; tasks and contributors may be new with every batch.
    """

    def __init__(self, n_classes: int) -> None:
        if n_classes < 2:
            raise ValueError("an online belief needs two classes or more")
        self.n_classes = n_classes
        self.n_answers = 0
        #: every answer so far: task, contributor, label, and the answer to that task before it;
        #: side by side, because to reach an answer costs more than to read it
        self._answers = np.empty((0, 4), np.int32)
        #: the last answer to each task, -1 where there is none
        self._last = np.full(0, -1, np.int32)
        self._posterior = np.empty((0, n_classes), np.float32)
        #: C[j, said, true]
        self._counts = np.zeros((0, n_classes, n_classes), np.float32)
        #: its sum over contributors
        self._total = np.zeros((n_classes, n_classes), np.float32)
        self._n_tasks = 0
        self._n_contributors = 0

    @classmethod
    def of(cls, votes: Votes) -> "Online":
        """The state that follows from these answers."""
        state = cls(votes.n_classes)
        state._keep(votes.task, votes.contributor, votes.label)
        state._grow(votes.n_tasks, votes.n_contributors)
        state.refresh()
        return state

    @property
    def votes(self) -> Votes:
        """All answers so far; views, not copies."""
        task, contributor, label, _ = self._answers[: self.n_answers].T
        return Votes(task, contributor, label, self._n_tasks, self._n_contributors, self.n_classes)

    def add(self, task: Int32, contributor: Int32, label: Int32) -> Int32:
        """Take in answers, int32 columns (n,); returns the tasks whose belief changed, sorted.

        Raises ValueError where a number is negative or a label is none of the classes; then
        nothing is taken in.
        """
        if not len(task):
            return np.zeros(0, np.int32)
        if min(task.min(), contributor.min(), label.min()) < 0 or label.max() >= self.n_classes:
            raise ValueError("an answer is out of range")
        touched = self._keep(task, contributor, label)
        of_task, row, new = self._answers_to(touched, self.n_answers - len(task))
        n_classes = self.n_classes
        active = np.zeros(self._n_contributors, bool)
        active[row // n_classes] = True
        everybody = np.flatnonzero(active)
        # from here on, rows of those alone
        row -= (np.cumsum(~active) * n_classes)[row // n_classes]
        counts = self._counts.take(everybody, 0)
        score = self._log_confusion(counts)
        begin = _begins(of_task, len(touched))
        heard = csr_array((np.ones(len(row), np.float32), row, begin), (len(touched), len(score)))
        before = self._posterior.take(touched, 0)
        after = softmax(heard @ score + self._log_balance())
        self._posterior[touched] = after
        # each answer adds the change of its task; what is new, also what was believed before
        begin = np.append(begin, begin[-1] + _begins(of_task[new], len(touched))[1:])
        row = np.append(row, row[new])
        said = csc_array(
            (np.ones(len(row), np.float32), row, begin), (len(score), 2 * len(touched))
        )
        change = (said @ np.concatenate([after - before, before])).reshape(counts.shape)
        self._total += change.sum(0)
        self._counts[everybody] = counts + change
        return touched.astype(np.int32)

    def refresh(self, rounds: int = ROUNDS) -> None:
        """Fit all answers anew by sweeps over them."""
        if not self.n_answers:
            return
        whole = grid(self.votes)
        posterior = refine(whole, wawa_shares(whole), (True,), rounds=rounds)[0].T
        self._posterior[: self._n_tasks] = posterior
        self._counts[: self._n_contributors] = expected(whole, np.ascontiguousarray(posterior))
        self._total = self._counts.sum(0)

    def posterior(self, tasks: Int32) -> Float64:
        """Tempered probability of each class, float64 (n, n_classes), of tasks, int32 (n,)."""
        answered = self._last[tasks] >= 0
        likely = np.maximum(self._posterior[tasks].astype(np.float64), FLOOR) ** TEMPER
        likely[~answered] = 1.0
        likely /= likely.sum(1, keepdims=True)
        return likely

    def _keep(self, task: Int32, contributor: Int32, label: Int32) -> Int64:
        """Append answers, each chained to the one before it on the same task; the tasks, sorted."""
        if not len(task):
            return np.zeros(0, np.int64)
        self._grow(int(task.max()) + 1, int(contributor.max()) + 1)
        begin, self.n_answers = self.n_answers, self.n_answers + len(task)
        if self.n_answers > len(self._answers):
            more = np.empty((max(2 * self.n_answers, 1024), 4), np.int32)
            more[:begin] = self._answers[:begin]
            self._answers = more
        # sorting numbers that hold both is faster than finding the order of tasks
        key = (task.astype(np.int64) << 32) + np.arange(len(task))
        key.sort()
        ordered, order = key >> 32, key & 0xFFFFFFFF
        start = starts(ordered)
        touched = ordered[start]
        before = np.empty(len(task), np.int64)
        before[1:] = begin + order[:-1]
        before[start] = self._last[touched]
        self._last[touched] = begin + order[np.r_[start[1:], len(task)] - 1]
        rows = self._answers[begin : self.n_answers]
        rows[:, 0], rows[:, 1], rows[:, 2] = task, contributor, label
        rows[order, 3] = before
        return touched

    def _grow(self, n_tasks: int, n_contributors: int) -> None:
        """Make room, doubling, so that the cost of growing is spread over many answers."""
        self._n_tasks = max(self._n_tasks, n_tasks)
        self._n_contributors = max(self._n_contributors, n_contributors)
        if self._n_tasks > len(self._last):
            more = 2 * self._n_tasks - len(self._last)
            self._last = np.r_[self._last, np.full(more, -1, np.int32)]
            even = np.full((more, self.n_classes), 1 / self.n_classes, np.float32)
            self._posterior = np.concatenate([self._posterior, even])
        if self._n_contributors > len(self._counts):
            more = 2 * self._n_contributors - len(self._counts)
            zero = np.zeros((more, self.n_classes, self.n_classes), np.float32)
            self._counts = np.concatenate([self._counts, zero])

    def _answers_to(self, tasks: Int64, first_new: int) -> tuple[Int64, Int64, NDArray[np.bool_]]:
        """All answers to some tasks: position of the task in `tasks`, row of the counts, and
        whether it is new. Sorted by the first two: sums of floats depend on their order, and a
        belief must not on that of storage."""
        keys = []
        bits = (self._n_contributors * self.n_classes).bit_length() + 1
        answer, position = self._last[tasks], np.arange(len(tasks)) << bits
        while len(answer):
            found = self._answers.take(answer, 0)
            row = found[:, 1].astype(np.int64) * self.n_classes + found[:, 2]
            keys.append(position + 2 * row + (answer >= first_new))
            answer = found[:, 3]
            earlier = answer >= 0
            answer, position = answer[earlier], position[earlier]
        key = np.concatenate(keys)
        key.sort()
        row = (key & ((1 << bits) - 1)) >> 1
        return key >> bits, row, (key & 1).astype(bool)

    def _log_confusion(self, counts: Float32) -> Float32:
        """Log of who says what, (n * K said, K true), from counts (n, K said, K true)."""
        # contributors last, as `backed_off_confusion` is fast
        last = np.ascontiguousarray(counts.transpose(1, 2, 0))
        score = log(backed_off_confusion(last, self._total))
        return np.ascontiguousarray(score.transpose(2, 0, 1)).reshape(-1, self.n_classes)

    def _log_balance(self) -> Float32:
        """Log of how common each class is believed to be, float32 (n_classes,)."""
        seen = self._total.sum(0)
        share = (seen + BALANCE_WEIGHT / self.n_classes) / (seen.sum() + BALANCE_WEIGHT)
        return log(share)


def _begins(sorted_position: Int64, n: int) -> Int64:
    """Where each of n positions begins, and the end; int64 (n + 1,)."""
    begin = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(sorted_position, minlength=n), out=begin[1:])
    return begin
