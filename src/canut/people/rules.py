"""What a name, an address, a password and a scope must be. Pure; every problem is reported."""

import re
import unicodedata
from collections.abc import Iterable

from canut.errors import Invalid, Problem
from canut.people.model import ROLES, SCOPES, SignUp

#: long enough that a guess a second takes for ever, without rules that make people write it down
PASSWORD_LENGTH_MIN = 12
#: Argon2 reads all of it; a limit keeps a request from costing minutes
PASSWORD_LENGTH_MAX = 512
#: longest address that mail can carry (RFC 5321, section 4.5.3.1.3, less the angle brackets)
EMAIL_LENGTH_MAX = 254
NAME_LENGTH_MAX = 200
LOCALES = ("en", "fr")

_EMAIL = re.compile(r"[^@\s<>(),;:\\\"\[\]]+@[^@\s<>(),;:\\\"\[\]]+\.[^@\s.]{2,}")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SKILL = re.compile(r"[a-z0-9]+([-/:.][a-z0-9]+)*")


def normalise_email(raw: str) -> str:
    """An address in the one form we keep: trimmed, lower case."""
    return raw.strip().lower()


def email_problems(email: str) -> list[Problem]:
    """What is wrong with a normalised address."""
    if len(email) > EMAIL_LENGTH_MAX or not _legible(email) or not _EMAIL.fullmatch(email):
        return [
            Problem("This is not an e-mail address.", mend="write it as name@host", field="email")
        ]
    return []


def _legible(email: str) -> bool:
    """Whether people can tell the address from others: one that only looks like somebody else's
    (a Cyrillic e, a space without width, wide letters) must not be an account of its own."""
    if email.isascii():
        return email.isprintable()
    latin = all(unicodedata.name(sign, "").startswith("LATIN ") for sign in email if sign > "\x7f")
    return latin and unicodedata.normalize("NFKC", email) == email


def name_problems(name: str) -> list[Problem]:
    """What is wrong with a name for people."""
    if not name.strip():
        return [Problem("The name is missing.", field="name")]
    if len(name) > NAME_LENGTH_MAX:
        return [Problem("The name is too long.", mend="use 200 characters or less", field="name")]
    if not name.strip().isprintable():
        return [
            Problem("The name holds a character that cannot be seen.", "remove it", field="name")
        ]
    return []


def password_problems(password: str, email: str = "", field: str = "password") -> list[Problem]:
    """What is wrong with a new password.

    Length is what counts (NIST SP 800-63B, section 3.1.1); we ask for no kinds of characters.
    """
    if len(password) < PASSWORD_LENGTH_MIN:
        return [
            Problem(
                "The password is too short.",
                mend="use 12 characters or more; a few words will do",
                field=field,
            )
        ]
    if len(password) > PASSWORD_LENGTH_MAX:
        return [
            Problem("The password is too long.", mend="use 512 characters or less", field=field)
        ]
    if (email and password.lower() == email) or len(set(password)) < 4:
        return [Problem("This password is too easy to guess.", field=field)]
    return []


def locale_problems(locale: str) -> list[Problem]:
    """What is wrong with a language."""
    if locale not in LOCALES:
        return [Problem("We do not speak this language.", mend="choose en or fr", field="locale")]
    return []


def check_sign_up(sign_up: SignUp) -> None:
    """Raises `Invalid` with everything that is wrong; `email` must be normalised."""
    check(
        email_problems(sign_up.email)
        + name_problems(sign_up.name)
        + password_problems(sign_up.password, sign_up.email)
        + locale_problems(sign_up.locale)
    )


def check_slug(slug: str) -> None:
    """Raises `Invalid` unless it can stand in an address."""
    if len(slug) > 60 or not _SLUG.fullmatch(slug):
        check(
            [
                Problem(
                    "This is not a short name.",
                    mend="use small letters, digits and hyphens",
                    field="slug",
                )
            ]
        )


def check_skill(skill: str) -> None:
    """Raises `Invalid` unless it looks like the skills that steps ask for."""
    if len(skill) > 100 or not _SKILL.fullmatch(skill):
        check(
            [
                Problem(
                    "This is not the name of a skill.",
                    mend="use small letters, digits and - / : . between them",
                    field="skill",
                )
            ]
        )


def check_family(family: str) -> None:
    """Raises `Invalid` unless it is a name that two agents can share letter by letter."""
    if len(family) > 100 or not _SKILL.fullmatch(family):
        check(
            [
                Problem(
                    "This is not the name of a family.",
                    mend="use small letters, digits and - / : . between them",
                    field="family",
                )
            ]
        )


def check_roles(roles: Iterable[str]) -> None:
    """Raises `Invalid` unless every role can be granted to an account."""
    wrong = sorted(set(roles) - (ROLES - {"client", "contributor"}))
    check([Problem(f"There is no role {role}.", field="roles") for role in wrong])


def check_scopes(scopes: Iterable[str], allowed: frozenset[str] = SCOPES) -> None:
    """Raises `Invalid` unless there is a scope, and the owner may give each of them."""
    given = set(scopes)
    problems = [
        Problem(f"The owner of the key may not do this: {scope}.", field="scopes")
        for scope in sorted(given - allowed)
    ]
    if not given:
        problems.append(Problem("Choose what the key may do.", field="scopes"))
    check(problems)


def check(problems: list[Problem]) -> None:
    """Raises `Invalid` if there is a problem."""
    if problems:
        raise Invalid("Some of what you entered is not right.", problems=problems)
