"""Pages for people: server-rendered, in English and French."""

from litestar.types import ControllerRouterHandler

from canut.config import Settings
from canut.web.pages import (
    account,
    adding,
    agents,
    answers,
    books,
    browsing,
    certificates,
    client,
    design,
    desk,
    drafts,
    exams,
    gold,
    home,
    hooks,
    licences,
    look,
    money,
    operator,
    operator_audit,
    operator_people,
    options,
    pay,
    pictures,
    processes,
    quality,
    remarks,
    search,
    shell,
    watching,
    work,
)


def routes(settings: Settings) -> list[ControllerRouterHandler]:
    """Every page."""
    fixed = (
        *(home, account, work, options, pictures, client, exams, gold, hooks, operator),
        *(operator_audit, operator_people, search, desk, processes, money),
        *(shell, remarks, quality, licences, certificates, browsing, watching, answers, look),
        *(design, agents, pay, books),
    )
    return [
        *drafts.routes(settings),
        *adding.routes(settings),
        *(route for module in fixed for route in module.ROUTES),
    ]
