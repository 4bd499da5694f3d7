"""The story that the documentation tells, lived through: a new folder, a server, every example in
the order of the pages."""

import csv
import io
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from msgspec import Struct

from canut.cli.main import cli
from canut.config import load
from canut.errors import CanutError
from tests.docs.blocks import Block, same, steps
from tests.waiting import wait_for

#: the address that the pages show
SHOWN = "http://127.0.0.1:8000"
PASSWORD = "warp and weft and silk\n"
_EXPORT = re.compile(r"export (?P<name>[A-Z_]+)=\$\((?P<command>.*)\)")


class Wrong(Exception):
    """An example does something else than the page says."""


class Story(Struct):
    """Where the examples run."""

    folder: Path
    url: str
    #: what `canut serve` wrote
    log: Path
    #: names of the Python examples, by page
    names: dict[str, dict[str, Any]] = {}

    def tell(self, block: Block) -> None:
        """Run or parse one example. Raises `Wrong`."""
        match block.language:
            case "console":
                for command, expected in steps(block.text):
                    self._command(block, command, expected)
            case "python":
                self._python(block)
            case "toml":
                table = tomllib.loads(block.text)
                if block.file.endswith("configuration.md"):
                    load(environ={}, toml=self._written("canut.toml", block.text))
                assert table
            case "json":
                json.loads(block.text)
            case "csv":
                widths = {len(row) for row in csv.reader(io.StringIO(block.text))}
                assert len(widths) == 1, "rows of different widths"
            case _:
                raise Wrong(f"nobody runs {block.language!r}")

    def _written(self, name: str, text: str) -> Path:
        path = self.folder / f".{name}"
        path.write_text(text, "utf-8")
        return path

    def _command(self, block: Block, command: str, expected: str) -> None:
        exported = _EXPORT.fullmatch(command)
        if command.startswith("cat "):
            self._file(command.removeprefix("cat ").strip(), expected)
            return
        if command == "canut serve":
            self._compare(command, expected, self.log.read_text(), 0, block)
            return
        result = self.run(exported["command"] if exported else command)
        if exported:
            os.environ[exported["name"]] = result.stdout.strip()
        printed = result.stderr if exported else result.output
        if isinstance(result.exception, CanutError):
            # as canut.cli.main.main does
            printed += f"canut: {result.exception}\n"
        elif not isinstance(result.exception, SystemExit | None):
            raise result.exception
        self._compare(command, expected, printed, result.exit_code, block)

    def _file(self, name: str, text: str) -> None:
        """The page shows a file: it is there from then on, or must be what it says."""
        path = self.folder / name
        if not path.exists():
            path.write_text(f"{text}\n", "utf-8")
        elif not same(text, path.read_text("utf-8")):
            raise Wrong(f"{name} holds\n{path.read_text('utf-8')}")

    def run(self, command: str) -> Any:
        """Run a `canut` command line; what click says of it."""
        program, *arguments = shlex.split(command)
        if program != "canut":
            raise Wrong(f"only canut is run here, not {program!r}: use another language tag")
        return CliRunner().invoke(cli, arguments, input=PASSWORD, prog_name="canut")

    def _compare(self, command: str, expected: str, out: str, code: int, block: Block) -> None:
        printed = out.replace(self.url, SHOWN)
        refuses = "fails" in block.words
        if bool(code) != refuses:
            raise Wrong(f"{command}\nended with {code} and said\n{printed}")
        if not same(expected, printed, figures="figures" in block.words):
            raise Wrong(f"{command}\nsays\n{printed}")

    def _python(self, block: Block) -> None:
        """The examples of a page go on from each other. A comment `# prints` says what follows."""
        source, names = block.text.replace(SHOWN, self.url), self._names(block.file)
        said = io.StringIO()
        with redirect_stdout(said):
            code = compile(source, str(block), "exec")
            exec(code, names)
        expected = "\n".join(re.findall(r"^#> (.*)$", block.text, re.M))
        if not same(expected, said.getvalue().replace(self.url, SHOWN)):
            raise Wrong(f"prints\n{said.getvalue()}")

    def _names(self, page: str) -> dict[str, Any]:
        return self.names.setdefault(page, {"__name__": "docs"})


@contextmanager
def story() -> Iterator[Story]:
    """`canut serve` in a folder of its own; the working directory is that folder."""
    folder = Path(tempfile.mkdtemp(prefix="canut-docs-"))
    # root lends the embedded database to another account, which must reach it
    folder.chmod(0o711)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    before, environ = Path.cwd(), dict(os.environ)
    kept = {name: value for name, value in environ.items() if not name.startswith("CANUT_")}
    os.environ.clear()
    os.environ.update(kept | {"CANUT_PORT": str(port), "COLUMNS": "100"})
    os.environ["CANUT_WEBHOOKS_PRIVATE"] = "true"
    os.chdir(folder)
    log = folder / "serve.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "canut", "serve"]
        server = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        one = Story(folder, f"http://127.0.0.1:{port}", log)
        wait_for(f"{one.url}/alive", server, one.log)
        yield one
    finally:
        server.terminate()
        server.wait(40)
        os.chdir(before)
        os.environ.clear()
        os.environ.update(environ)
        shutil.rmtree(folder)


def problem(error: BaseException) -> str:
    """What went wrong with an example, for whoever mends the page."""
    return str(error) if isinstance(error, Wrong | CanutError) else repr(error)
