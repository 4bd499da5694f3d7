"""Sequences of words laid side by side, for many tasks at once."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from canut.truth.votes import Int32, Int64

#: where a sequence has no word
NOWHERE = -1
#: cells worked on at once; larger does not fit the cache
CELLS = 1 << 18


class Lines(Struct, frozen=True):
    """Sequences of words, those of a task in the order in which they are to be joined."""

    #: int32 (lines,), sorted, 0 <= task < n_tasks
    task: Int32
    #: all words of the first, of the second..., int32 (words,); the same number is the same word
    word: Int32
    #: where each begins in `word`, and where the last ends, int64 (lines + 1,)
    begin: Int64
    n_tasks: int


class Network(Struct, frozen=True):
    """Places, those of a task one after the other, and what every line of the task has there."""

    #: int32 (cells,): a cell is a place and a line
    line: Int32
    #: which place it is of, int64 (cells,), sorted
    place: Int64
    #: which of the line's words is there, int32 (cells,), or `NOWHERE`
    offset: Int32
    #: task of each place, int32 (places,)
    task: Int32


def network(lines: Lines) -> Network:
    """Join the lines of each task one by one, each with least edits: a place costs nothing where
    any line before has the word, and passing over it costs nothing where any has none."""
    size = np.diff(lines.begin)
    count = np.bincount(lines.task, minlength=lines.n_tasks)
    first = np.cumsum(count) - count
    longest = np.zeros(lines.n_tasks, np.int64)
    np.maximum.at(longest, lines.task, size)
    cells: list[tuple[Int32, Int64, Int32]] = []
    owners: list[Int32] = []
    n_places = 0
    for tasks in _blocks(longest, count):
        joined = _joined(lines, first[tasks], count[tasks], size)
        row, place, column = np.nonzero(_there(joined, count[tasks]))
        # the places of a block, numbered over all its tasks
        key = row * joined.shape[1] + place
        fresh = np.r_[True, key[1:] != key[:-1]][: len(key)]
        number = np.cumsum(fresh) - 1 + n_places
        n_places += int(fresh.sum())
        owners.append(tasks[row[fresh]].astype(np.int32))
        line = (first[tasks][row] + column).astype(np.int32)
        cells.append((line, number, joined[row, place, column]))
    if not cells:
        none = np.zeros(0, np.int32)
        return Network(none, np.zeros(0, np.int64), none, none)
    line, number, offset = (np.concatenate(part) for part in zip(*cells, strict=True))
    return Network(line, number, offset, np.concatenate(owners))


def _blocks(longest: Int64, count: Int64) -> Iterator[Int64]:
    """Tasks of about the same length and number of lines, a cacheful at a time."""
    order = np.lexsort((longest, count))
    order = order[longest[order] > 0]
    begin = 0
    while begin < len(order):
        end = begin + 1
        lines = count[order[begin]]
        while end < len(order) and count[order[end]] == lines:
            if (end - begin + 1) * (longest[order[end]] + 1) ** 2 > CELLS:
                break
            end += 1
        yield order[begin:end]
        begin = end


def _there(joined: Int32, count: Int64) -> NDArray[np.bool_]:
    """Which cells (tasks, places, lines) there are: all of a place where any line has a word."""
    there = np.repeat((joined != NOWHERE).any(2)[:, :, None], joined.shape[2], axis=2)
    there &= np.arange(joined.shape[2]) < count[:, None, None]
    return there


def _joined(lines: Lines, first: Int64, count: Int64, size: Int64) -> Int32:
    """Offsets of words, int32 (tasks, places, lines), `NOWHERE` where there is none."""
    word, length = _padded(lines, first, size)
    offset = np.arange(word.shape[1], dtype=np.int32)
    places = np.where(offset < length[:, None], offset, NOWHERE)[:, :, None]
    heard, n_places = word[:, :, None], length
    for step in range(1, int(count[0])):
        word, length = _padded(lines, first + step, size)
        moves = _moves(heard, word)
        place, at, n_places = _traced(moves, n_places, length)
        places = _grown(places, place, at)
        heard = _grown(heard, place, np.where(at < 0, NOWHERE, _taken(word, at)))
    return places


def _padded(lines: Lines, which: Int64, size: Int64) -> tuple[Int32, Int64]:
    """The words of these lines, int32 (lines, longest), and their number."""
    length = size[which]
    offset = np.arange(int(length.max(initial=0)))
    inside = offset < length[:, None]
    at = np.where(inside, lines.begin[which][:, None] + offset, 0)
    words = np.where(inside, lines.word[at] if len(lines.word) else NOWHERE, NOWHERE)
    return words.astype(np.int32), length


def _moves(heard: Int32, word: Int32) -> NDArray[np.int8]:
    """The last move of the cheapest way to each cell: 0 a place takes a word, 1 a place is passed
    over, 2 a word gets a place of its own; int8 (places + 1, tasks, words + 1). What lies beyond a
    task's own places and words changes nothing before."""
    n_tasks, n_places, n_lines = heard.shape
    column = np.arange(word.shape[1] + 1, dtype=np.int32)
    moves = np.full((n_places + 1, n_tasks, len(column)), 2, np.int8)
    cost = np.repeat(column[None, :], n_tasks, axis=0)
    for i in range(n_places):
        known = heard[:, i, :1] == word
        for line in range(1, n_lines):
            known |= heard[:, i, line, None] == word
        # passing over a place where some line has nothing is no edit
        skip = cost + (heard[:, i] != NOWHERE).all(1)[:, None]
        take = cost[:, :-1] + ~known
        best = skip.copy()
        np.minimum(best[:, 1:], take, out=best[:, 1:])
        # words of their own run along the row: a running minimum, each cell's column taken off
        best -= column
        np.minimum.accumulate(best, axis=1, out=best)
        best += column
        move = moves[i + 1]
        move[skip <= best] = 1
        move[:, 1:][take <= best[:, 1:]] = 0
        cost = best
    return moves


