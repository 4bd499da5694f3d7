"""A certificate as a PDF: the same bytes each time, archival and tagged, whatever the names."""

import re

import pytest
import typst

from canut.insight.certificate_pdf import _WRITABLE, certificate_pdf, written
from canut.insight.certificate_texts import TEXTS
from canut.quality.certificates.bounds import About, Audit, Certificate, Evidence, Panel, certify
from canut.truth.designs import Design, draw

DESIGN = Design("risk", "ab" * 32, 800_000)
IDS = tuple(f"A{n}" for n in range(40))
RISKS = (1000,) * 40


def certificate(client: str = "Maison Épinglé & Fils", n: int = 12, gold: int = 30) -> Certificate:
    places = draw(DESIGN, len(IDS), n, RISKS)
    audits = tuple(Audit(IDS[place], "right") for place in places)
    about = About(client, "catalogue/categorise", "category", "Ωμέγα Осень", 1_790_000_000_123)
    panel = Panel(5, gold, min(gold, 1))
    return certify(Evidence(about, 0.02, 0.05, DESIGN, IDS, audits, panel, RISKS))


@pytest.mark.parametrize("locale", ["en", "fr"])
def test_the_same_certificate_is_the_same_bytes(locale: str) -> None:
    """With its title and language in it, as PDF/A and PDF/UA; other figures, other bytes."""
    made = certificate_pdf(certificate(), locale, "c.json.gz")  # type: ignore[arg-type]
    assert made == certificate_pdf(certificate(), locale, "c.json.gz")  # type: ignore[arg-type]
    assert made != certificate_pdf(certificate(n=13), locale, "c.json.gz")  # type: ignore[arg-type]
    assert made.startswith(b"%PDF-1.7")
    assert f"/Lang({locale})".encode() in made
    head = TEXTS[locale]["title"].partition(":")[0].strip()  # type: ignore[index]
    assert f"{head}".encode() in made, "the title, in its metadata"
    assert "Ωμέγα Осень".encode() in made
    assert b"<pdfuaid:part>1<" in made
    assert b"<pdfaid:part>2<" in made


def test_whatever_a_client_is_called() -> None:
    """Markup is text, letters without a glyph are numbers, long names are cut, nothing fails; so
    is a certificate that proves nothing."""
    for name in ("中文 ערב 😀", '#panic("x") *bold* $x$ \\ `', "\x00\x07\u202e", "x" * 3000, ""):
        made = certificate(client=name) if name.strip() else certificate(client=" ")
        assert certificate_pdf(made, "fr", "c.json.gz").startswith(b"%PDF")
    assert certificate_pdf(certificate(n=0, gold=0), "en", "c.json.gz").startswith(b"%PDF")
    assert written("Лён 中") == "Лён [U+4E2D]"
    assert len(written("x" * 3000)) == 160


def test_every_letter_said_to_be_writable_is() -> None:
    """The fonts of Typst have a glyph for each; archival PDF refuses one without."""
    every = "".join(chr(n) for n in range(0x20, 0x3000) if _WRITABLE.match(chr(n)))
    source = (
        '#set document(title: "x", date: datetime(year: 2026, month: 1, day: 1))\n'
        '#set text(lang: "en", font: "Libertinus Serif")\n#sys.inputs.x'
    )
    rules = {"format": "pdf", "ignore_system_fonts": True, "pdf_standards": ["a-2a"]}
    assert typst.compile(source.encode(), sys_inputs={"x": every}, **rules)
    with pytest.raises(typst.TypstError, match=re.escape("could not be displayed")):
        typst.compile(source.encode(), sys_inputs={"x": every + "中"}, **rules)


def test_both_languages_say_the_same() -> None:
    """The same texts, with the same values in them."""
    english, french = TEXTS["en"], TEXTS["fr"]
    places = re.compile(r"\{\w+\}")
    assert {k: sorted(places.findall(v)) for k, v in english.items()} == {
        k: sorted(places.findall(v)) for k, v in french.items()
    }
