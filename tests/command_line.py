"""`semrec …` for tests: in this process, or in one of its own as people run it."""

import io
import os
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from types import SimpleNamespace
from unittest import mock

import pytest

from semrec.cli import main

TERMINAL = {"COLUMNS": "80", "NO_COLOR": "1"}


def run(*arguments, cwd, ok=True):
    """What `main` prints and ends with; a process of its own would take seconds to import."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    # The whole environment is put back: commands hand their settings on in it.
    environment = mock.patch.dict(os.environ, TERMINAL)
    with environment, pytest.MonkeyPatch.context() as patch, chdir(cwd):
        patch.setattr(sys, "argv", ["semrec", *map(str, arguments)])
        patch.setattr(sys, "stdin", io.StringIO())
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                code = end.code or 0
    assert (code == 0) == ok, err.getvalue()
    return SimpleNamespace(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())


def run_process(*arguments, cwd, ok=True):
    """The same by `python -m semrec`."""
    done = subprocess.run(
        [sys.executable, "-m", "semrec", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **TERMINAL},
        stdin=subprocess.DEVNULL,
    )
    assert (done.returncode == 0) == ok, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done
