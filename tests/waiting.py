"""Waiting for a server that a test has started."""

import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

#: a busy machine is no fault of a server's
PATIENCE_S = 90.0


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Until it answers that all is well. Raises `RuntimeError` with its log where it ends first, or
    never does."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            if server.poll() is not None:
                raise RuntimeError(f"the server ended: {log.read_text()}") from None
            time.sleep(0.05)
    raise RuntimeError(f"the server does not answer: {log.read_text()}")
