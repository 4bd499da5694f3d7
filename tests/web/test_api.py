"""The API over a real server: who sees what, retries, pages, problems, streams."""

import asyncio
import io
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import psycopg
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.api import PRODUCTS, THINGS, Api, decide

BATCH = {"process": "catalogue/categorise", "key": "spring", "taxonomy": THINGS}
LINES = b"".join(
    msgspec.json.encode({"reference": key, "title": title}) + b"\n" for key, title, _ in PRODUCTS
)
NDJSON = {"content-type": "application/x-ndjson"}


def as_(api: Api, key: str) -> httpx.Client:
    headers = {"authorization": f"Bearer {key}"}
    client = httpx.Client(base_url=f"{api.url}/api/v1", headers=headers, timeout=30)
    api.opened.append(client)
    return client


def submitted(http: httpx.Client, **given: Any) -> int:
    """A batch with the products."""
    made = http.post("/batches", json={**BATCH, **given})
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    sent = http.post(f"/batches/{number}/items", content=LINES, headers=NDJSON)
    assert sent.status_code == 200, sent.text
    assert sent.json()["added"] == len(PRODUCTS)
    return int(number)


def contributors(api: Api, count: int) -> list[httpx.Client]:
    made = as_(api, api.operator).post("/contributors", json={"count": count})
    assert made.status_code == 201, made.text
    return [as_(api, one["key"]) for one in made.json()["contributors"]]


def test_a_file_goes_in_and_decisions_come_out(api: Api) -> None:
    """The whole path over HTTP: submit, claim, answer, decide, stream in every format."""
    client = as_(api, api.soierie)
    batch = submitted(client)
    truth = {title: thing for _, title, thing in PRODUCTS}
    for _ in range(3):
        for worker in contributors(api, 3):
            while tasks := worker.post("/claims", json={"count": 5}).json()["tasks"]:
                answers = [
                    {"task": task["task"], "value": truth[task["item"]["title"]]} for task in tasks
                ]
                done = worker.post("/answers", json={"answers": answers}).json()
                assert {one["outcome"] for one in done["outcomes"]} == {"accepted"}
        decide(api.database)
    shown = client.get(f"/batches/{batch}").json()
    assert shown["state"] == "delivered"
    assert shown["steps"][0]["decided"] == len(PRODUCTS)
    address = f"/batches/{batch}/decisions"
    lines = client.get(address).text.splitlines()
    found = {one["key"]: one["decisions"]["category"] for one in map(msgspec.json.decode, lines)}
    assert {key: one["value"] for key, one in found.items()} == {k: t for k, _, t in PRODUCTS}
    csv = client.get(address, headers={"accept": "text/csv"})
    assert csv.headers["content-type"].startswith("text/csv")
    assert len(csv.text.splitlines()) == len(PRODUCTS) + 1
    parquet = client.get(address, params={"format": "parquet"})
    assert pq.read_table(io.BytesIO(parquet.content)).num_rows == len(PRODUCTS)


def test_a_client_never_sees_another_clients_anything(api: Api) -> None:
    """Every address of a batch says 404 to another client, and nothing of it is changed."""
    mine, other = as_(api, api.soierie), as_(api, api.tulle)
    batch = submitted(mine)
    step = mine.get(f"/batches/{batch}").json()["steps"][0]["step"]
    hook = mine.post("/webhooks", json={"url": "http://127.0.0.1:9/x"}).json()["id"]
    asked = [
        other.get(f"/batches/{batch}"),
        other.get(f"/batches/{batch}/decisions"),
        other.patch(f"/batches/{batch}", json={"priority": 5}),
        *(other.post(f"/batches/{batch}/{verb}") for verb in ("pause", "resume", "cancel")),
        other.post(f"/batches/{batch}/items", content=LINES, headers=NDJSON),
        other.get(f"/steps/{step}"),
        other.get(f"/steps/{step}/options"),
        other.delete(f"/webhooks/{hook}"),
    ]
    assert [reply.status_code for reply in asked] == [404] * len(asked)
    assert other.get("/batches").json()["data"] == []
    assert other.get("/webhooks").json()["data"] == []
    shown = mine.get(f"/batches/{batch}").json()
    assert (shown["state"], shown["priority"]) == ("running", 0)
    assert len(mine.get("/webhooks").json()["data"]) == 1


