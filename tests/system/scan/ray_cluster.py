"""A scan on a Ray cluster of two machines that are processes, one of which is killed half-way. Run by test_ray."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import ray
from ray._private import ray_constants
from ray.cluster_utils import Cluster

from reclaim.scan import Request, scan

MEMORY = 80_000_000


def kill_half_way(out: Path, node: Any, killed: list[int]) -> None:
    """End one machine's raylet as a power cut would, as soon as there are results."""
    while not list(out.glob("results/shard-*")):
        time.sleep(0.005)
    raylet = node.all_processes[ray_constants.PROCESS_TYPE_RAYLET][0].process
    os.kill(raylet.pid, signal.SIGKILL)
    killed.append(len(list(out.glob("results/shard-*"))))


def main() -> None:
    """Source, index, output folder; prints the figures and how many shards were done at the kill."""
    source, index, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    # Ray's sockets have long names, and a socket's name may have a hundred letters.
    with tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        # Where Ray notes which cluster is the current one: ours alone, and there before it writes to it.
        os.environ["RAY_TMPDIR"] = folder
        (Path(folder) / "ray").mkdir()
        head = {"num_cpus": 1, "object_store_memory": MEMORY, "temp_dir": folder, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            other = cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
            killed: list[int] = []
            thread = threading.Thread(target=kill_half_way, args=(out, other, killed), daemon=True)
            thread.start()
            request = Request(source, index, out, engine="ray", address=cluster.address, shard_rows=5)
            summary = scan(request)
            thread.join(10)
            sys.stdout.write(json.dumps({"figures": summary.as_json(), "shards_at_the_kill": killed}))
        finally:
            ray.shutdown()
            cluster.shutdown()


if __name__ == "__main__":
    main()
