"""The learned gate: it finds a planted dependence, and is left out where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semrec.fusion.gate import FEATURES, SIGNALS, UNTUNED, Evidence, Gate, Tilt, Weights
from semrec.fusion.learn import learn_tilt
from semrec.fusion.tune import Candidates

FIXED = Weights(semantic=0.5, behavioural=0.5, popularity=0.0)


def cases(n, depends, seed=0):
    """Long sessions are answered by behaviour, short ones by words; or, not `depends`, by both."""
    rng = np.random.default_rng(seed)
    found, units = [], []
    for number in range(n):
        length = float(rng.integers(0, 2))
        values = rng.standard_normal((60, 6)).astype(np.float32)
        values[:, 1] = values[:, 3] = values[:, 5] = 0
        told = values[:, 2] if length else values[:, 0]
        if not depends:
            told = values[:, 0] + values[:, 2]
        order = np.argsort(-told)
        found.append(
            Candidates(
                values=values[order],  # the best is the target, and stands first
                n_targets=1,
                n_relevant=1,
                correlation=np.nan,
                has_neighbours=False,
                evidence=Evidence(has_words=True, has_session=True, session_length=length),
            )
        )
        units.append(f"u{number // 2}")
    return found, units


def test_a_planted_dependence_is_found():
    found, units = cases(300, depends=True)
    tilt, learned, fixed = learn_tilt(FIXED, found, units, cutoff=10)
    assert tilt is not None
    assert learned > fixed + 0.15
    short, long = (
        tilt.weights(Evidence(has_words=True, has_session=True, session_length=x).features)
        for x in (0.0, 1.0)
    )
    semantic, behavioural = SIGNALS.index("semantic"), SIGNALS.index("behavioural")
    assert short[semantic] > 0.8 > 0.2 > short[behavioural]
    assert long[behavioural] > 0.8 > 0.2 > long[semantic]


def test_without_a_dependence_the_fixed_weights_stay():
    found, units = cases(300, depends=False)
    tilt, learned, fixed = learn_tilt(FIXED, found, units, cutoff=10)
    assert tilt is None
    assert fixed == pytest.approx(1)
    assert learned <= fixed


def test_from_few_cases_nothing_is_learned():
    found, units = cases(99, depends=True)
    assert learn_tilt(FIXED, found, units, cutoff=10)[0] is None


TILT = Tilt(
    bias=(0.3, -0.2, -1.0, 0.5),
    slopes=((0.5, 0, -1, 0, 2), (0, 0.3, 0, 1, 0), (0, 0, 0, 0, 0), (-1, 0, 0.2, 0, 0)),
    means=(1.0, 2.0, 0.0, 0.1, 0.0),
    deviations=(0.5, 1.0, 0.2, 0.3, 1.0),
)
NUMBERS = st.floats(-1e6, 1e6)


@settings(deadline=None)
@given(values=st.lists(NUMBERS, min_size=len(FEATURES), max_size=len(FEATURES)))
def test_weights_are_shares_whatever_the_evidence(values):
    weights = TILT.weights(np.array(values))
    assert (weights > 0).all()
    assert weights.sum() == pytest.approx(1)


def test_a_query_far_outside_is_treated_as_one_at_the_edge():
    far, farther = (
        Evidence(has_words=True, has_session=True, session_length=x).features for x in (50.0, 9e9)
    )
    np.testing.assert_array_equal(TILT.weights(far), TILT.weights(farther))


def test_a_tilt_moves_only_its_kind_and_never_a_weight_that_was_asked_for():
    gate = Gate(
        words=UNTUNED.words,
        session=UNTUNED.session,
        both=UNTUNED.both,
        baseline=UNTUNED.baseline,
        tilts={"both": TILT},
    )
    both = Evidence(has_words=True, has_session=True, session_length=1.0)
    found = gate.weights(both)
    assert [getattr(found, name) for name in SIGNALS] == pytest.approx(TILT.weights(both.features))
    assert found.intent_share == UNTUNED.both.intent_share
    assert gate.weights(Evidence(has_words=True, has_session=False)) == UNTUNED.words
    assert gate.weights(both, 0.4) == UNTUNED.weights(both, 0.4)
    assert gate.weights(both, 0.0).semantic == 0


def test_a_gate_survives_a_manifest():
    import json

    gate = Gate(
        words=UNTUNED.words,
        session=UNTUNED.session,
        both=UNTUNED.both,
        baseline=UNTUNED.baseline,
        tilts={"words": TILT},
    )
    again = Gate.from_dict(json.loads(json.dumps(gate.to_dict())))
    features = Evidence(has_words=True, has_session=False, intent_words=2.0).features
    np.testing.assert_array_equal(
        again.tilts["words"].weights(features), gate.tilts["words"].weights(features)
    )
    assert again.both == gate.both
