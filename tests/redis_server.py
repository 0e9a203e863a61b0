"""A real redis-server on a free port, started and stopped by tests."""

import os
import shutil
import socket
import subprocess
import time

import pytest


def needs(name, found):
    """Skip by name where `name` isn't installed; fail where SEMREC_REQUIRE says it has to be."""
    if found:
        return
    if name in os.environ.get("SEMREC_REQUIRE", "").split(","):
        pytest.fail(f"SEMREC_REQUIRE names {name}, and it isn't installed")
    pytest.skip(f"{name} isn't installed")


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class RedisServer:
    def __init__(self, folder):
        needs("redis", shutil.which("redis-server"))
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        options += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        self.process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as there:
                    there.sendall(b"PING\r\n")
                    if there.recv(5) == b"+PONG":  # "-LOADING" while it reads its file
                        return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError("redis-server doesn't start")

    def stop(self):
        self.process.kill()
        self.process.wait()
