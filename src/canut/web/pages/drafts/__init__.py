"""A new batch in five steps: file, columns, question, quality, launch. Each is a
form that works by itself; `draft.js` saves what is typed while it is typed, and shows the question
as it is made."""

from typing import Any

from canut.config import Settings
from canut.web.pages.drafts import file, steps


def routes(settings: Settings) -> list[Any]:
    """The routes; an upload may be as large as the settings say."""
    return [*file.routes(settings), *steps.ROUTES]
