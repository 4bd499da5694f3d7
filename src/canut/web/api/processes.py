"""What can be outsourced."""

from litestar import get

from canut.errors import NotFound
from canut.people.model import Principal
from canut.processes.model import ProcessDefinition, StepDefinition
from canut.processes.store import find_version_async, list_processes_async
from canut.questions.registry import load_question
from canut.sdk import values as v
from canut.web.api.common import PREFIX, pool
from canut.web.api.describe import Operation, described
from canut.web.api.reading import read_query
from canut.web.api.replying import Json, PageQuery, after, page, reply
from canut.web.auth import WebRequest, principal

FIELD = v.ItemField(name="title", title={"en": "Title", "fr": "Titre"}, required=True)
PROCESS = v.Process(
    slug="catalogue/categorise",
    title={"en": "Categorise products", "fr": "Classer des produits"},
    description={"en": "Choose the category of each product."},
)
STEP = v.ProcessStep(
    slug="category",
    title={"en": "Category", "fr": "Catégorie"},
    type="choice",
    answer={"type": "string", "enum": ["kettles", "toasters"]},
    min_answers=2,
    max_answers=5,
    target_confidence=0.95,
    lease_s=600,
)

LIST = Operation(
    name="list_processes",
    summary="List processes",
    description="What batches can be submitted to, by slug.",
    tag="processes",
    query=PageQuery,
    reply=v.Page[v.Process],
    reply_example=v.Page(data=[PROCESS]),
)
GET = Operation(
    name="get_process",
    summary="Read a process",
    description="The shape of its items, and its steps with the shape of their answers.",
    tag="processes",
    reply=v.ProcessDetail,
    reply_example=v.ProcessDetail(
        slug=PROCESS.slug,
        title=PROCESS.title,
        description=PROCESS.description,
        fields=[FIELD],
        extra=True,
        steps=[STEP],
    ),
    refuses=(404,),
)


@get(f"{PREFIX}/processes", opt=described(LIST))
async def list_processes(request: WebRequest) -> Json:
    """A page of processes. There are few: the list is cut here, its cursor is a place in it."""
    query = read_query(request, PageQuery)
    start = after(query, 0)
    async with pool(request).connection() as conn:
        found = await list_processes_async(conn, _client(principal(request)))
    rows = list(enumerate(found, start=1))[start : start + query.limit + 1]
    return page(
        request,
        query,
        rows,
        lambda row: v.Process(row[1].slug, row[1].title, row[1].description),
        lambda row: row[0],
    )


@get(f"{PREFIX}/processes/{{slug:path}}", opt=described(GET))
async def get_process(request: WebRequest) -> Json:
    """The newest version of a process."""
    slug = str(request.path_params["slug"]).strip("/")
    async with pool(request).connection() as conn:
        found = await find_version_async(conn, _client(principal(request)), _clean(slug))
    if found is None:
        raise NotFound("There is no such process.", mend="list the processes first")
    return reply(_detail(found.definition))


def _client(who: Principal) -> int | None:
    """Whose processes to show; those of the shared library to everybody else."""
    return who.client_ids[0] if len(who.client_ids) == 1 else None


def _clean(slug: str) -> str:
    # PostgreSQL keeps no NUL, so no slug has one
    return slug.replace("\x00", "�")


def _detail(definition: ProcessDefinition) -> v.ProcessDetail:
    return v.ProcessDetail(
        slug=definition.slug,
        title=definition.title,
        description=definition.description,
        fields=[item_field(field) for field in definition.item.fields],
        extra=definition.item.extra,
        steps=[_step(step) for step in definition.steps],
    )


def item_field(field: object) -> v.ItemField:
    """A field of an item as it travels."""
    return v.ItemField(**{name: getattr(field, name) for name in v.ItemField.__struct_fields__})


def _step(step: StepDefinition) -> v.ProcessStep:
    return v.ProcessStep(
        slug=step.slug,
        title=step.title,
        type=step.question["type"],
        answer=load_question(step.question).schema(),
        min_answers=step.min_answers,
        max_answers=step.max_answers,
        target_confidence=step.target_confidence,
        lease_s=step.lease_s,
        skills=list(step.skills),
        expert_skill=step.expert_skill,
        licence=step.licence,
    )


ROUTES = [list_processes, get_process]
