"""Known answers to `best_span`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import math

import torch

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """The span of a random row, or the kind of the error, and the arguments afterwards."""
    rng = torch.Generator().manual_seed(seed)
    length = 1 + seed % 9
    starts, ends = torch.randn(2, length, generator=rng) - seed % 3
    if seed % 4 == 0:
        starts, ends = starts.round(), ends.round()
    edges = sorted(torch.randint(length + 1, (2,), generator=rng).tolist())
    places = torch.arange(length)
    context = (places >= edges[0]) & (places < edges[1])
    starts[~context] = -torch.inf if seed % 2 else 9.0
    try:
        span = student.best_span(starts, ends, 1 + seed % 7, context)
    except ValueError:
        span = "ValueError"
    return str(span), starts, ends, context


# --- Wrong -----------------------------------------------------------------------------------------------


def spans(length, max_length, context):
    """All spans, the earliest first, as pairs of Python integers."""
    seen = context.tolist()
    if not any(seen):
        raise ValueError("no context")
    for i in range(length):
        for j in range(i, min(i + max_length, length)):
            if seen[i] and seen[j]:
                yield i, j


def best_of(start_logits, end_logits, candidates):
    """The first of the best."""
    starts, ends = start_logits.tolist(), end_logits.tolist()
    return max(candidates, key=lambda span: starts[span[0]] + ends[span[1]])


@wrong(
    thinking="The best start and the best end make the best span.",
    fails=("test_order",),
    page="four-fine-tunings#two-argmaxes",
)
def two_argmaxes(start_logits, end_logits, max_length, context):
    if not context.any():
        raise ValueError("no context")
    places = context.nonzero().flatten()
    return tuple(int(places[logits[places].argmax()]) for logits in (start_logits, end_logits))


@wrong(
    thinking="First the best start, then the best end behind it.",
    fails=("test_order",),
)
def start_then_end(start_logits, end_logits, max_length, context):
    if not context.any():
        raise ValueError("no context")
    first = int(start_logits.masked_fill(~context, -torch.inf).argmax())
    allowed = [(first, j) for i, j in spans(len(context), max_length, context) if i == first]
    return best_of(start_logits, end_logits, allowed)


@wrong(
    thinking="An answer that ends before it starts is turned round.",
    fails=("test_order",),
)
def turned_round(start_logits, end_logits, max_length, context):
    if not context.any():
        raise ValueError("no context")
    places = context.nonzero().flatten()
    found = (int(places[logits[places].argmax()]) for logits in (start_logits, end_logits))
    return tuple(sorted(found))


@wrong(thinking="The end comes after the start.", fails=("test_order",))
def two_positions_at_least(start_logits, end_logits, max_length, context):
    allowed = list(spans(len(context), max_length, context))
    longer = [span for span in allowed if span[0] < span[1]]
    return best_of(start_logits, end_logits, longer or allowed)


@wrong(thinking="Two probabilities are multiplied, so two scores are.", fails=("test_order",))
def product_of_logits(start_logits, end_logits, max_length, context):
    allowed = spans(len(context), max_length, context)
    return max(allowed, key=lambda span: float(start_logits[span[0]] * end_logits[span[1]]))


@wrong(thinking="The two best starts and ends are enough to look at.", fails=("test_order",))
def among_the_best(start_logits, end_logits, max_length, context):
    allowed = list(spans(len(context), max_length, context))
    hidden = [logits.masked_fill(~context, -torch.inf) for logits in (start_logits, end_logits)]
    starts, ends = (set(logits.topk(min(2, len(logits))).indices.tolist()) for logits in hidden)
    some = [(i, j) for i, j in allowed if i in starts and j in ends]
    return best_of(start_logits, end_logits, some or allowed)


@wrong(thinking="A search for the largest begins at zero.", fails=("test_negative_scores",))
def begins_at_zero(start_logits, end_logits, max_length, context):
    best, found = 0.0, (0, 0)
    for i, j in spans(len(context), max_length, context):
        score = float(start_logits[i] + end_logits[j])
        if score > best:
            best, found = score, (i, j)
    return found


@wrong(thinking="The length of a span is its end minus its start.", fails=("test_max_length",))
def one_too_long(start_logits, end_logits, max_length, context):
    return best_of(start_logits, end_logits, spans(len(context), max_length + 1, context))


@wrong(thinking="`max_length` is the first length that is too long.", fails=("test_max_length",))
def one_too_short(start_logits, end_logits, max_length, context):
    allowed = spans(len(context), max(1, max_length - (max_length < len(context))), context)
    return best_of(start_logits, end_logits, allowed)


@wrong(thinking="Good spans are not long.", fails=("test_max_length",))
def any_length(start_logits, end_logits, max_length, context):
    return best_of(start_logits, end_logits, spans(len(context), len(context), context))


@wrong(
    thinking="The longest span is cut to the length that is allowed.",
    fails=("test_max_length",),
)
def cut_to_the_length(start_logits, end_logits, max_length, context):
    first, last = best_of(start_logits, end_logits, spans(len(context), len(context), context))
    return first, min(last, first + max_length - 1)


@wrong(
    thinking="The model knows that the question is not the answer.",
    fails=("test_context", "test_no_context"),
    page="four-fine-tunings#two-argmaxes",
)
def anywhere_in_the_row(start_logits, end_logits, max_length, context):
    everywhere = torch.ones_like(context)
    return best_of(start_logits, end_logits, spans(len(context), max_length, everywhere))


@wrong(thinking="An answer that starts in the text ends there too.", fails=("test_context",))
def context_for_the_start(start_logits, end_logits, max_length, context):
    if not context.any():
        raise ValueError("no context")
    everywhere = spans(len(context), max_length, torch.ones_like(context))
    return best_of(start_logits, end_logits, [(i, j) for i, j in everywhere if context[i]])


@wrong(thinking="The context is cut out, and positions are counted in it.", fails=("test_context",))
def positions_in_the_context(start_logits, end_logits, max_length, context):
    inside = context[context]
    if len(inside) == 1:
        return (int(context.long().argmax()),) * 2
    return best_of(start_logits[context], end_logits[context], spans(len(inside), max_length, inside))


@wrong(thinking="What is outside is multiplied by zero.", fails=("test_context",))
def multiplied_by_the_mask(start_logits, end_logits, max_length, context):
    if not context.any():
        raise ValueError("no context")
    starts, ends = start_logits * context, end_logits * context
    scores = (starts[:, None] + ends).triu().tril(max_length - 1)
    valid = torch.ones_like(scores).triu().tril(max_length - 1).bool()
    if context.sum() == 1:
        valid &= context[:, None] & context
    return divmod(int(scores.masked_fill(~valid, -torch.inf).argmax()), len(scores))


@wrong(thinking="What is as good as the best replaces it.", fails=("test_ties",))
def the_last_of_the_best(start_logits, end_logits, max_length, context):
    return best_of(start_logits, end_logits, reversed(list(spans(len(context), max_length, context))))


@wrong(thinking="Of equal answers the shortest is best.", fails=("test_ties",))
def the_shortest_of_the_best(start_logits, end_logits, max_length, context):
    allowed = spans(len(context), max_length, context)
    return best_of(start_logits, end_logits, sorted(allowed, key=lambda span: span[1] - span[0]))


@wrong(thinking="Of equal answers that start together the one that says most is best.", fails=("test_ties",))
def the_longest_of_the_first(start_logits, end_logits, max_length, context):
    allowed = spans(len(context), max_length, context)
    return best_of(start_logits, end_logits, sorted(allowed, key=lambda span: (span[0], -span[1])))


@wrong(thinking="Without a context there is no answer, which is (0, 0).", fails=("test_no_context",))
def nothing_is_the_first(start_logits, end_logits, max_length, context):
    if not context.any():
        return 0, 0
    return best_of(start_logits, end_logits, spans(len(context), max_length, context))


@wrong(
    thinking="Scores outside are set to minus infinity, and nobody needs them any more.",
    fails=("test_left_as_it_came",),
)
def hides_in_place(start_logits, end_logits, max_length, context):
    allowed = list(spans(len(context), max_length, context))
    start_logits[~context] = -torch.inf
    end_logits[~context] = -torch.inf
    return best_of(start_logits, end_logits, allowed)


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Two loops.")
def two_loops(start_logits, end_logits, max_length, context):
    best, found = -math.inf, None
    for i in range(len(context)):
        if not context[i]:
            continue
        for j in range(i, min(i + max_length, len(context))):
            if context[j] and (found is None or start_logits[i] + end_logits[j] > best):
                best, found = start_logits[i] + end_logits[j], (i, j)
    if found is None:
        raise ValueError("there is no context")
    return found


@right(looks="The context is cut out, and its first position is added at the end.")
def cuts_the_context_out(start_logits, end_logits, max_length, context):
    places = context.nonzero().flatten().tolist()
    if not places:
        raise ValueError("no context")
    starts, ends = start_logits[context].double(), end_logits[context].double()
    pairs = torch.cartesian_prod(torch.arange(len(starts)), torch.arange(len(starts))).view(-1, 2).tolist()
    pairs = [(i, j) for i, j in pairs if 0 <= j - i <= max_length - 1]
    scores = torch.stack([starts[i] + ends[j] for i, j in pairs])
    i, j = pairs[int(scores.argmax())]
    return i + places[0], j + places[0]


@right(looks="For each start the best end in its window, then the best start.")
def best_end_of_each_start(start_logits, end_logits, max_length, context):
    if context.sum() == 0:
        raise ValueError("no context")
    ends = torch.where(context, end_logits, -torch.inf)
    found = []
    for i in context.nonzero().flatten().tolist():
        more = int(ends[i : i + max_length].argmax())
        found.append((-(start_logits[i] + ends[i + more]).item(), i, i + more))
    return min(found)[1:]


@right(looks="Spans by their length, with a sort at the end; a list is returned.")
def by_length(start_logits, end_logits, max_length, context):
    first_and_last = [place for place, inside in enumerate(context.tolist()) if inside]
    if not first_and_last:
        raise ValueError("no position is in the context")
    low, high = first_and_last[0], first_and_last[-1]
    found = []
    for length in range(1, max_length + 1):
        for i in range(low, high + 2 - length):
            found.append((-float(start_logits[i] + end_logits[i + length - 1]), i, i + length - 1))
    return list(sorted(found)[0][1:])


@right(
    looks="Goes over the ends, and for each over the starts: with the first best end stands the first best start."
)
def by_ends(start_logits, end_logits, max_length, context):
    allowed = spans(len(context), max_length, context)
    return best_of(start_logits, end_logits, sorted(allowed, key=lambda span: span[::-1]))


@right(looks="A table of positions instead of triangles.")
def table_of_positions(start_logits, end_logits, max_length, context):
    if not bool(context.any()):
        raise ValueError("no context")
    size = context.shape[0]
    i, j = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    fits = (j >= i) & (j - i < max_length) & context[i] & context[j]
    starts, ends = (logits.clone() for logits in (start_logits, end_logits))
    starts[~context], ends[~context] = 0.0, 0.0
    scores = torch.full((size, size), -torch.inf)
    scores[fits] = (starts[i] + ends[j])[fits]
    best = (scores == scores.max()).nonzero()[0]
    return best[0].item(), best[1].item()


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(start_logits, end_logits, max_length, context):
    return 0, 0


@cheat(kind="input")
def its_own_input(start_logits, end_logits, max_length, context):
    return start_logits, end_logits


@cheat(kind="noise")
def noise(start_logits, end_logits, max_length, context):
    first, last = sorted(torch.randint(len(context), (2,)).tolist())
    return first, last


@cheat(kind="remembered")
def remembered(start_logits, end_logits, max_length, context, memory=[]):  # noqa: B006
    if not memory:
        memory.append(best_of(start_logits, end_logits, spans(len(context), max_length, context)))
    return memory[0]
