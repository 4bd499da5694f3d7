"""The OpenAPI document tells the truth: requests made from it get the replies it promises."""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from canut.config import Settings
from canut.web.api import routes
from canut.web.api.document import build
from tests.api import PRODUCTS, THINGS, Api, emptied

DOCUMENT = build(routes(Settings()), "http://canut.test")
#: what a request of this kind is made with; the gate has tests of its own
KEYS = {"work": "worker", "pay": "worker", "people": "operator"}
#: names of operations -> their first tag
OPERATIONS = {
    operation["operationId"]: operation["tags"][0]
    for entry in DOCUMENT["paths"].values()
    for operation in entry.values()
}
PROMISED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


#: for each of a hundred operations: a few in every run, more in the thorough one
EXAMPLES = 25 if settings().max_examples >= 100 else 3


@pytest.fixture(scope="module")
def schema() -> Any:
    """The document, as what makes requests up reads it."""
    # where it is used, and not in every worker that collects these tests
    import schemathesis

    @schemathesis.serializer("application/x-ndjson", "text/csv", "application/vnd.apache.parquet")
    def as_stream(context: Any, value: Any) -> Any:
        """Whatever is made up, as bytes: most of it is no file at all."""
        return value if isinstance(value, str | bytes) else msgspec.json.encode(str(value))

    return schemathesis.openapi.from_dict(DOCUMENT)


@pytest.fixture(scope="module")
def keys(api_server: Api) -> Iterator[dict[str, str]]:
    """The address, and a key per tag, of a server with a batch of which there are tasks."""
    yield {"url": api_server.url, "client": api_server.soierie, **_filled(api_server)}
    emptied(api_server)


def _filled(api: Api) -> dict[str, str]:
    def post(key: str, path: str, body: Any) -> Any:
        headers = {"authorization": f"Bearer {key}"}
        return httpx.post(f"{api.url}/api/v1{path}", json=body, headers=headers).json()

    new = {"process": "catalogue/categorise", "key": "spring", "taxonomy": THINGS}
    batch = post(api.soierie, "/batches", new)["id"]
    items = "".join(f'{{"title": "{title}"}}\n' for _, title, _ in PRODUCTS)
    headers = {
        "authorization": f"Bearer {api.soierie}",
        "content-type": "application/x-ndjson",
    }
    httpx.post(f"{api.url}/api/v1/batches/{batch}/items", content=items, headers=headers)
    [made] = post(api.operator, "/contributors", {"count": 1})["contributors"]
    return {"operator": api.operator, "worker": made["key"]}


@pytest.mark.parametrize("name", OPERATIONS)
def test_requests_made_from_the_document_get_what_it_promises(
    name: str, schema: Any, keys: dict[str, str]
) -> None:
    """No server error, no undocumented status or type, no reply out of shape; what fits the
    document is taken as far as data is concerned, what does not fit is refused."""
    from schemathesis import GenerationMode
    from schemathesis.checks import CHECKS

    operation = schema.find_operation_by_id(name)
    fits, fits_not = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)
    headers = {"authorization": f"Bearer {keys[KEYS.get(OPERATIONS[name], 'client')]}"}
    checks = [CHECKS.get_one(check) for check in PROMISED]

    @given(fits | fits_not)
    @settings(max_examples=EXAMPLES, derandomize=True, suppress_health_check=list(HealthCheck))
    def ask(case: Any) -> None:
        reply = case.call(base_url=keys["url"], headers=headers)
        case.validate_response(reply, checks=checks)

    ask()


def test_every_operation_is_described_with_examples() -> None:
    """Summary, description, an example of every JSON body and reply, and the refusals."""
    for path, entry in DOCUMENT["paths"].items():
        for method, operation in entry.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["description"], where
            assert {"401", "403", "429", "503"} <= operation["responses"].keys(), where
            replies = [operation["responses"][s] for s in operation["responses"] if s < "300"]
            bodies = [*replies, operation.get("requestBody", {})]
            contents = [content for body in bodies for content in body.get("content", {}).items()]
            for media_type, content in contents:
                binary = any(kind in media_type for kind in ("parquet", "gzip", "pdf", "image"))
                assert "example" in content or binary, f"{where} {media_type}"


def test_examples_fit_their_schemas() -> None:
    """What the document shows is what the server takes and gives."""
    import jsonschema

    components = DOCUMENT["components"]

    def check(content: dict[str, Any], where: str) -> None:
        whole = {**content["schema"], "components": components}
        jsonschema.Draft202012Validator(whole).validate(content["example"])
        assert content["example"], where

    for path, entry in DOCUMENT["paths"].items():
        for operation in entry.values():
            for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
                for content in body.get("content", {}).values():
                    if "example" in content:
                        check(content, path)


def test_the_reference_page_shows_every_operation(keys: dict[str, str]) -> None:
    """People read the same document, as a page that loads nothing from elsewhere."""
    page = httpx.get(f"{keys['url']}/api/v1/docs")
    assert page.status_code == 200
    for entry in DOCUMENT["paths"].values():
        for operation in entry.values():
            assert f'id="{operation["operationId"]}"' in page.text
    assert "https://" not in page.text.replace("https://soierie.example", "").replace(
        "https://www.standardwebhooks.com", ""
    )
    served = httpx.get(f"{keys['url']}/api/v1/openapi.json")
    assert served.json()["paths"].keys() == DOCUMENT["paths"].keys()
