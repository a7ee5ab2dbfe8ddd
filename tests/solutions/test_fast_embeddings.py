"""The fast forms of word vectors against the clear ones: the same pairs, losses, gradients and steps."""

from collections import Counter

import pytest
import torch
from torch import Tensor

from solutions.embeddings import tiles
from solutions.embeddings.corpus import Corpus, from_tokens
from solutions.embeddings.counting import SvdConfig, fast_cooccurrence, ppmi_vectors
from solutions.embeddings.fast_skipgram import cbow_block, skipgram_block
from solutions.embeddings.fasttext import character_ngrams
from solutions.embeddings.glove import cooccurrence, glove_loss
from solutions.embeddings.glove_training import GloveConfig, GloveTask
from solutions.embeddings.pairs import skipgram_pairs
from solutions.embeddings.rows import NgramRows, WordRows
from solutions.embeddings.skipgram import sgns_gradient, sgns_loss
from solutions.embeddings.vocabulary import Vocabulary
from solutions.embeddings.window_training import FastTextConfig, WindowConfig, WindowTask

T, W, M, K, D, V = 4, 3, 6, 5, 7, 11
TEXTS = [[3, 1, 4, 1, 5, 9, 2, 6], [5], [3, 5, 8, 9, 7], [2, 7]]


def flat() -> tuple[Tensor, Tensor]:
    words = torch.tensor([word for text in TEXTS for word in text])
    return words, torch.repeat_interleave(torch.arange(len(TEXTS)), torch.tensor([len(t) for t in TEXTS]))


def cut(window: int, *, keep: float = 1.0, seed: int = 0) -> tiles.Tiles:
    generator = torch.Generator().manual_seed(seed)
    return tiles.cut(*flat(), torch.full((V,), keep), window=window, size=T, generator=generator)


def pairs_of(each: tiles.Tiles) -> Counter:
    tile, word, place = each.mask(torch.arange(len(each.centers))).nonzero(as_tuple=True)
    return Counter(
        zip(each.centers[tile, word].tolist(), each.surroundings[tile, place].tolist(), strict=True)
    )


def clear_pairs(window: int) -> Counter:
    return Counter(
        tuple(row) for text in TEXTS for row in skipgram_pairs(torch.tensor(text), window).tolist()
    )


def test_tiles_hold_the_pairs_of_every_text() -> None:
    assert pairs_of(cut(1)) == clear_pairs(1)  # with one place the reach is never drawn


def test_a_word_reaches_a_drawn_number_of_places() -> None:
    drawn = [pairs_of(cut(W, seed=seed)) for seed in range(300)]
    assert all(each <= clear_pairs(W) for each in drawn)
    assert all(clear_pairs(1) <= each for each in drawn)
    # a pair that is 3 apart needs a reach of 3, one of three that are equally likely
    assert sum(each[(3, 9)] for each in drawn) / 300 == pytest.approx(
        1 / 3, abs=0.13
    )  # 4.8 standard deviations
    assert sum(each[(3, 8)] for each in drawn) / 300 == pytest.approx(2 / 3, abs=0.13)


def test_thinned_words_leave_no_gap() -> None:
    few = pairs_of(cut(1, keep=0.5, seed=3))
    assert few and few.total() < clear_pairs(1).total()
    assert not few <= clear_pairs(1), "words that stand next to each other after thinning make pairs"


def test_frequent_words_are_kept_less_often() -> None:
    counts = torch.tensor([0, 9000, 900, 100])
    kept = tiles.keep_probability(counts, 0.01)
    assert kept[1].item() == pytest.approx((0.01 / 0.9) ** 0.5 + 0.01 / 0.9)
    assert kept[2] > kept[1] and kept[3] == 1
    assert tiles.keep_probability(counts, 0).tolist() == [1, 1, 1, 1]