def test_a_key_does_only_what_its_scopes_say(api: Api) -> None:
    """A reading key writes nothing, a client's key neither works nor operates, no key gets 401."""
    reader = as_(api, api.reader)
    assert reader.get("/batches").status_code == 200
    assert reader.post("/batches", json=BATCH).status_code == 403
    client = as_(api, api.soierie)
    assert client.post("/claims", json={}).status_code == 403
    for path in ("/contributors", "/clients", "/audit"):
        assert client.get(path).status_code == 403
    nobody = httpx.get(f"{api.url}/api/v1/me")
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"] == "Bearer"


def test_a_retry_with_an_idempotency_key_makes_nothing_twice(api: Api) -> None:
    """The same key and request get the same reply, secrets included; another request is refused;
    the reply is not in the database in the clear."""
    operator = as_(api, api.operator)
    named = {"idempotency-key": "make-two"}
    first = operator.post("/contributors", json={"count": 2}, headers=named)
    again = operator.post("/contributors", json={"count": 2}, headers=named)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert len(operator.get("/contributors").json()["data"]) == 2
    other = operator.post("/contributors", json={"count": 3}, headers=named)
    assert other.status_code == 409
    secret = first.json()["contributors"][0]["key"].encode()
    with psycopg.connect(api.database) as conn:
        [kept] = conn.execute("select response from idempotency").fetchall()
    assert secret not in kept[0]


def test_a_refused_request_leaves_its_idempotency_key_free(api: Api) -> None:
    """What failed changed nothing, so the key may be used for the mended request."""
    client, named = as_(api, api.soierie), {"idempotency-key": "one"}
    wrong = client.post("/batches", json={**BATCH, "process": "no/such"}, headers=named)
    assert wrong.status_code == 404
    assert client.post("/batches", json=BATCH, headers=named).status_code == 201


def test_one_of_two_requests_at_once_is_told_to_wait(api: Api) -> None:
    """While the first is being served, the second with its key gets 409 and Retry-After; a
    request whose server died frees the key after a minute."""
    client, named = as_(api, api.soierie), {"idempotency-key": "slow"}
    assert client.post("/batches", json=BATCH, headers=named).status_code == 201
    with psycopg.connect(api.database, autocommit=True) as conn:
        conn.execute("update idempotency set status = null, response = null")
        waiting = client.post("/batches", json=BATCH, headers=named)
        assert waiting.status_code == 409
        assert waiting.headers["retry-after"] == "1"
        conn.execute("update idempotency set created_ms = created_ms - 61000")
        assert client.post("/batches", json=BATCH, headers=named).status_code == 201


def test_concurrent_requests_with_one_key_make_one_thing(api: Api) -> None:
    """Ten at once: one is served, the others get its reply or are told to wait."""

    async def all_at_once() -> list[httpx.Response]:
        headers = {"authorization": f"Bearer {api.operator}", "idempotency-key": "race"}
        async with httpx.AsyncClient(headers=headers, timeout=30) as http:
            address = f"{api.url}/api/v1/contributors"
            return await asyncio.gather(*(http.post(address, json={"count": 1}) for _ in range(10)))

    replies = asyncio.run(all_at_once())
    assert {reply.status_code for reply in replies} <= {201, 409}
    assert len({reply.text for reply in replies if reply.status_code == 201}) == 1
    assert len(as_(api, api.operator).get("/contributors").json()["data"]) == 1


def test_the_same_key_of_a_batch_is_the_same_batch(api: Api) -> None:
    """Submitting twice makes one batch and no item twice."""
    client = as_(api, api.soierie)
    batch = submitted(client)
    assert client.post("/batches", json=BATCH).json()["id"] == batch
    plain = {name: BATCH[name] for name in ("process", "key")}
    assert client.post("/batches", json=plain).json()["id"] == batch
    again = client.post(f"/batches/{batch}/items", content=LINES, headers=NDJSON).json()
    assert (again["added"], again["known"]) == (0, len(PRODUCTS))


def test_pages_follow_each_other_without_gap_or_repeat(api: Api) -> None:
    """Going from `next` to `next` shows every batch once, newest first; Link says the same."""
    client = as_(api, api.soierie)
    made = [client.post("/batches", json={**BATCH, "key": f"k{n}"}).json()["id"] for n in range(5)]
    seen, address = [], "/batches?limit=2"
    while address:
        reply = client.get(address)
        seen += [one["id"] for one in reply.json()["data"]]
        link = reply.links.get("next", {}).get("url", "")
        assert (reply.json()["next"] is None) == (link == "")
        address = link.removeprefix("/api/v1")
    assert seen == sorted(made, reverse=True)
    for wrong in ("cursor=***", "cursor=LTE=", "limit=0", "limit=x", "size=3"):
        refused = client.get(f"/batches?{wrong}")
        assert refused.status_code == 422, wrong
        assert refused.json()["problems"]


