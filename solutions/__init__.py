"""The instructor's reference code: what students build, as real, importable, trainable modules."""
