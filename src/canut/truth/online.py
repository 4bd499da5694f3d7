"""Beliefs that follow the answers as they come, and sweeps that put them in order again."""

import numpy as np

from canut.truth.confusion import ROUNDS, backed_off_confusion, refine
from canut.truth.grid import Float32, expected, grid, log, softmax
from canut.truth.pool import FLOOR, PRIOR
from canut.truth.votes import Float64, Int32, Votes, starts
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
        #: every answer so far: task, contributor, label, and the answer to that task before it
        self._answers = np.empty((4, 0), np.int32)
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
        task, contributor, label, _ = self._answers[:, : self.n_answers]
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
        self._keep(task, contributor, label)
        touched = np.unique(task)
        answer, of_task = self._answers_to(touched)
        _, who, said, _ = self._answers[:, answer]
        # sums of floats depend on their order, and a belief must not on that of storage
        key = (of_task.astype(np.int64) * self._n_contributors + who) * self.n_classes + said
        order = np.argsort(key)
        answer, of_task, who, said = answer[order], of_task[order], who[order], said[order]
        everybody = np.unique(who)
        position = np.empty(self._n_contributors, np.int64)
        position[everybody] = np.arange(len(everybody))
        counts = self._counts[everybody]
        score = log(backed_off_confusion(counts.transpose(1, 2, 0), self._total))
        score = np.ascontiguousarray(score.transpose(2, 0, 1)).reshape(-1, self.n_classes)
        row = position[who] * self.n_classes + said

        before = self._posterior[touched]
        total = np.add.reduceat(score[row], starts(of_task), axis=0)
        after = softmax(total + self._log_balance())
        self._posterior[touched] = after
        change = (after - before)[of_task]
        new = answer >= self.n_answers - len(task)
        change[new] = after[of_task[new]]
        self._total -= counts.sum(0)
        # flat, because only that is fast
        cell = row[:, None] * self.n_classes + np.arange(self.n_classes)
        np.add.at(counts.reshape(-1), cell.ravel(), change.ravel())
        self._counts[everybody] = counts
        self._total += counts.sum(0)
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

    def _keep(self, task: Int32, contributor: Int32, label: Int32) -> None:
        """Append answers, each chained to the one before it on the same task."""
        if not len(task):
            return
        self._grow(int(task.max()) + 1, int(contributor.max()) + 1)
        begin, self.n_answers = self.n_answers, self.n_answers + len(task)
        if self.n_answers > self._answers.shape[1]:
            more = np.empty((4, max(2 * self.n_answers, 1024)), np.int32)
            more[:, :begin] = self._answers[:, :begin]
            self._answers = more
        order = np.argsort(task, kind="stable")
        ordered = task[order]
        start = starts(ordered)
        before = np.empty(len(task), np.int32)
        before[1:] = begin + order[:-1]
        before[start] = self._last[ordered[start]]
        self._last[ordered] = begin + order
        # of equal indices the last one is kept, which is the latest answer
        columns = self._answers[:, begin : self.n_answers]
        columns[0], columns[1], columns[2] = task, contributor, label
        columns[3][order] = before

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

    def _answers_to(self, tasks: Int32) -> tuple[Int32, Int32]:
        """All answers to some tasks: which, and position of their task in `tasks`; int32."""
        answers, positions = [], []
        answer, position = self._last[tasks], np.arange(len(tasks), dtype=np.int32)
        while len(answer):
            answers.append(answer)
            positions.append(position)
            answer = self._answers[3][answer]
            position = position[answer >= 0]
            answer = answer[answer >= 0]
        return np.concatenate(answers), np.concatenate(positions)

    def _log_balance(self) -> Float32:
        """Log of how common each class is believed to be, float32 (n_classes,)."""
        seen = self._total.sum(0)
        share = (seen + BALANCE_WEIGHT / self.n_classes) / (seen.sum() + BALANCE_WEIGHT)
        return log(share)
