"""Names, addresses, passwords: what is refused, and that everything wrong is told at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canut.errors import Forbidden, Invalid, NotFound
from canut.people import rules
from canut.people.model import SCOPES_OF_ROLE, Principal, SignUp, scopes_of


@pytest.mark.parametrize("email", ["ada@example.org", "a.b+c@mail.example.co", "é@example.org"])
def test_addresses_we_take(email: str) -> None:
    """Addresses that mail carries are taken, also outside ASCII."""
    assert rules.email_problems(email) == []


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "a@b",
        "a b@example.org",
        "a@b@example.org",
        "<ada@example.org>",
        "ada@example.org\n",
        "x" * 250 + "@example.org",
    ],
)
def test_addresses_we_refuse(email: str) -> None:
    """What is no address is refused, so that nobody waits for a mail that cannot come."""
    assert [problem.field for problem in rules.email_problems(email)] == ["email"]


@given(st.text(max_size=400))
def test_a_normalised_address_stays_as_it_is(raw: str) -> None:
    """One person has one address however they type it: normalising twice changes nothing."""
    once = rules.normalise_email(raw)
    if not rules.email_problems(once):
        assert rules.normalise_email(once) == once


@pytest.mark.parametrize("password", ["", "short", "x" * 513, "abababababababab", "a@example.org"])
def test_weak_passwords(password: str) -> None:
    """Too short, too long, too few characters, or the address itself."""
    assert rules.password_problems(password, "a@example.org")


def test_a_long_plain_password_is_enough() -> None:
    """Length counts, not kinds of characters."""
    assert rules.password_problems("seven silver bobbins", "a@example.org") == []


def test_everything_wrong_is_told_at_once() -> None:
    """A person mends a form once, not field by field."""
    with pytest.raises(Invalid) as caught:
        rules.check_sign_up(SignUp("nowhere", " ", "short", "tlh"))
    fields = [problem.field for problem in caught.value.problems]
    assert fields == ["email", "name", "password", "locale"]


def test_roles_bring_their_scopes_and_no_more() -> None:
    """A contributor works, a client's member uses batches, and neither operates."""
    assert scopes_of(frozenset({"contributor"})) == {"work"}
    assert scopes_of(frozenset({"client", "contributor"})) == {
        "work",
        "batches:read",
        "batches:write",
    }
    assert "work" not in SCOPES_OF_ROLE["operator"]
    assert scopes_of(frozenset()) == frozenset()


def test_a_member_sees_their_clients_only() -> None:
    """What belongs to another client does not exist for this one."""
    member = Principal(account_id=1, roles=frozenset({"client"}), client_ids=(3, 4))
    assert member.clients == [3, 4]
    assert member.sees(3)
    assert not member.sees(5)
    with pytest.raises(NotFound):
        member.client(5)
    with pytest.raises(Invalid):
        member.client()
    assert member.client(4) == 4


def test_nobody_in_particular_sees_nothing() -> None:
    """No client must never read as every client."""
    nobody = Principal(account_id=1, roles=frozenset({"contributor"}), contributor_id=9)
    assert nobody.clients == []
    with pytest.raises(Forbidden):
        nobody.client()
    assert nobody.contributor() == 9


def test_an_operator_sees_every_client() -> None:
    """An operator helps any client, and says which."""
    operator = Principal(account_id=1, roles=frozenset({"operator"}))
    assert operator.clients is None
    assert operator.client(7) == 7
    with pytest.raises(Invalid):
        operator.client()
    with pytest.raises(Forbidden):
        operator.contributor()
