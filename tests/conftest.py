"""Settings common to all tests: one torch thread, no reading of the user's own caches by accident."""

import torch

torch.set_num_threads(1)
