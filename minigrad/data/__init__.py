"""Data: load, clean, scale, split, augment, and deal out in mini-batches. NumPy arrays only, no Tensors."""

from minigrad.data.augment import Compose, Noise, Rotate, Shift, Transform
from minigrad.data.cleaning import Report, clean
from minigrad.data.dataset import Dataset
from minigrad.data.digits import load_digits
from minigrad.data.glyphs import load_glyphs
from minigrad.data.idx import read_idx
from minigrad.data.loader import DataLoader, generator_state, load_generator_state
from minigrad.data.mnist import load_mnist
from minigrad.data.npz import load_npz
from minigrad.data.scaling import MinMax, Scaler, Standardize, scaler_from_state
from minigrad.data.split import Split, divide, split
from minigrad.data.tables import load_csv

__all__ = [
    "Compose",
    "DataLoader",
    "Dataset",
    "MinMax",
    "Noise",
    "Report",
    "Rotate",
    "Scaler",
    "Shift",
    "Split",
    "Standardize",
    "Transform",
    "clean",
    "divide",
    "generator_state",
    "load_csv",
    "load_digits",
    "load_generator_state",
    "load_glyphs",
    "load_mnist",
    "load_npz",
    "read_idx",
    "scaler_from_state",
    "split",
]
