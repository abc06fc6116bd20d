"""Functions of functions: from f to its gradient, as many times over as one likes; Jacobians, Hessians, products."""

from minigrad.functional.reverse import grad as grad
from minigrad.functional.reverse import gradients as gradients
from minigrad.functional.reverse import value_and_grad as value_and_grad
from minigrad.functional.reverse import vjp as vjp
