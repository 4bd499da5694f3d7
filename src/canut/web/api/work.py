"""What contributors do: claim, answer, give back. The busiest requests: one round trip each."""

import hashlib
from typing import Annotated

import msgspec
from litestar import Response, delete, get, post
from msgspec import Meta, Struct

from canut.errors import NotFound
from canut.people.rules import LOCALES
from canut.questions.base import HasOptions
from canut.sdk import values as v
from canut.web.api.common import PREFIX, now_ms, number, pool, steps, task_names
from canut.web.api.describe import Operation, described
from canut.web.api.processes import FIELD, item_field
from canut.web.api.reading import Reader, read_query
from canut.web.api.replying import Json, encode, nothing, reply
from canut.web.auth import WebRequest, principal
from canut.work import tasks
from canut.work.batches import check_may_see_step
from canut.work.model import ClaimedTask, Given, LoadedStep

CLAIM = Reader(v.Claim)
ANSWERS = Reader(v.Answers)

TASK = v.Task(
    task="9XK3vdnTt0m8yWq1ZbEhLg",
    step=41,
    batch=12,
    deadline_ms=1_790_000_600_000,
    expert=False,
    item={"title": "Bouilloire inox 1,7 L"},
)
TASK_PARAMETER = {
    "name": "task",
    "in": "path",
    "required": True,
    "description": "Name of the task.",
    "schema": {"type": "string", "examples": [TASK.task]},
}

CLAIM_OP = Operation(
    name="claim",
    summary="Claim tasks",
    description="Takes up to `count` tasks you have never had, until a deadline. Fewer or none "
    "come back when there are no more.",
    tag="work",
    scopes=("work",),
    body=v.Claim,
    body_example=v.Claim(count=10),
    status=200,
    reply=v.Claimed,
    reply_example=v.Claimed(tasks=[TASK]),
    refuses=(400, 415, 422),
)
LIVE_OP = Operation(
    name="live",
    summary="List tasks held",
    description="The tasks in your hands, the first due first: to go on after a crash.",
    tag="work",
    scopes=("work",),
    reply=v.Claimed,
    reply_example=v.Claimed(tasks=[TASK]),
)
GIVE_BACK_OP = Operation(
    name="give_back",
    summary="Give a task back",
    description="Costs you nothing; others get the task.",
    tag="work",
    scopes=("work",),
    status=204,
    parameters=(TASK_PARAMETER,),
    refuses=(404, 422),
)
ANSWER_OP = Operation(
    name="answer",
    summary="Hand in answers",
    description="Nothing is stored unless every answer is of the shape its step asks for (422 "
    "lists every problem, `row` is the place of the answer). What became of each is in "
    "`outcomes`. Sending the same answers again is safe.",
    tag="work",
    scopes=("work",),
    body=v.Answers,
    body_example=v.Answers([v.Answer(TASK.task, "kettles")]),
    status=200,
    reply=v.Answered,
    reply_example=v.Answered([v.TaskOutcome(TASK.task, "accepted")]),
    refuses=(400, 415, 422),
)
QUESTION_OP = Operation(
    name="get_question",
    summary="Read a question",
    description="What a step of a batch asks, and the shape of an answer. For contributors who "
    "may claim there, and for the client. It never changes.",
    tag="work",
    reply=v.StepQuestion,
    reply_example=v.StepQuestion(
        step=41,
        batch=12,
        slug="category",
        process="catalogue/categorise",
        version=1,
        title={"en": "Category", "fr": "Catégorie"},
        instructions={"en": "Choose by what the product is for."},
        type="choice",
        question={"title": "Which category?", "large": True, "count": 214},
        answer={"type": "string", "enum": ["kettles", "toasters"]},
        item=[FIELD],
        options=f"{PREFIX}/steps/41/options",
    ),
    refuses=(404, 422),
)


class OptionsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """In which language."""

    locale: Annotated[
        str, Meta(description="Language: en or fr.", pattern="^(en|fr)$", examples=["fr"])
    ] = LOCALES[0]


