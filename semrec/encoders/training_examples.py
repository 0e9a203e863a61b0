"""Training examples and options of an encoder: plain values, so that nothing heavy is loaded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request and the item that was right.

    Attributes:
        query: In words, as the encoder is given it.
        row: The item that was right.
        negative: An item that was near but wasn't right.
        group: The dialog or user: what is right for one of its requests isn't wrong for another.
    """

    query: str
    row: int
    negative: int
    group: str


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of a fine-tuning.

    Attributes:
        epochs: Passes over the examples; may be a fraction.
        batch_size: Requests per step and process; each meets the items of all of them, and as many
            hard negatives.
        learning_rate: At its highest, after a tenth of the steps; it then falls to 0.
        scale: Cosines are multiplied by it before the softmax.
        validate_every: Share of the steps after which validation is asked.
        seed: Of the order of the examples and of dropout.
        bf16: Half precision (bfloat16) in the forward pass; None: where the device has it.
        deadline: When to stop, as `time.monotonic()` gives it in seconds; None: never.
    """

    epochs: float
    batch_size: int
    learning_rate: float
    scale: float
    validate_every: float
    seed: int
    bf16: bool | None
    deadline: float | None = None
