"""DeepSeek-V3 in plain PyTorch, written for fast training of a small model on two CPU cores; also runs on a GPU.

Shapes: B rows of a batch, T tokens of a row, N = B * T, D hidden, H heads, E experts, K experts a token, F width of one expert, V
vocabulary. Parameters have the names of published checkpoints, except that the experts of a layer are stacked in one tensor.
"""
