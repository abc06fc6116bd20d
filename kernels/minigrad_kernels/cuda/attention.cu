// Attention: a block of threads for each query (or, for the gradients of keys and values, for each key). It takes
// as many keys (or queries) at a time as it has threads, so that no more weights than these are ever held.
// `real` is float or double; the file is compiled once for each.

#define THREADS 64

typedef unsigned long long bits64;

__device__ real reduced(real value, real *shared, bool largest) {
    shared[threadIdx.x] = value;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            real a = shared[threadIdx.x], b = shared[threadIdx.x + half];
            shared[threadIdx.x] = largest ? (a > b || a != a ? a : b) : a + b;
        }
        __syncthreads();
    }
    real result = shared[0];
    __syncthreads();
    return result;
}

__device__ real no_score() { return -(real)1 / (real)0; }

__device__ real product(const real *a, const real *b, int count) {
    real sum = 0;
    for (int c = 0; c < count; c++) sum += a[c] * b[c];
    return sum;
}

// SplitMix64 of a weight's place: 24 random bits, and those below the threshold are dropped.
__device__ real kept(const long long *seed_or_null, long long place, int threshold, real factor) {
    if (!threshold) return 1;
    bits64 z = (bits64)(place + 1) * 0x9E3779B97F4A7C15ULL + (bits64)*seed_or_null;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return (int)((z ^ (z >> 31)) >> 40) >= threshold ? factor : 0;
}

// The score of query i and key j of a head: -inf where the key is hidden.
__device__ real score(const real *q, const real *k, const real *mask, long long head,
                      int i, int j, int d, int heads, int mb, int mh, int mi, int mj, int causal, real scale) {
    if (causal && j > i) return no_score();
    size_t at = (size_t)(head / heads) * mb + (size_t)(head % heads) * mh + (size_t)i * mi + (size_t)j * mj;
    real found = scale * product(q, k, d);
    return mask ? found + mask[at] : found;
}

extern "C" __global__ void forward(const real *q, const real *k, const real *v, const real *mask_or_null, const long long *seed_or_null, real *y, real *lse,
                                   int d, int e, int n, int m, int heads, int mb, int mh, int mi, int mj,
                                   int causal, int threshold, real factor, real scale) {
    __shared__ real shared[THREADS];
    __shared__ real weights[THREADS];
    long long head = blockIdx.x / n;
    int i = blockIdx.x % n;
    const real *query = q + (size_t)blockIdx.x * d;
    const real *keys = k + (size_t)head * m * d, *values = v + (size_t)head * m * e;
    real *result = y + (size_t)blockIdx.x * e;
    real top = no_score(), mass = 0;
    for (int c = threadIdx.x; c < e; c += THREADS) result[c] = 0;
    int end = causal && i + 1 < m ? i + 1 : m;
    for (int first = 0; first < end; first += THREADS) {
        int j = first + threadIdx.x;
        real s = no_score();
        if (j < end)
            s = score(query, keys + (size_t)j * d, mask_or_null, head, i, j, d, heads, mb, mh, mi,
                      mj, causal, scale);
        real largest = reduced(s, shared, true);
        if (!(top > largest || top != top)) {
            real shrink = top == no_score() ? 0 : exp(top - largest);
            mass *= shrink;
            for (int c = threadIdx.x; c < e; c += THREADS) result[c] *= shrink;
            top = largest;
        }
        real power = exp(s - (top == no_score() ? 0 : top));
        mass += reduced(power, shared, false);
        weights[threadIdx.x] =
            j < end ? power * kept(seed_or_null, (long long)blockIdx.x * m + j, threshold, factor) : 0;
        __syncthreads();
        int count = end - first < THREADS ? end - first : THREADS;
        for (int c = threadIdx.x; c < e; c += THREADS) {
            real sum = 0;
            for (int t = 0; t < count; t++) sum += weights[t] * values[(size_t)(first + t) * e + c];
            result[c] += sum;
        }
        __syncthreads();
    }
    real sums = mass == 0 ? -no_score() : mass;
    for (int c = threadIdx.x; c < e; c += THREADS) result[c] /= sums;
    if (threadIdx.x == 0) lse[blockIdx.x] = log(sums) + (mass == 0 ? 0 : top);
}

