"""How well a simple classifier tells the topic of a prompt from what the wire shows of its sealed answer.

usage: leakage.py RECORDS      the lines that bench/channel/src/bin/leakage.rs prints

For each padding profile two attackers are trained and tested by cross-validation (five folds, stratified, three times over, seeds fixed): logistic
regression on totals alone (chunks, bytes, times, size of the request), and a forest of 300 trees on everything: totals, quantiles of sizes and gaps,
and the sequences of both. The AUC is the mean over topics of one against the rest, from probabilities of prompts that the model was not
trained on; its interval is a bootstrap over prompts. 0.5 is guessing. A last row shuffles the labels: what the method gives where there is
nothing to find.
"""
import json
import sys
from collections import Counter, defaultdict

import numpy as np
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

FOLDS, REPEATS, BOOTSTRAPS, SEED = 5, 3, 1000, 4
SEQUENCE = 128
QUANTILES = (0, 0.1, 0.25, 0.5, 0.75, 0.9, 1)
NAMES = {"off": "unpadded, a chunk for each token (off)", "default": "default", "strict": "strict"}


def totals(record):
    return [len(record["bytes"]), sum(record["bytes"]), record["ms"][-1] - record["ms"][0], record["ms"][0], record["request"]]


def everything(record):
    sizes, gaps = np.array(record["bytes"], float), np.diff(record["ms"], prepend=0.0)
    summary = [*np.quantile(sizes, QUANTILES), sizes.std(), *np.quantile(gaps, QUANTILES), gaps.std()]
    padded = [np.pad(values[:SEQUENCE], (0, max(0, SEQUENCE - len(values)))) for values in (sizes, gaps)]
    return np.concatenate([totals(record), summary, *padded])


ATTACKERS = {
    "totals": (totals, lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))),
    "everything": (everything, lambda: ExtraTreesClassifier(n_estimators=300, min_samples_leaf=2, random_state=SEED)),
}


def held_out_probabilities(features, topics, make):
    """Probability of each topic for each record, by models that have not seen it; the mean over the repetitions."""
    names = sorted(set(topics))
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=SEED)
    sums = np.zeros((len(topics), len(names)))
    for train, test in folds.split(features, topics):
        sums[test] += make().fit(features[train], topics[train]).predict_proba(features[test])
    return names, sums / REPEATS


def auc(topics, names, probabilities):
    """Mean over topics of the probability that a record on it is ranked above one that is not (Mann and Whitney)."""
    ranks = rankdata(probabilities, axis=0)
    on = topics[:, None] == np.array(names)
    count = on.sum(axis=0)
    above = (ranks * on).sum(axis=0) - count * (count + 1) / 2
    return np.mean(above / (count * (len(topics) - count)))


def interval(topics, names, probabilities):
    """95 % of the bootstrap over prompts; draws without every topic are drawn again."""
    random, values = np.random.default_rng(SEED), []
    while len(values) < BOOTSTRAPS:
        drawn = random.integers(0, len(topics), len(topics))
        if len(set(topics[drawn])) == len(names):
            values.append(auc(topics[drawn], names, probabilities[drawn]))
    return np.quantile(values, (0.025, 0.975))


def report(label, records, topics):
    for attacker, (extract, make) in ATTACKERS.items():
        features = np.array([extract(record) for record in records], float)
        names, probabilities = held_out_probabilities(features, topics, make)
        low, high = interval(topics, names, probabilities)
        print(f"leakage {label}, {attacker}: AUC {auc(topics, names, probabilities):.3f} (95 % {low:.3f} to {high:.3f})", flush=True)


def main():
    profiles = defaultdict(list)
    with open(sys.argv[1]) as lines:
        for record in map(json.loads, lines):
            profiles[record["profile"]].append(record)
    for profile, records in profiles.items():
        topics = np.array([record["topic"] for record in records])
        counts = ", ".join(f"{name} {count}" for name, count in sorted(Counter(topics).items()))
        chunks = sorted({len(record["bytes"]) for record in records})
        sizes = sorted({size for record in records for size in record["bytes"]})
        shown = lambda values: str(values) if len(values) < 9 else f"{len(values)} values from {values[0]} to {values[-1]}"
        print(f"{profile}: {len(records)} answers ({counts}); chunk sizes {shown(sizes)}; chunks per answer {shown(chunks)}; "
              f"request sizes {shown(sorted({record['request'] for record in records}))}")
        report(NAMES[profile], records, topics)
    records = profiles["off"]
    topics = np.array([record["topic"] for record in records])
    report("control (off, labels shuffled)", records, np.random.default_rng(SEED).permutation(topics))


if __name__ == "__main__":
    main()
