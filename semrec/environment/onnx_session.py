"""ONNX Runtime: opening a graph, and its int8 form. Knows nothing of what the graph computes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from semrec.errors import ModelError

# Fused into one node, a sum and its normalisation take five times as long as one by one: a sixth
# of MiniLM's pass in int8 (onnxruntime 1.32; notebooks/LOG.md).
SLOWER_FUSED = ("SkipLayerNormFusion",)


def open_graph(file: Path, threads: int) -> Any:  # noqa: ANN401
    """The onnxruntime.InferenceSession of a graph.

    Args:
        file: Where it lies.
        threads: Of one pass.

    Raises:
        ModelError: If onnxruntime isn't installed, or the graph can't be read.
    """
    try:
        import onnxruntime
    except ImportError:
        raise ModelError("onnxruntime isn't installed: pip install 'semrec[onnx]'") from None
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.log_severity_level = 3  # errors
    # Threads that spin while they wait are a little faster alone and much slower in company.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            str(file),
            settings,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=SLOWER_FUSED,
        )
    except Exception as error:  # onnxruntime raises classes of its own
        raise ModelError(f"{file}: not loadable: {error}") from error


def quantise_graph(file: Path, into: Path) -> None:
    """Write a graph's int8 form: each channel's weights, and activations as they come.

    Raises:
        ModelError: If the packages aren't installed (extra ``onnx``).
    """
    require_onnx()
    from onnxruntime.quantization import QuantType, quantize_dynamic

    logger = logging.getLogger()
    before = logger.level
    logger.setLevel(logging.ERROR)  # it advises a pre-processing that changes nothing here
    try:
        quantize_dynamic(file, into, weight_type=QuantType.QInt8, per_channel=True)
    finally:
        logger.setLevel(before)


def require_onnx() -> None:
    """Check that models can be exported and run.

    Raises:
        ModelError: If a package isn't installed.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise ModelError(f"{error.name} isn't installed: pip install 'semrec[onnx]'") from None
