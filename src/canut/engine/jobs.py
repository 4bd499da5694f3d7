"""The job library: its tables, from the library itself in the version installed."""

import importlib.resources

from canut.db.migrate import Script


def job_scripts() -> list[Script]:
    """The library's migrations, in its order, each applied once like ours."""
    folder = importlib.resources.files("procrastinate.sql") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [Script(f"jobs_{f.name[:-4]}", f.read_text("utf-8"), repeatable=False) for f in files]
