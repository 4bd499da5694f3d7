"""What the documentation says is true: its examples run, its commands, settings and routes exist.

Blocks tagged `console`, `python`, `toml`, `json` and `csv` are run or parsed, in the order of the
pages, in one folder with one real server. Blocks tagged otherwise are listed in `blocks.READ` with
the reason why they are not run; of those in `sh`, every `canut` command and its options must exist.
"""

import re
import shlex
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import click
import httpx
import msgspec
import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from canut.cli.main import cli
from canut.config import Settings
from tests.docs.blocks import READ, ROOT, RUN, Block, blocks, pages, same
from tests.docs.story import Story, problem, story

BLOCKS = blocks()
EXAMPLES = [block for block in BLOCKS if block.language in RUN]


@pytest.fixture(scope="module")
def lived() -> Iterator[tuple[Story, dict[str, str]]]:
    """Every example, run once in the order of the pages; what was wrong, by block."""
    wrong: dict[str, str] = {}
    with story() as one:
        for block in EXAMPLES:
            try:
                one.tell(block)
            except Exception as error:
                wrong[str(block)] = problem(error)
        yield one, wrong


@pytest.mark.parametrize("block", EXAMPLES, ids=str)
def test_the_example_does_what_the_page_says(
    lived: tuple[Story, dict[str, str]], block: Block
) -> None:
    """Each command prints what stands below it; each program prints its `#>` lines; each file
    parses."""
    if str(block) in lived[1]:
        pytest.fail(lived[1][str(block)], pytrace=False)


def test_the_receiver_of_the_page_knows_us(lived: tuple[Story, dict[str, str]]) -> None:
    """The program of docs/clients.md takes what Canut really sends, and refuses what was changed on
    the way or signed by somebody else."""
    one, came = lived[0], []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            came.append((self.rfile.read(length), dict(self.headers.items())))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: the test looks at what came."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/canut"
        added = one.run(f"canut batch webhook add {address} --client belvoie").output
        number, secret = re.findall(r"webhook (\d+)|(whsec_\S+)", added)
        sent = one.run(f"canut batch webhook test {number[0]} --client belvoie").output
        server.shutdown()
    assert sent == "it arrived\n"
    received, (body, headers) = one.names["docs/clients.md"]["received"], came[0]
    assert received(secret[1], body, headers)["type"] == "webhook.test"
    for key, changed in ((secret[1], body.replace(b"works", b"pays")), ("whsec_AAAA", body)):
        with pytest.raises(WebhookVerificationError):
            received(key, changed, headers)


def test_the_comparison_can_fail() -> None:
    """A page that says something else than the command printed is found out."""
    assert same("batch 1, autumn: ... added", "batch 1, autumn: 6 added\n")
    assert not same("batch 1: 6 added", "batch 1: 5 added")
    assert same("took 2.5 s", "took 13.75 s", figures=True)
    assert not same("took 2.5 s", "took 2.5 m", figures=True)


def test_every_block_says_what_it_is() -> None:
    """A language tag that nobody runs and nobody excused is a mistake."""
    unknown = [
        f"{block}: {block.language!r}" for block in BLOCKS if block.language not in RUN | READ
    ]
    assert not unknown


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    """Links and pictures of a page lead to files of the repository, and its anchors to headings.
    Two pictures are made by scripts/screenshots.py."""
    text = page.read_text("utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    missing = [
        target
        for target in targets
        if "://" not in target
        and not target.startswith("#")
        and not (page.parent / target.partition("#")[0]).exists()
    ]
    assert not missing


def test_every_command_on_a_page_exists() -> None:
    """Whatever is written as `canut noun verb` is a command, with the options shown."""
    texts = [page.read_text("utf-8") for page in pages()]
    inline = [found for text in texts for found in re.findall(r"`(canut [a-z][^`\n]*)`", text)]
    shown = [line for block in BLOCKS if block.language == "sh" for line in _commands(block.text)]
    wrong = [fault for line in {*inline, *shown} for fault in _faults(line)]
    assert not wrong


def test_every_command_is_on_a_page() -> None:
    """A command that no page mentions is one that nobody finds."""
    told = "\n".join(page.read_text("utf-8") for page in pages())
    assert not [name for name in _leaves(cli, "canut") if name not in told]


def test_every_setting_is_described() -> None:
    """docs/configuration.md has one row per setting, with its default; none that is not there."""
    text = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| `([^`]*)` \|", text, re.M))
    defaults = msgspec.structs.asdict(Settings())
    assert rows == {name: msgspec.json.encode(value).decode() for name, value in defaults.items()}


def test_every_benchmark_is_described() -> None:
    """docs/benchmarks.md names every module of `bench` that is a program, and no other."""
    text = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    sources = {path.stem: path.read_text("utf-8") for path in (ROOT / "bench").glob("*.py")}
    programs = {name for name, source in sources.items() if "__main__" in source}
    assert set(re.findall(r"python -m bench\.(\w+)", text)) == programs


def test_every_route_is_described(lived: tuple[Story, dict[str, str]]) -> None:
    """docs/api.md lists the routes of the OpenAPI document, all of them and no other."""
    document = httpx.get(f"{lived[0].url}/api/v1/openapi.json").json()
    there = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert set(re.findall(r"^\| `((?:GET|POST|PUT|PATCH|DELETE) [^`]+)` \|", text, re.M)) == there


def _commands(text: str) -> list[str]:
    joined = text.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip().startswith("canut ")]


def _faults(line: str) -> list[str]:
    """What in this command line is not there."""
    command: click.Command = cli
    words = shlex.split(line.partition("#")[0].partition("|")[0])[1:]
    while words and isinstance(command, click.Group):
        name = words.pop(0)
        if name.startswith("-"):
            break
        # "canut db status|migrate" names several; "canut batch ..." none
        found = None if name == "..." else command.get_command(click.Context(command), name)
        if found is None:
            return [] if name == "..." else [f"{line}: no command {name!r}"]
        command = found
    known = {option for param in command.params for option in param.opts} | {"--help", "--version"}
    given = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    return [f"{line}: no option {option}" for option in sorted(given - known)]


def _leaves(command: click.Command, name: str) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield name
        return
    context = click.Context(command)
    for verb in command.list_commands(context):
        found = command.get_command(context, verb)
        assert found is not None
        yield from _leaves(found, f"{name} {verb}")
