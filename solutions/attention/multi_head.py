"""Attention with several heads (Vaswani et al., 2017): each looks in a way of its own.

Letters: `B` batch, `H` heads, `T_q` places that ask, `T_k` places that are asked, `D` width of the model.
"""

from torch import Tensor, nn

from solutions.attention.dot_product import scaled_dot_product_attention


class MultiHeadAttention(nn.Module):
    """H heads of width D / H look in parallel; a last linear map mixes what they found.

    Parameters (the names are fixed): `q_proj`, `k_proj`, `v_proj` and `out_proj`, each a linear map from D to D with
    bias. Head h uses entries h * D/H to (h + 1) * D/H of a projected vector.

    Args:
        d_model: D, the width of the vectors.
        num_heads: H, a divisor of D.

    Raises:
        ValueError: D is no multiple of H.
    """

    def __init__(self, d_model: int, num_heads: int) -> None:
        super().__init__()
        if d_model % num_heads:
            raise ValueError(f"d_model is {d_model}, expected a multiple of num_heads, which is {num_heads}")
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.out_proj = nn.Linear(d_model, d_model)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let every place of `query` look at the places of `key`.

        Args:
            query: (B, T_q, D) float.
            key: (B, T_k, D) float.
            value: (B, T_k, D) float.
            mask: bool, broadcastable to (B, H, T_q, T_k); True where looking is allowed. None: everywhere.

        Returns:
            (B, T_q, D) float.
        """
        ### BEGIN SOLUTION
        projected = self.q_proj(query), self.k_proj(key), self.v_proj(value)  # (B, T, D) each
        q, k, v = (each.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for each in projected)
        output, _ = scaled_dot_product_attention(q, k, v, mask)  # (B, H, T_q, D / H)
        return self.out_proj(output.transpose(1, 2).flatten(start_dim=2))
        ### END SOLUTION
