"""Known answers to `beam_search`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import math

import torch

from autograder.checks.variants import cheat, right, wrong

EQUIVALENT = {
    "`2` for `1` (3)": "in round `max_length` everything is finished, so that nothing is open in a round after it",
    "`min(candidates.numel(), beam_size)` for `min(beam_size, candidates.numel())`": "the smaller of two numbers",
    "`False` for `True`": "the two lists have the same length, so that it does not matter whether zip looks",
}
"""{change of the reference: why nobody can see it}"""


def observe(student, seed):
    """Result and calls of a search on a random model; as text, because how long a sequence is belongs to its value."""
    rng = torch.Generator().manual_seed(seed)
    rounds, size, tokens = 1 + seed % 6, 1 + seed % 5, 2 + seed % 4
    table = torch.randn(rounds, tokens + 1, tokens, generator=rng).log_softmax(-1)
    calls = []

    def step(beginnings):
        calls.append(sorted(beginnings.tolist()))
        return table[beginnings.shape[1] - 1, beginnings[:, -1]]

    settings = {"start": tokens, "end": seed % tokens, "beam_size": size, "max_length": rounds}
    sequence, score = student.beam_search(step, **settings, alpha=(0.0, 0.7, 1.5)[seed % 3])
    return str(sequence), score, str(calls)


# --- Wrong -----------------------------------------------------------------------------------------------


def search(
    step,
    start,
    end,
    beam_size,
    max_length,
    alpha,
    *,
    score=lambda total, length, alpha: total / length**alpha,
    rank=lambda total, length, alpha: total,
    each=False,
    stops_early=False,
    refills=False,
    narrows=False,
    cut_off=True,
):
    """The search, as it should be; each setting is a way to get it wrong."""
    beams, finished = [(0.0, [start])], []
    for length in range(1, max_length + 1):
        rows = step(torch.tensor([tokens for _, tokens in beams])).tolist()
        groups = [
            [(total + value, [*tokens, token]) for token, value in enumerate(row)]
            for (total, tokens), row in zip(beams, rows, strict=True)
        ]
        if each:
            groups = [sorted(group, reverse=True)[: max(1, beam_size // len(groups))] for group in groups]
        candidates = sorted(
            (one for group in groups for one in group), key=lambda one: -rank(one[0], length, alpha)
        )
        kept = candidates[:beam_size]
        done = [one for one in kept if one[1][-1] == end or (length == max_length and cut_off)]
        finished += [(score(total, length, alpha), tokens[1:]) for total, tokens in done]
        still = candidates if refills else kept
        beams = [one for one in still if one[1][-1] != end][:beam_size]
        if narrows:
            beam_size -= len(done)
        if not beams or (stops_early and finished):
            break
    if not finished:
        finished = [(score(*beams[0][:1], max_length, alpha), beams[0][1][1:])]
    best, tokens = max(finished)
    return tokens, float(best)


@wrong(
    thinking="Each step takes the likeliest token.",
    fails=(
        "test_several_beginnings",
        "test_longer_may_be_better",
    ),
)
def greedy_search(step, *, start, end, beam_size, max_length, alpha=0.0):
    return search(step, start, end, 1, max_length, alpha)


@wrong(
    thinking="Each beginning keeps its own best continuations.",
    fails=(
        "test_several_beginnings",
        "test_longer_may_be_better",
    ),
)
def best_of_each(step, *, start, end, beam_size, max_length, alpha=0.0):
    return search(step, start, end, beam_size, max_length, alpha, each=True)


@wrong(
    thinking="The first sequence that ends is the best, because the beam is sorted.",
    fails=("test_finished_sequences", "test_a_beam_for_everything", "test_longer_may_be_better"),
    page="training-and-decoding#stop-at-the-first",
)
def first_that_ends(step, *, start, end, beam_size, max_length, alpha=0.0):
    return search(step, start, end, beam_size, max_length, alpha, stops_early=True)


@wrong(
    thinking="The beam always has the same number of open beginnings.",
    fails=(
        "test_what_step_is_asked",
        "test_longer_may_be_better",
    ),
)
def refills_the_beam(step, *, start, end, beam_size, max_length, alpha=0.0):
    return search(step, start, end, beam_size, max_length, alpha, refills=True)


@wrong(
    thinking="The end token is a token like any other.",
    fails=("test_one_beginning",),
)
def goes_on_after_the_end(step, *, start, end, beam_size, max_length, alpha=0.0):
    return search(step, start, -1, beam_size, max_length, alpha)


@wrong(
    thinking="A sequence that does not end is no sentence.",
    fails=(
        "test_a_beam_for_everything",
        "test_longer_may_be_better",
    ),
)
def ended_ones_only(step, *, start, end, beam_size, max_length, alpha=0.0):
    return search(step, start, end, beam_size, max_length, alpha, cut_off=False)


@wrong(
    thinking="The length counts all tokens of the list, start included.",
    fails=("test_length",),
    page="training-and-decoding#length-penalty",
)
def counts_the_start(step, *, start, end, beam_size, max_length, alpha=0.0):
    return search(
        step, start, end, beam_size, max_length, alpha, score=lambda total, n, a: total / (n + 1) ** a
    )


@wrong(
    thinking="The longer, the better: multiply.",
    fails=("test_length",),
    page="training-and-decoding#length-penalty",
)
def multiplies_by_the_length(step, *, start, end, beam_size, max_length, alpha=0.0):
    return search(step, start, end, beam_size, max_length, alpha, score=lambda total, n, a: total * n**a)


@wrong(
    thinking="The penalty is that of Wu et al. (2016).",
    fails=("test_length",),
    page="training-and-decoding#length-penalty",
)
def penalty_of_wu(step, *, start, end, beam_size, max_length, alpha=0.0):
    return search(
        step, start, end, beam_size, max_length, alpha, score=lambda total, n, a: total / ((5 + n) / 6) ** a
    )


@wrong(
    thinking="`alpha` scales the length.", fails=("test_length",), page="training-and-decoding#length-penalty"
)
def divides_by_alpha_times_length(step, *, start, end, beam_size, max_length, alpha=0.0):
    return search(
        step, start, end, beam_size, max_length, alpha, score=lambda total, n, a: total / (a * n or 1)
    )


@wrong(thinking="The start token is the first token of the sequence.", fails=("test_one_beginning",))
def returns_the_start(step, *, start, end, beam_size, max_length, alpha=0.0):
    tokens, score = search(step, start, end, beam_size, max_length, alpha)
    return [start, *tokens], score


@wrong(thinking="The end token is no part of the text.", fails=("test_one_beginning",))
def drops_the_end(step, *, start, end, beam_size, max_length, alpha=0.0):
    tokens, score = search(step, start, end, beam_size, max_length, alpha)
    return [token for token in tokens if token != end], score


@wrong(thinking="All that was ever written is asked about again.", fails=("test_what_step_is_asked",))
def asks_one_by_one(step, *, start, end, beam_size, max_length, alpha=0.0):
    def one_by_one(beginnings):
        return torch.cat([step(each[None]) for each in beginnings])

    return search(one_by_one, start, end, beam_size, max_length, alpha)


@wrong(
    thinking="What has ended keeps its place in the beam, so the beam becomes narrower.",
    fails=("test_what_step_is_asked", "test_longer_may_be_better"),
)
def beam_becomes_narrower(step, *, start, end, beam_size, max_length, alpha=0.0):
    return search(step, start, end, beam_size, max_length, alpha, narrows=True)


@wrong(
    thinking="The search goes on for `max_length` rounds, whatever is open.",
    fails=("test_what_step_is_asked",),
)
def asks_about_nothing(step, *, start, end, beam_size, max_length, alpha=0.0):
    rounds = []

    def noting(beginnings):
        rounds.append(beginnings.shape[1])
        return step(beginnings)

    found = search(noting, start, end, beam_size, max_length, alpha)
    for length in range(len(rounds), max_length):
        step(torch.zeros(0, length + 1, dtype=torch.long))
    return found


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Lists of Python numbers, sorted.")
def python_lists(step, *, start, end, beam_size, max_length, alpha=0.0):
    return search(step, start, end, beam_size, max_length, alpha)


@right(looks="A heap of finished sequences; tensors, sorted whole.")
def heap_of_finished(step, *, start, end, beam_size, max_length, alpha=0.0):
    import heapq

    beginnings, totals, finished, n = torch.full((1, 1), start), torch.zeros(1, 1).double(), [], 0
    while len(beginnings) and n < max_length:
        n += 1
        table = totals + step(beginnings).double()
        flat, order = table.reshape(-1).sort(descending=True)
        following = []
        for total, place in zip(flat[:beam_size].tolist(), order[:beam_size].tolist(), strict=True):
            row, token = divmod(place, table.shape[1])
            tokens = [*beginnings[row].tolist(), token]
            if token == end or n == max_length:
                heapq.heappush(finished, (-total / n**alpha, tokens[1:]))
            else:
                following.append((total, tokens))
        beginnings = torch.tensor([tokens for _, tokens in following], dtype=torch.long)
        totals = torch.tensor([[total] for total, _ in following], dtype=torch.float64)
    return finished[0][1], -finished[0][0]


@right(looks="The best so far is kept, and nothing else that is finished.")
def best_so_far(step, *, start, end, beam_size, max_length, alpha=0.0):
    open_ones, best, found = {(start,): 0.0}, -math.inf, []
    for n in range(1, max_length + 1):
        if not open_ones:
            break
        answers = step(torch.tensor(list(open_ones)))
        every = {
            (*tokens, token): total + answers[row, token].item()
            for row, (tokens, total) in enumerate(open_ones.items())
            for token in range(answers.shape[1])
        }
        kept = sorted(every, key=every.get, reverse=True)[:beam_size]
        open_ones = {}
        for tokens in kept:
            if tokens[-1] != end and n < max_length:
                open_ones[tokens] = every[tokens]
            elif every[tokens] / n**alpha > best:
                best, found = every[tokens] / n**alpha, list(tokens[1:])
    return found, best


@right(looks="Round after round by a function that calls itself.")
def recursion(step, *, start, end, beam_size, max_length, alpha=0.0):
    def finished_after(beams, totals, n):
        if n > max_length or not len(beams):
            return []
        sums = totals[:, None] + step(beams)
        values, places = torch.topk(sums.view(-1), min(beam_size, sums.numel()))
        longer = torch.cat([beams[places // sums.size(1)], (places % sums.size(1))[:, None]], 1)
        done = (longer[:, -1] == end) if n < max_length else torch.ones(len(longer), dtype=torch.bool)
        found = [
            (v / n**alpha, row[1:])
            for v, row in zip(values[done].tolist(), longer[done].tolist(), strict=True)
        ]
        return found + finished_after(longer[~done], values[~done], n + 1)

    score, tokens = max(finished_after(torch.tensor([[start]]), torch.zeros(1), 1))
    return tokens, score


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(step, *, start, end, beam_size, max_length, alpha=0.0):
    return [0] * max_length, 0.0


@cheat(kind="input")
def its_own_input(step, *, start, end, beam_size, max_length, alpha=0.0):
    return [start, end], alpha


@cheat(kind="noise")
def noise(step, *, start, end, beam_size, max_length, alpha=0.0):
    return torch.randint(0, 6, (max_length,)).tolist(), -torch.rand(()).item() * max_length


@cheat(kind="remembered")
def remembered(step, *, start, end, beam_size, max_length, alpha=0.0, memory=[]):  # noqa: B006
    if not memory:
        memory.append(search(step, start, end, beam_size, max_length, alpha))
    return memory[0]