def test_every_problem_of_a_request_is_told(api: Api) -> None:
    """Wrong, missing and unknown fields in one reply of problem details."""
    wrong = {"key": 3, "priority": 9, "colour": "red", "taxonomy": [{"label": "x"}]}
    reply = as_(api, api.soierie).post("/batches", json=wrong)
    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"
    body = reply.json()
    assert body["code"] == "invalid"
    fields = {problem["field"].split("[")[0] for problem in body["problems"]}
    assert fields == {"process", "key", "priority", "colour", "taxonomy"}


@pytest.mark.parametrize("body", [b"3 and", b"3\xff", b'{"process": "\xff"}', b"[" * 9_000])
def test_a_body_that_is_no_json_is_never_our_fault(api: Api, body: bytes) -> None:
    """Also where what stands before the fault does not fit, which is noticed first."""
    headers = {"authorization": f"Bearer {api.soierie}", "content-type": "application/json"}
    reply = httpx.post(f"{api.url}/api/v1/batches", content=body, headers=headers)
    assert reply.status_code == 400, reply.text


def test_every_bad_row_is_told_and_nothing_is_imported(api: Api) -> None:
    """With on_error=stop nothing is imported; with skip the good rows are."""
    client = as_(api, api.soierie)
    batch = client.post("/batches", json=BATCH).json()["id"]
    csv = b"sku,name\nA1,Kelmoor kettle\nA2,\nA3,\n"
    how = {"reference": "sku", "map": "title=name"}
    address, headers = f"/batches/{batch}/items", {"content-type": "text/csv"}
    refused = client.post(address, params=how, content=csv, headers=headers)
    assert refused.status_code == 422
    assert [problem["row"] for problem in refused.json()["problems"]] == [2, 3]
    assert client.get(f"/batches/{batch}").json()["items"] == 0
    skipped = client.post(address, params={**how, "on_error": "skip"}, content=csv, headers=headers)
    assert (skipped.json()["added"], skipped.json()["rejected"]) == (1, 2)


def test_items_of_an_unknown_kind_are_refused(api: Api) -> None:
    """Only the three formats are read."""
    client = as_(api, api.soierie)
    batch = client.post("/batches", json=BATCH).json()["id"]
    reply = client.post(f"/batches/{batch}/items", content=b"x", headers={"content-type": "a/b"})
    assert reply.status_code == 415


def test_answers_are_safe_to_resend_and_all_checked_first(api: Api) -> None:
    """A retry after a lost reply is accepted; another answer conflicts; one invalid answer keeps
    all of them out; what was not held is an outcome, not an error. How sure an agent is is kept."""
    submitted(as_(api, api.soierie))
    worker, stranger = contributors(api, 2)
    first, second = worker.post("/claims", json={"count": 2}).json()["tasks"]

    def hand_in(http: httpx.Client, *answers: tuple[str, str]) -> httpx.Response:
        given = [{"task": task, "value": value, "confidence": 0.75} for task, value in answers]
        return http.post("/answers", json={"answers": given})

    refused = hand_in(worker, (first["task"], "kettle"), (second["task"], "spoon"), ("x", "lamp"))
    assert refused.status_code == 422
    assert [problem["row"] for problem in refused.json()["problems"]] == [2, 3]
    with psycopg.connect(api.database) as conn:
        assert conn.execute("select count(*) from answer").fetchone() == (0,)
    for _ in range(2):
        taken = hand_in(worker, (first["task"], "kettle"))
        assert taken.json()["outcomes"][0]["outcome"] == "accepted"
    changed = hand_in(worker, (first["task"], "lamp"), (second["task"], "lamp"))
    assert [one["outcome"] for one in changed.json()["outcomes"]] == ["conflict", "accepted"]
    with psycopg.connect(api.database) as conn:
        assert conn.execute("select confidence from answer").fetchall() == [(0.75,), (0.75,)]
    answers = [{"task": second["task"], "value": "lamp", "confidence": 1.5}]
    assert worker.post("/answers", json={"answers": answers}).status_code == 422
    unknown = hand_in(stranger, (first["task"], "kettle"))
    assert unknown.json()["outcomes"][0]["outcome"] == "unknown"