extern "C" __global__ void backward_queries(const real *g, const real *lse, const real *balance, const real *q,
                                            const real *k, const real *v, const real *mask_or_null, const long long *seed_or_null, real *dq,
                                            int d, int e, int n, int m, int heads, int mb, int mh, int mi, int mj,
                                            int causal, int threshold, real factor, real scale) {
    __shared__ real changes[THREADS];
    long long head = blockIdx.x / n;
    int i = blockIdx.x % n;
    const real *query = q + (size_t)blockIdx.x * d, *gradient = g + (size_t)blockIdx.x * e;
    const real *keys = k + (size_t)head * m * d, *values = v + (size_t)head * m * e;
    real *result = dq + (size_t)blockIdx.x * d;
    for (int c = threadIdx.x; c < d; c += THREADS) result[c] = 0;
    int end = causal && i + 1 < m ? i + 1 : m;
    for (int first = 0; first < end; first += THREADS) {
        int j = first + threadIdx.x;
        real change = 0;
        if (j < end) {
            real s = score(query, keys + (size_t)j * d, mask_or_null, head, i, j, d, heads, mb, mh,
                           mi, mj, causal, scale);
            real used = kept(seed_or_null, (long long)blockIdx.x * m + j, threshold, factor);
            real dw = product(gradient, values + (size_t)j * e, e) * used;
            change = exp(s - lse[blockIdx.x]) * (dw - balance[blockIdx.x]);
        }
        changes[threadIdx.x] = change;
        __syncthreads();
        int count = end - first < THREADS ? end - first : THREADS;
        for (int c = threadIdx.x; c < d; c += THREADS) {
            real sum = 0;
            for (int t = 0; t < count; t++) sum += changes[t] * keys[(size_t)(first + t) * d + c];
            result[c] += scale * sum;
        }
        __syncthreads();
    }
}

extern "C" __global__ void backward_keys(const real *g, const real *lse, const real *balance, const real *q,
                                         const real *k, const real *v, const real *mask_or_null, const long long *seed_or_null, real *dk,
                                         real *dv, int d, int e, int n, int m, int heads, int mb, int mh, int mi,
                                         int mj, int causal, int threshold, real factor, real scale) {
    __shared__ real weights[THREADS];
    __shared__ real changes[THREADS];
    long long head = blockIdx.x / m;
    int j = blockIdx.x % m;
    const real *key = k + (size_t)blockIdx.x * d, *value = v + (size_t)blockIdx.x * e;
    const real *queries = q + (size_t)head * n * d, *gradients = g + (size_t)head * n * e;
    real *of_key = dk + (size_t)blockIdx.x * d, *of_value = dv + (size_t)blockIdx.x * e;
    for (int c = threadIdx.x; c < d; c += THREADS) of_key[c] = 0;
    for (int c = threadIdx.x; c < e; c += THREADS) of_value[c] = 0;
    for (int first = 0; first < n; first += THREADS) {
        int i = first + threadIdx.x;
        real weight = 0, change = 0;
        if (i < n) {
            long long row = head * n + i;
            real s = score(queries + (size_t)i * d, key, mask_or_null, head, i, j, d, heads, mb, mh,
                           mi, mj, causal, scale);
            real used = kept(seed_or_null, row * m + j, threshold, factor);
            real power = exp(s - lse[row]);
            weight = power * used;
            change = power * (product(gradients + (size_t)i * e, value, e) * used - balance[row]);
        }
        weights[threadIdx.x] = weight;
        changes[threadIdx.x] = change;
        __syncthreads();
        int count = n - first < THREADS ? n - first : THREADS;
        for (int c = threadIdx.x; c < d; c += THREADS) {
            real sum = 0;
            for (int t = 0; t < count; t++) sum += changes[t] * queries[(size_t)(first + t) * d + c];
            of_key[c] += scale * sum;
        }
        for (int c = threadIdx.x; c < e; c += THREADS) {
            real sum = 0;
            for (int t = 0; t < count; t++) sum += weights[t] * gradients[(size_t)(first + t) * e + c];
            of_value[c] += sum;
        }
        __syncthreads();
    }
}
