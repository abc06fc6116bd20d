"""Handing a trained network on as an ONNX file, which many other programs run.

``graph`` writes a network's layers as ONNX operators, ``check`` runs the result in onnxruntime beside the network, and
``run`` does both for a finished run before the file appears.
"""

from minigrad.export import pictures as pictures  # these enter their layers
from minigrad.export import positions as positions
from minigrad.export import recurrent as recurrent
from minigrad.export import transformer as transformer
