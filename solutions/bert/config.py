"""Sizes of a BERT."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BertConfig:
    """Sizes of an encoder and its heads. The defaults are those of BERT-base (Devlin et al., 2019)."""

    vocabulary_size: int
    """V, the tokens; 30,522 in the published uncased models."""
    d_model: int = 768
    """D, the width of the model; a multiple of `num_heads`."""
    num_heads: int = 12
    """Heads of each attention."""
    d_ff: int = 3072
    """Width inside the feed-forward networks."""
    num_layers: int = 12
    """Layers of the encoder; with 0 the embeddings are all there is."""
    max_length: int = 512
    """How many positions have a vector."""
    num_types: int = 2
    """Kinds of sentences that have a vector: A and B."""
    dropout: float = 0.1
    """How likely an entry is set to zero, of the embeddings and of each sub-layer's result."""
    eps: float = 1e-12
    """What every norm adds to the variance."""

    def __post_init__(self) -> None:
        smallest = dict.fromkeys(
            ("vocabulary_size", "d_model", "num_heads", "d_ff", "max_length", "num_types"), 1
        )
        for name, bound in {**smallest, "num_layers": 0}.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name} is {getattr(self, name)}, expected {bound} or more")
        if self.d_model % self.num_heads:
            raise ValueError(
                f"d_model is {self.d_model}, expected a multiple of num_heads, which is {self.num_heads}"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}, expected 0 or more, and less than 1")
        if not self.eps > 0:
            raise ValueError(f"eps is {self.eps}, expected more than 0")
