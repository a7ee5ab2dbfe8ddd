"""What `nlpcourse train` trains for the topic `bert`, on what, and how it is judged."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from nlpcourse.errors import CourseError
from solutions.bert import pretraining
from solutions.bert.corpus import Segments, documents, information, tokenizer_of
from solutions.bert.model import BertForPreTraining
from solutions.bert.pretraining import Held, PretrainingConfig
from solutions.training.loop import fit
from solutions.training.runs import Result, Run
from solutions.training.session import Session


def pretrain(config: PretrainingConfig, session: Session) -> Result:
    """Hidden tokens and next segments of the docstring corpus."""
    texts = {split: documents(split, config.files) for split in ("train", "dev", "test")}
    tokenizer = tokenizer_of(texts["train"], config.vocabulary)
    size = tokenizer.get_vocab_size()
    longest = (config.length - 3) // 2
    train = Segments.of(texts["train"], tokenizer, longest, session.device)
    held = {
        split: Held.of(Segments.of(texts[split], tokenizer, longest, torch.device("cpu")), config, size)
        for split in ("dev", "test")
    }
    torch.manual_seed(session.seed)
    model = BertForPreTraining(config.sizes(size))

    def measure() -> dict[str, float]:
        return {f"dev {name}": value for name, value in held["dev"].judge(model, session.device).items()}

    fit(
        pretraining.task(pretraining.Asked(model), train, config, session, size=size, measure=measure),
        session,
        every=50,
    )
    model.eval()
    with torch.no_grad():
        metrics = held["test"].judge(model, session.device)
    compared = pretraining.baselines(train, held["dev"], held["test"], size)
    return Result({**information(texts), "vocabulary": size}, metrics, compared)


RUNS = (
    Run(
        "bert",
        "a BERT from nothing: hidden tokens and next segments",
        {
            "smoke": PretrainingConfig(
                weights="smoke",
                epochs=2,
                rows=8,
                length=32,
                max_length=32,
                files=40,
                judged=50,
                vocabulary=600,
                d_model=32,
                num_heads=2,
                d_ff=64,
                num_layers=2,
                dropout=0.0,
                lr=3e-3,
            ),
            "laptop": PretrainingConfig(),
        },
        pretrain,
        parallel=True,
    ),
)
