// Optimizer updates: all parameters of a step in one launch. `real` is float or double. Compiled without fused
// multiply-add, so that the results are the bits of the NumPy reference.
//
// table has a column for each parameter: its number of entries, the first block that works on it, and then the
// addresses of the parameter, its gradient and its state. A block works on ENTRIES entries of one parameter.
//
// The coefficients travel with the launch. Where the clipping factor was worked out on the device, for which the host
// does not wait, it is read from there (`given`); so are all of them, where `all` is 1: a launch that is
// captured into a graph would keep its numbers for ever.

#define ENTRIES 1024
#define THREADS 256
#define EACH (ENTRIES / THREADS)

// Goes once over a block's entries: new values of parameter and state by rule(clip, theta, g, state). A thread fetches
// all its numbers before it stores the first one, so that many are on their way at a time. What a rule does not keep
// costs nothing.
template <int STATES, class Rule>
__device__ void update(const long long *table, int parameters, const real *clip_or_null, real clip, Rule rule) {
    int q = 0, end = parameters;  // this block's parameter, found by halving the range in which it lies
    while (end - q > 1) {
        int middle = (q + end) / 2;
        if (table[parameters + middle] <= (long long)blockIdx.x) q = middle;
        else end = middle;
    }
    long long size = table[q], from = (blockIdx.x - table[parameters + q]) * ENTRIES + threadIdx.x;
    real *theta = (real *)table[2 * parameters + q];
    const real *g = (const real *)table[3 * parameters + q];
    real *state[STATES + 1];
#pragma unroll
    for (int k = 0; k < STATES; k++) state[k] = (real *)table[(4 + k) * parameters + q];
    if (clip_or_null) clip = *clip_or_null;

    real t[EACH], d[EACH], s[EACH][STATES + 1];
#pragma unroll
    for (int e = 0; e < EACH; e++) {
        long long i = from + e * THREADS;
        if (i >= size) continue;
        t[e] = theta[i];
        d[e] = g[i];
#pragma unroll
        for (int k = 0; k < STATES; k++) s[e][k] = state[k][i];
    }
#pragma unroll
    for (int e = 0; e < EACH; e++) {
        long long i = from + e * THREADS;
        if (i >= size) continue;
        rule(clip, t[e], d[e], s[e]);
        theta[i] = t[e];
#pragma unroll
        for (int k = 0; k < STATES; k++) state[k][i] = s[e][k];
    }
}

// NumPy's functions of single entries, NaN and signed zero included.
__device__ inline real squared(real x) { return x * x; }
__device__ inline real sign_of(real x) { return x > 0 ? (real)1 : x < 0 ? (real)-1 : x == 0 ? (real)0 : x; }
__device__ inline real larger(real x, real y) { return x >= y || x != x ? x : y; }
__device__ inline real smaller(real x, real y) { return x <= y || x != x ? x : y; }
