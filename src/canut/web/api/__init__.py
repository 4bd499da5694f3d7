"""The JSON API: handlers of three lines over the verbs of the rooms below."""

from litestar.openapi import OpenAPIConfig
from litestar.types import ControllerRouterHandler

from canut.config import Settings
from canut.web.api import (
    agents,
    agents_at_work,
    batches,
    certificates,
    decisions,
    exam_questions,
    exams,
    explain,
    gold,
    hours,
    invoices,
    items,
    licences,
    me,
    money,
    pay,
    payouts,
    people,
    pictures,
    processes,
    reference,
    webhooks,
    work,
)


def routes(settings: Settings) -> list[ControllerRouterHandler]:
    """Every route of the API."""
    served = [
        *batches.ROUTES,
        *items.routes(settings.upload_bytes_max),
        *pictures.ROUTES,
        *decisions.ROUTES,
        *certificates.ROUTES,
        *explain.ROUTES,
        *processes.ROUTES,
        *gold.ROUTES,
        *work.ROUTES,
        *pay.ROUTES,
        *hours.ROUTES,
        *payouts.ROUTES,
        *money.ROUTES,
        *invoices.ROUTES,
        *exams.ROUTES,
        *exam_questions.ROUTES,
        *licences.ROUTES,
        *webhooks.ROUTES,
        *me.ROUTES,
        *people.ROUTES,
        *agents.ROUTES,
        *agents_at_work.ROUTES,
    ]
    return [*served, *reference.routes(settings, served)]


def openapi(settings: Settings) -> OpenAPIConfig | None:
    """None: the document is our own, see `canut.web.api.document`."""
    return None
