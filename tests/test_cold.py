"""Cold start on the planted world: withheld items are never learned from, and are found."""

from conftest import world_config

from semrec.bench.cold import LONG, cold_start
from semrec.encoders.hashing import HashingEncoder


def test_withheld_items_are_found_and_the_known_lose_nothing(world):
    [first, second] = cold_start(
        world, config=world_config(), encoder=HashingEncoder(dim=64), seeds=(0, 1)
    )
    for one in (first, second):
        assert one.n_items == 6
        assert one.n_cases > 10
        assert one.n_known > 10
        assert one.chance == round(LONG / 60, 6)
        assert 0 <= one.semantic <= 1
        assert one.fused > 0
        assert one.known >= 0.9 * one.known_alone
        assert set(one.to_dict()) >= {"fused", "semantic", "known", "known_alone"}
    assert first != second
    [again] = cold_start(world, config=world_config(), encoder=HashingEncoder(dim=64), seeds=(0,))
    assert again == first
