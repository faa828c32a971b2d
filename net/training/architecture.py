"""The published architecture: two embeddings, one hidden layer of ReLU neurons, or of squares, one unembedding."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from net.activation import Activation

    Parameters = dict[str, torch.Tensor]

#: The layout of a trained network, in the order in which it is drawn and stored.
PARAMETER_NAMES = ("W_x", "W_y", "W", "W_U")


def parameter_shapes(order: int, embed: int, width: int) -> dict[str, tuple[int, int]]:
    """Shapes of the parameters for `order` group elements, embeddings of length `embed`, `width` neurons.

    The network is logits(x, y) = relu(concat(W_x[x], W_y[y]) @ W) @ W_U,
    the layout of Chughtai, Chan, Nanda, "A Toy Model of Universality" (arXiv 2302.03025).
    """
    return {
        "W_x": (order, embed),
        "W_y": (order, embed),
        "W": (2 * embed, width),
        "W_U": (width, order),
    }


def initial_parameters(order: int, embed: int, width: int, seed: int) -> Parameters:
    """Independent normal float32 entries of variance 1 / (second dimension), drawn from `seed`."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=generator) / math.sqrt(shape[1])
        for name, shape in parameter_shapes(order, embed, width).items()
    }


def folded_halves(parameters: Parameters) -> tuple[torch.Tensor, torch.Tensor]:
    """L = W_x @ W[:d] and R = W_y @ W[d:], each (order, width), in the parameters' own precision."""
    embed = parameters["W_x"].shape[1]
    return parameters["W_x"] @ parameters["W"][:embed], parameters["W_y"] @ parameters["W"][embed:]


def logits(parameters: Parameters, x: torch.Tensor, y: torch.Tensor, activation: Activation = "relu") -> torch.Tensor:
    """logits[k] = activation(L[x[k]] + R[y[k]]) @ W_U, shape (pairs, order); folds once for all pairs."""
    import torch

    left, right = folded_halves(parameters)
    sums = left[x] + right[y]
    return (sums * sums if activation == "square" else torch.relu(sums)) @ parameters["W_U"]


def cross_entropy_gradients(
    parameters: Parameters,
    x: torch.Tensor,
    y: torch.Tensor,
    target: torch.Tensor,
    buffer: torch.Tensor,
    activation: Activation = "relu",
) -> Parameters:
    """Gradients of mean_k -log softmax(logits(x[k], y[k]))[target[k]] with respect to each parameter.

    Written out rather than left to autograd because one preallocated `buffer` (pairs, order) then serves for
    logits, softmax and their gradient, which halves the time of a step on a CPU.
    """
    import torch

    unembed, weight = parameters["W_U"], parameters["W"]
    embed = weight.shape[0] // 2
    left, right = folded_halves(parameters)
    sums = torch.index_select(left, 0, x).add_(torch.index_select(right, 0, y))
    hidden = sums * sums if activation == "square" else sums.relu_()
    torch.mm(hidden, unembed, out=buffer)
    torch.softmax(buffer, dim=1, out=buffer)
    buffer[torch.arange(len(x)), target] -= 1
    buffer /= len(x)
    at_hidden = (buffer @ unembed.T).mul_(sums.mul_(2) if activation == "square" else hidden > 0)
    at_left = torch.zeros_like(left).index_add_(0, x, at_hidden)
    at_right = torch.zeros_like(right).index_add_(0, y, at_hidden)
    return {
        "W_x": at_left @ weight[:embed].T,
        "W_y": at_right @ weight[embed:].T,
        "W": torch.cat([parameters["W_x"].T @ at_left, parameters["W_y"].T @ at_right]),
        "W_U": hidden.T @ buffer,
    }
