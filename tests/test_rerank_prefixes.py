"""Reading a prefix once and packing what follows changes nothing but the time it takes."""

import numpy as np
import pytest
import torch
from tiny_llama import tiny_language_model

from semrec.deadline import NEVER, Deadline, TimeUpError
from semrec.rerankers.prefixes import PrefixModel

pytestmark = pytest.mark.usefixtures("one_thread")
BEFORE = [5, 9, 100, 42, 7, 8]
AFTER = [[11, 12, 13], [11], [200, 201, 202, 203, 204], [], [13, 12]]


@pytest.fixture(scope="module")
def network():
    return tiny_language_model()


def plain_log_likelihoods(network, before, after):
    """One text, read as a whole."""
    with torch.inference_mode():
        logits = network(input_ids=torch.tensor([[*before, *after]])).logits[0].float()
    said = torch.log_softmax(logits, dim=-1)[len(before) - 1 : -1]
    return said[torch.arange(len(after)), torch.tensor(after, dtype=torch.long)].numpy()


def test_packed_likelihoods_are_those_of_single_texts(network):
    model = PrefixModel(network)
    found = model.log_likelihoods(model.prefix(BEFORE, NEVER), AFTER, NEVER)
    for one, after in zip(found, AFTER, strict=True):
        want = plain_log_likelihoods(network, BEFORE, after)
        np.testing.assert_allclose(one, want, atol=1e-5)


@pytest.mark.parametrize(
    "other", [[5, 9, 100, 42, 1, 2, 3], [5, 9], [5, 9, 100, 42, 7, 8, 50], [90, 91], [5]]
)
def test_a_prefix_that_begins_like_another_is_the_same_as_a_new_one(network, other):
    shared, fresh = PrefixModel(network), PrefixModel(network)
    shared.prefix(BEFORE, NEVER)
    found = shared.log_likelihoods(shared.prefix(other, NEVER), AFTER, NEVER)
    want = fresh.log_likelihoods(fresh.prefix(other, NEVER), AFTER, NEVER)
    for one, two in zip(found, want, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
    again = shared.log_likelihoods(shared.prefix(BEFORE, NEVER), AFTER, NEVER)
    np.testing.assert_allclose(
        again[0], plain_log_likelihoods(network, BEFORE, AFTER[0]), atol=1e-5
    )


def test_only_what_is_new_is_read(network):
    model, read = PrefixModel(network), []
    network.get_input_embeddings().register_forward_pre_hook(
        lambda _, given: read.append(given[0].shape[1])
    )
    model.prefix(BEFORE, NEVER)
    model.prefix([*BEFORE, 1, 2], NEVER)
    model.prefix(BEFORE, NEVER)
    model.prefix([*BEFORE[:4], 60], NEVER)
    assert read == [len(BEFORE), 2, 1]


def test_what_is_kept_is_bounded(network):
    model = PrefixModel(network, max_tokens=10)
    for first in range(5, 25):
        model.prefix([first, 1, 2, 3], NEVER)
        assert sum(map(len, model._kept)) <= 10
    model.prefix(list(range(100, 120)), NEVER)  # the newest is kept, whatever its length
    assert list(map(len, model._kept)) == [20]


def test_it_stops_between_layers_and_is_none_the_worse(network):
    model = PrefixModel(network)
    prefix = model.prefix(BEFORE, NEVER)
    looks = iter([0.0, 0.0, 0.0, 9.0, 9.0])  # the time is up at the third layer
    deadline = Deadline(at_s=1.0, clock=lambda: next(looks))
    with pytest.raises(TimeUpError):
        model.states(prefix, AFTER, deadline)
    assert next(looks) == 9.0
    found = model.log_likelihoods(prefix, AFTER[:1], NEVER)
    np.testing.assert_allclose(
        found[0], plain_log_likelihoods(network, BEFORE, AFTER[0]), atol=1e-5
    )
    with pytest.raises(TimeUpError):
        model.prefix([1, 2], Deadline.within(0))
    assert (1, 2) not in model._kept
