"""Reading a bank's statement: ISO 20022 camt.053, of any version in use. Pure.

What is read is what can be reconciled: booked lines, each with its amount, its direction and the
names that we gave our payments. All else of a statement is left alone.
"""

from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from msgspec import Struct

from canut.errors import Invalid, Problem
from canut.pay.identity import compact
from canut.pay.ledger.currency import DIGITS

#: bytes of a file; banks split what is larger
BYTES_MAX = 100_000_000
_ROOT = "urn:iso:std:iso:20022:tech:xsd:camt.053."


class BankLine(Struct, frozen=True):
    """A booked movement of the co-op's account."""

    #: entry of the statement, counted from 1
    row: int
    #: end-to-end id; empty: the bank says none
    reference: str
    #: of the group of payments, where the bank booked it as one; empty: not said
    group: str
    #: minor units, above 0
    amount: int
    currency: str
    #: away from the account
    leaves: bool
    #: code of the bank for what came back; empty: none
    reason: str = ""


class BankStatement(Struct, frozen=True):
    """What a bank says of an account."""

    id: str
    iban: str
    lines: list[BankLine]
    #: entries that are announced, and not booked yet
    pending: int


def read_camt(content: bytes, file: str = "statement") -> list[BankStatement]:
    """The statements of a file, in UTF-8 as ISO 20022 has it. Raises `Invalid` with every problem
    of every entry: what cannot be read whole is not read at all."""
    root = _root(content, file)
    problems: list[Problem] = []
    found = [_statement(node, file, problems) for node in root.findall("{*}BkToCstmrStmt/{*}Stmt")]
    if not found:
        problems.append(Problem("holds no statement", file=file))
    if problems:
        raise Invalid("This is no bank statement that can be read.", problems=problems)
    return found


class NoEntities(ElementTree.TreeBuilder):
    """Takes no document type: what a bank sends has none, what has may be made to fill the memory.
    The parser says so before it reads what is declared, whatever the letters are encoded in."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        text = f"it declares the document type {name}"
        raise ValueError(text)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    # of UTF-16 without its mark, each letter of ASCII is one with a zero byte
    return b"\0" not in content


def _root(content: bytes, file: str) -> Element:
    text = ""
    if len(content) > BYTES_MAX:
        text = f"{len(content):,} bytes, at most {BYTES_MAX:,} are read"
    elif not _is_utf8(content):
        text = "is not in UTF-8"
    else:
        try:
            # no entities, see `NoEntities`
            parser = ElementTree.XMLParser(target=NoEntities(), encoding="utf-8")  # noqa: S314
            root = ElementTree.XML(content, parser)
            if root.tag.startswith(f"{{{_ROOT}"):
                return root
            text = f"is a {root.tag}, not a camt.053"
        except (ElementTree.ParseError, ValueError, LookupError) as error:
            text = f"is no XML: {error}"
    raise Invalid(
        "This is no bank statement that can be read.",
        problems=[Problem(text, "ask the bank for camt.053", file=file)],
    )


def _statement(node: Element, file: str, problems: list[Problem]) -> BankStatement:
    name, iban = _text(node, "Id"), compact(_text(node, "Acct/Id/IBAN"))
    for field, value in (("Id", name), ("Acct/Id/IBAN", iban)):
        if not value:
            problems.append(Problem("is missing", file=file, field=field))
    lines: list[BankLine] = []
    pending = 0
    for row, entry in enumerate(node.findall("{*}Ntry"), 1):
        if (_text(entry, "Sts/Cd") or _text(entry, "Sts")) != "BOOK":
            pending += 1
            continue
        try:
            lines += _lines(entry, row)
        except ValueError as error:
            problems.append(Problem(str(error), file=file, row=row, field="Ntry"))
    return BankStatement(name, iban, lines, pending)


def _lines(entry: Element, row: int) -> Iterator[BankLine]:
    """The movements of an entry. Raises `ValueError`."""
    amount, currency = _amount(entry.find("{*}Amt"))
    leaves = _leaves(entry, None)
    details = entry.findall("{*}NtryDtls/{*}TxDtls")
    if not details:
        group = _text(entry, "NtryDtls/Btch/PmtInfId")
        yield BankLine(row, "", group, amount, currency, leaves)
        return
    lines = [_detail(one, row, leaves, (amount, currency), len(details)) for one in details]
    # what is charged for the transfer may be within the entry; what is not there cannot be
    if sum(line.amount for line in lines) > amount and {x.currency for x in lines} == {currency}:
        raise ValueError("its parts are more than it is")
    yield from lines


def _detail(node: Element, row: int, leaves: bool, whole: tuple[int, str], count: int) -> BankLine:
    said = node.find("{*}Amt")
    if said is None:
        said = node.find("{*}AmtDtls/{*}TxAmt/{*}Amt")
    if said is None and count > 1:
        raise ValueError("a part of it has no amount")
    amount, currency = whole if said is None else _amount(said)
    reason = _text(node, "RtrInf/Rsn/Cd") or _text(node, "RtrInf/Rsn/Prtry")
    return BankLine(
        row,
        _text(node, "Refs/EndToEndId"),
        _text(node, "Refs/PmtInfId"),
        amount,
        currency,
        _leaves(node, leaves),
        reason,
    )


def _leaves(node: Element, otherwise: bool | None) -> bool:
    said = _text(node, "CdtDbtInd")
    if said not in {"CRDT", "DBIT"}:
        if otherwise is None or said:
            raise ValueError(f"CdtDbtInd is {said!r}")
        return otherwise
    return said == "DBIT"


def _amount(node: Element | None) -> tuple[int, str]:
    if node is None:
        raise ValueError("has no amount")
    text, currency = (node.text or "").strip(), node.get("Ccy", "")
    if currency not in DIGITS:
        raise ValueError(f"{currency!r} is no currency")
    whole, _, part = text.partition(".")
    digits = DIGITS[currency]
    part = part.rstrip("0").ljust(digits, "0")
    if not (whole + part).isascii() or not (whole + part).isdigit() or len(part) > digits:
        raise ValueError(f"{text!r} is no amount in {currency}")
    minor = int(whole + part)
    if minor == 0:
        raise ValueError("its amount is 0")
    return minor, currency


def _text(node: Element, path: str) -> str:
    return (node.findtext("/".join(f"{{*}}{part}" for part in path.split("/"))) or "").strip()
