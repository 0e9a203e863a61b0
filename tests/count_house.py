"""The house in numbers: ``python tests/count_house.py ARTIFACT``.

Which files a request, a message and a build go through, found by asking and building; their lines
are the lines of the files. The parser of words is counted by itself.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import semrec
from semrec.chat.answering import respond
from semrec.config import load_config
from semrec.encoders.hashing import HashingEncoder

HOME = Path(semrec.__file__).resolve().parent
WORDS = "a quiet heist film, nothing violent"


def files_of(work: Callable[[], object]) -> set[Path]:
    """Files of semrec in which something is called."""
    seen: set[str] = set()
    sys.setprofile(lambda frame, event, _arg: seen.add(frame.f_code.co_filename))
    try:
        work()
    finally:
        sys.setprofile(None)
    paths = {Path(name).resolve() for name in seen if not name.startswith("<")}
    return {path for path in paths if HOME in path.parents}


def counted(files: set[Path]) -> str:
    """Lines and files."""
    n_lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)
    return f"{n_lines:>7,} {len(files):>6}"


def main(artifact: str) -> None:
    """Print the table."""
    from semrec.demo_data import folder

    recommender = semrec.load(artifact)
    session = recommender.catalog.item_ids[:3]
    ask = {"intent": WORDS, "session": list(session)}
    recommender.recommend(ask)
    request = files_of(lambda: recommender.recommend({**ask, "intent": f"{WORDS} please"}))
    chat = files_of(lambda: respond(recommender, WORDS, k=5))
    config = load_config("default", ["behaviour.max_cases=200", "behaviour.kind=none"])
    with tempfile.TemporaryDirectory() as out:
        build = files_of(
            lambda: semrec.build(
                folder(), config=config, encoder=HashingEncoder(dim=32), out=Path(out) / "a"
            )
        )
    parser = {path for path in request if "intent" in path.parts}
    steps = {path for path in build if {"training", "artifact"} & set(path.parts)}
    rows = {
        "a request in words, without parser": request - parser,
        "the parser of words": parser,
        "a message, beside the request": chat - request,
        "a build, its own orchestration": steps,
        "modules at the root": set(HOME.glob("*.py")),
        "all": {path for path in HOME.rglob("*.py") if "_packaged" not in path.parts},
    }
    sys.stdout.write(f"{'':36}  lines  files\n")
    for name, files in rows.items():
        sys.stdout.write(f"{name:36}{counted(files)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
