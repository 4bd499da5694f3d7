"""Why something was decided: for clients of their items, for contributors of their answers."""

import asyncio
from typing import Annotated

from litestar import Response, get
from msgspec import Meta, Struct

from canut.insight.certificate_pdf import certificate_pdf
from canut.insight.explain_words import held_back_told, own_told, told
from canut.insight.story import own_answer, read_story
from canut.insight.story_model import Chapter, HeardAnswer
from canut.quality.certificates.standing import with_evidence
from canut.quality.figures import Locale
from canut.sdk import values as v
from canut.web.api.common import PREFIX, in_thread, number, task_names
from canut.web.api.describe import Operation, described
from canut.web.api.reading import read_query
from canut.web.api.replying import Json, attachment, like, reply
from canut.web.api.work import TASK, TASK_PARAMETER, OptionsQuery
from canut.web.auth import WebRequest, principal

BOTH: tuple[Locale, Locale] = ("en", "fr")
WHEN_MS = 1_790_000_000_000


class ItemQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which item."""

    key: Annotated[
        str,
        Meta(
            description="Your name of the item, else its row.",
            min_length=1,
            max_length=200,
            examples=["A1"],
        ),
    ]


EXPLAIN = Operation(
    name="explain",
    summary="Explain what was decided about an item",
    description="Who answered what (as letters), how often each is right, how the belief moved to "
    "the target, why it stopped there, and what such confidences were worth so far.",
    tag="batches",
    scopes=("batches:read",),
    query=ItemQuery,
    reply=v.Explanation,
    reply_example=v.Explanation(
        "A1",
        [
            v.Explained(
                step="category",
                target=0.9,
                decided=True,
                value="kettles",
                confidence=0.982,
                method="answers",
                decided_ms=WHEN_MS,
                answers=[v.WeighedAnswer("A", "person", "kettles", skill=0.91, judged=120)],
                course=[v.Belief("kettles", 0.982)],
                exact=True,
                words={"en": ["It stopped there because 98.2% reaches the target of 90%."]},
            )
        ],
    ),
    refuses=(404, 422),
)
OWN = Operation(
    name="get_own_answer",
    summary="Read what became of an answer of yours",
    description="The decision and why, without a word of other contributors. One decision in four, "
    "drawn by lot, is never shown, nor are checks: nobody can tell the two apart.",
    tag="work",
    scopes=("work",),
    parameters=(TASK_PARAMETER,),
    reply=v.OwnAnswer,
    reply_example=v.OwnAnswer(
        TASK.task,
        "kettles",
        True,
        "kettles",
        0.982,
        1.0,
        {"en": ["Your answer agrees with the decision."]},
    ),
    refuses=(404, 422),
)
PDF = Operation(
    name="get_certificate_pdf",
    summary="Download a certificate as PDF",
    description="For reading and for the files (PDF/A-2a, PDF/UA-1); the proof is its evidence.",
    tag="certificates",
    scopes=("batches:read",),
    query=OptionsQuery,
    reply_stream={"application/pdf": ""},
    refuses=(404, 422),
)


@get(f"{PREFIX}/batches/{{id:str}}/explanations", opt=described(EXPLAIN))
async def explain(request: WebRequest) -> Json:
    """The story of an item."""
    query = read_query(request, ItemQuery)
    who, batch, key = principal(request), number(request), query.key.replace("\0", "\ufffd")
    story = await in_thread(request, lambda conn: read_story(conn, who, batch, key))
    return reply(v.Explanation(key, [_explained(one) for one in story.chapters]))


@get(f"{PREFIX}/answers/{{task:str}}", opt=described(OWN))
async def get_own_answer(request: WebRequest) -> Json:
    """An answer of the contributor who asks."""
    who, names = principal(request).contributor(), await task_names(request)
    task = request.path_params["task"]
    own = await in_thread(request, lambda conn: own_answer(conn, names, who, task))
    decision = own.decision
    return reply(
        v.OwnAnswer(
            task=task,
            value=own.value,
            decided=decision is not None,
            decision=None if decision is None else decision.value,
            confidence=None if decision is None else decision.confidence,
            agreement=own.agreement,
            words={locale: own_told(own, locale) for locale in BOTH},
        )
    )


@get(f"{PREFIX}/certificates/{{id:str}}/pdf", opt=described(PDF))
async def get_certificate_pdf(request: WebRequest) -> Response[bytes]:
    """A certificate as a PDF."""
    query = read_query(request, OptionsQuery)
    who, id = principal(request), number(request)
    locale: Locale = "fr" if query.locale == "fr" else "en"
    certificate = await in_thread(request, lambda conn: with_evidence(conn, who, id))
    name = f"certificate-{id}"
    made = await asyncio.to_thread(certificate_pdf, certificate, locale, f"{name}.json.gz")
    return attachment(made, "application/pdf", f"{name}.pdf")


def _explained(chapter: Chapter) -> v.Explained:
    facts, why = chapter.facts, chapter.explanation
    words: dict[str, list[str]] = {
        locale: held_back_told(facts, chapter.question, locale) for locale in BOTH
    }
    if why is None:
        told_of = words if facts.held_back else {}
        return v.Explained(facts.slug, facts.target, decided=False, words=told_of)
    decided = why.decided
    for locale in BOTH:
        parts = told(why, chapter.question, locale).values()
        words[locale] = [*(one for part in parts for one in part), *words[locale]]
    return v.Explained(
        step=facts.slug,
        target=facts.target,
        decided=True,
        value=decided.value,
        confidence=decided.confidence,
        method=decided.method,
        decided_ms=decided.decided_ms,
        answers=[_weighed(one) for one in why.answers],
        course=[v.Belief(point.value, point.belief) for point in why.course.points],
        exact=why.course.exact,
        words=words,
    )


def _weighed(one: HeardAnswer) -> v.WeighedAnswer:
    return like(v.WeighedAnswer, one, contributor=one.name)


ROUTES = [explain, get_own_answer, get_certificate_pdf]
