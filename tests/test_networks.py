"""The sequence models' losses and networks against plain NumPy."""

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from scipy.special import erf
from tiny_training import (
    BLOCK,
    N_ITEMS,
    assert_same_numbers,
    fit,
    in_blocks,
    log_softmax,
    positions,
    shaped,
)
from torch import nn

from semrec.behaviour import losses
from semrec.behaviour.losses import full_softmax, in_batch_softmax, sampled_softmax
from semrec.behaviour.sequence_training import padded
from semrec.behaviour.towers import (
    AttentionTower,
    ItemTable,
    ItemTower,
    Labels,
    PoolingTower,
    SequenceNetwork,
)
from semrec.types import SessionRows

pytestmark = pytest.mark.usefixtures("one_thread")


# --- losses against NumPy ---


def test_full_softmax_is_the_mean_cross_entropy_against_all_items():
    hidden, items, targets = positions()
    found = full_softmax(*map(torch.from_numpy, (hidden, items, targets)))
    logs = log_softmax(hidden.astype(np.float64) @ items.T)
    want = -logs[np.arange(len(targets)), targets].mean()
    assert found.item() == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("chunk", [1, 5, 12, 13])
def test_in_chunks_full_softmax_and_its_gradients_are_the_same(monkeypatch, chunk):
    hidden, items, targets = map(torch.from_numpy, positions())

    def value_and_gradients():
        some, all_ = hidden.clone().requires_grad_(), items.clone().requires_grad_()
        loss = full_softmax(some, all_, targets)
        loss.backward()
        return loss.detach(), some.grad, all_.grad

    whole = value_and_gradients()
    assert (whole[1].abs().sum(dim=1) > 0).all()
    monkeypatch.setattr(losses, "CHUNK", chunk)
    for found, want in zip(value_and_gradients(), whole, strict=True):
        torch.testing.assert_close(found, want, rtol=1e-5, atol=1e-7)


def test_in_chunks_the_logits_of_one_chunk_only_are_kept(monkeypatch):
    """What is kept for the way back is all that full softmax could need much memory for."""
    hidden, items, targets = map(torch.from_numpy, positions(n=40, n_items=50))
    kept = []

    def sizes_kept():
        kept.clear()
        with torch.autograd.graph.saved_tensors_hooks(
            lambda tensor: kept.append(tensor.numel()) or tensor, lambda tensor: tensor
        ):
            full_softmax(hidden.requires_grad_(), items, targets)
        return max(kept)

    assert sizes_kept() >= 40 * 50
    monkeypatch.setattr(losses, "CHUNK", 8)
    assert sizes_kept() < 8 * 50


def test_sampled_softmax_is_against_the_negatives_that_are_not_the_target():
    hidden, items, targets = positions()
    negatives = np.asarray([0, 3, 3, 5, targets[0]])
    found = sampled_softmax(*map(torch.from_numpy, (hidden, items, targets, negatives)))
    want = 0.0
    for some, target in zip(hidden.astype(np.float64), targets, strict=True):
        others = negatives[negatives != target]
        logits = np.concatenate([[items[target] @ some], items[others] @ some])
        want -= log_softmax(logits)[0] / len(targets)
    assert (negatives == targets[:, None]).any(axis=1).sum() > 1
    assert found.item() == pytest.approx(want, rel=1e-6)


def test_sampled_softmax_against_nothing_but_the_target_is_0():
    hidden, items, _ = map(torch.from_numpy, positions(n=2))
    hidden.requires_grad_()
    loss = sampled_softmax(hidden, items, torch.tensor([4, 4]), torch.tensor([4, 4, 4]))
    loss.backward()
    assert loss.item() == 0
    assert (hidden.grad == 0).all()


def test_in_batch_softmax_is_against_each_target_once_less_its_log_probability():
    hidden, items, targets = positions()
    targets[targets == 2] = 4  # nobody's target: no negative either
    log_q = np.log(np.random.default_rng(1).dirichlet(np.ones(7))).astype(np.float32)
    found = in_batch_softmax(*map(torch.from_numpy, (hidden, items, targets, log_q)))
    met = sorted(set(targets.tolist()))
    assert 2 not in met
    assert len(met) < len(targets)
    want = 0.0
    for some, target in zip(hidden.astype(np.float64), targets, strict=True):
        logits = np.asarray([items[row] @ some - log_q[row] for row in met])
        want -= log_softmax(logits)[met.index(target)] / len(targets)
    assert found.item() == pytest.approx(want, rel=1e-6)


