"""Skip-gram with negative sampling beside gensim: words per second and probe accuracy, in one run.

Both get the same texts, width, epochs, window, negatives, thinning and rates. gensim gets two threads and reads its
texts from a file, its fastest way; our training runs on one thread, because a second one does not pay for products so
small. Their turns alternate, so that what else the machine does meets both.

    python -m pip install -e '.[bench]'
    python bench/embeddings.py --repeat 3
    python bench/embeddings.py --gensim-python /path/to/another/python --json FILE
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically
from solutions.embeddings import corpus as corpora
from solutions.embeddings.corpus import Corpus
from solutions.embeddings.evaluate import probe_scores
from solutions.embeddings.fast_skipgram import skipgram_block
from solutions.embeddings.window_training import WindowConfig, WindowTask
from solutions.training import record

GENSIM = """if True:
    import json, sys, time
    from pathlib import Path

    import gensim
    from gensim.models import Word2Vec

    given = json.loads(sys.argv[1])
    folder = Path(sys.argv[2])
    model = Word2Vec(
        vector_size=given["dimension"], window=given["window"], negative=given["negatives"],
        sample=given["sample"], alpha=given["lr"], min_count=1, sg=1, hs=0, workers=given["threads"],
        seed=given["seed"],
    )
    texts = str(folder / "texts.txt")
    model.build_vocab(corpus_file=texts)
    wall, cpu = time.perf_counter(), time.process_time()
    model.train(
        corpus_file=texts, total_examples=model.corpus_count, total_words=model.corpus_total_words,
        epochs=given["epochs"],
    )
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    model.wv.vectors.astype("<f4").tofile(folder / "vectors.bin")
    answer = {"words": model.wv.index_to_key, "version": gensim.__version__, **seconds}
    (folder / "answer.json").write_text(json.dumps(answer))
"""


def ours(corpus: Corpus, config: WindowConfig, *, seed: int) -> dict[str, Any]:
    """Train, and measure time and accuracy."""
    task = WindowTask(corpus, config, seed=seed, block=skipgram_block, measure=lambda vectors: {})
    wall, cpu = time.perf_counter(), time.process_time()
    for epoch in range(config.epochs):
        batches = task.batches()
        for number, batch in enumerate(batches):
            task.update(batch, (epoch + number / len(batches)) / config.epochs)
    seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    return _result(corpus, config, task.vectors(), seconds)


def gensim(corpus: Corpus, config: WindowConfig, *, seed: int, threads: int, python: str) -> dict[str, Any]:
    """The same by gensim, in a process of its own.

    Raises:
        CourseError: gensim is not installed there, or fails.
    """
    given = {**asdict(config), "seed": seed, "threads": threads}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_texts(corpus, folder / "texts.txt")
        command = [python, "-c", GENSIM, json.dumps(given), name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise CourseError(f"gensim failed in {python}: {reason}; install the extra bench there")
        answer = json.loads((folder / "answer.json").read_text())
        rows = torch.frombuffer(bytearray((folder / "vectors.bin").read_bytes()), dtype=torch.float32)
    vectors = torch.zeros(len(corpus.vocabulary), config.dimension)
    vectors[corpus.vocabulary.encode(answer["words"])] = rows.view(-1, config.dimension)
    result = _result(corpus, config, vectors, {"wall": answer["wall"], "cpu": answer["cpu"]})
    return {**result, "version": answer["version"]}


def _write_texts(corpus: Corpus, path: Path) -> None:
    """One text a line, without the rare words, exactly as our training sees them."""
    lengths = torch.bincount(corpus.texts).tolist()
    texts = corpus.words.split(lengths)
    path.write_text("\n".join(" ".join(corpus.vocabulary.decode(text.tolist())) for text in texts) + "\n")


def _result(
    corpus: Corpus, config: WindowConfig, vectors: Tensor, seconds: dict[str, float]
) -> dict[str, Any]:
    words = corpus.running_words * config.epochs
    scores = probe_scores(vectors, corpus.vocabulary)
    return {
        "words per second": words / seconds["wall"],
        "words per cpu second": words / seconds["cpu"],
        **scores,
    }


def summary(results: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, float]]:
    """Medians of every number, by program."""
    return {
        name: {
            key: statistics.median(run[key] for run in runs)
            for key in runs[0]
            if isinstance(runs[0][key], float)
        }
        for name, runs in results.items()
    }


def _table(medians: dict[str, dict[str, float]]) -> Table:
    table = Table(title="medians")
    for heading in ("program", *next(iter(medians.values()))):
        table.add_column(heading, justify="left" if heading == "program" else "right", overflow="fold")

    def form(value: float) -> str:
        return f"{value:,.0f}" if value > 100 else f"{value:.3f}"

    for name, row in medians.items():
        table.add_row(name, *map(form, row.values()))
    one, other = medians.values()
    table.add_row("ratio", *(f"{one[key] / other[key]:.2f}" if other[key] else "" for key in one))
    return table


def main() -> None:
    """Read the arguments, run, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gensim-python", default=sys.executable, help="the Python that has gensim")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="of gensim")
    parser.add_argument("--repeat", type=int, default=3, help="turns of each, with seeds 0, 1, ...")
    parser.add_argument("--json", type=Path, help="write all results here")
    given = parser.parse_args()
    torch.set_num_threads(1)
    config = WindowConfig(epochs=given.epochs)
    corpus = corpora.load(smallest_count=config.smallest_count)
    results: dict[str, list[dict[str, Any]]] = {"this course": [], "gensim": []}
    for seed in range(given.repeat):
        results["this course"].append(ours(corpus, config, seed=seed))
        other = {"threads": given.threads, "python": given.gensim_python}
        results["gensim"].append(gensim(corpus, config, seed=seed, **other))
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    console = Console()
    console.print(_table(summary(results)))
    console.print(
        f"{corpus.running_words:,} words, {given.epochs} epochs, {given.repeat} turns each, "
        f"1 thread against {given.threads}, load {load:.1f} on {record.hardware()['cores']} cores",
        soft_wrap=True,
    )
    if given.json:
        content = {
            "config": asdict(config),
            "threads": given.threads,
            "data": corpus.info,
            "hardware": record.hardware(),
            "versions": record.versions(),
            "load": load,
            "results": results,
        }
        write_atomically(given.json, json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except CourseError as error:
        sys.exit(f"error: {error}")
