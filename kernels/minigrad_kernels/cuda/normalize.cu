// Normalisation: of rows (n, groups, width, length) by mean and variance or by root mean square, and of the channels of a
// batch (n, channels, length). `real` is float or double; the file is compiled once for each.

#include "block.cuh"

__device__ real one_or(const real *weight, int i) { return weight ? weight[i] : (real)1; }

// A block for each row. Where it is not centred the means are 0.
extern "C" __global__ void forward(const real *x, const real *weight_or_null, const real *bias_or_null, real *y,
                                   real *means, real *scale, real eps, int centred, int groups, int width, int length) {
    __shared__ real shared[THREADS];
    int count = width * length, first = blockIdx.x % groups * width;
    const real *row = x + (size_t)blockIdx.x * count;
    real *result = y + (size_t)blockIdx.x * count;
    real mean = 0, squares = 0;
    if (centred) {
        real sum = 0;
        for (int j = threadIdx.x; j < count; j += THREADS) sum += row[j];
        mean = block_sum(sum, shared) / (real)count;
    }
    for (int j = threadIdx.x; j < count; j += THREADS) squares += (row[j] - mean) * (row[j] - mean);
    real factor = (real)1 / sqrt(block_sum(squares, shared) / (real)count + eps);
    for (int j = threadIdx.x; j < count; j += THREADS) {
        int channel = first + j / length;
        result[j] = (row[j] - mean) * factor * one_or(weight_or_null, channel)
                    + (bias_or_null ? bias_or_null[channel] : (real)0);
    }
    if (threadIdx.x == 0) {
        means[blockIdx.x] = mean;
        scale[blockIdx.x] = factor;
    }
}

// The gradient of x, a block for each row.
extern "C" __global__ void backward(const real *g, const real *x, const real *weight_or_null, const real *means,
                                    const real *scale, real *d, int centred, int groups, int width, int length) {
    __shared__ real shared[THREADS];
    int count = width * length, first = blockIdx.x % groups * width;
    size_t start = (size_t)blockIdx.x * count;
    real mean = centred ? means[blockIdx.x] : (real)0, factor = scale[blockIdx.x];
    real sum = 0, product = 0;
    for (int j = threadIdx.x; j < count; j += THREADS) {
        real h = g[start + j] * one_or(weight_or_null, first + j / length);
        sum += h;
        product += h * ((x[start + j] - mean) * factor);
    }
    real a = block_sum(sum, shared) / (real)count, b = block_sum(product, shared) / (real)count;
    if (!centred) a = 0;
    for (int j = threadIdx.x; j < count; j += THREADS) {
        real h = g[start + j] * one_or(weight_or_null, first + j / length);
        d[start + j] = factor * (h - (x[start + j] - mean) * factor * b - a);
    }
}

// The gradients of weight and bias, a block for each channel.
extern "C" __global__ void weights(const real *g, const real *x, const real *means, const real *scale,
                                   real *d_weight, real *d_bias, int n, int centred, int groups, int width, int length) {
    __shared__ real shared[THREADS];
    int channel = blockIdx.x, group = channel / width, channels = groups * width;
    real sum = 0, product = 0;
    for (int k = threadIdx.x; k < n * length; k += THREADS) {
        int i = k / length, row = i * groups + group;
        size_t at = ((size_t)i * channels + channel) * length + k % length;
        real mean = centred ? means[row] : (real)0;
        sum += g[at];
        product += g[at] * ((x[at] - mean) * scale[row]);
    }
    real total = block_sum(sum, shared), against = block_sum(product, shared);
    if (threadIdx.x == 0) {
        d_bias[channel] = total;
        d_weight[channel] = against;
    }
}

// A block for each channel, whose entries lie in n runs of `length`.
extern "C" __global__ void batch_forward(const real *x, const real *weight_or_null, const real *bias_or_null, real *y,
                                         real *means, real *variances, real *scales, real eps, int n, int channels,
                                         int length) {
    __shared__ real shared[THREADS];
    int channel = blockIdx.x, count = n * length;
    real all = count ? count : 1;
    real sum = 0, squares = 0;
    for (int k = threadIdx.x; k < count; k += THREADS) {
        sum += x[((size_t)(k / length) * channels + channel) * length + k % length];
    }
    real mean = block_sum(sum, shared) / all;
    for (int k = threadIdx.x; k < count; k += THREADS) {
        real rest = x[((size_t)(k / length) * channels + channel) * length + k % length] - mean;
        squares += rest * rest;
    }
    real var = block_sum(squares, shared) / all, factor = (real)1 / sqrt(var + eps);
    real weight = one_or(weight_or_null, channel), bias = bias_or_null ? bias_or_null[channel] : (real)0;
    for (int k = threadIdx.x; k < count; k += THREADS) {
        size_t at = ((size_t)(k / length) * channels + channel) * length + k % length;
        y[at] = (x[at] - mean) * factor * weight + bias;
    }
    if (threadIdx.x == 0) {
        means[channel] = mean;
        variances[channel] = var;
        scales[channel] = factor;
    }
}

extern "C" __global__ void batch_backward(const real *g, const real *x, const real *weight_or_null, const real *means,
                                          const real *scales, real *d, real *d_weight, real *d_bias, int n,
                                          int channels, int length) {
    __shared__ real shared[THREADS];
    int channel = blockIdx.x, count = n * length;
    real all = count ? count : 1;
    real mean = means[channel], factor = scales[channel], sum = 0, product = 0;
    for (int k = threadIdx.x; k < count; k += THREADS) {
        size_t at = ((size_t)(k / length) * channels + channel) * length + k % length;
        sum += g[at];
        product += g[at] * ((x[at] - mean) * factor);
    }
    real total = block_sum(sum, shared), against = block_sum(product, shared);
    real a = total / all, b = against / all, outer = factor * one_or(weight_or_null, channel);
    for (int k = threadIdx.x; k < count; k += THREADS) {
        size_t at = ((size_t)(k / length) * channels + channel) * length + k % length;
        d[at] = outer * (g[at] - a - (x[at] - mean) * factor * b);
    }
    if (threadIdx.x == 0) {
        d_bias[channel] = total;
        d_weight[channel] = against;
    }
}
