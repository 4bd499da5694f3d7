"""Places: s3:// and http:// are read and written like files, and what fails is told."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fsspec
import pytest

from canut.channels.bulk.handing import hand_over
from canut.channels.bulk.merge import merge
from canut.channels.bulk.model import counted
from canut.channels.bulk.run import finished
from canut.channels.files import open_items
from canut.channels.places import file_name, open_to_write
from canut.errors import Invalid
from canut.people.store import COMMAND_LINE
from tests.channels import bulk_house
from tests.work.made import NOW, client, shape


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty bucket of an object store that runs here."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    fsspec.filesystem("s3").clear_instance_cache()
    fsspec.filesystem("s3").makedirs("shop", exist_ok=True)
    yield "s3://shop"
    fsspec.filesystem("s3").clear_instance_cache()
    server.stop()


@pytest.mark.filterwarnings("ignore")
def test_objects_are_written_and_read(bucket: str) -> None:
    """What was written is read back; an export that failed leaves no object; what is not there
    is told."""
    with open_to_write(f"{bucket}/shop.csv") as out:
        out.write(b"title\nLamp\n")
    with open_items(f"{bucket}/shop.csv", shape()) as blocks:
        assert [block.records for block in blocks] == [[{"title": "Lamp"}]]

    def fail() -> None:
        with open_to_write(f"{bucket}/half.csv") as out:
            out.write(b"title\n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with pytest.raises(Invalid, match="nothing at"), open_items(f"{bucket}/half.csv", shape()) as _:
        pass


@pytest.mark.filterwarnings("ignore")
def test_a_catalogue_and_its_run_are_objects(db: Any, bucket: str, tmp_path: Path) -> None:
    """The bulk lane reads s3:// places and keeps its folder in one: the same comes out as here."""
    client_id = client(db)
    bulk_house.published(db, client_id)
    (tmp_path / "in").mkdir()
    bulk_house.csv_file(tmp_path / "in" / "a.csv", range(1, 21))
    bulk_house.parquet_file(tmp_path / "in" / "b.parquet", range(21, 81), group=30)
    (tmp_path / "learner.state").write_bytes(bulk_house.state())
    for file in (tmp_path / "in").iterdir():
        fsspec.filesystem("s3").put_file(str(file), f"shop/in/{file.name}")
    here, _, _ = bulk_house.scored(db, bulk_house.asked(client_id, tmp_path), tmp_path / "out")
    wanted = bulk_house.asked(client_id, tmp_path, input=f"{bucket}/in")
    there, run, _ = bulk_house.scored(db, wanted, f"{bucket}/out")
    assert [source.place for source in run.sources] == [
        f"{bucket}/in/a.csv",
        f"{bucket}/in/b.parquet",
    ]
    assert counted(finished(there)) == counted(finished(here))
    assert counted(finished(there)).decided > 0
    assert hand_over(db, there, COMMAND_LINE, NOW)[0]
    with (tmp_path / "result").open("wb") as out:
        assert merge(db, there, out, "csv", unfinished=True).rows == 80


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library for s3:// the error says what to install."""

    def missing(place: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(Invalid, match="needs the extra 's3'") as caught:
        open_items("s3://shop/x.csv", shape()).__enter__()
    assert "canut[s3]" in caught.value.mend


@pytest.mark.filterwarnings("ignore")
def test_the_web_is_read(tmp_path: Path) -> None:
    """A file behind an address is read; a page that is not there is told."""
    (tmp_path / "shop.csv").write_text("title\nVase\n")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_address[1]}"
    with open_items(f"{home}/shop.csv?token=x", shape()) as blocks:
        assert [block.file for block in blocks] == ["shop.csv"]
    with pytest.raises(Invalid, match="nothing at"), open_items(f"{home}/none", shape()) as blocks:
        list(blocks)
    with pytest.raises(Invalid, match="Nothing can be written"):
        open_to_write(f"{home}/x").__enter__()
    server.shutdown()
    server.server_close()


def test_a_local_file_is_whole_or_absent(tmp_path: Path) -> None:
    """An export that fails leaves what was there before."""
    path = tmp_path / "out.csv"
    path.write_text("before")

    def fail() -> None:
        with open_to_write(str(path)) as out:
            out.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]
    assert file_name("s3://shop/a/b.csv?x=1") == "b.csv"
