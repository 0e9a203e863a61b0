"""Two nodes on loopback, a process each, as `torchrun` starts them on two machines."""

import os
import subprocess
import sys

from redis_server import free_port

PLAIN = {k: v for k, v in os.environ.items() if not k.startswith("ACCELERATE_")}
PLAIN |= {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}


def on_two_nodes(*arguments, environments=({}, {}), timeout_s=300):
    """The two ended processes, with what they wrote to stdout and stderr."""
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "1"]
    command += ["--nnodes", "2", "--master_addr", "127.0.0.1", "--master_port", str(free_port())]
    nodes = [
        subprocess.Popen(
            [*command, "--node_rank", str(rank), *map(str, arguments)],
            env={**PLAIN, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, environment in enumerate(environments)
    ]
    try:
        written = [node.communicate(timeout=timeout_s) for node in nodes]
    finally:
        for node in nodes:
            node.kill()
    return [
        subprocess.CompletedProcess(node.args, node.returncode, *texts)
        for node, texts in zip(nodes, written, strict=True)
    ]


def alone(*arguments):
    """The same without a launcher."""
    subprocess.run([sys.executable, *map(str, arguments)], env=PLAIN, check=True, timeout=300)