OPTIONS_OP = Operation(
    name="get_options",
    summary="List the options of a question",
    description="Every option that can be answered. It never changes: keep it, or send the ETag "
    "as If-None-Match.",
    tag="work",
    query=OptionsQuery,
    reply=v.Options,
    reply_example=v.Options([v.Option("kettles", "Bouilloires", path=["Cuisine"])]),
    refuses=(404, 422),
)


@post(f"{PREFIX}/claims", opt=described(CLAIM_OP), status_code=200)
async def claim(request: WebRequest) -> Json:
    """Tasks for the contributor who asks."""
    asked = await CLAIM.read(request)
    who = principal(request).contributor()
    taken = await tasks.claim(
        pool(request),
        steps(request),
        await task_names(request),
        who,
        now_ms(),
        count=asked.count,
        batch_id=asked.batch,
    )
    return reply(v.Claimed([_task(task) for task in taken]))


@get(f"{PREFIX}/claims", opt=described(LIVE_OP))
async def live(request: WebRequest) -> Json:
    """The tasks held."""
    who = principal(request).contributor()
    names = await task_names(request)
    held = await tasks.live(pool(request), steps(request), names, who, now_ms())
    return reply(v.Claimed([_task(task) for task in held]))


@delete(f"{PREFIX}/claims/{{task:str}}", opt=described(GIVE_BACK_OP), status_code=200)
async def give_back(request: WebRequest) -> Json:
    """Return a task."""
    who = principal(request).contributor()
    names = await task_names(request)
    await tasks.give_back(pool(request), names, who, now_ms(), request.path_params["task"])
    return nothing()


@post(f"{PREFIX}/answers", opt=described(ANSWER_OP), status_code=200)
async def answer(request: WebRequest) -> Json:
    """Answers of the contributor who asks."""
    given = await ANSWERS.read(request)
    who = principal(request).contributor()
    handed = [Given(one.task, one.value, one.confidence) for one in given.answers]
    names = await task_names(request)
    outcomes = await tasks.submit(pool(request), steps(request), names, who, now_ms(), handed)
    return reply(v.Answered([v.TaskOutcome(names.name(ref), said) for ref, said in outcomes]))


@get(f"{PREFIX}/steps/{{id:str}}", opt=described(QUESTION_OP))
async def question(request: WebRequest) -> Json:
    """What a step asks."""
    step = await _step(request)
    return _cached(request, encode(_question(step)))


@get(f"{PREFIX}/steps/{{id:str}}/options", opt=described(OPTIONS_OP))
async def options(request: WebRequest) -> Json:
    """Every option of a question."""
    query = read_query(request, OptionsQuery)
    step = await _step(request)
    if not isinstance(step.question, HasOptions):
        raise NotFound("This question has no options.")
    listed = step.question.options(query.locale)
    return _cached(request, encode({"data": listed}))


def _task(task: ClaimedTask) -> v.Task:
    step = task.ref.batch_step_id
    return v.Task(task.name, step, task.batch_id, task.deadline_ms, task.expert, task.item)


async def _step(request: WebRequest) -> LoadedStep:
    step = await steps(request).load(pool(request), number(request))
    who = principal(request)
    await check_may_see_step(pool(request), who, step.batch_step_id, step.client_id)
    return step


def _question(step: LoadedStep) -> v.StepQuestion:
    id, definition = step.batch_step_id, step.definition
    has_options = isinstance(step.question, HasOptions)
    return v.StepQuestion(
        step=id,
        batch=step.batch_id,
        slug=definition.slug,
        process=step.process_slug,
        version=step.version,
        title=definition.title,
        instructions=definition.instructions,
        type=definition.question["type"],
        question=msgspec.to_builtins(step.question.widget(LOCALES[0]).data),
        answer=step.question.schema(),
        item=[item_field(f) for f in step.item.fields if f.show and not f.personal],
        options=f"{PREFIX}/steps/{id}/options" if has_options else None,
    )


def _cached(request: WebRequest, content: bytes) -> Json:
    """A reply that never changes; whoever has it need not get it again."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers = {"etag": etag, "cache-control": "private, max-age=3600", "vary": "authorization"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


ROUTES = [claim, live, give_back, answer, question, options]
