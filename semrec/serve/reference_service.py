"""The twenty lines one would write, as a service: `semrec bench throughput`'s reference.

SentenceTransformer.encode and a flat FAISS index behind one plain FastAPI route.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from semrec.artifact.stored import load
from semrec.bench.latency import plain_script
from semrec.errors import ArtifactError

ARTIFACT = "PLAIN_ARTIFACT"  # a worker is told by a variable


class WordsRequest(BaseModel):
    """A request in words; it always gets ten items."""

    intent: str
    k: int = 10


def make_plain_app(artifact: Path) -> FastAPI:
    """The application.

    Raises:
        ArtifactError: If the artifact's encoder isn't one of sentence-transformers.
    """
    recommender = load(artifact, verify="size")
    script, item_ids = plain_script(recommender), recommender.catalog.item_ids
    if script is None:
        raise ArtifactError(f"{artifact}: expected a sentence-transformers model as its encoder")
    app = FastAPI(title="plain")

    @app.post("/v1/recommend")
    def recommend(body: WordsRequest) -> list[str]:
        return [item_ids[row] for row in script(body.intent)]

    @app.get("/health/ready")
    def ready() -> str:
        return "ready"

    return app


def create_plain_app() -> FastAPI:
    """The application of each worker."""
    return make_plain_app(Path(os.environ[ARTIFACT]))


cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@cli.callback()
def _top() -> None:
    pass


@cli.command()
def serve(
    artifact: Path,
    port: Annotated[int, typer.Option()],
    workers: Annotated[int, typer.Option()] = 1,
) -> None:
    """Answer over HTTP."""
    os.environ[ARTIFACT] = str(artifact)
    if workers > 1:  # several that each want all cores stand in each other's way
        cores = len(os.sched_getaffinity(0))
        os.environ["OMP_NUM_THREADS"] = str(max(1, cores // workers))
    app = "semrec.serve.reference_service:create_plain_app"
    uvicorn.run(app, factory=True, host="127.0.0.1", port=port, workers=workers)


if __name__ == "__main__":
    cli()
