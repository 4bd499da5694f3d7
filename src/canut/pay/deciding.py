"""What deciding about somebody's time asks for, of whichever time: who may, and reasons. Pure."""

from canut.errors import Forbidden, Problem
from canut.people.model import Principal

REASON_CHARS_MAX = 2000


def check_decider(by: Principal, owner: int | None) -> None:
    """`owner`: the account of whoever the time is of. Raises `Forbidden`: operators and stewards
    decide, nobody about themselves."""
    check_keeper(by)
    if by.account_id and by.account_id == owner:
        raise Forbidden("Nobody decides about their own time.", mend="ask somebody else")


def check_keeper(by: Principal) -> None:
    """Raises `Forbidden` for who may decide about nobody's time."""
    if not by.keeps_books:
        raise Forbidden("Operators and stewards decide about time.")


def text_problems(text: str, field: str) -> list[Problem]:
    """What is wrong with a reason."""
    if not text.strip():
        return [Problem("is empty", "say why", field=field)]
    if len(text) > REASON_CHARS_MAX:
        return [
            Problem(f"{len(text)} characters", f"write at most {REASON_CHARS_MAX}", field=field)
        ]
    return []
