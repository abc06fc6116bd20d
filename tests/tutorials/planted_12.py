"""Answers to the exercises of tutorial 12, right and wrong; see the docstring of ``minigrad.exercises``."""

import minigrad as mg


def scores(matrix, c):
    precision, recall = matrix[c, c] / matrix[:, c].sum(), matrix[c, c] / matrix[c].sum()
    return precision, recall, 2 * precision * recall / (precision + recall)


def train_step(model, criterion, optimizer, x, y):
    optimizer.zero_grad()
    loss = criterion(model(mg.Tensor(x)), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def adds_up(model, criterion, optimizer, x, y):
    loss = criterion(model(mg.Tensor(x)), y)
    loss.backward()
    optimizer.step()
    return loss.item()


def no_update(model, criterion, optimizer, x, y):
    optimizer.zero_grad()
    loss = criterion(model(mg.Tensor(x)), y)
    loss.backward()
    return loss.item()


def a_tensor(model, criterion, optimizer, x, y):
    train_step(model, criterion, optimizer, x, y)
    return criterion(model(mg.Tensor(x)), y)


def afterwards(model, criterion, optimizer, x, y):
    train_step(model, criterion, optimizer, x, y)
    return criterion(model(mg.Tensor(x)), y).item()


def no_backward(model, criterion, optimizer, x, y):
    optimizer.zero_grad()
    loss = criterion(model(mg.Tensor(x)), y)
    optimizer.step()
    return loss.item()


SOLUTIONS = {"12.1": (118_282, 37_500), "12.2": scores, "12.3": train_step}
WRONG = {
    "12.1": {
        "the biases are missing": (118_016, 37_500),
        "one layer is missing": (101_770, 37_500),
        "in one epoch": (118_282, 1875),
        "divide by 32": (118_282, 1_200_000),
    },
    "12.2": {
        "are swapped": lambda matrix, c: scores(matrix.T, c),
        "the harmonic mean, 2pr": lambda matrix, c: (*scores(matrix, c)[:2], sum(scores(matrix, c)[:2]) / 2),
        "the 2 is missing": lambda matrix, c: (*scores(matrix, c)[:2], scores(matrix, c)[2] / 2),
        "class 0": lambda matrix, c: scores(matrix, 0),
    },
    "12.3": {
        "zero_grad() is missing": adds_up,
        "step() is missing": no_update,
        "keeps its whole graph": a_tensor,
        "after the update": afterwards,
        "MG-503": no_backward,
    },
}
PLACEHOLDERS = {"12.1": (None, None)}
