"""What the job library keeps in the database. Every command that opens one asks for it: nothing of
the duties is loaded for that."""

import importlib.resources

from canut.db.migrate import Script


def job_scripts() -> list[Script]:
    """The library's migrations, in its order, each applied once like ours."""
    folder = importlib.resources.files("procrastinate.sql") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [Script(f"jobs_{f.name[:-4]}", f.read_text("utf-8"), repeatable=False) for f in files]