def test_a_task_can_be_given_back_once(api: Api) -> None:
    """It leaves the list of what is held; giving it back again says that it is not held."""
    submitted(as_(api, api.soierie))
    [worker] = contributors(api, 1)
    [task] = worker.post("/claims", json={}).json()["tasks"]
    assert worker.get("/claims").json()["tasks"] == [task]
    assert worker.delete(f"/claims/{task['task']}").status_code == 204
    assert worker.get("/claims").json()["tasks"] == []
    assert worker.delete(f"/claims/{task['task']}").status_code == 404


def test_a_contributor_sees_the_item_and_not_the_clients_key(api: Api) -> None:
    """Neither a claim nor a question tells the client's own key of an item."""
    submitted(as_(api, api.soierie))
    [worker] = contributors(api, 1)
    claimed = worker.post("/claims", json={"count": 12})
    assert len(claimed.json()["tasks"]) == 12
    assert not [key for key, _, _ in PRODUCTS if f'"{key}"' in claimed.text]


def test_options_are_fetched_once(api: Api) -> None:
    """With the ETag of what is at hand, the reply is 304 and empty."""
    client = as_(api, api.soierie)
    step = client.get(f"/batches/{submitted(client)}").json()["steps"][0]["step"]
    first = client.get(f"/steps/{step}/options?locale=fr")
    assert [one["value"] for one in first.json()["data"]] == THINGS
    etag = {"if-none-match": first.headers["etag"]}
    again = client.get(f"/steps/{step}/options?locale=fr", headers=etag)
    assert (again.status_code, again.content) == (304, b"")


def test_a_batch_pauses_resumes_and_ends_for_good(api: Api) -> None:
    """Paused, nothing is handed out; cancelled, nothing changes any more. All is in the log."""
    client = as_(api, api.soierie)
    batch = submitted(client)
    [worker] = contributors(api, 1)
    assert client.post(f"/batches/{batch}/pause").json()["state"] == "paused"
    assert worker.post("/claims", json={}).json()["tasks"] == []
    assert client.post(f"/batches/{batch}/resume").json()["state"] == "running"
    assert client.patch(f"/batches/{batch}", json={"priority": 2}).json()["priority"] == 2
    assert len(worker.post("/claims", json={}).json()["tasks"]) == 1
    assert client.post(f"/batches/{batch}/cancel").json()["state"] == "cancelled"
    assert client.post(f"/batches/{batch}/resume").status_code == 409
    log = as_(api, api.operator).get("/audit").json()["data"]
    changes = [
        one["detail"]
        for one in log
        if one["action"] == "change.batch" and one["subject_id"] == str(batch)
    ]
    assert len(changes) == 4
    assert {"state": "cancelled"} in changes


def test_a_large_upload_does_not_fill_the_memory(api: Api) -> None:
    """Twenty thousand items of 2 kB arrive as a stream of pieces."""
    client = as_(api, api.soierie)
    batch = client.post("/batches", json=BATCH).json()["id"]
    filler = "x" * 2000

    def pieces() -> Iterator[bytes]:
        for n in range(20_000):
            yield msgspec.json.encode({"title": f"Kelmoor {n}", "description": filler}) + b"\n"

    sent = client.post(f"/batches/{batch}/items", content=pieces(), headers=NDJSON)
    assert sent.json()["added"] == 20_000


def test_an_upload_that_breaks_off_imports_nothing(api: Api) -> None:
    """The sender goes away in the middle of the stream: the batch stays empty."""
    client = as_(api, api.soierie)
    batch = client.post("/batches", json=BATCH).json()["id"]
    gone = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield LINES
        gone.set()
        raise OSError("the cable")

    with pytest.raises(OSError, match="the cable"):
        client.post(f"/batches/{batch}/items", content=pieces(), headers=NDJSON)
    assert gone.is_set()
    assert client.get(f"/batches/{batch}").json()["items"] == 0
    # until the server has seen that the sender is gone, a second import is refused
    for _ in range(100):
        again = client.post(f"/batches/{batch}/items", content=LINES, headers=NDJSON)
        if again.status_code != 409:
            break
        time.sleep(0.1)
    assert again.is_success


@given(
    st.binary(max_size=300), st.text(min_size=1, max_size=60), st.binary(min_size=16, max_size=16)
)
def test_a_kept_reply_opens_with_its_own_secret_only(
    reply: bytes, token: str, nonce: bytes
) -> None:
    """Enciphering twice gives the reply back; with another secret it does not."""
    from canut.web.api.once import cipher

    locked = cipher(reply, nonce, token, "key")
    assert cipher(locked, nonce, token, "key") == reply
    if len(reply) > 8:
        assert cipher(locked, nonce, token + "x", "key") != reply
