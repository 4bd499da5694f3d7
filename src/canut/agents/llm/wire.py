"""What goes over the wire to a language model, and what comes back: two dialects, no network.

`openai`: chat completions, as OpenAI, Mistral, vLLM, llama.cpp's server and Ollama speak it.
`anthropic`: messages. Sources: the vendors' public references of these two interfaces.

An answer is asked for as `{"answer": ...}`, `null` where the model cannot tell. Servers differ in
how they are made to keep a schema, so there are four modes, best first; what comes back is never
trusted to have kept it: `Question.normalise` decides.
"""

import email.utils
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from canut.agents.llm.logprobs import Token

Dialect = Literal["openai", "anthropic"]
Mode = Literal["schema", "tool", "json", "text"]
#: how a typed answer can be asked for, best first
MODES: dict[Dialect, tuple[Mode, ...]] = {
    "openai": ("schema", "tool", "json", "text"),
    "anthropic": ("tool", "text"),
}
#: version of Anthropic's interface that we speak
ANTHROPIC_VERSION = "2023-06-01"
#: most of an error's text that is passed on
DETAIL_MAX = 300
#: name of the tool or schema that carries an answer
NAME = "answer"


class Secret:
    """A key that is never shown: not by repr, not by an error, not as JSON."""

    __slots__ = ("_text",)

    def __init__(self, text: str):
        self._text = text

    def reveal(self) -> str:
        """The key itself, for the header that needs it."""
        return self._text

    def hide(self, text: str) -> str:
        """A text without the key, should a server echo it."""
        return text.replace(self._text, "***") if self._text else text

    def __repr__(self) -> str:
        return "Secret(***)"


class Endpoint(Struct, frozen=True):
    """Where a model is, and how it is spoken to."""

    #: base address: "https://api.openai.com/v1", "http://127.0.0.1:8080/v1"
    url: str
    #: name of the model there
    model: str
    key: Secret = Secret("")
    dialect: Dialect = "openai"
    #: name of the field that bounds the reply; some servers want "max_completion_tokens"
    max_tokens_field: str = "max_tokens"
    #: whether the server gives token probabilities when asked
    logprobs: bool = False

    @property
    def address(self) -> str:
        """Where requests are posted to."""
        base = self.url.rstrip("/")
        if self.dialect == "openai":
            return f"{base}/chat/completions"
        return f"{base}/messages" if base.endswith("/v1") else f"{base}/v1/messages"

    @property
    def host(self) -> str:
        """What errors call it."""
        return urlsplit(self.url).netloc


class Message(Struct, frozen=True):
    """A turn of the conversation."""

    role: Literal["user", "assistant"]
    text: str


class Ask(Struct, frozen=True):
    """One question to a model."""

    system: str
    messages: tuple[Message, ...]
    #: JSON Schema of `{"answer": ...}`
    schema: dict[str, Any]
    #: longest reply, in tokens
    max_tokens: int = 1024
    #: None leaves it to the server: some models take no other
    temperature: float | None = 0.0
    #: which of several samples this is; they differ in nothing else
    sample: int = 0


class Usage(Struct, frozen=True):
    """What the server says it counted, in tokens."""

    tokens_in: int = 0
    #: part of `tokens_in` that the server had kept from before
    tokens_kept: int = 0
    tokens_out: int = 0


class Reply(Struct, frozen=True):
    """What a model said."""

    #: the reply as text; for a tool call its arguments, as JSON
    text: str
    #: "done", "length" (cut off), "refused"
    end: Literal["done", "length", "refused"]
    usage: Usage | None
    #: the tokens of `text` with their probabilities; empty where the server gives none
    tokens: tuple[Token, ...] = ()
    #: the model that the server says has answered
    model: str = ""


class Garbled(ValueError):
    """A reply that does not keep the documented format."""


def headers(endpoint: Endpoint) -> dict[str, str]:
    """The headers of a request, key included."""
    key = endpoint.key.reveal()
    if endpoint.dialect == "anthropic":
        own = {"x-api-key": key} if key else {}
        return {"anthropic-version": ANTHROPIC_VERSION, **own}
    return {"authorization": f"Bearer {key}"} if key else {}


def body(endpoint: Endpoint, ask: Ask, mode: Mode) -> dict[str, Any]:
    """The JSON of a request in this mode."""
    if endpoint.dialect == "anthropic":
        return _anthropic_body(endpoint, ask, mode)
    turns = [{"role": turn.role, "content": turn.text} for turn in ask.messages]
    request: dict[str, Any] = {
        "model": endpoint.model,
        "messages": [{"role": "system", "content": _system(ask, mode)}, *turns],
        endpoint.max_tokens_field: ask.max_tokens,
    }
    if ask.temperature is not None:
        request["temperature"] = ask.temperature
    if endpoint.logprobs:
        request["logprobs"] = True
    if mode == "schema":
        held = {"name": NAME, "strict": True, "schema": ask.schema}
        request["response_format"] = {"type": "json_schema", "json_schema": held}
    elif mode == "json":
        request["response_format"] = {"type": "json_object"}
    elif mode == "tool":
        function = {"name": NAME, "description": "Gives the answer.", "parameters": ask.schema}
        request["tools"] = [{"type": "function", "function": function}]
        request["tool_choice"] = {"type": "function", "function": {"name": NAME}}
    return request


