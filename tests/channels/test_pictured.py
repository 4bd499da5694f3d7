"""Pictures handed in with a table, in its place, or in a zip."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from canut.channels import zipped
from canut.channels.drafts import pictured
from canut.channels.drafts.drafting import Upload
from canut.channels.drafts.files import Uploads
from canut.channels.drafts.pictured import Called, Sent
from canut.channels.drafts.taking import take_in
from canut.channels.pictures import Pictures
from canut.errors import Invalid

PNG, GIF = b"\x89PNG\r\n\x1a\n" + b"a", b"GIF89a" + b"b"


def packed(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in files.items():
            made.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path / "uploads", 10_000, Pictures(tmp_path / "pictures"))


def take(uploads: Uploads, **files: bytes) -> Upload:
    sent = [Sent(name.replace("__", "."), io.BytesIO(data)) for name, data in files.items()]
    return take_in(uploads, sent, 7, Called())


def test_pictures_alone_are_items_and_what_is_none_is_named(uploads: Uploads) -> None:
    """A zip as a telephone or an office makes it: each picture is an item under its own name; a
    letter, a script in a picture's clothes and what cannot be unpacked are told; what the system
    put there is not. Nothing is kept for good before a launch."""
    found = take(uploads, shop__zip=packed({
        "shop/a.PNG": PNG, "shop/b.gif": GIF, "shop/same.png": PNG, "shop/letter.txt": b"Dear all",
        "shop/c.png": b"<svg onload=alert(1)>", "__MACOSX/shop/._a.PNG": b"x",
        "shop/.DS_Store": b"x",
    }))  # fmt: skip
    assert [(one.name, one.kind, one.key) for one in found.facts.columns] == [
        ("file", "text", True),
        ("picture", "image", False),
    ]
    rows = [row["file"] for row in found.facts.rows]
    assert rows == ["shop/a.PNG", "shop/b.gif", "shop/same.png"]
    assert found.facts.rows[0]["picture"] == found.facts.rows[2]["picture"]
    told = found.facts.pictures
    assert told is not None
    assert (told.n, [one.file for one in told.left_out]) == (3, ["shop/letter.txt", "shop/c.png"])
    assert not uploads.kept.has(7, found.facts.rows[0]["picture"].removeprefix("picture:"))
    uploads.keep_pictures(found.file, 7)
    uploads.forget(found.file)
    assert uploads.kept.read(7, found.facts.rows[1]["picture"].removeprefix("picture:"))[0] == GIF
    assert list(uploads.folder.iterdir()) == []


def test_a_table_names_its_pictures_by_path_or_by_name(uploads: Uploads) -> None:
    """However slashes, capitals and accents are written; a name that two pictures have is no name,
    and other columns stay as they are."""
    table = "ref,photo,note\n1,x/a.png,a.png\n2,Cafe\u0301.PNG,\n3,same.gif,\n4,y\\same.gif,\n"
    table += "5,missing.png,\n"
    found = take(uploads, items__csv=table.encode(), photos__zip=packed({
        "x/a.png": PNG, "z/caf\u00e9.png": PNG + b"2", "x/same.gif": GIF, "y/same.gif": GIF + b"2",
    }))  # fmt: skip
    told = found.facts.pictures
    assert told is not None
    assert told.columns == ("photo", "note")
    held = [str(row["photo"]).partition(":")[0] for row in found.facts.rows]
    assert held == ["picture", "picture", "same.gif", "picture", "missing.png"]
    assert found.file_name == "items.csv"


def test_a_table_may_lie_in_the_zip_with_its_pictures(uploads: Uploads) -> None:
    """One thing to hand in is enough."""
    found = take(uploads, all__zip=packed({"list.csv": b"sku,photo\nA1,p.png\n", "p.png": PNG}))
    assert found.facts.rows[0]["photo"].startswith("picture:")
    assert found.file_name == "list.csv"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a__zip": packed({"a.doc": b"x", "b.png": b"no"})}, "There is nothing to use in this."),
        ({"a__zip": packed({"a.png": PNG})[:-30]}, "a.zip is not a whole zip file."),
        ({"t__csv": b"a\n1\n", "p__png": PNG}, "No row names any of the pictures."),
        ({"a__zip": packed({"a.png": PNG + bytes(9_000), "b.png": PNG + bytes(9_001)})},
         "The pictures are too large together."),
        ({"book__xlsx": packed({"[Content_Types].xml": b"<x/>"})}, "book.xlsx holds no table"),
    ],
)  # fmt: skip
def test_nothing_stays_of_what_cannot_be_used(
    uploads: Uploads, files: dict[str, bytes], says: str
) -> None:
    """It is told why, and neither the disk nor the memory is filled."""
    with pytest.raises(Invalid) as refused:
        take(uploads, **files)
    assert refused.value.message.startswith(says)
    assert list(uploads.folder.iterdir()) == []


def test_a_list_of_contents_that_would_fill_the_memory_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the end of a zip says of its list is looked at before the list."""
    monkeypatch.setattr(zipped, "FILES_MAX", 2)
    many = packed({f"{n}.png": PNG for n in range(3)})
    with pytest.raises(Invalid, match="too many files"):
        zipped.Zipped(io.BytesIO(many), "many.zip")
    # a note of its own behind it hides nothing
    noted = bytearray(many)
    noted[-2:] = (5).to_bytes(2, "little")
    with pytest.raises(Invalid, match="too many files"):
        zipped.Zipped(io.BytesIO(bytes(noted) + b"hello"), "many.zip")


