"""Training a reranker: what on, and what its word is worth.

training dialogs, and users' last training events → fused lists → what was right, a few others
        → labels: right far above, behaviour (and another reranker) order the rest → trainer
        → judged on validation requests that it hasn't seen
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from semrec.artifact.encoder import make_encoder
from semrec.artifact.rerankers import DIALOGS, make_reranker
from semrec.config import Config, RerankConfig
from semrec.data.dataset import Dataset
from semrec.data.intents import unit_hashes
from semrec.deadline import NEVER
from semrec.encoders.language_model import load_language_model
from semrec.encoders.names import resolve
from semrec.encoders.silence_progress import quietly
from semrec.environment.caches import cache_folder
from semrec.environment.files import replacing
from semrec.pipeline.rerank import Reranking, Wording
from semrec.prompting import load_prompt
from semrec.protocols import Reranker
from semrec.rerankers.blending import standardised
from semrec.rerankers.cross_encoder_training import Steps, TaughtList, train_cross_encoder
from semrec.rerankers.layer_pruning import cut_layers, export_cross_encoder
from semrec.rerankers.onnx_cross_encoder import load_graph_reranker
from semrec.rerankers.score_collector import ScoreCollector
from semrec.rerankers.worker import RerankWorker
from semrec.training.candidates import retrieve_candidates
from semrec.training.encoder_selection import EncoderSelection, select_encoder
from semrec.training.encoder_training import FinetunedEncoder
from semrec.training.job import Job
from semrec.training.preparation import Prepared, prepare
from semrec.training.reranker_weight import choose_weights
from semrec.training.synthetic_queries import make_request, tags_by_row
from semrec.training.weight_search import TuningCase
from semrec.types import Case, Progress, Query, RowArray

HEAD = 40  # of a fused list: what candidates are drawn from
CANDIDATES = 10  # of a list, what was right among them
RIGHT = 4.0  # how far what was right stands above the rest, in deviations of a teacher


@dataclass(frozen=True, kw_only=True)
class RerankerOptions:
    """Options of a reranker's training.

    Attributes:
        base: The encoder that it is cut from: hub name, path or short name.
        layers: How many of its layers are kept.
        epochs: Over all lists.
        made_up: Users whose last training event joins the lists.
        teacher: A language model that orders what wasn't right, beside behaviour; empty: none.
    """

    base: str
    layers: int
    epochs: float
    made_up: int
    teacher: str


def finetune_reranker(
    dataset: Dataset,
    config: Config,
    intents: Sequence[str | Path | Sequence[Case]],
    schooling: RerankerOptions,
    out: Path,
    *,
    report: Progress,
    max_minutes: float | None = None,
) -> dict[str, Any]:
    """Train a small cross-encoder, write it as a graph in int8, and judge it.

    Args:
        dataset: What to learn from, less what its configuration holds out.
        config: Of the list that is judged.
        intents: Requests to learn from; a quarter of their dialogs judges.
        schooling: How.
        out: A folder that isn't there.
        report: Called as it proceeds.
        max_minutes: Of the training.

    Returns:
        `lists`: how many it learned from; `judged`: by kind of query as `choose_weights` tells.
    """
    job = Job(seed=config.seed, report=report)  # the minutes are the trainer's alone
    prepared = prepare(dataset, config, intents, job)
    encoder = make_encoder(config.encoder)
    settled = select_encoder(prepared, encoder, FinetunedEncoder(encoder=encoder), job)
    wording = Wording(
        words="text",
        prompt=load_prompt("rerank_request", config.rerank.prompt),
        prompts=prepared.prompts,
    )
    lists = taught_lists(prepared, settled, wording, schooling, job)
    steps = Steps(epochs=schooling.epochs, seed=config.seed, deadline=job.until(max_minutes))
    digest = repr((schooling, replace(steps, deadline=None), encoder.fingerprint, lists))
    folder = cache_folder() / "training" / f"reranker-{sha256(digest.encode()).hexdigest()[:24]}"
    with TemporaryDirectory() as temporary, quietly():
        cut = Path(temporary) / "cut"
        cut_layers(resolve(schooling.base), cut, schooling.layers, seed=config.seed)
        model = train_cross_encoder(cut, lists, steps, folder=folder, report=report)
        _write(out, model, unit_hashes(prepared.train_queries))
    shutil.rmtree(folder, ignore_errors=True)
    taught = Reranking(
        worker=RerankWorker(load_graph_reranker(out)),
        top=config.rerank.top,
        weights={},
        always=True,
        wording=wording,
    )
    return {"lists": len(lists), "judged": choose_weights(taught, prepared, settled, job)[1]}


def taught_lists(
    prepared: Prepared,
    settled: EncoderSelection,
    wording: Wording,
    schooling: RerankerOptions,
    job: Job,
) -> list[TaughtList]:
    """Lists to train on: of the training dialogs, and of at most so many users.

    A user's last training event is what was right; a half of these lists has a made-up request,
    the others the session alone.

    Args:
        prepared: Requests, events, texts.
        settled: The encoder, and the fusion over the validation's training events.
        wording: Puts requests and candidates into words.
        schooling: How many users; the teacher that orders the rest beside behaviour.
        job: Whom to tell.
    """
    rng, teacher = np.random.default_rng(job.seed), _teacher(schooling.teacher)
    cases = [case for case in prepared.train_queries if case.relevant and case.query.intent.strip()]
    cases += _of_users(prepared, schooling.made_up, rng)
    known = prepared.encoded(cases, settled.encoder)
    fusion, catalog = settled.trial, prepared.dataset.catalog
    lists: list[TaughtList] = []
    for case, one, (_, rows, _) in zip(
        cases, known, retrieve_candidates(fusion, known, HEAD), strict=True
    ):
        job.report("lists to learn from", len(lists), len(known))
        drawn = _drawn(one, rows, rng)
        if drawn is None:
            continue
        request = wording.request(case.query.intent, one.session, catalog)
        texts = wording.texts(drawn, catalog)
        liked = fusion.signals(None, one.session).behaviour
        labels = standardised(fusion.behavioural.vectors[drawn] @ liked)
        if teacher is not None:
            tally = ScoreCollector.of(len(texts))
            for judged in teacher.rerank(request, texts, NEVER):
                tally.add(judged)
            theirs = standardised(np.nan_to_num(tally.scores).astype(np.float32))
            labels = np.asarray((labels + theirs) / 2, dtype=np.float32)
        right = RIGHT * np.isin(drawn, one.targets)
        lists.append(TaughtList(request=request, texts=texts, labels=(labels + right).tolist()))
    return lists


def _write(out: Path, model: Any, dialogs: Sequence[str]) -> None:  # noqa: ANN401
    """Write the graph, and the hashed ids of what it learned from."""
    with replacing(out) as made:
        export_cross_encoder(model, made)
        (made / DIALOGS).write_text(json.dumps(dialogs), encoding="utf-8")


def _of_users(prepared: Prepared, n: int, rng: np.random.Generator) -> list[Case]:
    """Users' last training events as cases, half of them with a made-up request."""
    events, catalog = prepared.validation.train, prepared.dataset.catalog
    prompt = load_prompt("request", prepared.config.prompts.request)
    tags = tags_by_row(prepared.dataset.tags, prepared.validation.cut)
    cases: list[Case] = []
    for place in rng.permutation(len(events.starts) - 1)[:n].tolist():
        rows = events.rows[events.starts[place] : events.starts[place + 1]]
        if len(rows) < 2:
            continue
        *before, last = (catalog.item_ids[row] for row in rows[-6:].tolist())
        intent = make_request(int(rows[-1]), catalog, tags, prompt, rng) if place % 2 else ""
        cases.append(
            Case(
                case_id=f"user {place}",
                query=Query(intent=intent, session=before),
                relevant=(last,),
                unit=f"user {place}",
            )
        )
    return cases


def _drawn(case: TuningCase, rows: RowArray, rng: np.random.Generator) -> RowArray | None:
    """Right items and some candidates that weren't, in a random order; None without either."""
    right = np.setdiff1d(case.targets, case.excluded)
    others = np.setdiff1d(rows, case.targets)
    if not len(right) or not len(others):
        return None
    right = rng.permutation(right)[: CANDIDATES // 2]
    drawn = np.concatenate([right, rng.permutation(others)[: CANDIDATES - len(right)]])
    return np.asarray(rng.permutation(drawn), dtype=np.int64)


def _teacher(name: str) -> Reranker | None:
    if not name:
        return None
    config = RerankConfig(kind="causal_lm", model=name)
    return make_reranker(config, load_language_model(name))