def block(n: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    """Vectors (n, T, D) and (n, T + 2W, D) with noise (n, M, D) behind, and a mask that leaves a word without pairs."""
    generator = torch.Generator().manual_seed(1)
    mask = (torch.rand(n, T, T + 2 * W, generator=generator) < 0.4).double()
    mask[0, 1] = 0
    tile = torch.randn(n, T, D, generator=generator, dtype=torch.float64)
    return tile, torch.randn(n, T + 2 * W + M, D, generator=generator, dtype=torch.float64), mask


def test_skipgram_block_is_sgns_loss() -> None:
    tile, others, mask = (each.requires_grad_() for each in block())
    S = mask.shape[2]
    n, i, j = mask.nonzero(as_tuple=True)
    center, context, noise = tile[n, i], others[n, j], others[n, S:]
    alone = sgns_loss(center, context, noise[:, :0])
    clear = alone + (K / M) * (sgns_loss(center, context, noise) - alone)  # M shared words that stand for K
    total = clear * len(n)
    total.backward()
    with torch.no_grad():
        step, loss = skipgram_block(tile, others, mask.detach(), K, with_loss=True)
    assert loss == pytest.approx(clear.item(), abs=1e-5)
    torch.testing.assert_close(step.first, tile.grad, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(step.second, others.grad, atol=1e-5, rtol=1e-5)
    assert step.first_pairs.sum() == pytest.approx(len(n) * (1 + K))
    assert step.second_pairs.sum() == pytest.approx(len(n) * (1 + K))


def test_skipgram_block_is_sgns_gradient() -> None:
    tile, others, _ = block(1)
    mask = torch.zeros(1, T, T + 2 * W, dtype=torch.float64)
    mask[0, 2, 4] = 1
    step, _ = skipgram_block(tile, others, mask, M, with_loss=False)
    S = mask.shape[2]
    for_center, for_context, for_noise = sgns_gradient(tile[0, 2:3], others[0, 4:5], others[0:1, S:])
    torch.testing.assert_close(step.first[0, 2], for_center[0])
    torch.testing.assert_close(step.second[0, 4], for_context[0])
    torch.testing.assert_close(step.second[0, S:], for_noise[0])


def test_cbow_block_is_sgns_loss_of_means() -> None:
    tile, around, mask = block()
    S = mask.shape[2]
    surroundings, noise = around[:, :S], around[:, S:]
    others = torch.cat([tile, noise], dim=1).requires_grad_()
    n, i = (mask.sum(dim=2) > 0).nonzero(as_tuple=True)
    means = torch.stack([surroundings[a][mask[a, b] > 0].mean(dim=0) for a, b in zip(n, i, strict=True)])
    means.requires_grad_()
    alone = sgns_loss(means, others[n, i], others[n, T:][:, :0])
    clear = alone + (K / M) * (sgns_loss(means, others[n, i], others[n, T:]) - alone)
    (clear * len(n)).backward()
    spread = torch.zeros_like(surroundings)  # every word of a window gets the mean's whole gradient
    for a, b, gradient in zip(n, i, means.grad, strict=True):
        spread[a] += mask[a, b][:, None] * gradient
    with torch.no_grad():
        step, loss = cbow_block(surroundings, others, mask, K, with_loss=True)
    assert loss == pytest.approx(clear.item(), abs=1e-5)
    torch.testing.assert_close(step.first, spread, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(step.second, others.grad, atol=1e-5, rtol=1e-5)


def test_a_step_is_plain_sgd() -> None:
    table = torch.randn(V, D)
    before = table.clone()
    words, gradient = torch.tensor([3, 3, 5]), torch.randn(3, D)
    WordRows(table).descend(words, gradient.clone(), torch.tensor([2.0, 2.0, 1.0]), lr=0.1, limit=4)
    before[3] -= 0.1 * (gradient[0] + gradient[1])
    before[5] -= 0.1 * gradient[2]
    torch.testing.assert_close(table, before)


def test_a_crowded_vector_moves_as_if_the_limit_pulled() -> None:
    table = torch.zeros(V, 1)
    ones = torch.ones(3, 1)
    WordRows(table).descend(torch.tensor([3, 3, 5]), ones, torch.tensor([6.0, 2.0, 2.0]), lr=1.0, limit=4)
    assert table[3].item() == pytest.approx(-2 / 2)  # 8 pairs pull like 4
    assert table[5].item() == pytest.approx(-1)


def test_a_word_of_fasttext_is_the_mean_of_its_pieces() -> None:
    vocabulary = Vocabulary([["tensor", "tensors", "a"]])
    table = torch.randn(len(vocabulary) + 997, D)
    rows = NgramRows(vocabulary, table, smallest=3, largest=6)
    (one, other, letter) = vocabulary.encode(["tensor", "tensors", "a"])
    vectors = rows.gather(torch.tensor([[one, other], [letter, one]]))
    torch.testing.assert_close(vectors[0, 0], vectors[1, 1])
    torch.testing.assert_close(vectors[1, 0], table[letter])  # "<a>" has no piece but itself
    before = table.clone()
    rows.descend(torch.tensor([one, one]), torch.ones(2, D), torch.ones(2), lr=0.5, limit=100)
    moved = (table != before).any(dim=1)
    pieces = character_ngrams("tensor")
    assert moved.sum() == len(set(pieces)) and moved[one] and not moved[other]
    torch.testing.assert_close(table[moved], before[moved] - 1.0)
    torch.testing.assert_close(rows.gather(torch.tensor(one)[None])[0], vectors[0, 0] - 1.0)
    shared = len(set(pieces) & set(character_ngrams("tensors")))
    torch.testing.assert_close(
        rows.gather(torch.tensor(other)[None])[0],
        vectors[0, 1] - shared / len(character_ngrams("tensors")),
    )


@pytest.mark.parametrize("is_flat", [True, False])
def test_counts_are_those_of_the_clear_form(is_flat: bool) -> None:
    sparse = fast_cooccurrence(*flat(), vocabulary_size=V, window=W, flat=is_flat)
    dense = torch.zeros(V, V)
    dense[sparse.rows, sparse.columns] = sparse.values
    if is_flat:
        expected = torch.zeros(V, V)
        for (a, b), count in clear_pairs(W).items():
            expected[a, b] = count
    else:
        expected = sum(cooccurrence(torch.tensor(text), vocabulary_size=V, window=W) for text in TEXTS)
    torch.testing.assert_close(dense, expected)
    assert len(sparse.values) == (expected > 0).sum()


def test_ppmi_vectors_are_those_of_a_full_decomposition() -> None:
    counts = fast_cooccurrence(*flat(), vocabulary_size=V, window=W, flat=True)
    table = torch.zeros(V, V)
    table[counts.rows, counts.columns] = counts.values
    columns = table.sum(dim=0) ** 0.75
    chances = table.sum(dim=1, keepdim=True) * columns / columns.sum()
    ppmi = torch.where(table > 0, (table / chances).log().clamp(min=0), 0.0)
    U, sigma, _ = torch.linalg.svd(ppmi)
    full = U[:, :3] * sigma[:3].sqrt()
    ours = ppmi_vectors(counts, dimension=3, power=0.75, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours @ ours.T, full @ full.T, atol=1e-4, rtol=1e-4)


def small_corpus() -> Corpus:
    """Two families of words, each with company of its own: a good vector stands near its family."""
    generator = torch.Generator().manual_seed(0)
    texts = []
    for number in range(300):
        family = "ab"[number % 2]
        texts.append([f"{family}{i}" for i in torch.randint(12, (12,), generator=generator).tolist()])
    return from_tokens(texts, smallest_count=1, info={})


def contrast(vectors: Tensor, corpus: Corpus) -> float:
    """Mean cosine within the families less that between them, without what all vectors have in common."""
    unit = torch.nn.functional.normalize(vectors[1:] - vectors[1:].mean(dim=0), dim=1)
    is_a = torch.tensor([word[0] == "a" for word in corpus.vocabulary.words[1:]])
    cosines = unit @ unit.T
    return (cosines[is_a][:, is_a].mean() - cosines[is_a][:, ~is_a].mean()).item()


def nothing(vectors: Tensor) -> dict[str, float]:
    return {}


def tasks(corpus: Corpus) -> dict[str, WindowTask | GloveTask]:
    shape = {"epochs": 8, "dimension": 8, "sample": 0.0, "lr": 0.05, "block": 4, "limit": 64}
    plain, pieces = WindowConfig(**shape), FastTextConfig(**shape, buckets=50, smallest=2)
    return {
        "sgns": WindowTask(corpus, plain, seed=0, block=skipgram_block, measure=nothing),
        "cbow": WindowTask(corpus, plain, seed=0, block=cbow_block, measure=nothing),
        "fasttext": WindowTask(corpus, pieces, seed=0, block=skipgram_block, measure=nothing),
        "glove": GloveTask(corpus, GloveConfig(dimension=8, batch=64, epochs=8), seed=0, measure=nothing),
    }


@pytest.mark.parametrize("method", ["sgns", "cbow", "fasttext", "glove"])
def test_every_method_learns_a_small_corpus(method: str) -> None:
    corpus = small_corpus()
    task = tasks(corpus)[method]
    random = contrast(
        torch.randn(len(corpus.vocabulary), 8, generator=torch.Generator().manual_seed(0)), corpus
    )
    losses = []
    for epoch in range(task.epochs):
        batches = task.batches()
        steps = [task.update(batch, epoch / task.epochs) for batch in batches]
        losses.append(sum(step for step in steps if step is not None))
    assert losses[-1] < losses[0]
    assert contrast(task.vectors(), corpus) > max(0.4, 2 * abs(random))


def test_counted_vectors_learn_it_too() -> None:
    corpus = small_corpus()
    counts = fast_cooccurrence(
        corpus.words, corpus.texts, vocabulary_size=len(corpus.vocabulary), window=5, flat=True
    )
    generator = torch.Generator().manual_seed(0)
    assert contrast(ppmi_vectors(counts, dimension=4, power=0.75, generator=generator), corpus) > 0.5
    assert SvdConfig().power == 0.75


def test_a_glove_step_is_adagrad_on_the_clear_loss() -> None:
    corpus = small_corpus()
    task = GloveTask(corpus, GloveConfig(dimension=D, batch=100), seed=0, measure=nothing)
    tables = task.tensors()["tables"]
    task.tensors()["squares"].fill_(1.0)  # from near 0, the first steps would magnify rounding
    clear = [
        each.clone().requires_grad_()
        for each in (tables[0, :, :D], tables[1, :, :D], tables[0, :, D], tables[1, :, D + 1])
    ]
    word, context, word_bias, context_bias = clear
    optimizer = torch.optim.Adagrad(clear, lr=0.05, initial_accumulator_value=1.0, eps=0)
    counts = task._counts
    for batch in task.batches()[:3]:
        i, j, x = counts.rows[batch], counts.columns[batch], counts.values[batch]
        loss = glove_loss(word[i], context[j], word_bias[i], context_bias[j], x, maximum=10)
        optimizer.zero_grad()
        (loss * len(batch)).backward()
        optimizer.step()
        assert task.update(batch, 0.0) == pytest.approx(loss.item(), abs=1e-5)
    torch.testing.assert_close(tables[0, :, :D], word.detach(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(tables[1, :, :D], context.detach(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(tables[0, :, D], word_bias.detach(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(tables[1, :, D + 1], context_bias.detach(), atol=1e-5, rtol=1e-5)
    assert (tables[0, :, D + 1] == 1).all() and (tables[1, :, D] == 1).all()
