// Optimizer updates: all parameters of a step in one launch. `real` is float or double. Compiled without fused
// multiply-add, so that the results are the bits of the NumPy reference.
//
// table has a row for each array of a rule (parameter, gradient, state ...) and a column for each parameter: the
// address of that array. Parameter q has sizes[q] entries, which the blocks first_block[q] ... first_block[q + 1] - 1
// work on, ENTRIES each. hyper holds the coefficients, in the order of LAYOUT in updates.py.

#define ENTRIES 1024

struct Part {
    real *theta, *first, *second;  // the parameter and its state
    const real *g;
    long long from, to;
};

// What this block works on; its parameter is found by halving the range in which it lies.
__device__ Part part(const long long *table, const long long *sizes, const int *first_block, int parameters,
                     int states) {
    int low = 0, high = parameters;
    while (high - low > 1) {
        int middle = (low + high) / 2;
        if (first_block[middle] <= (int)blockIdx.x) low = middle;
        else high = middle;
    }
    Part x;
    x.theta = (real *)table[low];
    x.g = (const real *)table[parameters + low];
    x.first = states > 0 ? (real *)table[2 * parameters + low] : 0;
    x.second = states > 1 ? (real *)table[3 * parameters + low] : 0;
    x.from = (long long)((int)blockIdx.x - first_block[low]) * ENTRIES;
    x.to = x.from + ENTRIES < sizes[low] ? x.from + ENTRIES : sizes[low];
    return x;
}

#define EACH_ENTRY (long long i = x.from + threadIdx.x; i < x.to; i += blockDim.x)
#define EFFECTIVE_GRADIENT (clip * x.g[i] + l2 * x.theta[i])

extern "C" __global__ void sgd(const long long *table, const long long *sizes, const int *first_block,
                               int parameters, const real *hyper) {
    Part x = part(table, sizes, first_block, parameters, 0);
    real clip = hyper[0], l2 = hyper[1], rate = hyper[2];
    for EACH_ENTRY x.theta[i] = x.theta[i] - rate * EFFECTIVE_GRADIENT;
}

extern "C" __global__ void momentum(const long long *table, const long long *sizes, const int *first_block,
                                    int parameters, const real *hyper) {
    Part x = part(table, sizes, first_block, parameters, 1);
    real clip = hyper[0], l2 = hyper[1], rate = hyper[2], mu = hyper[3];
    for EACH_ENTRY {
        real b = mu * x.first[i] + EFFECTIVE_GRADIENT;
        x.first[i] = b;
        x.theta[i] = x.theta[i] - rate * b;
    }
}

extern "C" __global__ void nesterov(const long long *table, const long long *sizes, const int *first_block,
                                    int parameters, const real *hyper) {
    Part x = part(table, sizes, first_block, parameters, 1);
    real clip = hyper[0], l2 = hyper[1], rate = hyper[2], mu = hyper[3];
    for EACH_ENTRY {
        real d = EFFECTIVE_GRADIENT;
        real b = mu * x.first[i] + d;
        x.first[i] = b;
        x.theta[i] = x.theta[i] - rate * (d + mu * b);
    }
}

extern "C" __global__ void adagrad(const long long *table, const long long *sizes, const int *first_block,
                                   int parameters, const real *hyper) {
    Part x = part(table, sizes, first_block, parameters, 1);
    real clip = hyper[0], l2 = hyper[1], rate = hyper[2], eps = hyper[3];
    for EACH_ENTRY {
        real d = EFFECTIVE_GRADIENT;
        real s = x.first[i] + d * d;
        x.first[i] = s;
        x.theta[i] = x.theta[i] - rate * d / (sqrt(s) + eps);
    }
}

extern "C" __global__ void rmsprop(const long long *table, const long long *sizes, const int *first_block,
                                   int parameters, const real *hyper) {
    Part x = part(table, sizes, first_block, parameters, 1);
    real clip = hyper[0], l2 = hyper[1], rate = hyper[2];
    real alpha = hyper[3], one_minus_alpha = hyper[4], eps = hyper[5];
    for EACH_ENTRY {
        real d = EFFECTIVE_GRADIENT;
        real v = alpha * x.first[i] + one_minus_alpha * (d * d);
        x.first[i] = v;
        x.theta[i] = x.theta[i] - rate * d / (sqrt(v) + eps);
    }
}

// The running means of Adam and its relatives: m and v of entry i, from the coefficients 3 ... 6.
#define MOMENTS                                                            \
    real d = EFFECTIVE_GRADIENT;                                           \
    real m = hyper[3] * x.first[i] + hyper[4] * d;                         \
    real v = hyper[5] * x.second[i] + hyper[6] * (d * d);                  \
    x.first[i] = m;                                                        \
    x.second[i] = v;

extern "C" __global__ void adam(const long long *table, const long long *sizes, const int *first_block,
                                int parameters, const real *hyper) {
    Part x = part(table, sizes, first_block, parameters, 2);
    real clip = hyper[0], l2 = hyper[1], rate = hyper[2];
    real correction1 = hyper[7], correction2 = hyper[8], eps = hyper[9];
    for EACH_ENTRY {
        MOMENTS
        x.theta[i] = x.theta[i] - rate * (m / correction1) / (sqrt(v / correction2) + eps);
    }
}

extern "C" __global__ void adamw(const long long *table, const long long *sizes, const int *first_block,
                                 int parameters, const real *hyper) {
    Part x = part(table, sizes, first_block, parameters, 2);
    real clip = hyper[0], l2 = hyper[1], rate = hyper[2];
    real correction1 = hyper[7], correction2 = hyper[8], eps = hyper[9], decay = hyper[10];
    for EACH_ENTRY {
        MOMENTS
        real step = (m / correction1) / (sqrt(v / correction2) + eps);
        x.theta[i] = x.theta[i] - rate * (step + decay * x.theta[i]);
    }
}

extern "C" __global__ void adam_as_printed(const long long *table, const long long *sizes, const int *first_block,
                                           int parameters, const real *hyper) {
    Part x = part(table, sizes, first_block, parameters, 2);
    real clip = hyper[0], l2 = hyper[1], rate = hyper[2], correction1 = hyper[7];
    for EACH_ENTRY {
        MOMENTS
        x.theta[i] = x.theta[i] - rate * m / correction1;
    }
}
