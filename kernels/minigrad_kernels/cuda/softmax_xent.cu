// Softmax and cross-entropy: a block of threads for each row of the logits.
// `real` is float or double; the file is compiled once for each.

#include "block.cuh"

__device__ real larger(real a, real b) { return a > b || a != a ? a : b; }  // NaN wins

__device__ real block_max(real value, real *shared) {
    shared[threadIdx.x] = value;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] = larger(shared[threadIdx.x], shared[threadIdx.x + half]);
        __syncthreads();
    }
    real top = shared[0];
    __syncthreads();
    return top;
}

__device__ real row_max(const real *row, int classes, real *shared) {
    real top = row[0];
    for (int j = threadIdx.x; j < classes; j += THREADS) top = larger(row[j], top);
    return block_max(top, shared);
}

__device__ real row_sum_of_powers(const real *row, int classes, real top, real *shared) {
    real total = 0;
    for (int j = threadIdx.x; j < classes; j += THREADS) total += exp(row[j] - top);
    return block_sum(total, shared);
}

__device__ bool is_class(long long label, int classes) { return 0 <= label && label < classes; }

// A label that is no class makes its loss and its gradient NaN; nothing outside the arrays is touched.
__device__ real not_a_number() { return (real)0 / (real)0; }

extern "C" __global__ void forward(const real *logits, const long long *labels, real *losses, int classes) {
    __shared__ real shared[THREADS];
    const real *row = logits + (size_t)blockIdx.x * classes;
    real top = row_max(row, classes, shared);
    real total = row_sum_of_powers(row, classes, top, shared);
    if (threadIdx.x == 0) {
        long long label = labels[blockIdx.x];
        losses[blockIdx.x] = is_class(label, classes) ? log(total) - (row[label] - top) : not_a_number();
    }
}

extern "C" __global__ void backward(const real *g, const real *logits, const long long *labels, real *d,
                                    int classes) {
    __shared__ real shared[THREADS];
    const real *row = logits + (size_t)blockIdx.x * classes;
    real *result = d + (size_t)blockIdx.x * classes;
    real top = row_max(row, classes, shared);
    real total = row_sum_of_powers(row, classes, top, shared);
    long long label = labels[blockIdx.x];
    real scale = is_class(label, classes) ? g[blockIdx.x] : not_a_number();
    for (int j = threadIdx.x; j < classes; j += THREADS) {
        real softmax = exp(row[j] - top) / total;
        result[j] = scale * (softmax - (j == label ? 1 : 0));
    }
}

// The losses, and their gradients divided by n.
extern "C" __global__ void forward_backward(const real *logits, const long long *labels, real *losses, real *d,
                                            int classes, int n) {
    __shared__ real shared[THREADS];
    const real *row = logits + (size_t)blockIdx.x * classes;
    real *result = d + (size_t)blockIdx.x * classes;
    real top = row_max(row, classes, shared);
    real total = row_sum_of_powers(row, classes, top, shared);
    long long label = labels[blockIdx.x];
    real factor = is_class(label, classes) ? (real)1 / (real)n : not_a_number();
    for (int j = threadIdx.x; j < classes; j += THREADS) {
        real softmax = exp(row[j] - top) / total;
        result[j] = factor * (softmax - (j == label ? 1 : 0));
    }
    if (threadIdx.x == 0) {
        losses[blockIdx.x] = is_class(label, classes) ? log(total) - (row[label] - top) : not_a_number();
    }
}

// result <- (1/n) sum of the losses, by one block.
extern "C" __global__ void mean(const real *losses, real *result, int n) {
    __shared__ real shared[THREADS];
    real sum = 0;
    for (int i = threadIdx.x; i < n; i += THREADS) sum += losses[i];
    real total = block_sum(sum, shared);
    if (threadIdx.x == 0) *result = total / (real)n;
}

// d <- g * gradient, for the one number g. A thread for each entry.
extern "C" __global__ void mean_backward(const real *g, const real *gradient, real *d, int size) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size) d[i] = *g * gradient[i];
}
