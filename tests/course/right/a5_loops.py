def softmax_of_row(row):
    top = max(row)
    powers = [math.exp(v - top) for v in row]
    total = math.fsum(powers)
    return [p / total for p in powers]


def softmax(z):
    out = np.zeros(z.shape)
    for place in np.ndindex(z.shape[:-1]):
        out[place] = softmax_of_row(z[place])
    return out


def cross_entropy(z, labels):
    total = 0.0
    for row, c in zip(z, labels):
        top = max(row)
        total += math.log(sum(math.exp(v - top) for v in row)) + top - row[c]
    return total / len(labels)


def cross_entropy_vjp(g, logits, labels):
    out = []
    for up, row, c in zip(g, logits, labels):
        p = softmax_of_row(row)
        out.append([up * (v - (k == c)) for k, v in enumerate(p)])
    return out


def one(z, y):
    return max(z, 0) - z * y + math.log1p(math.exp(-abs(z)))


def binary_cross_entropy(z, y):
    out = np.empty_like(z)
    for place in np.ndindex(z.shape):
        out[place] = one(z[place], y[place])
    return out


def sigma(z):
    if z >= 0:
        return 1 / (1 + math.exp(-z))
    return math.exp(z) / (1 + math.exp(z))


def binary_cross_entropy_vjp(g, z, y):
    out = np.empty_like(z)
    for place in np.ndindex(z.shape):
        out[place] = g[place] * (sigma(z[place]) - y[place])
    return out
