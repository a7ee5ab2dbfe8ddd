"""What can be seen of an answer to the exercises of `embeddings` on random input number `seed`, as data.

Each function runs beside an answer, or here beside the reference. Two answers that agree on a thousand inputs
are the same answer; one whose results have the reference's kinds and shapes looks right.
"""

# mypy: ignore-errors

import torch

EQUIVALENT: dict[str, dict[str, str]] = {
    "SkipGram": {
        "`F.cosine_similarity(table, table[word])` for `F.cosine_similarity(table, table[word], dim=-1)`": (
            "the default is dimension 1, which is the last of a table's two"
        ),
        "`F.cosine_similarity(table[word], table, dim=-1)` for "
        "`F.cosine_similarity(table, table[word], dim=-1)`": "cosine similarity is symmetric",
    }
}
"""{exercise: {change of the reference: why nobody can see it}}"""


def observe_sgns_loss(student, seed):
    """Loss and gradients for a batch of random sizes."""
    rng = torch.Generator().manual_seed(seed)
    batch, count, width = torch.randint(1, 8, (3,), generator=rng).tolist()
    shapes = ((batch, width), (batch, width), (batch, count, width))
    leaves = [torch.randn(shape, generator=rng).requires_grad_() for shape in shapes]
    loss = student.sgns_loss(*leaves)
    return loss.detach(), *torch.autograd.grad(loss, leaves)


def observe_SkipGram(student, seed):
    """Start, loss, gradients and neighbours of a model of random size."""
    rng = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    size, width, batch, count = (int(each) + 3 for each in torch.randint(9, (4,), generator=rng))
    model = student.SkipGram(vocabulary_size=size, dimension=width)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng)
    centers, contexts = torch.randint(size, (2, batch), generator=rng)
    loss = model(centers, contexts, torch.randint(size, (batch, count), generator=rng))
    loss.backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return start, loss.detach(), gradients, [model.neighbours(word, size - 2) for word in range(size)]


def observe_train_skipgram(student, seed):
    """Losses, parameters, mode and calls of a small training run of a model that is no skip-gram."""
    rng = torch.Generator().manual_seed(seed)
    size, count, batch_size, negatives_each = (
        int(each) + 2 for each in torch.randint(9, (4,), generator=rng)
    )
    model, calls = torch.nn.Linear(3, size, bias=False, dtype=torch.float64), []
    model.weight.data = torch.randn(size, 3, generator=rng).double()

    def forward(centers, contexts, negatives):
        calls.append((model.training, centers.tolist(), contexts.tolist(), negatives.tolist()))
        apart = (model.weight[centers] - model.weight[contexts]).square().sum(-1)
        return (
            apart + (model.weight[centers][:, None] * model.weight[negatives]).sum((-1, -2)).square()
        ).mean()

    model.forward = forward
    model.train(bool(seed % 2))
    losses = student.train_skipgram(
        model,
        torch.randint(size, (count, 2), generator=rng),
        torch.rand(size, generator=rng) + 0.1,
        epochs=2,
        batch_size=batch_size,
        lr=0.02,
        num_negatives=negatives_each,
        generator=torch.Generator().manual_seed(seed),
    )
    return losses, model.weight.detach().clone(), model.training, calls