@pytest.mark.parametrize("loss", ["full", "sampled", "in_batch"])
def test_two_threads_give_the_same_gradients_every_time(loss):
    """Of a size at which torch adds up in parallel."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(3000, 64, generator=generator)
    items = torch.randn(400, 64, generator=generator)
    targets = torch.randint(50, (3000,), generator=generator)
    negatives = torch.randint(400, (1024,), generator=generator)

    def gradient():
        some = items.clone().requires_grad_()
        match loss:
            case "full":
                value = full_softmax(hidden, some, targets)
            case "sampled":
                value = sampled_softmax(hidden, some, targets, negatives)
            case "in_batch":
                value = in_batch_softmax(hidden, some, targets, torch.zeros(400))
        value.backward()
        return some.grad

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        first = gradient()
        assert all(torch.equal(gradient(), first) for _ in range(12))
    finally:
        torch.set_num_threads(before)


# --- networks against NumPy ---

BAGS = ((0, 2), (), (1,), (0, 1, 2), (2,), ())  # labels of six items


def bags():
    sizes = [len(some) for some in BAGS]
    return Labels(
        codes=torch.tensor([code for some in BAGS for code in some]),
        starts=torch.tensor(np.cumsum([0, *sizes[:-1]])),
        n_labels=3,
    )


def shaken(module):
    """With numbers all over the place, so that no part of it can be left out unnoticed."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.4 * torch.randn(parameter.shape, generator=generator)
    return module.eval()


def arrays_of(module):
    return {name: value.numpy().astype(np.float64) for name, value in module.state_dict().items()}


def linear(x, arrays, name):
    return x @ arrays[f"{name}.weight"].T + arrays[f"{name}.bias"]


def normed(x, arrays, name):
    scaled = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    return scaled * arrays[f"{name}.weight"] + arrays[f"{name}.bias"]


def gelu(x):
    return x * (1 + erf(x / np.sqrt(2))) / 2


def numpy_table(arrays):
    table = arrays["table.ids"].copy()
    for item, some in enumerate(BAGS):
        for code in some:
            table[item] += arrays["table.labels"][code] / np.sqrt(len(some))
    return table


def numpy_attention_tower(vectors, arrays, *, blocks, heads):
    """(length, dim) of one session's items to what the tower makes of them."""
    length, dim = vectors.shape
    own = dim // heads
    x = vectors * np.sqrt(dim) + arrays["session.positions"][:length]
    for block in range(blocks):
        name = f"session.blocks.{block}"
        qkv = linear(normed(x, arrays, f"{name}.before_attention"), arrays, f"{name}.qkv")
        q, k, v = np.split(qkv, 3, axis=1)
        seen = np.zeros_like(x)
        for head in range(heads):
            columns = slice(head * own, (head + 1) * own)
            for now in range(length):
                alike = k[: now + 1, columns] @ q[now, columns] / np.sqrt(own)
                seen[now, columns] = np.exp(log_softmax(alike)) @ v[: now + 1, columns]
        x = x + linear(seen, arrays, f"{name}.out")
        inner = linear(normed(x, arrays, f"{name}.before_net"), arrays, f"{name}.net.0")
        x = x + linear(gelu(inner), arrays, f"{name}.net.3")
    return normed(x, arrays, "session.norm")


def numpy_residual(x, arrays, name):
    inner = linear(x, arrays, f"{name}.inner.0")
    return normed(x + linear(gelu(inner), arrays, f"{name}.inner.2"), arrays, f"{name}.norm")


def numpy_pooling_tower(vectors, arrays, *, decay):
    pooled = []
    for now in range(len(vectors)):
        pull = decay ** np.arange(now, -1, -1.0)
        pooled.append(pull @ vectors[: now + 1] / pull.sum())
    return numpy_residual(np.asarray(pooled) * np.sqrt(vectors.shape[1]), arrays, "session.net")


