"""The words of a transcript: how they are compared, and how they are written."""

import re
import unicodedata

from msgspec import Struct

#: marks that are spoken, so that they make a word another one
SPOKEN = frozenset("%‰&@#*+/\\")


class Words(Struct, frozen=True):
    """The words of one transcript, twice."""

    #: without the marks around them, in one case unless it counts
    spoken: list[str]
    #: as they stand, with the marks, and before them a line break or two where there are
    written: list[str]


def words_of(text: str, *, case_sensitive: bool) -> Words:
    """Words are what spaces part. Marks of punctuation that stand alone belong to the word before
    them on their line, else to the one after."""
    spoken: list[str] = []
    written: list[str] = []
    waiting = breaks = ""
    for line in text.split("\n"):
        for token in line.split():
            bare = token if token.isalnum() else _bare(token)
            if bare:
                spoken.append(bare if case_sensitive else bare.casefold())
                written.append(f"{waiting}{breaks or ' '}{token}" if waiting else breaks + token)
                waiting = ""
            elif written and not waiting and not breaks:
                written[-1] += " " + token
            else:
                waiting += (breaks or " " if waiting else breaks) + token
            breaks = ""
        breaks = (breaks + "\n")[:2]
    if waiting and not written:
        return Words([waiting], [waiting])
    if waiting:
        written[-1] += waiting
    return Words(spoken, written)


def sentence(written: list[str]) -> str:
    """The text that these words make."""
    return "".join(word if word[0] == "\n" else f" {word}" for word in written).strip()


def spaced(text: str) -> str:
    """One space between words, and no more than one empty line between lines."""
    lines = "\n".join(" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def _bare(token: str) -> str:
    """The word without the marks around it; a minus before a digit stays."""
    begin, end = 0, len(token)
    while begin < end and _is_mark(token[begin]):
        if token[begin] == "-" and token[begin + 1 : begin + 2].isdigit():
            break
        begin += 1
    while end > begin and _is_mark(token[end - 1]):
        end -= 1
    return token[begin:end]


def _is_mark(character: str) -> bool:
    return character not in SPOKEN and unicodedata.category(character)[0] == "P"
