"""A real service for tests: in a thread, or as the process that people start."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import uvicorn
from redis_server import free_port

from semrec.serve.app import make_app
from semrec.serve.settings import Settings

PATIENCE_S = 300  # a busy machine starts slowly


@contextmanager
def in_thread(artifact, state, load=None, **settings):
    """A client of a service in a thread of this process, with its `app` and its `server`."""
    given = Settings(artifact=artifact, state=state, **{"sessions": "sqlite", **settings})
    app, port = make_app(given, load), free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + PATIENCE_S
        while not server.started:
            assert thread.is_alive(), "the service didn't start"
            assert time.monotonic() < until
            time.sleep(0.02)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as client:
            client.app, client.server = app, server
            yield client
    finally:
        server.should_exit = True
        thread.join()


class Process:
    """`semrec serve` in a process group of its own."""

    def __init__(self, artifact, state, *options, **variables):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = state.with_name(f"{state.name}.log")
        self._command = [sys.executable, "-m", "semrec", "serve", str(artifact)]
        self._command += ["--port", str(self.port), "--state", str(state), *map(str, options)]
        self._environment = {**os.environ, **variables}
        self.start()

    def start(self):
        started = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        with httpx.Client() as client:  # one: each loads certificates, while the service starts
            while not self.ready(client):
                assert self.process.poll() is None, self.log.read_text()
                assert time.monotonic() - started < PATIENCE_S, self.log.read_text()
                time.sleep(0.05)

    def ready(self, client=httpx):
        try:
            return client.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def kill(self):
        """All of it, at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """As an orchestrator does it; the exit code."""
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE_S)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