SESSIONS = [np.asarray(rows) for rows in ([0, 3, 1, 5], [2, 4], [5, 5, 0, 1, 2, 3], [4, 0, 3])]


def network_of(kind, *, loss, dropout=0.0, log_q=None):
    if kind == "sasrec":
        tower = AttentionTower(dim=8, blocks=2, heads=2, dropout=dropout, max_length=5)
        item = nn.Identity()
    else:
        tower, item = PoolingTower(dim=8, decay=0.7, dropout=dropout, max_length=5), ItemTower(8)
    network = SequenceNetwork(
        table=ItemTable(6, 8, bags()),
        session=tower,
        item=item,
        loss=loss,
        negatives=3,
        log_q=torch.zeros(6) if log_q is None else log_q,
    )
    return shaken(network)


def test_the_loss_of_sasrec_is_what_numpy_makes_of_it():
    network = network_of("sasrec", loss="full")
    found = network(*padded(SESSIONS, 5, pad=6)).item()
    arrays = arrays_of(network)
    table = numpy_table(arrays)
    lost = []
    for rows in SESSIONS:
        hidden = numpy_attention_tower(table[rows[:-1]], arrays, blocks=2, heads=2)
        vectors = torch.from_numpy(table[rows[:-1]]).float()[None]
        with torch.no_grad():
            np.testing.assert_allclose(network.session(vectors)[0], hidden, atol=1e-5)
        logs = log_softmax(hidden @ table.T)
        lost += [-logs[place, row] for place, row in enumerate(rows[1:])]
    assert found == pytest.approx(np.mean(lost), abs=1e-5)


def test_the_loss_of_the_two_tower_model_is_what_numpy_makes_of_it():
    log_q = np.log(np.asarray([0.3, 0.1, 0.2, 0.1, 0.1, 0.2]))
    network = network_of("two_tower", loss="in_batch", log_q=torch.from_numpy(log_q).float())
    found = network(*padded(SESSIONS, 5, pad=6)).item()
    arrays = arrays_of(network)
    table = numpy_table(arrays)
    items = numpy_residual(table * np.sqrt(8), arrays, "item.net")
    met = sorted({row for rows in SESSIONS for row in rows[1:].tolist()})
    assert met == [0, 1, 2, 3, 4, 5]
    lost = []
    for rows in SESSIONS:
        hidden = numpy_pooling_tower(table[rows[:-1]], arrays, decay=0.7)
        vectors = torch.from_numpy(table[rows[:-1]]).float()[None]
        with torch.no_grad():
            np.testing.assert_allclose(network.session(vectors)[0], hidden, atol=1e-5)
        logs = log_softmax(hidden @ items.T - log_q)
        lost += [-logs[place, row] for place, row in enumerate(rows[1:])]
    assert found == pytest.approx(np.mean(lost), abs=1e-5)


def test_sampled_negatives_are_drawn_from_all_items():
    network = network_of("sasrec", loss="sampled")
    with torch.random.fork_rng():
        values = set()
        for seed in range(20):
            torch.manual_seed(seed)
            values.add(network(*padded(SESSIONS, 5, pad=6)).item())
    assert len(values) > 10
    full = network_of("sasrec", loss="full")(*padded(SESSIONS, 5, pad=6)).item()
    assert min(values) < full  # fewer to tell it from


@pytest.mark.parametrize("kind", ["sasrec", "two_tower"])
def test_what_comes_later_changes_nothing_before_it(kind):
    tower = network_of(kind, loss="full").session
    vectors = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(2))
    other = vectors.clone()
    other[:, 3, 2] += 1.0
    with torch.no_grad():
        changed = (tower(vectors) - tower(other)).abs().amax(dim=(0, 2))
    assert (changed[:3] == 0).all()
    assert (changed[3:] > 1e-3).all()


@pytest.mark.parametrize("kind", ["sasrec", "two_tower"])
def test_the_loss_does_not_depend_on_what_a_session_is_padded_beside(kind):
    network = network_of(kind, loss="full")
    together = network(*padded(SESSIONS, 5, pad=6)).item()
    alone = [(network(*padded([rows], 5, pad=6)).item(), len(rows) - 1) for rows in SESSIONS]
    want = sum(value * n for value, n in alone) / sum(n for _, n in alone)
    assert together == pytest.approx(want, abs=1e-5)


