"""FLOPs of a step of pre-training, as executed: the numerator of its MFU. See `solutions/training/flops.py`.

Letters: `R` rows, `T` positions of a row, `D` width, `F` inner width, `L` layers, `V` tokens in the vocabulary, `M`
positions that the vocabulary head is applied to, `N` texts.

**Embeddings** are looked up and added: no product.

**Encoder**: L layers of self-attention of T positions on T, and feed-forward: L R (8 T D D + 4 T T D + 4 T D F). Where
several texts stand in a row all T T scores count, also those that the mask hides: that is what the kernel is asked for.

**Vocabulary head**: (M, D) by (D, D), then (M, D) by (D, V): 2 M D D + 2 M D V. M is the fixed number of positions that
the head is applied to, not R T, and not the number of those that are asked. A form that applies the head everywhere
does more work for the same result, and its MFU counts that work.

**Sentence head**: (N, D) by (D, D), then (N, D) by (D, 2): 2 N D D + 4 N D.

BERT-base at T = 128 with M = 0.16 R T has 0.18 GFLOPs a token forward: 93 % are linear layers, 3 % scores, 4 % the
vocabulary head. A head on all positions makes it 0.22.
"""

from solutions.bert.config import BertConfig
from solutions.training import flops


def forward(config: BertConfig, rows: int, length: int, asked: int, texts: int) -> float:
    """Forward FLOPs; those of a step are `flops.training` of it.

    Args:
        config: sizes.
        rows: R.
        length: T.
        asked: M; R T for a head that is applied everywhere.
        texts: N; 0 for masked language modelling alone.
    """
    D = config.d_model
    encoder = config.num_layers * flops.encoder_layer(rows, length, D, config.d_ff)
    vocabulary_head = flops.vocabulary_head(asked, D, D) + flops.vocabulary_head(
        asked, D, config.vocabulary_size
    )
    return encoder + vocabulary_head + flops.vocabulary_head(texts, D, D) + flops.vocabulary_head(texts, D, 2)
