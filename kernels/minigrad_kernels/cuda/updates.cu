// Optimizer updates: all parameters of a step in one launch. `real` is float or double. Compiled without fused
// multiply-add, so that the results are the bits of the NumPy reference.
//
// table has a column for each parameter: its number of entries, the first block that works on it, and then the
// addresses of the parameter, its gradient and its state. A block works on ENTRIES entries of one parameter. The
// coefficients travel with the launch. The clipping factor alone may have been worked out on the device, where the
// host does not wait for it: then it is read from there.

#define ENTRIES 1024
#define THREADS 256
#define EACH (ENTRIES / THREADS)

// Goes once over a block's entries: new values of parameter and state by rule(theta, d, first, second), where d is
// the gradient clipped and with its L2 penalty. A thread fetches all its numbers before it stores the first one, so
// that many are on their way at a time. What a rule does not keep costs nothing.
template <int STATES, class Rule>
__device__ void update(const long long *table, int parameters, const real *clip_or_null, real clip, real l2,
                       Rule rule) {
    int q = 0, end = parameters;  // this block's parameter, found by halving the range in which it lies
    while (end - q > 1) {
        int middle = (q + end) / 2;
        if (table[parameters + middle] <= (long long)blockIdx.x) q = middle;
        else end = middle;
    }
    long long size = table[q], from = (blockIdx.x - table[parameters + q]) * ENTRIES + threadIdx.x;
    real *theta = (real *)table[2 * parameters + q];
    const real *g = (const real *)table[3 * parameters + q];
    real *first = STATES > 0 ? (real *)table[4 * parameters + q] : 0;
    real *second = STATES > 1 ? (real *)table[5 * parameters + q] : 0;
    if (clip_or_null) clip = *clip_or_null;

    real t[EACH], d[EACH], a[EACH], b[EACH];
#pragma unroll
    for (int e = 0; e < EACH; e++) {
        long long i = from + e * THREADS;
        if (i >= size) continue;
        t[e] = theta[i];
        d[e] = g[i];
        if (STATES > 0) a[e] = first[i];
        if (STATES > 1) b[e] = second[i];
    }
#pragma unroll
    for (int e = 0; e < EACH; e++) {
        long long i = from + e * THREADS;
        if (i >= size) continue;
        rule(t[e], clip * d[e] + l2 * t[e], a[e], b[e]);
        theta[i] = t[e];
        if (STATES > 0) first[i] = a[e];
        if (STATES > 1) second[i] = b[e];
    }
}

extern "C" __global__ void sgd(const long long *table, int parameters, const real *clip_or_null, real clip, real l2,
                               real rate) {
    update<0>(table, parameters, clip_or_null, clip, l2,
              [=](real &theta, real d, real &, real &) { theta = theta - rate * d; });
}

extern "C" __global__ void momentum(const long long *table, int parameters, const real *clip_or_null, real clip,
                                    real l2, real rate, real mu) {
    update<1>(table, parameters, clip_or_null, clip, l2, [=](real &theta, real d, real &b, real &) {
        b = mu * b + d;
        theta = theta - rate * b;
    });
}

extern "C" __global__ void nesterov(const long long *table, int parameters, const real *clip_or_null, real clip,
                                    real l2, real rate, real mu) {
    update<1>(table, parameters, clip_or_null, clip, l2, [=](real &theta, real d, real &b, real &) {
        b = mu * b + d;
        theta = theta - rate * (d + mu * b);
    });
}

extern "C" __global__ void adagrad(const long long *table, int parameters, const real *clip_or_null, real clip,
                                   real l2, real rate, real eps) {
    update<1>(table, parameters, clip_or_null, clip, l2, [=](real &theta, real d, real &s, real &) {
        s = s + d * d;
        theta = theta - rate * d / (sqrt(s) + eps);
    });
}

extern "C" __global__ void rmsprop(const long long *table, int parameters, const real *clip_or_null, real clip,
                                   real l2, real rate, real alpha, real one_minus_alpha, real eps) {
    update<1>(table, parameters, clip_or_null, clip, l2, [=](real &theta, real d, real &v, real &) {
        v = alpha * v + one_minus_alpha * (d * d);
        theta = theta - rate * d / (sqrt(v) + eps);
    });
}

extern "C" __global__ void adam(const long long *table, int parameters, const real *clip_or_null, real clip, real l2,
                                real rate, real beta1, real one_minus_beta1, real beta2, real one_minus_beta2,
                                real correction1, real correction2, real eps) {
    update<2>(table, parameters, clip_or_null, clip, l2, [=](real &theta, real d, real &m, real &v) {
        m = beta1 * m + one_minus_beta1 * d;
        v = beta2 * v + one_minus_beta2 * (d * d);
        theta = theta - rate * (m / correction1) / (sqrt(v / correction2) + eps);
    });
}

extern "C" __global__ void adamw(const long long *table, int parameters, const real *clip_or_null, real clip, real l2,
                                 real rate, real beta1, real one_minus_beta1, real beta2, real one_minus_beta2,
                                 real correction1, real correction2, real eps, real decay) {
    update<2>(table, parameters, clip_or_null, clip, l2, [=](real &theta, real d, real &m, real &v) {
        m = beta1 * m + one_minus_beta1 * d;
        v = beta2 * v + one_minus_beta2 * (d * d);
        real step = (m / correction1) / (sqrt(v / correction2) + eps);
        theta = theta - rate * (step + decay * theta);
    });
}

extern "C" __global__ void adam_as_printed(const long long *table, int parameters, const real *clip_or_null, real clip,
                                           real l2, real rate, real beta1, real one_minus_beta1, real beta2,
                                           real one_minus_beta2, real correction1) {
    update<2>(table, parameters, clip_or_null, clip, l2, [=](real &theta, real d, real &m, real &v) {
        m = beta1 * m + one_minus_beta1 * d;
        v = beta2 * v + one_minus_beta2 * (d * d);
        theta = theta - rate * m / correction1;
    });
}