def _anthropic_body(endpoint: Endpoint, ask: Ask, mode: Mode) -> dict[str, Any]:
    request: dict[str, Any] = {
        "model": endpoint.model,
        "max_tokens": ask.max_tokens,
        "system": _system(ask, mode),
        "messages": [{"role": turn.role, "content": turn.text} for turn in ask.messages],
    }
    if ask.temperature is not None:
        request["temperature"] = ask.temperature
    if mode == "tool":
        tool = {"name": NAME, "description": "Gives the answer.", "input_schema": ask.schema}
        request["tools"] = [tool]
        request["tool_choice"] = {"type": "tool", "name": NAME}
    return request


def _system(ask: Ask, mode: Mode) -> str:
    """The system text; where the server is not given the schema, it stands there."""
    if mode in ("schema", "tool"):
        return ask.system
    written = msgspec.json.encode(ask.schema, order="sorted").decode()
    return f"{ask.system}\n\nJSON Schema:\n{written}"


def parse(endpoint: Endpoint, data: bytes) -> Reply:
    """The reply in a response of status 200; raises `Garbled`."""
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Garbled("is not JSON") from error
    try:
        read = _read_anthropic if endpoint.dialect == "anthropic" else _read_openai
        return read(found)
    except (KeyError, IndexError, TypeError, AttributeError, msgspec.ValidationError) as error:
        raise Garbled("does not have the documented shape") from error


def _read_openai(found: Any) -> Reply:
    choice = found["choices"][0]
    message = choice["message"]
    calls = message.get("tool_calls") or []
    text = calls[0]["function"]["arguments"] if calls else message.get("content") or ""
    refused = bool(message.get("refusal")) or choice.get("finish_reason") == "content_filter"
    cut = choice.get("finish_reason") == "length"
    used = found.get("usage")
    held = ((choice.get("logprobs") or {}).get("content") or []) if not calls else []
    return Reply(
        text=_text(text),
        end="refused" if refused else "length" if cut else "done",
        usage=Usage(
            tokens_in=_count(used["prompt_tokens"]),
            tokens_kept=_count((used.get("prompt_tokens_details") or {}).get("cached_tokens")),
            tokens_out=_count(used["completion_tokens"]),
        )
        if used
        else None,
        tokens=msgspec.convert(held, tuple[Token, ...]),
        model=str(found.get("model") or ""),
    )


def _read_anthropic(found: Any) -> Reply:
    blocks = found["content"]
    calls = [block["input"] for block in blocks if block["type"] == "tool_use"]
    texts = [block["text"] for block in blocks if block["type"] == "text"]
    end = found.get("stop_reason")
    return Reply(
        text=msgspec.json.encode(calls[0]).decode() if calls else _text("".join(texts)),
        end="refused" if end == "refusal" else "length" if end == "max_tokens" else "done",
        usage=_anthropic_usage(found["usage"]) if found.get("usage") else None,
        model=str(found.get("model") or ""),
    )


def _anthropic_usage(used: Any) -> Usage:
    """There, `input_tokens` leaves out those that were kept from before or are kept now."""
    kept = _count(used.get("cache_read_input_tokens"))
    made = _count(used.get("cache_creation_input_tokens"))
    return Usage(_count(used["input_tokens"]) + kept + made, kept, _count(used["output_tokens"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _count(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("not a count")
    return value


def detail(endpoint: Endpoint, data: bytes) -> str:
    """What the server says is wrong, short and without the key."""
    text = data[:10_000].decode("utf-8", "replace")
    try:
        found = msgspec.json.decode(data)
        said = found.get("error", found) if isinstance(found, Mapping) else found
        said = said.get("message", said) if isinstance(said, Mapping) else said
        text = said if isinstance(said, str) else msgspec.json.encode(said).decode()
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    return " ".join(endpoint.key.hide(text).split())[:DETAIL_MAX]


def retry_after(header: str, now_s: float) -> float:
    """Seconds for which a server wants peace (RFC 9110, 10.2.3: seconds, or a date; `now_s` is
    Unix time); 0 where it says nothing that can be read."""
    wanted = header.strip()
    if wanted.isascii() and wanted.isdigit():
        return float(wanted[:9])
    try:
        return max(email.utils.parsedate_to_datetime(wanted).timestamp() - now_s, 0.0)
    except (ValueError, OverflowError):
        return 0.0
