"""A local server that speaks the two wire formats, and misbehaves as real ones do.

Not a mock of our code: a real HTTP server on a free port, whose replies are written out as the
vendors document them. A script decides, from the request, what is played.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from msgspec import Struct


class Play(Struct, frozen=True):
    """One response."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = {}
    #: seconds before it comes
    late_s: float = 0.0
    #: close the connection instead
    drop: bool = False


class Request(Struct, frozen=True):
    """What came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def item(self) -> dict[str, Any]:
        """The item in hand, as a model reads it: the JSON between the marks of the last turn."""
        return json.loads(self.body["messages"][-1]["content"].split("\n")[1])


Script = Callable[[Request], Play]


class FakeServer:
    """The server while it runs: what came is in `requests`."""

    def __init__(self, script: Script):
        self.script = script
        self.requests: list[Request] = []
        self.at_once = 0
        self.most_at_once = 0
        self.lock = threading.Lock()
        #: set once something came
        self.came = threading.Event()
        self.url = ""

    def play(self, request: Request) -> Play:
        with self.lock:
            self.requests.append(request)
            self.came.set()
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        play = self.script(request)
        time.sleep(play.late_s)
        with self.lock:
            self.at_once -= 1
        return play


@contextmanager
def fake_server(script: Script) -> Iterator[FakeServer]:
    """Run a script on a free port."""
    fake = FakeServer(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        #: head and body in one packet: two would wait for each other
        wbufsize = 1 << 16

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            play = fake.play(Request(self.path, dict(self.headers.items()), body))
            if play.drop:
                self.close_connection = True
                return
            try:
                self.send_response(play.status)
                for name, value in play.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(play.body)))
                self.end_headers()
                self.wfile.write(play.body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Nothing: tests look at what came."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        fake.url = f"http://127.0.0.1:{server.server_port}/v1"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        # client and server share an interpreter: they are to take turns more often than usual
        turn_s = sys.getswitchinterval()
        sys.setswitchinterval(0.0002)
        try:
            yield fake
        finally:
            sys.setswitchinterval(turn_s)
            server.shutdown()


def openai(
    answer: Any = None,
    *,
    text: str | None = None,
    finish: str = "stop",
    tokens: tuple[int, int] = (100, 10),
    logprobs: list[tuple[str, float]] | None = None,
    refusal: str | None = None,
    tool: bool = False,
) -> Play:
    """A chat completion with this answer, or with this text instead."""
    text = json.dumps({"answer": answer}) if text is None else text
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": refusal}
    if tool:
        call = {
            "id": "call_1",
            "type": "function",
            "function": {"name": "answer", "arguments": text},
        }
        message |= {"content": None, "tool_calls": [call]}
        finish = "tool_calls"
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": finish}
    if logprobs is not None:
        choice["logprobs"] = {
            "content": [
                {"token": token, "logprob": value, "bytes": None, "top_logprobs": []}
                for token, value in logprobs
            ]
        }
    reply = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1760000000,
        "model": "weaver-1-2025-09",
        "choices": [choice],
        "usage": {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        },
    }
    return Play(json.dumps(reply).encode())


def anthropic(
    answer: Any = None,
    *,
    text: str | None = None,
    stop: str = "tool_use",
    tokens: tuple[int, int] = (100, 10),
) -> Play:
    """A message with this answer, or with this text instead."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "answer", "input": {"answer": answer}}
    block = call if text is None else {"type": "text", "text": text}
    reply = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "weaver-a-2025-09",
        "content": [block],
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {
            "input_tokens": tokens[0],
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": tokens[1],
        },
    }
    return Play(json.dumps(reply).encode())


def failure(status: int, message: str, **headers: str) -> Play:
    """An error as both dialects write it, near enough."""
    error = {"type": "error", "error": {"type": "some_error", "message": message, "code": status}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Play(json.dumps(error).encode(), status, named)
