"""What can go wrong for a program that uses Canut."""

import msgspec

from canut.sdk.values import ProblemAt, ProblemDetails


class CanutAPIError(Exception):
    """The server refused, or could not be reached.

    `status` is the HTTP status, 0 when there was no reply; `code` the kind of problem, for
    programs; `mend` what to do about it; `problems` every place that is wrong in what was sent.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str = "unreachable",
        mend: str = "",
        problems: list[ProblemAt] | None = None,
    ):
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.mend = mend
        self.problems = problems or []

    def __str__(self) -> str:
        head = f"{self.message} ({self.mend})" if self.mend else self.message
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


def refused(status: int, body: bytes) -> CanutAPIError:
    """The error that a reply stands for: problem details, or whatever a proxy said."""
    try:
        details = msgspec.json.decode(body, type=ProblemDetails)
    except msgspec.MsgspecError:
        return CanutAPIError(f"The server replied {status}.", status=status, code="http")
    return CanutAPIError(
        details.detail or details.title,
        status=status,
        code=details.code,
        mend=details.mend,
        problems=details.problems,
    )
