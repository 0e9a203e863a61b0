"""Made-up requests put into a person's words by a language model.

What it wrote is kept on disk, line by line, so that a killed build goes on where it was. What it
can't be trusted with is checked: an answer that names the item, says nothing, or runs on is
dropped, and the request stays as it was made up.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from semrec.caches import cache_folder
from semrec.data.catalog import Catalog
from semrec.prompting import Prompt
from semrec.types import Progress

if TYPE_CHECKING:
    from semrec.encoders.language_model import LanguageModel

BATCH = 16
MAX_TOKENS = 48
MAX_WORDS, LEAST_WORDS = 60, 3
TEMPERATURE = 0.8
ABOUT_CHARS = 300
LEAST_TITLE_CHARS = 4  # shorter titles ("It", "Up") are ordinary words

Made = tuple[int, str]
"""The row of an item, and a request made up for it."""
Rewrite = Callable[[Sequence[Made]], Sequence[str]]
"""The same requests in other words, in their order."""


def as_made_up(made: Sequence[Made]) -> list[str]:
    """A `Rewrite` that changes nothing."""
    return [text for _, text in made]


@dataclass(frozen=True, kw_only=True)
class Writer:
    """A `Rewrite` by a language model.

    Attributes:
        model: Writes.
        prompt: Of kind ``synthesise_intent``.
        catalog: The items.
        most: How many requests it rewrites; the others stay as they are.
        seed: Of its sampling.
        report: Called as it proceeds.
        deadline: When to stop, as `time.monotonic()` gives it in seconds.
    """

    model: LanguageModel
    prompt: Prompt
    catalog: Catalog
    most: int
    seed: int
    report: Progress
    deadline: float | None = None

    def __call__(self, made: Sequence[Made]) -> list[str]:
        """The first `most` requests in other words, where what was written will do."""
        some = list(made[: self.most])
        asked = [self._asked(row, text) for row, text in some]
        keys = [self._key(prompt) for prompt in asked]
        known = _read(self._file)
        missing = [place for place, key in enumerate(keys) if key not in known]
        done = len(some) - len(missing)
        self.report("write requests", done, len(some))
        for start in range(0, len(missing), BATCH):
            if self.deadline is not None and time.monotonic() > self.deadline:
                break
            places = missing[start : start + BATCH]
            answers = self.model.write(
                [asked[place] for place in places],
                max_tokens=MAX_TOKENS,
                temperature=TEMPERATURE,
                seed=self.seed,
            )
            new = {keys[place]: answer for place, answer in zip(places, answers, strict=True)}
            _append(self._file, new)
            known |= new
            done += len(places)
            self.report("write requests", done, len(some))
        texts = as_made_up(made)
        for place, ((row, _), key) in enumerate(zip(some, keys, strict=True)):
            text = usable(known.get(key, ""), self.catalog.titles[row])
            texts[place] = text or texts[place]
        return texts

    def _asked(self, row: int, text: str) -> str:
        return self.prompt.render(request=text, about=self.catalog.texts[row][:ABOUT_CHARS])

    def _key(self, prompt: str) -> str:
        return hashlib.sha256(f"{self.seed}\n{prompt}".encode()).hexdigest()

    @property
    def _file(self) -> Path:
        return cache_folder() / "written" / f"{self.model.read.weights[:24]}.jsonl"


def usable(answer: str, title: str) -> str:
    """The answer's first paragraph as a request; ``""`` if it names the title or won't do."""
    paragraph = next((line.strip() for line in answer.splitlines() if line.strip()), "")
    text = paragraph.strip("\"“”' ")
    n_words = len(text.split())
    named = len(title) >= LEAST_TITLE_CHARS and title.casefold() in text.casefold()
    return "" if named or not LEAST_WORDS <= n_words <= MAX_WORDS else text


def _read(path: Path) -> dict[str, str]:
    known: dict[str, str] = {}
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                key, answer = json.loads(line)
            except ValueError:  # half a line, written as it was killed
                continue
            known[key] = answer
    return known


def _append(path: Path, answers: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps([key, answer]) for key, answer in answers.items()]
    with path.open("a", encoding="utf-8") as opened:
        opened.write("\n" + "\n".join(lines) + "\n")
