"""The operator's file of models, as it stands now."""

from collections.abc import Mapping
from pathlib import Path

from canut.agents.llm.models import Model, load_models
from canut.errors import NotFound


class ModelsFile:
    """The file of models as it stands now: read again when it was changed."""

    def __init__(self, path: Path, environ: Mapping[str, str]):
        self.path, self._environ = path, environ
        self._stamp: tuple[int, int] | None = None
        self._models: dict[str, Model] = {}

    def get(self, name: str) -> Model:
        """The model of this name. Raises `NotFound`, and `Invalid` with every problem of the
        file."""
        try:
            found = self.path.stat()
        except OSError:
            mend = f"write one [[model]] for each into {self.path}"
            raise NotFound(f"There is no file {self.path}.", mend=mend) from None
        stamp = (found.st_mtime_ns, found.st_size)
        if stamp != self._stamp:
            self._models = load_models(self.path, self._environ)
            self._stamp = stamp
        if name not in self._models:
            known = ", ".join(self._models) or "none"
            raise NotFound(
                f"There is no language model {name!r} in {self.path}.", mend=f"known are: {known}"
            )
        return self._models[name]
