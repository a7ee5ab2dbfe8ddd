"""Attention and the Transformer: the reference of the topic, in clear and in fast form."""
