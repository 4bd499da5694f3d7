"""`canut people`: what an administrator does at the machine."""

import re

import pytest
from click.testing import CliRunner, Result

from canut.cli.people import people
from canut.errors import CanutError, Invalid

PASSWORD = "seven silver bobbins"


class Shell:
    """Runs `canut people` on one database, without a terminal."""

    def __init__(self, url: str):
        self.url = url

    def __call__(self, *words: str, stdin: str = "") -> str:
        result: Result = CliRunner().invoke(
            people, [*words, "--database-url", self.url], input=stdin
        )
        if isinstance(result.exception, CanutError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output


@pytest.fixture
def shell(fresh_url: str) -> Shell:
    return Shell(fresh_url)


def test_a_platform_is_peopled(shell: Shell) -> None:
    """Operator, client, member and contributor, as `list` then shows them."""
    shell("create-operator", "op@example.org", "--name", "Olga", stdin=f"{PASSWORD}\n")
    shell("create-client", "soierie", "--name", "La Soierie")
    shell("add-member", "soierie", "op@example.org")
    made = shell("create-contributor", "ada@example.org", "--name", "Ada", stdin=PASSWORD)
    number = re.findall(r"contributor (\d+)", made)[0]
    shell("create-contributor", "op@example.org")
    assert "en, fr" in shell("grant-skill", number, "fr") + shell("grant-skill", number, "en")
    assert "no skill" not in shell("grant-skill", number, "fr", "--revoke")
    accounts = shell("list", "accounts")
    assert re.search(r"op@example\.org +Olga +operator", accounts)
    assert "La Soierie" in shell("list", "clients")
    assert re.search(r"Ada +active +en", shell("list", "contributors"))
    shell("disable", "ada@example.org")
    assert re.search(r"ada@example\.org.*closed", shell("list", "accounts"))


def test_keys(shell: Shell) -> None:
    """A key is printed once; the list shows how it begins, whose it is and that it was revoked."""
    shell("create-client", "soierie", "--name", "La Soierie")
    made = shell("key", "create", "--name", "export", "--client", "soierie")
    [secret] = re.findall(r"^ck_\S{43}$", made, re.MULTILINE)
    listed = shell("key", "list")
    assert secret not in listed
    assert secret[:11] in listed
    assert "batches:read, batches:write" in listed
    [number] = re.findall(r"key (\d+);", made)
    assert "is revoked" in shell("key", "revoke", number)
    assert "was revoked before" in shell("key", "revoke", number)
    assert "revoked" in shell("key", "list")
    shell("create-operator", "op@example.org", "--name", "Olga", stdin=PASSWORD)
    shell("key", "create", "--name", "all", "--operator", "op@example.org")
    shell("key", "create", "--name", "hours", "--steward", "op@example.org", "--scope", "books")
    listed = shell("key", "list")
    assert "operate" in listed
    assert re.search(r"hours +account 1 +books +valid", listed)


def test_links(shell: Shell) -> None:
    """Invitations and password links are printed as addresses that a person can open."""
    shell("create-operator", "op@example.org", "--name", "Olga", stdin=PASSWORD)
    shell("create-client", "soierie", "--name", "La Soierie")
    invited = shell("invite", "eve@example.org", "--client", "soierie", "--contributor")
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/invite/\S{43}\n", invited)
    assert "/invite/" in shell("password-link", "op@example.org")


def test_a_bad_password_makes_no_operator(shell: Shell) -> None:
    """A short one and none at all are refused, and nothing is left behind."""
    for given in ("short\n", ""):
        with pytest.raises(Invalid):
            shell("create-operator", "op@example.org", "--name", "Olga", stdin=given)
    assert "op@example.org" not in shell("list", "accounts")


def test_a_contributor_and_the_account_come_together_or_not_at_all(shell: Shell) -> None:
    """A second try with the same address changes nothing."""
    shell("create-contributor", "ada@example.org", "--name", "Ada", stdin=PASSWORD)
    with pytest.raises(CanutError):
        shell("create-contributor", "ada@example.org", "--name", "Eve", stdin=PASSWORD)
    with pytest.raises(CanutError):
        shell("create-contributor", "ada@example.org")
    with pytest.raises(CanutError):
        shell("create-contributor", "nobody@example.org")
    assert shell("list", "contributors").count("active") == 1
    assert "Eve" not in shell("list", "accounts")