def _traced(moves: NDArray[np.int8], n_places: Int64, length: Int64) -> tuple[Int64, Int64, Int64]:
    """The cheapest way through each task, from its start: old place and word of every new place,
    int64 (tasks, new places), `NOWHERE` where there is none; and the number of new places."""
    i, j = n_places.copy(), length.copy()
    every = np.arange(len(i))
    back: list[tuple[Int64, Int64]] = []
    while np.any(i + j > 0):
        move = np.where(j == 0, 1, moves[i, every, j])
        going = i + j > 0
        takes, adds = going & (move != 2), going & (move != 1)
        back.append((np.where(takes, i - 1, NOWHERE), np.where(adds, j - 1, NOWHERE)))
        i, j = i - takes, j - adds
    if not back:
        nothing = np.zeros((len(i), 0), np.int64)
        return nothing, nothing, np.zeros(len(i), np.int64)
    place, at = (np.stack(part, axis=1) for part in zip(*back, strict=True))
    n_new = ((place >= 0) | (at >= 0)).sum(1)
    # turned round, each task by as much as it is long
    turned = n_new[:, None] - 1 - np.arange(place.shape[1])
    inside = turned >= 0
    turned = np.maximum(turned, 0)
    return (
        np.where(inside, np.take_along_axis(place, turned, 1), NOWHERE),
        np.where(inside, np.take_along_axis(at, turned, 1), NOWHERE),
        n_new,
    )


def _taken(word: Int32, at: Int64) -> Int32:
    if not word.shape[1]:
        return np.full(at.shape, NOWHERE, np.int32)
    return np.take_along_axis(word, np.maximum(at, 0), 1)


def _grown(before: Int32, place: Int64, new: Int64 | Int32) -> Int32:
    """What the old lines have at the new places, and the new line beside them."""
    old = np.full((*place.shape, before.shape[2]), NOWHERE, np.int32)
    if before.shape[1]:
        kept = np.take_along_axis(before, np.maximum(place, 0)[:, :, None], 1)
        old = np.where(place[:, :, None] >= 0, kept, NOWHERE)
    return np.concatenate([old, new[:, :, None]], axis=2).astype(np.int32)
