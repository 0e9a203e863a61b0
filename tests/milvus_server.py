"""A real Milvus on free ports, started, killed, hung and started again by tests.

The package is of 2024 and stands for the protocol; it listens on all interfaces, so it is for
tests alone. Its storage is embedded.
"""

import json
import os
import signal
import socket
import sys
from importlib.util import find_spec

import numpy as np
from redis_server import needs

from semrec.index.milvus_server import Collection, Server
from semrec.index.publishing import Rows


def bound(port):
    there = socket.socket()
    there.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        there.bind(("127.0.0.1", port))
    except OSError:
        there.close()
        return None
    return there


def free_ports(names):
    """Ports by name, no two the same: each is held until all are known."""
    held = [socket.socket() for _ in names]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return {name: one.getsockname()[1] for name, one in zip(names, held, strict=True)}
    finally:
        for one in held:
            one.close()


class MilvusServer:
    def __init__(self, folder, **options):
        needs("milvus", sys.platform == "linux" and find_spec("milvus"))
        self.folder, self.options = folder, options
        self.ports = {}
        self.start()
        self.uri = f"http://127.0.0.1:{self.ports['proxy_port']}"
        self.url = f"milvus+{self.uri}"

    def start(self):
        from milvus import MilvusServer as Process
        from milvus import MilvusServerConfig

        config = MilvusServerConfig(data_dir=str(self.folder))
        if not self.ports:  # kept: its parts find one another by them when it starts again
            names = [name for name in config.configurable_items if name.endswith("_port")]
            self.ports = free_ports([*names, "peer", "metrics"])
        config.configs.update(
            {name: self.ports[name] for name in config.configurable_items if name in self.ports}
        )
        for name, value in self.options.items():
            config.set(name, value)
        config.try_bind_port = bound  # else it waits for what it held before it was killed
        os.environ["ETCD_CONFIG_PATH"] = self.etcd(self.ports["etcd_port"])
        self.process = Process(config)
        self.process.webservice_port = self.ports["metrics"]
        self.process.start()
        self.pid = self.process.server_proc.pid

    def etcd(self, port):
        """Its embedded store's own file: else it takes 2379 and 2380, whoever has them."""
        peer, client = (f"http://127.0.0.1:{at}" for at in (self.ports["peer"], port))
        self.folder.mkdir(exist_ok=True)
        said = {
            "name": "default",
            "data-dir": str(self.folder / "etcd"),
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"default={peer}",
        }
        path = self.folder / "etcd.yaml"
        path.write_text(json.dumps(said))  # which is YAML, too
        return str(path)

    def kill(self):
        os.kill(self.pid, signal.SIGCONT)
        self.process.server_proc.kill()
        self.process.server_proc.wait()
        self.process.server_proc = None

    def hang(self):
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.pid, signal.SIGCONT)


def collection_of(server, vectors, name, checksum="c" * 64):
    where = Server(uri=server.uri) if hasattr(server, "uri") else Server(uri=str(server))
    return Collection(
        server=where, name=name, checksum=checksum, n_items=len(vectors), dim=vectors.shape[1]
    )


def rows_of(vectors, attributes=None, counts=None):
    counts = np.arange(len(vectors)) if counts is None else counts
    return Rows(vectors=vectors, counts=counts, attributes=attributes or {})
