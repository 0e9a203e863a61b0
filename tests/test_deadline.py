"""Deadlines by a clock that stands still, and layers that look at them."""

import threading
from types import SimpleNamespace

import pytest

from semrec.deadline import NEVER, Deadline, TimeUpError, watched

torch = pytest.importorskip("torch")


class Clock:
    now_s = 100.0

    def __call__(self):
        return self.now_s


def test_what_is_left_falls_to_nothing_and_never_below():
    clock = Clock()
    deadline = Deadline.within(250, clock)
    assert (deadline.left_ms, deadline.passed) == (250, False)
    clock.now_s += 0.25
    assert (deadline.left_ms, deadline.passed) == (0, True), "the moment itself is too late"
    clock.now_s += 1
    assert (deadline.left_ms, deadline.passed) == (0, True)


def test_without_a_budget_there_is_no_end():
    clock = Clock()
    assert Deadline.within(None, clock) == Deadline(clock=clock)
    clock.now_s = 1e12
    assert not Deadline.within(None, clock).passed
    assert NEVER.left_ms == float("inf")


def test_the_clock_of_a_budget_is_a_real_one():
    deadline = Deadline.within(60_000)
    assert 50_000 < deadline.left_ms <= 60_000
    assert Deadline.within(0).passed


def layers():
    return torch.nn.ModuleList(torch.nn.Linear(2, 2) for _ in range(3))


def decoder():
    model = SimpleNamespace(base_model=SimpleNamespace(layers=layers()))
    return model, model.base_model.layers


def encoder():
    """As BERT names its parts."""
    model = SimpleNamespace(base_model=SimpleNamespace(encoder=SimpleNamespace(layer=layers())))
    return model, model.base_model.encoder.layer


@pytest.mark.parametrize("make", [decoder, encoder])
def test_a_model_stops_before_the_layer_that_would_be_late(make):
    clock, (model, parts), x = Clock(), make(), torch.zeros(1, 2)
    with watched(model, Deadline.within(10, clock)):
        parts[0](x)
        clock.now_s += 1
        with pytest.raises(TimeUpError):
            parts[1](x)
        other = threading.Thread(target=parts[2], args=(x,))  # its request has its own deadline
        other.start()
        other.join()
    parts[1](x)  # nobody watches any more


def test_no_layer_is_begun_when_time_is_up_already_and_none_stays_watched():
    clock, (model, parts) = Clock(), decoder()
    with pytest.raises(TimeUpError), watched(model, Deadline.within(0, clock)):
        pytest.fail("the model was started")
    with pytest.raises(KeyError), watched(model, Deadline.within(10, clock)):
        raise KeyError
    clock.now_s += 1
    parts[0](torch.zeros(1, 2))


def test_a_model_without_known_layers_is_looked_at_once():
    clock = Clock()
    deadline = Deadline.within(10, clock)
    with watched(SimpleNamespace(base_model=object()), deadline):
        clock.now_s += 1  # nothing in it can be stopped
    assert deadline.passed
    with pytest.raises(TimeUpError), watched(SimpleNamespace(base_model=object()), deadline):
        pytest.fail("it was started")
