"""An autoencoder: 64 pixels through 6 numbers and back to 64 pixels, which ought to be those it was given.

Try: run it, and look at the pictures of x and of copies; then change a single pixel of x.
"""

import numpy as np

import minigrad as mg
from minigrad import nn, optim
from minigrad.data import DataLoader, load_digits

batches = iter(DataLoader(load_digits(), batch_size=16))
rng = np.random.default_rng(0)
encoder = nn.Sequential(nn.Linear(64, 24, rng=rng), nn.ReLU(), nn.Linear(24, 6, rng=rng))
decoder = nn.Sequential(nn.Linear(6, 24, rng=rng), nn.ReLU(), nn.Linear(24, 64, rng=rng), nn.Sigmoid())
optimizer = optim.Adam(nn.Sequential(encoder, decoder), lr=0.01)


def step() -> None:
    """One mini-batch of 16 digits, which are their own targets."""
    pixels, _ = next(batches)
    x = mg.Tensor(pixels, name="x")
    code = encoder(x)
    copies = decoder(code)
    loss = ((copies - x) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
