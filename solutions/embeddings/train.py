"""What `nlpcourse train` trains for the topic `embeddings`, on what, and how it is judged.

Words are judged by the course's probe set, sentences by finding the summary of a body of documentation. Settings are
those of the published programs, where these fit a corpus this small; the others (`limit`, passes, where Adagrad starts)
were chosen by the loss of training and by time, not by the probe set. The choices of the sentence vectors were made on
the split `dev`; what is recorded is `test`. There is no preset `gpu`: on so little text a GPU has nothing to do.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

from nlpcourse.data import probes, ratings
from solutions.embeddings import corpus as corpora
from solutions.embeddings import retrieval
from solutions.embeddings.corpus import Corpus
from solutions.embeddings.counting import SvdConfig, fast_cooccurrence, ppmi_vectors
from solutions.embeddings.evaluate import chance, neighbour_rank, probe_scores, rating_correlation
from solutions.embeddings.fast_skipgram import cbow_block, skipgram_block
from solutions.embeddings.glove_training import GloveConfig, GloveTask
from solutions.embeddings.sentence_training import InfoNceTask, SentenceConfig
from solutions.embeddings.window_training import FastTextConfig, WindowConfig, WindowTask
from solutions.embeddings.word_map import word_map
from solutions.training.loop import fit
from solutions.training.runs import Result, Run
from solutions.training.session import Session

_SMOKE = {"texts": 4000, "dimension": 32, "smallest_count": 2}


def train_windows(config: WindowConfig, session: Session, block: Callable[..., Any]) -> Result:
    """SGNS, CBOW or FastText."""
    corpus = _corpus(config)
    judge = Judge(config)
    task = WindowTask(corpus, config, seed=session.seed, block=block, measure=judge.scores)
    fit(task, session)
    files = {}
    if config.map_words and session.seed == 0:
        files["map.json"] = word_map(
            task.vectors(), corpus.vocabulary, words=config.map_words, seed=session.seed
        )
    return judge.result(task.vectors(), session.seed, files)


def train_sgns(config: WindowConfig, session: Session) -> Result:
    """Skip-gram with negative sampling; FastText, when the configuration is FastText's."""
    return train_windows(config, session, skipgram_block)


def train_cbow(config: WindowConfig, session: Session) -> Result:
    """Continuous bag of words with negative sampling."""
    return train_windows(config, session, cbow_block)


def train_glove(config: GloveConfig, session: Session) -> Result:
    """GloVe."""
    corpus = _corpus(config)
    judge = Judge(config)
    task = GloveTask(corpus, config, seed=session.seed, measure=judge.scores)
    fit(task, session)
    return judge.result(task.vectors(), session.seed)


def train_svd(config: SvdConfig, session: Session) -> Result:
    """PPMI and a truncated SVD: counted, not trained; the seed is that of the fast SVD."""
    corpus = _corpus(config)
    with session.stretch(corpus.running_words):
        vectors = _count(corpus, config, session.seed)
    return Judge(config).result(vectors, session.seed)


def train_sentences(config: SentenceConfig, session: Session) -> Result:
    """Sentence vectors: the mean, SIF, and word vectors tuned by InfoNCE, all from the same counted vectors."""
    corpus = _corpus(config)
    vectors = _count(corpus, config, session.seed)
    training = retrieval.text_pairs("train")
    parts = {"train": training[: config.most_pairs or None], "dev": retrieval.text_pairs("dev")}
    parts["test"] = retrieval.text_pairs("test")
    bags = {
        split: [retrieval.Bags.of([pair[side] for pair in pairs], corpus.vocabulary) for side in (0, 1)]
        for split, pairs in parts.items()
    }  # by split: summaries, bodies
    equal, weights = torch.ones(len(vectors)), retrieval.sif_weights(corpus.counts, config.a)

    def found(split: str, table: Tensor, weights: Tensor, *, sif: bool = False) -> dict[str, float]:
        summaries, bodies = (retrieval.encode(side, table, weights) for side in bags[split])
        if sif:
            seen = torch.cat([retrieval.encode(side, table, weights) for side in bags["train"]])
            summaries, bodies = (
                retrieval.without_common_direction(side, seen) for side in (summaries, bodies)
            )
        return retrieval.retrieval(bodies, summaries)

    def on_dev(table: Tensor) -> dict[str, float]:
        return {f"dev {name}": value for name, value in found("dev", table, weights).items()}

    summaries, bodies = bags["train"]
    task = InfoNceTask(vectors, weights, summaries, bodies, config, seed=session.seed, measure=on_dev)
    fit(task, session)
    methods = {
        "mean": found("test", vectors, equal),
        "sif": found("test", vectors, weights, sif=True),
        "infonce": found("test", task.vectors(), weights),
    }
    noise = torch.randn(vectors.shape, generator=torch.Generator().manual_seed(session.seed))
    baselines = {
        "random": found("test", noise, weights),
        "tfidf": retrieval.ranking(retrieval.tfidf_scores(parts["test"], parts["train"])),
    }
    counts = {f"{split} pairs": len(pairs) for split, pairs in parts.items()}
    metrics = {f"{method} {name}": value for method, each in methods.items() for name, value in each.items()}
    return Result({**corpus.info, **counts}, metrics, baselines)


