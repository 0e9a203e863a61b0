"""Lines of progress: which are written, and what they say."""

from semrec.cli.progress import Lines


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def told(*steps):
    """The lines of steps ``(seconds from the start, stage, done, total[, detail])``."""
    clock, written = Clock(), []
    lines = Lines(written.append, clock=clock)
    for seconds, *step in steps:
        clock.now = 100.0 + seconds
        lines(*step)
    return written


def test_a_stage_is_told_as_it_begins_and_as_it_ends():
    assert told((1, "fit", 0, 1), (2.04, "fit", 1, 1)) == [
        "[    1.0 s] fit",
        "[    2.0 s] fit done",
    ]


def test_within_a_stage_there_is_a_line_each_ten_seconds_at_most():
    steps = [(n, "embed items", 100 * n, 3_500, f"{n} items/s") for n in range(36)]
    assert told(*steps) == [
        "[    0.0 s] embed items (0 items/s)",
        "[   10.0 s] embed items 1,000/3,500 (10 items/s)",
        "[   20.0 s] embed items 2,000/3,500 (20 items/s)",
        "[   30.0 s] embed items 3,000/3,500 (30 items/s)",
        "[   35.0 s] embed items done (35 items/s)",
    ]


def test_a_stage_that_is_left_before_its_end_gives_way_to_the_next():
    assert told((0, "try", 0, 9), (1, "try", 3, 9), (2, "fit", 0, 1), (3, "fit", 1, 1)) == [
        "[    0.0 s] try",
        "[    2.0 s] fit",
        "[    3.0 s] fit done",
    ]


def test_a_stage_that_comes_again_is_told_again():
    assert told(*[(n, "fit", n % 2, 1) for n in range(4)]) == [
        "[    0.0 s] fit",
        "[    1.0 s] fit done",
        "[    2.0 s] fit",
        "[    3.0 s] fit done",
    ]


def test_what_went_on_from_an_earlier_build_says_from_where():
    assert told((0, "train", 40, 80), (1, "train", 80, 80))[0] == "[    0.0 s] train 40/80"
