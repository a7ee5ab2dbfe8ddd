"""BERT's encoder (Devlin et al., 2019): layers in which every token looks both ways.

Letters: `B` texts, `T` positions, `D` width of the model, `H` heads.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class BertLayer(nn.Module):
    """Self-attention, then a feed-forward network; the norm stands behind each residual connection.

        x = attention_norm(x + dropout(output(heads)))
        x = output_norm(x + dropout(outer(gelu(inner(x)))))

    Parameters (the names are fixed): `query`, `key`, `value` and `output`, each an `nn.Linear` from D to D;
    `attention_norm`; `inner` (D to d_ff) and `outer` (d_ff to D) with the exact GELU between them; `output_norm`. Both
    norms are an `nn.LayerNorm` of width D with eps 1e-12. Head h uses entries h * D/H to (h + 1) * D/H of a projected
    vector, as `split` deals them out. The published model also drops attention weights in training; here they stay.

    Args:
        d_model: D, the width of the model.
        num_heads: H, a divisor of D.
        d_ff: the width inside the feed-forward network.
        dropout: how likely an entry of a sub-layer's result is set to zero in training.

    Raises:
        ValueError: D is no multiple of H.
    """

    def __init__(self, d_model: int, num_heads: int, d_ff: int, dropout: float = 0.1) -> None:
        super().__init__()
        if d_model % num_heads:
            raise ValueError(f"d_model is {d_model}, expected a multiple of num_heads, which is {num_heads}")
        self.num_heads = num_heads
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)
        self.output = nn.Linear(d_model, d_model)
        self.attention_norm = nn.LayerNorm(d_model, eps=1e-12)
        self.inner = nn.Linear(d_model, d_ff)
        self.outer = nn.Linear(d_ff, d_model)
        self.output_norm = nn.LayerNorm(d_model, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def split(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, H, T, D / H), a run of neighbouring entries for each head."""
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """One layer.

        Args:
            x: (B, T, D) float.
            mask: (B, T) bool, True at tokens, False at padding, which nobody looks at.

        Returns:
            (B, T, D) float; what stands at padding is finite and means nothing.
        """
        ### BEGIN SOLUTION
        q, k, v = (self.split(projection(x)) for projection in (self.query, self.key, self.value))
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])  # (B, H, T, D / H)
        x = self.attention_norm(x + self.dropout(self.output(heads.transpose(1, 2).flatten(start_dim=2))))
        return self.output_norm(x + self.dropout(self.outer(F.gelu(self.inner(x)))))
        ### END SOLUTION


class BertEncoder(nn.Module):
    """A stack of layers, each with parameters of its own.

    Parameters (the name is fixed): `layers`, an `nn.ModuleList` of `num_layers` times `BertLayer`, in the order in
    which they are applied.

    Args:
        d_model: D, the width of the model.
        num_heads: H, a divisor of D.
        d_ff: the width inside the feed-forward networks.
        num_layers: how many layers there are.
        dropout: how likely an entry of a sub-layer's result is set to zero in training.
    """

    def __init__(
        self, d_model: int, num_heads: int, d_ff: int, num_layers: int, dropout: float = 0.1
    ) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.layers = nn.ModuleList(BertLayer(d_model, num_heads, d_ff, dropout) for _ in range(num_layers))
        ### END SOLUTION

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """All layers.

        Args:
            x: (B, T, D) float, embeddings.
            mask: (B, T) bool, True at tokens, False at padding, which nobody looks at.

        Returns:
            (B, T, D) float, the last layer's result; what stands at padding means nothing.
        """
        ### BEGIN SOLUTION
        for layer in self.layers:
            x = layer(x, mask)
        return x
        ### END SOLUTION
