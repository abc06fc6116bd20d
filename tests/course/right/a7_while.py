def matmul(a, b, c):
    i = 0
    while i < a.shape[0]:
        j = 0
        while j < b.shape[1]:
            c[i, j] = 0
            p = 0
            while p < a.shape[1]:
                c[i, j] += a[i, p] * b[p, j]
                p += 1
            j += 1
        i += 1


def matmul_by_rows(a, b, c):
    m, k = a.shape
    n = b.shape[1]
    for i in range(m):
        for j in range(n):
            c[i, j] = 0
    for p in range(k):
        for i in range(m):
            for j in range(n):
                c[i, j] += a[i, p] * b[p, j]


def add_tile(a, b, c, i0, j0, p0, size):
    for i in range(i0, i0 + size):
        if i >= a.shape[0]:
            break
        for j in range(j0, j0 + size):
            if j >= b.shape[1]:
                break
            total = c[i, j]
            for p in range(p0, p0 + size):
                if p < a.shape[1]:
                    total += a[i, p] * b[p, j]
            c[i, j] = total


def dot_in_four(x, y):
    t = [0.0, 0.0, 0.0, 0.0]
    for i, (a, b) in enumerate(zip(x, y)):
        t[i & 3] += a * b
    return (t[0] + t[1]) + (t[2] + t[3])


def adam_update(theta, g, m, v, hyper):
    i = 0
    while i < theta.shape[0]:
        d = hyper[0] * g[i] + hyper[1] * theta[i]
        m[i] *= hyper[2]
        m[i] += hyper[3] * d
        v[i] *= hyper[4]
        v[i] += hyper[5] * (d * d)
        theta[i] -= hyper[8] * (m[i] / hyper[6]) / (np.sqrt(v[i] / hyper[7]) + hyper[9])
        i += 1
