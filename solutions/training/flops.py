"""FLOPs of a Transformer's matrix products, and MFU: the share of a device's peak that they reach.

Letters: `B` sequences, `T` positions, `S` positions of the other side, `D` width, `F` inner width, `V` vocabulary.

**One product.** (m, k) times (k, n) has m n results, each a sum of k products: m n k multiplications and as many
additions, so 2 m n k FLOPs. Only products of matrices are counted; norms, softmax, activations and the optimiser are
less than a hundredth of them at the sizes that matter.

**Attention** of T positions on S: queries and output are projected by (D, D) at T positions, keys and values at S:
2 (2 T + 2 S) D D. Each of H heads of width D / H multiplies queries by keys, 2 T S D / H, and weights by values, the
same again: over all heads 4 T S D. The number of heads falls out. Masked scores count where the product is computed
over them, which is what a plain product does; a kernel that skips them does less work than is counted here.

**Feed-forward**: (T, D) by (D, F), then (T, F) by (F, D): 4 T D F.

**Backward**: y = x W has two products of the same size, for the gradients of x and of W. So a training step is three
times the forward pass. What FlashAttention computes again in its backward pass does not count: MFU is about the work
of the model (Chowdhery et al., 2022, appendix B).

**As executed**: T is the padded length, and the vocabulary head counts the positions that it is applied to.

    MFU = FLOPs / seconds / (peak of one device x devices)
"""

_DENSE_BF16 = {
    "NVIDIA A100-SXM4-40GB": 312e12,
    "NVIDIA A100-SXM4-80GB": 312e12,
    "NVIDIA H100 80GB HBM3": 989e12,
    "NVIDIA H100 PCIe": 756e12,
    "NVIDIA H200": 989e12,
}
"""FLOP/s of bf16 products without sparsity, by the name that CUDA gives the device.

From NVIDIA's data sheets: A100 312; H100 SXM 1,979 and PCIe 1,513, H200 1,979 with sparsity, and half of it without
(nvidia.com/en-us/data-center/a100, /h100, /h200). A part of a GPU (MIG) has another name, and no peak here.
"""


def peak(device: str, precision: str) -> float | None:
    """FLOP/s that a device can reach; None where no data sheet says it, as for a CPU."""
    return _DENSE_BF16.get(device) if precision == "bf16" else None


def attention(batch: int, queries: int, keys: int, width: int) -> float:
    """Forward FLOPs of multi-head attention with its four projections: (B, T, D) on (B, S, D)."""
    projections = 2 * (2 * queries + 2 * keys) * width * width
    return float(batch * (projections + 4 * queries * keys * width))


def feed_forward(batch: int, positions: int, width: int, inner: int) -> float:
    """Forward FLOPs of the two linear layers: (B, T, D) to (B, T, F) and back."""
    return float(batch * 4 * positions * width * inner)


def encoder_layer(batch: int, positions: int, width: int, inner: int) -> float:
    """Forward FLOPs of self-attention and feed-forward; also of a decoder-only layer."""
    return attention(batch, positions, positions, width) + feed_forward(batch, positions, width, inner)


def decoder_layer(batch: int, positions: int, memory: int, width: int, inner: int) -> float:
    """Forward FLOPs of self-attention, attention on a memory of (B, S, D), and feed-forward."""
    return encoder_layer(batch, positions, width, inner) + attention(batch, positions, memory, width)


def vocabulary_head(positions: int, width: int, vocabulary: int) -> float:
    """Forward FLOPs of the logits: (positions, D) by (D, V)."""
    return float(2 * positions * width * vocabulary)


def training(forward: float) -> float:
    """FLOPs of forward and backward pass."""
    return 3 * forward
