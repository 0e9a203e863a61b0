"""The Wide & Deep ranker (Cheng et al. 2016, arXiv 1606.07792), as it serves: NumPy, no torch.

score = fused score + wide · crosses + MLP(standardised features)

Both halves correct the fused score, in its own unit: where they say nothing the list stays as it
is. Knows nothing of what its inputs mean; `features` makes them, `training` the weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from semrec.types import FloatArray

MAX_DEVIATION = 4.0  # a feature stranger than this counts as if it were only so strange


@dataclass(frozen=True, kw_only=True)
class WideDeep:
    """One trained ranker.

    Attributes:
        wide: (n_crosses,) float32.
        means: (n_features,) float32, of the features in training.
        deviations: (n_features,) float32, none is 0.
        first: (n_features, n_hidden) float32, the MLP's first layer.
        first_bias: (n_hidden,) float32.
        second: (n_hidden, n_hidden // 2) float32.
        second_bias: (n_hidden // 2,) float32.
        last: (n_hidden // 2,) float32.
    """

    wide: FloatArray
    means: FloatArray
    deviations: FloatArray
    first: FloatArray
    first_bias: FloatArray
    second: FloatArray
    second_bias: FloatArray
    last: FloatArray

    def scores(self, fused: FloatArray, crosses: FloatArray, features: FloatArray) -> FloatArray:
        """(n,) float32: the fused scores as corrected.

        Args:
            fused: (n,) float32.
            crosses: (n, n_crosses) float32.
            features: (n, n_features) float32.
        """
        inputs = standardised(features, self.means, self.deviations)
        hidden = np.maximum(inputs @ self.first + self.first_bias, 0)
        hidden = np.maximum(hidden @ self.second + self.second_bias, 0)
        return np.asarray(fused + crosses @ self.wide + hidden @ self.last, dtype=np.float32)

    def to_arrays(self) -> dict[str, FloatArray]:
        """For storage."""
        return asdict(self)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, FloatArray]) -> WideDeep:
        """Read what `to_arrays` gave."""
        return cls(**arrays)


def standardised(features: FloatArray, means: FloatArray, deviations: FloatArray) -> FloatArray:
    """(..., n_features) float32: mean 0, deviation 1 in training, and never far outside."""
    scaled = (features - means) / deviations
    return np.asarray(np.clip(scaled, -MAX_DEVIATION, MAX_DEVIATION), dtype=np.float32)
