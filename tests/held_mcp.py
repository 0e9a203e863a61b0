"""A recommender that answers while a file isn't there; alone, `semrec mcp` with it.

python tests/held_mcp.py ARTIFACT FOLDER
"""

import sys
import time
from pathlib import Path

import semrec

LIMITS = {"threads": 1, "max_queue": 1}  # a call at work, a call that waits, and no more


class HeldByFile:
    """Writes what reaches it to `reached`, and answers it once there is no file `hold`."""

    def __init__(self, recommender, folder):
        self._recommender, self._folder = recommender, folder

    def __getattr__(self, name):
        return getattr(self._recommender, name)

    def recommend_many(self, queries):
        with (self._folder / "reached").open("a") as reached:
            reached.writelines(f"{query.intent}\n" for query in queries)
        while (self._folder / "hold").exists():
            time.sleep(0.01)
        if any(query.intent == "break" for query in queries):
            raise RuntimeError("something of ours")
        return self._recommender.recommend_many(queries)


def main(artifact, folder):
    from semrec.serve.mcp import serve_stdio
    from semrec.serve.settings import Settings

    settings = Settings(artifact=artifact, state=folder / "state", sessions="memory", **LIMITS)
    serve_stdio(
        settings, records=False, load_artifact=lambda path: HeldByFile(semrec.load(path), folder)
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
