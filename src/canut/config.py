"""Settings: flags over environment over canut.toml over defaults; an unknown key is an error."""

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from canut.errors import Invalid, Problem

#: prefix of environment variables: `CANUT_PORT=8080` sets `port`
PREFIX = "CANUT_"
#: variables with our prefix that are not settings: of a command, and of the tests
OTHERS = frozenset(
    {
        "CANUT_CONFIG",
        "CANUT_OPERATOR_KEY",
        "CANUT_TEST_DATABASE_URL",
        "CANUT_TEST_LLM_KEY",
        "CANUT_TEST_LLM_MODEL",
        "CANUT_TEST_LLM_URL",
    }
)
#: carries the settings of a command to the processes it starts, as JSON
HANDED_DOWN = "CANUT_SETTINGS"


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set about a running Canut. `canut.toml` uses the same names."""

    #: folder of the embedded PostgreSQL and of what the server keeps on disk
    data: str = "canut-data"
    #: file that describes the language models ("" = models.toml in `data`)
    models: str = ""
    #: file that says who the co-op is, to banks and clients ("" = coop.toml in `data`)
    coop: str = ""
    #: file of the keys that bank data is encrypted with ("" = bank.key in `data`)
    bank_key: str = ""
    #: secret key of an account at Stripe, and of the endpoint that hears from it ("" = not used)
    stripe_key: str = ""
    stripe_webhook_secret: str = ""
    #: a PostgreSQL 15 or newer to use instead of the embedded one ("" = embedded)
    database_url: str = ""
    #: address and port the web server listens on
    host: str = "127.0.0.1"
    port: int = 8000
    #: address people and programs reach the server by, for links ("" = http://host:port)
    public_url: str = ""
    #: processes that serve HTTP
    web_workers: int = 1
    #: processes that decide
    engine_workers: int = 1
    #: database connections per process, at most
    pool_size: int = 8
    #: seconds without work after which an engine looks again
    engine_idle_s: float = 0.2
    #: requests a principal may make per second, and at once (0 = no limit)
    rate_per_s: float = 50.0
    rate_burst: int = 200
    #: largest upload, in bytes
    upload_bytes_max: int = 2_000_000_000
    #: hours until a session of the pages ends
    session_hours: int = 336
    #: seconds in which an answer given on the pages can be taken back; the engine counts it after
    undo_s: float = 15.0
    #: webhooks may go to private addresses (for tests and for servers inside one network)
    webhooks_private: bool = False

    @property
    def models_file(self) -> Path:
        """The file that describes the language models."""
        return Path(self.models) if self.models else Path(self.data) / "models.toml"

    @property
    def coop_file(self) -> Path:
        """The file that says who the co-op is."""
        return Path(self.coop) if self.coop else Path(self.data) / "coop.toml"

    @property
    def bank_key_file(self) -> Path:
        """The file of the keys that bank data is encrypted with."""
        return Path(self.bank_key) if self.bank_key else Path(self.data) / "bank.key"

    @property
    def url(self) -> str:
        """Address of the server, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def load(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
    toml: Path | None = None,
) -> Settings:
    """Read the settings. `flags` that are None were not given. `toml` defaults to ./canut.toml.
    What a parent process handed down stands in the place of canut.toml and the environment.

    Raises `Invalid` with a problem per unknown key or wrong value, naming where it was found.
    """
    path = toml if toml is not None else Path(environ.get("CANUT_CONFIG", "canut.toml"))
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    if HANDED_DOWN in environ:
        sources = [("the parent process", msgspec.json.decode(environ[HANDED_DOWN]))]
    else:
        sources = [
            (str(path), _from_toml(path, required=toml is not None)),
            ("environment", _from_environ(environ)),
        ]
    sources.append(("flags", {k: v for k, v in (flags or {}).items() if v is not None}))
    for where, given in sources:
        problems += _problems(where, given)
        values |= given
    if problems:
        raise Invalid("The configuration is wrong.", problems=problems)
    return msgspec.convert(values, Settings, strict=False)


def hand_down(settings: Settings) -> dict[str, str]:
    """Environment for a process this one starts, so that it runs with the same settings."""
    return {HANDED_DOWN: msgspec.json.encode(settings).decode()}


def handed_down(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings the parent process handed down, else those found here."""
    return load(environ=environ)


def _from_toml(path: Path, *, required: bool) -> dict[str, Any]:
    if not path.exists():
        if required:
            raise Invalid(f"There is no file {path}.", mend="name an existing canut.toml")
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{path} is not valid TOML: {error}") from error


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name not in OTHERS
    }


def _problems(where: str, given: Mapping[str, Any]) -> list[Problem]:
    known = Settings.__struct_fields__
    found = []
    for key, value in given.items():
        if key not in known:
            near = get_close_matches(key, known, n=1)
            mend = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
            found.append(Problem("unknown key", mend=mend, file=where, field=key))
            continue
        try:
            msgspec.convert({key: value}, Settings, strict=False)
        except msgspec.ValidationError as error:
            found.append(Problem(str(error), file=where, field=key))
    return found