class Judge:
    """The probe set, for the words of a corpus.

    A run on a part of the corpus, such as `smoke`, is asked only about the words that this part has.
    """

    def __init__(self, config: WindowConfig | GloveConfig | SvdConfig) -> None:
        kinds = probes.load()
        self._config, self._corpus = config, _corpus(config)
        self._kinds = probes.among(kinds, self._corpus.vocabulary.words) if config.texts else kinds

    def scores(self, vectors: Tensor) -> dict[str, float]:
        """The share of right answers in each kind, and their mean."""
        return probe_scores(vectors, self._corpus.vocabulary, self._kinds)

    def result(self, vectors: Tensor, seed: int, files: dict[str, Any] | None = None) -> Result:
        """The result of a run, with what random and counted vectors give on the same questions.

        Rank correlations with people's ratings are in it where the files of these ratings are on this machine.
        """
        vocabulary = self._corpus.vocabulary
        ranks = {
            f"{kind.name} rank": neighbour_rank(vectors, vocabulary, kind)
            for kind in self._kinds
            if kind.near
        }
        known, rated = {}, {}
        for name, pairs in ratings.here().items():
            correlation, known[f"{name} pairs"] = rating_correlation(vectors, vocabulary, pairs)
            if known[f"{name} pairs"] >= 3:
                rated[name] = correlation
        noise = torch.randn(vectors.shape, generator=torch.Generator().manual_seed(seed))
        counted = _counted_baseline(self._config.smallest_count, self._config.texts, vectors.shape[1])
        baselines = {
            "chance": chance(vocabulary, self._kinds),
            "random": self.scores(noise),
            "ppmi-svd": self.scores(counted),
        }
        metrics = {**self.scores(vectors), **ranks, **rated}
        return Result({**self._corpus.info, **known}, metrics, baselines, files)


def _corpus(config: WindowConfig | GloveConfig | SvdConfig) -> Corpus:
    return _load(config.smallest_count, config.texts)


@cache
def _load(smallest_count: int, texts: int) -> Corpus:
    return corpora.load(smallest_count=smallest_count, texts=texts)


@cache
def _counted_baseline(smallest_count: int, texts: int, dimension: int) -> Tensor:
    """(V, D), counted vectors to compare with: once for all seeds."""
    return _count(_load(smallest_count, texts), SvdConfig(dimension=dimension), 0)


def _count(corpus: Corpus, config: SvdConfig, seed: int) -> Tensor:
    """(V, D), vectors from PPMI and a truncated SVD."""
    counts = fast_cooccurrence(
        corpus.words, corpus.texts, vocabulary_size=len(corpus.vocabulary), window=config.window, flat=True
    )
    generator = torch.Generator().manual_seed(seed)
    return ppmi_vectors(counts, dimension=config.dimension, power=config.power, generator=generator)


RUNS = (
    Run(
        "sgns",
        "skip-gram with negative sampling",
        {
            "smoke": WindowConfig(epochs=2, **_SMOKE),
            "laptop": WindowConfig(map_words=400),
        },
        train_sgns,
        threads=1,
    ),
    Run(
        "cbow",
        "continuous bag of words with negative sampling",
        {"smoke": WindowConfig(epochs=3, lr=0.05, **_SMOKE), "laptop": WindowConfig(lr=0.05)},
        train_cbow,
        threads=1,
    ),
    Run(
        "fasttext",
        "skip-gram on character n-grams",
        {
            "smoke": FastTextConfig(epochs=2, lr=0.05, buckets=2000, **_SMOKE),
            "laptop": FastTextConfig(lr=0.05),
        },
        train_sgns,
        threads=1,
    ),
    Run(
        "glove",
        "GloVe: vectors fitted to the logarithms of counts",
        {"smoke": GloveConfig(epochs=4, **_SMOKE), "laptop": GloveConfig()},
        train_glove,
        threads=1,
    ),
    Run(
        "ppmi-svd",
        "PPMI and a truncated SVD",
        {"smoke": SvdConfig(**_SMOKE), "laptop": SvdConfig()},
        train_svd,
        threads=1,
    ),
    Run(
        "sentences",
        "sentence vectors: mean, SIF, InfoNCE",
        {"smoke": SentenceConfig(rounds=2, most_pairs=1000, **_SMOKE), "laptop": SentenceConfig()},
        train_sentences,
        threads=1,
    ),
)
