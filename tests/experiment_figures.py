"""Simulated experiments: how often a difference is seen where there is none, and the like.

python tests/experiment_figures.py
"""

import sys

import numpy as np

from semrec.errors import DataError
from semrec.experiments.analyse import adjusted, check_ratio, paired, sign_p, unpaired
from semrec.experiments.assign import arm_of, enrolled
from semrec.experiments.exploration import draw_order, propensities
from semrec.experiments.interleave import team_draft
from semrec.experiments.off_policy import Z, off_policy

K = 10
EXAMINED = 1 / np.log2(np.arange(K) + 2)  # how probably somebody looks at a position


def sessions_of(rng, n):
    """How active each session is, what it did before, and what it does on its lists."""
    active = rng.gamma(1.0, 1.0, n)
    return rng.poisson(3 * active).astype(float), rng.poisson(active).astype(float)


def ab_false_positives(n_runs=1_000, n_sessions=400, seed=0):
    """Shares of A/A runs with p < .05: fixed, with CUPED, and at any of ten looks, sequentially."""
    rng = np.random.default_rng(seed)
    fixed = cuped = sequential = mismatched = 0
    for run in range(n_runs):
        before, values = sessions_of(rng, n_sessions)
        in_b = np.array([arm_of(f"aa{run}", f"s{i}") == "b" for i in range(n_sessions)])
        fixed += unpaired(values[~in_b], values[in_b]).p < 0.05
        reduced = adjusted(values, before)
        cuped += unpaired(reduced[~in_b], reduced[in_b]).p < 0.05
        looks = np.linspace(n_sessions / 4, n_sessions, 10).astype(int)
        sequential += any(
            unpaired(values[:n][~in_b[:n]], values[:n][in_b[:n]]).always_p < 0.05 for n in looks
        )
        try:
            check_ratio([int((~in_b).sum()), int(in_b.sum())])
        except DataError:
            mismatched += 1
    shares = {"fixed": fixed, "cuped": cuped, "sequential": sequential, "srm": mismatched}
    return {name: count / n_runs for name, count in shares.items()}


def interleaved_differences(rng, n_sessions, noise_a=1.0, noise_b=1.0, n_items=30):
    """Credit of b less that of a, session by session; arms rank the same relevance with noise."""
    differences = np.zeros(n_sessions)
    for session in range(n_sessions):
        relevance = rng.normal(size=n_items)
        a, b = (
            [str(i) for i in np.argsort(-relevance - rng.normal(scale=noise, size=n_items))]
            for noise in (noise_a, noise_b)
        )
        drafted = team_draft(a, b, K, rng)
        teams = np.array([{"a": -1, "b": 1, None: 0}[team] for team in drafted.teams])
        liked = 1 / (1 + np.exp(1.5 - relevance[[int(item) for item in drafted.items]]))
        differences[session] = (teams * (rng.random(K) < EXAMINED * liked)).sum()
    return differences


def interleaving_rejections(n_runs=1_000, n_sessions=60, noise_b=1.0, seed=1):
    """Shares of runs with p < .05: of the paired interval, of the sign test."""
    rng = np.random.default_rng(seed)
    runs = [interleaved_differences(rng, n_sessions, noise_b=noise_b) for _ in range(n_runs)]
    return {
        "paired": float(np.mean([paired(run).p < 0.05 for run in runs])),
        "sign": float(np.mean([sign_p(run) < 0.05 for run in runs])),
    }


def explored(rng, n, logged, target):
    """Rewards of `n` lists whose tail was drawn, and the probabilities of their orders."""
    scores = np.sort(rng.normal(size=(n, 5)))[:, ::-1]
    order = draw_order(scores, logged, rng)
    ordered = np.take_along_axis(scores, order, axis=1)
    liked = 1 / (1 + np.exp(-ordered - rng.normal(scale=0.5, size=ordered.shape)))
    rewards = (rng.random(ordered.shape) < EXAMINED[5:] * liked).sum(axis=1).astype(float)
    probabilities = [propensities(ordered, t).prod(axis=1) for t in (logged, target)]
    return rewards, *probabilities, ordered


def off_policy_coverage(n_logs=300, n=2_000, logged=0.5, target=0.25, seed=2):
    """Shares of logs whose estimate lies within two standard errors of the true value."""
    rng = np.random.default_rng(seed)
    truth = explored(rng, 2_000_000, target, target)[0].mean()
    within = {"ips": 0, "snips": 0, "dr": 0}
    effective = []
    for _ in range(n_logs):
        rewards, given, wanted, ordered = explored(rng, n, logged, target)
        other, *_, others = explored(rng, n, logged, target)  # a model of another log
        x = np.c_[np.ones(n), others @ EXAMINED[5:]]
        slope, *_ = np.linalg.lstsq(x, other, rcond=None)
        drawn = np.take_along_axis(ordered, draw_order(ordered, target, rng), axis=1)
        estimates = off_policy(
            rewards,
            given,
            wanted,
            predicted=slope[0] + slope[1] * (ordered @ EXAMINED[5:]),
            expected=slope[0] + slope[1] * (drawn @ EXAMINED[5:]),
        )
        effective.append(estimates.effective)
        for name in within:
            estimate = getattr(estimates, name)
            within[name] += abs(estimate.mean - truth) <= 2 / Z * (estimate.high - estimate.mean)
    return {name: count / n_logs for name, count in within.items()} | {
        "truth": float(truth),
        "effective": float(np.mean(effective)),
    }


def main():
    for share in (0.1, 0.5):
        names = [f"s{i}" for i in range(100_000)]
        part = [name for name in names if enrolled("figures", name, share)]
        in_b = np.mean([arm_of("figures", name) == "b" for name in part])
        say(f"share {share}", {"take part": len(part) / len(names), "of them in b": in_b})
    say("A/B, A/A runs with p < .05", ab_false_positives())
    say("interleaving, A/A runs with p < .05", interleaving_rejections())
    say("interleaving, noise 1.25, 200 sessions", interleaving_rejections(200, 200, 1.25))
    say("off-policy, within 2 standard errors", off_policy_coverage())


def say(what, figures):
    figures = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
    sys.stdout.write(f"{what}: {figures}\n")


if __name__ == "__main__":
    main()
