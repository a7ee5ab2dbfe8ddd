"""The visible tests: a notebook with the solutions in it passes them all, and each exercise passes alone."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.assignment import Assignment
from autograder.authoring.command import generate
from autograder.checks.variants import read_variants
from autograder.grading.restore import exercise_of, role_of
from autograder.proof.answers import as_source
from nlpcourse.paths import project_root

ROOT = project_root(Path(__file__).parent)
TOPICS = ("embeddings", "attention", "bert")
EXERCISES = {topic: tuple(each.id for each in Assignment.load(topic, ROOT).exercises) for topic in TOPICS}
ONE_BY_ONE = [(topic, exercise) for topic in TOPICS for exercise in EXERCISES[topic]]

RunCells = Callable[..., dict[str, BaseException | None]]


@functools.cache
def runner(topic: str) -> RunCells:
    """Runs the code cells of the released notebook (no long one); says what each test cell raised."""
    released = nbformat.reads(generate(topic, ROOT), as_version=4)
    solved = {cell.id: cell.source for cell in Assignment.load(topic, ROOT).source.cells}

    def run(*done: str, changed: tuple[str, str, str] | None = None) -> dict[str, BaseException | None]:
        namespace: dict[str, Any] = {"__name__": "__main__"}
        outcome: dict[str, BaseException | None] = {}
        for cell in released.cells:
            role = cell.metadata.nlpcourse.role
            if cell.cell_type != "code" or role == "long":
                continue
            source = solved[cell.id] if cell.id in done else cell.source
            if changed and cell.id == changed[0]:
                assert changed[1] in source
                source = source.replace(changed[1], changed[2])
            try:
                exec(compile(source, cell.id, "exec"), namespace)
                error = None
            except Exception as raised:  # noqa: BLE001 - the outcome of a cell is data here
                error = raised
            if role == "check":
                outcome[cell.metadata.nlpcourse.exercise] = error
            else:
                assert error is None, f"{cell.id}: {error!r}"
        return outcome

    return run


@pytest.mark.parametrize("topic", TOPICS)
def test_all_solutions_pass(topic: str) -> None:
    assert runner(topic)(*EXERCISES[topic]) == dict.fromkeys(EXERCISES[topic])


@pytest.mark.parametrize(("topic", "exercise"), ONE_BY_ONE)
def test_right_answers_that_look_otherwise_pass(topic: str, exercise: str) -> None:
    assignment = Assignment.load(topic, ROOT)
    (check,) = (
        cell.source
        for cell in assignment.source.cells
        if role_of(cell) == "check" and exercise_of(cell) == exercise
    )
    variants = read_variants(ROOT / "autograder" / "checks" / topic)
    right = [each for each in variants if each.exercise == exercise and each.kind == "right"]
    assert right, "no answer is known that is right and looks otherwise"
    for variant in right:
        namespace: dict[str, Any] = {"__name__": "__main__"}
        source = f"{as_source(assignment, exercise, variant.source)}\n\n{check}"
        exec(compile(source, variant.name, "exec"), namespace)


@pytest.mark.parametrize("topic", TOPICS)
def test_nothing_written_is_not_implemented(topic: str) -> None:
    outcome = runner(topic)()
    assert outcome.keys() == set(EXERCISES[topic])
    assert {type(error) for error in outcome.values()} == {NotImplementedError}


@pytest.mark.parametrize(("topic", "exercise"), ONE_BY_ONE)
def test_each_exercise_passes_with_the_others_undone(topic: str, exercise: str) -> None:
    outcome = runner(topic)(exercise)
    assert outcome.pop(exercise) is None
    assert all(isinstance(error, NotImplementedError) for error in outcome.values())


MISTAKES = {
    "embeddings": [
        ("sgns_loss", ".mean()", ".mean(dim=0, keepdim=True)", "must be one number, a tensor of shape"),
        ("sgns_loss", "-(F", "(F", "On the worked example the loss must be 2.9143, but yours is -2.9143"),
        ("sgns_loss", ".mean()", ".sum()", "2.9883, the mean of 2.9143 and 3.0624, but yours is 5.97"),
        ("sgns_loss", "negatives)  #", "negatives[:1].expand_as(negatives))  #", "its own negatives"),
        (
            "SkipGram",
            "self.context_vectors = nn.Embedding(",
            "self.contexts = self.context_vectors = nn.Linear(1, 1);(",
            "called",
        ),
        ("SkipGram", "nn.init.zeros_(", "nn.init.ones_(", "the context vectors must be zeros"),
        ("SkipGram", "return sgns_loss", "return -sgns_loss", "every score is 0"),
        ("SkipGram", "self.context_vectors(negatives)", "self.center_vectors(negatives)", "its table"),
        ("train_skipgram", "total / len(pairs)", "loss", "list of Python floats"),
        ("train_skipgram", "optimizer.zero_grad()", "pass", "gradients of the batch before cleared first"),
        ("train_skipgram", "optimizer.step()", "pass", "The loss must fall"),
        ("train_skipgram", "model.train(was_training)", "pass", "evaluation mode again"),
        ("train_skipgram", "range(epochs)", "range(epochs + 1)", "With epochs=10 there must be 10 losses"),
        ("train_skipgram", "replacement=True, ", "", "Negatives are drawn with replacement"),
        ("sgns_gradient", "- 1) / batch", "- 1)", "Look at its sign, then at the mean over the pairs"),
        ("sgns_gradient", "return for_center, ", "return ", "three tensors"),
    ],
    "attention": [
        (
            "scaled_dot_product_attention",
            "return weights @ value, weights",
            "return weights @ value",
            "two results",
        ),
        (
            "scaled_dot_product_attention",
            "softmax(dim=-1)",
            "softmax(dim=-2)",
            "Over which dimension does the softmax go?",
        ),
        (
            "scaled_dot_product_attention",
            " / math.sqrt(query.shape[-1])",
            "",
            "divided by the root of the width",
        ),
        ("scaled_dot_product_attention", "~mask, torch", "mask, torch", "must be 0.6652"),
        (
            "scaled_dot_product_attention",
            "weights @ value, weights",
            "weights @ value.flip(0), weights",
            "the output must be",
        ),
        ("causal_mask", ", dtype=torch.bool", "", "must be a boolean tensor"),
        ("causal_mask", ".tril()", ".triu()", "itself and what is before it"),
        ("causal_mask", ".tril()", ".tril(-1)", "itself and what is before it"),
        ("padding_mask", "!=", "==", "must give True, True, False, False"),
        ("padding_mask", "!= pad", "!= 0", "When 7 is padding"),
        ("padding_mask", "[:, None, None, :]", "[:, None, :]", "the shape must be (2, 1, 1, 4)"),
        (
            "MultiHeadAttention",
            "-1, (self.num_heads, -1)).transpose(1, 2)",
            "-1, (-1, self.num_heads)).movedim(-1, 1)",
            "Head 0",
        ),
        (
            "MultiHeadAttention",
            "output.transpose",
            "output.flip(1).transpose",
            "Head 0 has the first two entries",
        ),
        ("MultiHeadAttention", "q, k, v, mask)", "q, k, v)", "When each place sees itself alone"),
        (
            "EncoderLayer",
            "if self.norm_first",
            "if not self.norm_first",
            "On the worked example with norm_first=False",
        ),
        (
            "EncoderLayer",
            "return self.residual(x, self.norm_2",
            "self.residual(x, self.norm_2",
            "must have the shape of x",
        ),
        ("EncoderLayer", "x = self.residual", "self.residual", "Is each sub-layer there once"),
        ("train_seq2seq", "= answer[:, :-1], answer[:, 1:]", "= answer, answer", "the inputs must have 4"),
        ("train_seq2seq", "answer[:, 1:]", "answer[:, :-1]", "After 7 comes 8"),
        ("train_seq2seq", " & causal_mask(inputs.shape[1])", "", "Is the target mask causal?"),
        (
            "train_seq2seq",
            "padding_mask(asked, pad), mask",
            "padding_mask(asked, 6), mask",
            "padding mask of the source",
        ),
        ("train_seq2seq", "ignore_index=pad", 'ignore_index=pad, reduction="sum"', "log 9 = 2.1972"),
        ("additive_attention", "torch.tanh(", "(", "Compare your scores"),
        ("additive_attention", "values), weights", "values)", "two results"),
        ("additive_attention", "~mask, torch", "~(mask | True), torch", "the others must sum to 1"),
        (
            "additive_attention",
            "weights, values)",
            "weights, values.flip(1))",
            "the context must be the weights",
        ),
        (
            "sinusoidal_positions",
            "dim=-1).flatten",
            "dim=1).flatten",
            "Do sine and cosine stand side by side?",
        ),
        (
            "sinusoidal_positions",
            "-torch.arange(0, d_model, 2",
            "-torch.arange(0, d_model // 2",
            "Place 2 must be",
        ),
        (
            "LayerNorm",
            "centred.square().mean(dim=-1, keepdim=True)",
            "x.var(dim=-1, keepdim=True)",
            "variance divide by D",
        ),
        ("LayerNorm", "self.weight * centred", "centred", "With weight (1, 2, 3, 4) and bias 1"),
        ("DecoderLayer", "(y, memory, memory, memory_mask)", "(y, y, y)", "taken from `memory`"),
        (
            "DecoderLayer",
            "        for norm, sublayer in sublayers",
            "        for norm, sublayer in sublayers[:2]",
            "x + 6",
        ),
        (
            "DecoderLayer",
            "x = x if self.norm_first else norm(x)",
            "x = x",
            "the mean of each vector must be 0",
        ),
        ("beam_search", "totals.unsqueeze(1) +", "0 * totals.unsqueeze(1) +", "With alpha = 0 the best is"),
        ("beam_search", "length**alpha", "(length + 1) ** alpha", "With alpha = 1 and max_length = 2"),
        ("beam_search", "beginnings[done, 1:]", "beginnings[done]", "With alpha = 0 the best is [2]"),
        ("beam_search", "return tokens_found, score", "return tuple(tokens_found), score", "must be a list"),
    ],
    "bert": [
        ("BertEmbeddings", " + self.position.weight[:length]", "", "Row 1 of `position` was changed"),
        ("BertEmbeddings", " + self.token_type(types)", "", "every position of type 1 must change"),
        ("BertEmbeddings", "self.norm(x)", "x", "must be the norm of (1, 2, 3, 6)"),
        ("BertEmbeddings", "weight[:length]", "weight[: len(tokens), None]", "At position 1 of text 0"),
        ("BertEmbeddings", "self.dropout(self.norm(x))", "self.norm(x)", "must be exactly 0"),
        ("BertEmbeddings", "self.dropout(self.norm(x))", "self.norm(self.dropout(x))", "must be exactly 0"),
        (
            "BertEmbeddings",
            "self.dropout(self.norm(x))",
            "F.dropout(self.norm(x), self.dropout.p)",
            "nothing may be dropped",
        ),
        (
            "BertLayer",
            "attn_mask=mask[:, None, None, :]",
            "attn_mask=None",
            "The last position of the second text",
        ),
        (
            "BertLayer",
            "mask[:, None, None, :]",
            "mask[:, None, None, :].tril()",
            "the positions before it must move",
        ),
        (
            "BertLayer",
            "heads.transpose(1, 2).flatten(start_dim=2)",
            "heads.reshape(x.shape)",
            "when a text is turned round",
        ),
        (
            "BertLayer",
            "attn_mask=mask[:, None, None, :]",
            "attn_mask=mask[:, None, None, :], dropout_p=0.3",
            "two results",
        ),
        (
            "BertLayer",
            "attn_mask=mask[:, None, None, :]",
            "attn_mask=mask[:, None, None, :], scale=torch.nan",
            "nan or inf",
        ),
        ("BertLayer", "return self.output_norm(", "return (", "the mean of each vector must be 0"),
        ("BertLayer", "self.attention_norm(x +", "self.attention_norm(", "only x and the two norms are left"),
        ("mask_tokens", " & ~special", "", "the labels must be the tokens there"),
        (
            "mask_tokens",
            "torch.where(chosen, tokens, -100)",
            "torch.where(chosen, shown, -100)",
            "the labels must be",
        ),
        ("mask_tokens", " < rate", " < 3 * rate", "About 15 % of the positions"),
        ("mask_tokens", "fate < 8", "fate < 9", "About 80 %"),
        ("mask_tokens", "torch.where(chosen, shown, tokens)", "shown", "must show its own token"),
        (
            "mask_tokens",
            "torch.where(chosen, shown, tokens), torch.where(chosen, tokens, -100)",
            "torch.where(chosen, tokens, -100), torch.where(chosen, shown, tokens)",
            "Is the order inputs, labels?",
        ),
        ("mask_tokens", "fate < 9, drawn, tokens", "fate < 9, tokens, tokens", "About 10 %"),
        (
            "mask_tokens",
            "torch.randint(10, drawn.shape, generator=generator",
            "torch.randint(10, drawn.shape",
            "the second call gave other inputs",
        ),
        (
            "MlmHead",
            "self.decoder.weight = embedding.weight",
            "pass",
            "does it use the vectors of the embedding",
        ),
        ("MlmHead", "self.norm(", "(", "On the worked example"),
        ("MlmHead", "F.gelu(", "F.relu(", "GELU gives (0.8413, -0.1587, 0)"),
        (
            "MlmHead",
            "weight = embedding.weight",
            "weight = nn.Parameter(1 * embedding.weight)",
            "another parameter",
        ),
        ("pretraining_loss", ".clamp(min=1)", ".clamp(min=4)", "the mean over three positions"),
        ("pretraining_loss", "(~is_next)", "is_next", "Compare the parts"),
        ("train_mlm", "texts != pad", "inputs != 7", "False at padding"),
        ("train_mlm", "torch.isin(texts, special_ids)", "texts == pad", "Special tokens were hidden"),
        ("train_mlm", "model(inputs,", "model(texts,", "nothing is hidden"),
        (
            "train_mlm",
            "*numbers, generator",
            "*numbers, generator.manual_seed(0)",
            "the same words are hidden",
        ),
        ("train_mlm", " / (labels != -100).sum().clamp(min=1)", "", "log 9 = 2.1972"),
        (
            "BertEncoder",
            "for _ in range(num_layers)",
            "for _ in range(num_layers - 1)",
            "so three layers must have",
        ),
        ("BertEncoder", "x = layer(x, mask)", "layer(x, mask)", "that of the last layer"),
        ("BertEncoder", "d_ff, dropout) for", "d_ff) for", "which is 0 here, handed on"),
        ("BertEncoder", "x = layer(x, mask)", "x = layer(x, mask | True)", "Does each layer get the mask"),
        ("sentence_pairs", "other + (other >= number)", "number", "comes from the document of"),
        ("sentence_pairs", "below(2) == 0", "below(4) == 0", "About half of the pairs"),
        ("NspHead", "torch.tanh(", "(", "On the worked example"),
        ("NspHead", "hidden[:, 0]", "hidden.mean(1)", "On the worked example"),
        ("NspHead", "hidden[:, 0]", "hidden[:, 0].squeeze()", "For one text"),
        ("SequenceClassifier", "torch.tanh(", "(", "is there a tanh"),
        ("SequenceClassifier", "(tokens, types)", "(tokens, 0 * types)", "do the embeddings get `types`"),
        ("SequenceClassifier", "types), mask)", "types), mask | True)", "The encoder must get the mask"),
        ("best_span", ".triu()", "", "compare spans, not ends"),
        ("best_span", "context[:, None] & context", "True", "Position 0 is not in the context"),
        ("best_span", "max_length - 1", "max_length", "an answer has one position"),
        (
            "SpanClassifier",
            "logits[..., 0], logits[..., 1]",
            "logits[..., 1], logits[..., 0]",
            "The start logits of the first text",
        ),
        ("SpanClassifier", ".masked_fill(~mask[..., None], -torch.inf)", "", "must be minus infinity"),
        ("align_labels", " or word == previous", "", "The worked example must give"),
        (
            "align_labels",
            "word == previous",
            "aligned and labels[word] == aligned[-1]",
            "Two neighbours have the same label",
        ),
        ("align_labels", "word is None or", "not word or", "The worked example must give"),
        (
            "TokenClassifier",
            "self.classifier(self.dropout(hidden))",
            "self.classifier(hidden.flip(1))",
            "its own vector",
        ),
        ("TokenClassifier", "types), mask)", "types), mask | True)", "The encoder must get the mask"),
        ("TokenClassifier", "(tokens, types)", "(tokens, 0 * types)", "its own vector"),
    ],
}


@pytest.mark.parametrize(
    ("topic", "exercise", "old", "new", "message"),
    [(topic, *mistake) for topic in TOPICS for mistake in MISTAKES[topic]],
)
def test_a_mistake_is_told(topic: str, exercise: str, old: str, new: str, message: str) -> None:
    error = runner(topic)(*EXERCISES[topic], changed=(exercise, old, new))[exercise]
    assert isinstance(error, AssertionError)
    assert message in str(error)
