"""Searches that never end, and such as die, in processes of their own: python -m tests.verify.endless FOLDER."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import NoReturn

from verify.certification.find import _in_processes


def endless(folder: Path, *, seed: int) -> NoReturn:
    """Say that it has begun, and go on for ever."""
    (folder / str(seed)).touch()
    while True:
        time.sleep(0.01)


def dying(*, seed: int) -> NoReturn:
    """Die as for want of memory."""
    os._exit(9 + seed)


def main() -> None:
    """Search in two processes until Ctrl-C."""
    try:
        _in_processes(partial(endless, Path(sys.argv[1])), range(2))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