def test_the_end_of_a_zip_is_where_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark of an end inside the record that is the end, or a record that counts less than is
    listed, hides no list of contents; nor does something before the zip shift it."""
    monkeypatch.setattr(zipped, "FILES_MAX", 2)
    many = bytearray(packed({f"{n}.png": PNG for n in range(5)}))
    end = len(many) - 22
    inside = many.copy()
    inside[end + 16 : end + 20] = b"PK\x05\x06"
    counted = many.copy()
    counted[end + 8 : end + 12] = b"\1\0\1\0"
    noted = inside + b"!"
    noted[end + 20] = 1
    two = packed({"a.png": PNG, "b.png": PNG})
    for made in (inside, counted, noted, b"PK\x03\x04" + two, two + b"!"):
        with pytest.raises(Invalid, match=r"too many files|not a whole zip"):
            zipped.Zipped(io.BytesIO(bytes(made)), "many.zip")
    assert zipped.Zipped(io.BytesIO(two), "two.zip").n == 2


@pytest.mark.parametrize("shift", [0, 1])
def test_no_two_files_of_a_zip_are_the_same_bytes(shift: int) -> None:
    """A list that names one file often would have it unpacked often."""
    made = bytearray(packed({"a.png": PNG, "b.png": PNG}))
    listed = made.rindex(b"PK\x01\x02")
    made[listed + 42 : listed + 46] = shift.to_bytes(4, "little")
    with pytest.raises(Invalid, match="not a whole zip"):
        zipped.Zipped(io.BytesIO(bytes(made)), "same.zip")


def deflated(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        for name, data in files.items():
            made.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


def test_only_what_may_be_used_is_unpacked(
    uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a film a few bytes are looked at, and of a second table none after; what is packed in a
    way whose growth has no bound is not begun."""
    asked: list[int] = []
    read = zipfile.ZipExtFile.read

    def noted(file: zipfile.ZipExtFile, n: int = -1) -> bytes:
        asked.append(n)
        return read(file, n)

    monkeypatch.setattr(zipfile.ZipExtFile, "read", noted)
    found = take(
        uploads,
        all__zip=deflated({"film.mp4": bytes(9_000), "a.csv": b"sku,photo\n1,p.png\n",
                           "b.csv": b"sku\n" * 999, "p.png": PNG}),
        tight__zip=deflated({"q.png": PNG + bytes(9_000)}, zipfile.ZIP_BZIP2),
    )  # fmt: skip
    assert asked == [64, 64, pictured.TABLE_BYTES_MAX + 1, 64, 64, pictured.BYTES_MAX + 1]
    told = found.facts.pictures
    assert told is not None
    assert [one.file for one in told.left_out] == ["film.mp4", "b.csv", "q.png"]


def test_everything_unpacked_is_paid_for(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures that break while they are unpacked cost as much as those that are kept, in however
    many zips; and a small zip does not become a full disk."""
    whole = packed({f"{n}.png": PNG + bytes([n]) * 4_000 for n in range(3)})
    broken = whole.replace(b"\2" * 4_000, b"\3" * 4_000)
    with pytest.raises(Invalid, match="too large together"):
        take(uploads, a__zip=broken, b__zip=broken)
    monkeypatch.setattr(pictured, "UNPACKED_BYTES", 1_000)
    monkeypatch.setattr(pictured, "UNPACKED_TIMES", 2)
    with pytest.raises(Invalid, match="far more than it is"):
        take(uploads, a__zip=deflated({"a.png": PNG + bytes(4_000)}))
    monkeypatch.setattr(pictured, "PACKED_MAX", 2)
    one = packed({"a.png": PNG, "b.png": PNG + b"2"})
    assert take(uploads, a__zip=one).facts.pictures is not None
    with pytest.raises(Invalid, match="too many files"):
        take(uploads, a__zip=one, b__zip=packed({"c.png": PNG + b"3"}))