def test_dropout_is_only_for_training():
    network = network_of("sasrec", loss="full", dropout=0.5)
    with torch.random.fork_rng():
        asked = padded(SESSIONS, 5, pad=6)
        assert network(*asked).item() == network(*asked).item()
        network.train()
        assert network(*asked).item() != network(*asked).item()


# --- labels ---


def test_an_items_vector_is_its_own_and_its_labels_over_the_root_of_their_number():
    table = shaken(ItemTable(6, 4, bags()))
    ids, labels = table.ids.detach().numpy(), table.labels.detach().numpy()
    found = table().detach().numpy()
    np.testing.assert_allclose(found[0], ids[0] + (labels[0] + labels[2]) / np.sqrt(2), rtol=1e-5)
    np.testing.assert_allclose(found[2], ids[2] + labels[1], rtol=1e-5)
    np.testing.assert_allclose(found[3], ids[3] + labels.sum(axis=0) / np.sqrt(3), rtol=1e-5)
    np.testing.assert_array_equal(found[[1, 5]], ids[[1, 5]])  # without labels


def test_without_labels_an_items_vector_is_its_own():
    table = ItemTable(3, 4, None)
    assert table() is table.ids


@pytest.mark.parametrize("kind", ["sasrec", "two_tower"])
def test_a_rare_item_borrows_from_what_shares_its_label(kind):
    """One user took item 18 and nothing else, so only its label can say where it belongs."""

    def affinity(block):
        labels = [[100 + row // BLOCK, 7] for row in range(N_ITEMS)]
        labels.append([100 + block])
        sessions = [*in_blocks(), np.asarray([18])]
        model = fit(shaped(kind), sessions, n_items=19, labels=labels, epochs=8)
        return model.scores(SessionRows.of([0, 1]))[18]

    assert affinity(0) > affinity(1) + 0.5


@pytest.mark.parametrize("kind", ["sasrec", "two_tower"])
def test_what_is_kept_of_the_items_is_what_the_networks_weights_make_of_them(tmp_path, kind):
    """Item 0 nobody took, so that the known ones have other numbers in the network."""
    sessions = [rows + 1 for rows in in_blocks()]
    labels = [[[70, 5], [], [9], [5, 9, 70], [70], []][row % 6] for row in range(N_ITEMS + 1)]
    labels[0] = [1]  # nobody else's, so it has no vector: 5, 9 and 70 are numbers 0, 1 and 2
    checkpoint = tmp_path / "checkpoint"
    model = fit(shaped(kind), sessions, n_items=N_ITEMS + 1, labels=labels, checkpoint=checkpoint)
    arrays = {
        name.removeprefix("best."): array.astype(np.float64)
        for name, array in load_file(checkpoint).items()
        if name.startswith("best.")
    }
    assert arrays["table.labels"].shape == (3, 8)
    sources = np.zeros((N_ITEMS + 1, 8))
    for row in range(1, N_ITEMS + 1):
        some = [[5, 9, 70].index(code) for code in labels[row]]
        borrowed = arrays["table.labels"][some].sum(axis=0) / np.sqrt(max(1, len(some)))
        sources[row] = arrays["table.ids"][row - 1] + borrowed
    np.testing.assert_allclose(model.sources, sources, atol=1e-6)
    vectors = sources
    if kind == "two_tower":
        vectors = numpy_residual(sources * np.sqrt(8), arrays, "item.net")
        vectors[0] = 0
    np.testing.assert_allclose(model.item_vectors, vectors, atol=1e-5)


def test_labels_of_nothing_are_no_labels():
    assert_same_numbers(fit(labels=[()] * N_ITEMS), fit())


def test_labels_of_items_that_nobody_took_do_not_matter():
    used = [[row % 3] for row in range(N_ITEMS)]
    one = fit(n_items=N_ITEMS + 1, labels=[*used, [1]])
    other = fit(n_items=N_ITEMS + 1, labels=[*used, [99, 98]])
    assert_same_numbers(one, other)
