"""Training, shared by all topics: the loop, one optimiser step, data, run records, and the command `nlpcourse train`.

Read it in this order. `loop.fit` goes over epochs of batches of a `Task`. `task.GradientTask` is the task of every
model that is trained by gradients; it hands each batch to a `step.Step`, which has the optimiser, the schedule, mixed
precision, accumulation and clipping. `session.Session` is the run seen from outside: progress, clock, curve,
checkpoint, signals. `runs` and `record` write down what a run gave.

A sequence-to-sequence model, from examples to a run (`B` examples, `S` and `T` positions of source and target):

    @dataclass(frozen=True)
    class TranslationConfig(StepConfig):           # flat: --set reaches every field
        epochs: int = 10
        tokens: int = 4096                         # of a batch, padding counted
        ...

    def train(config: TranslationConfig, session: Session) -> Result:
        sources, targets = ...                     # lists of (length,) long tensors
        lengths = torch.tensor([[len(s), len(t)] for s, t in zip(sources, targets)])      # (N, 2)

        def batches(generator: torch.Generator) -> list[Tensor]:     # one epoch: (B,) long, indices of examples
            return by_length(lengths, tokens=config.tokens, generator=generator)

        def loss(network, examples: Tensor) -> tuple[Tensor, Tensor]:  # of a part of a batch
            source = padded([sources[i] for i in examples.tolist()], PAD).to(session.device)     # (B, S)
            target = padded([targets[i] for i in examples.tolist()], PAD).to(session.device)     # (B, T)
            logits = network(source, target[:, :-1])                   # (B, T-1, V); call `network`, not `model`
            gold = target[:, 1:]
            total = F.cross_entropy(logits.flatten(0, 1), gold.flatten(), ignore_index=PAD, reduction="sum")
            return total, (gold != PAD).sum()                          # the SUM of the losses, and of how many tokens

        def work(examples: Tensor) -> Work:                            # optional: tokens/s, FLOPs and MFU
            size = lengths[examples]
            return Work(tokens=int(size.sum()), flops=...)             # FLOPs of forward and backward, see flops.py

        model = build_model(config)                # weights on the CPU, drawn from torch's default generator
        task = GradientTask(
            model, config, session, epochs=config.epochs, words=..., batches=batches, loss=loss,
            measure=lambda: {"dev loss": ...}, work=work,
        )
        fit(task, session, every=50)               # a point of the curve every 50 steps; `measure` once an epoch
        return Result(data, metrics, baselines)

    RUNS = (Run("translation", "a Transformer that translates", {"smoke": ..., "laptop": ...}, train, parallel=True),)

`batches` draws only from the generator it is given, and every random number that the epoch needs; `loss` may use
torch's default generator (dropout). Then a run that is stopped goes on to the same numbers, bit by bit. An epoch is
what lies between two calls of `measure`: a corpus that is gone over once may be cut into several.
"""
