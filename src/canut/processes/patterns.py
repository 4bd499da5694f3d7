"""Regular expressions that strangers write."""

import re

_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{\d*,\d*\}|.", re.DOTALL)


def is_slow(pattern: str) -> bool:
    """Whether a group that can match one text in several ways is repeated: on a text that nearly
    fits, such a pattern tries them all, and that can take for ever."""
    holds = [False]
    closed = False
    for part in _TOKEN.findall(pattern):
        repeats = part in ("*", "+") or (len(part) > 2 and part[0] == "{")
        if repeats and closed:
            return True
        closed = False
        if part == "(":
            holds.append(False)
        elif part == ")" and len(holds) > 1:
            closed = holds.pop()
            holds[-1] |= closed
        elif repeats or part == "|":
            holds[-1] = True
    return False
