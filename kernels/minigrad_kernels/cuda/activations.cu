// The activations, made from the operations' formulas and rules by `python -m minigrad.ops.generate`; do not edit.
// A thread for each entry. `real` is float or double. Compiled without fused multiply-add, so that each result is
// rounded once.

__device__ real larger(real a, real b) { return a > b || a != a ? a : b; }
__device__ real smaller(real a, real b) { return a < b || a != a ? a : b; }
__device__ real ndtr(real x) { return (real)0.5 * erfc(x * (real)-0.7071067811865476); }

extern "C" __global__ void relu_forward(const real *a, real *y, int size, real zero) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real a_i = a[i];
    real y_i = larger(a_i, zero);
    y[i] = y_i;
}

extern "C" __global__ void relu_backward(const real *g, const real *y, real *d, int size, real zero) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real g_i = g[i], y_i = y[i];
    real d_i = y_i > zero ? g_i : zero;
    d[i] = d_i;
}

extern "C" __global__ void leaky_relu_forward(const real *a, real *y, int size, real zero, real slope) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real a_i = a[i];
    real y_i = a_i > zero ? a_i : slope * a_i;
    y[i] = y_i;
}

extern "C" __global__ void leaky_relu_backward(const real *g, const real *a, real *d, int size, real zero, real slope) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real g_i = g[i], a_i = a[i];
    real d_i = a_i > zero ? g_i : slope * g_i;
    d[i] = d_i;
}

extern "C" __global__ void sigmoid_forward(const real *a, real *y, int size, real zero, real one) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real a_i = a[i];
    real part = exp(-fabs(a_i));
    real y_i = (a_i >= zero ? one : part) / (one + part);
    y[i] = y_i;
}

extern "C" __global__ void sigmoid_backward(const real *g, const real *y, real *d, int size, real one) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real g_i = g[i], y_i = y[i];
    real d_i = g_i * y_i * (one - y_i);
    d[i] = d_i;
}

extern "C" __global__ void softplus_forward(const real *a, real *y, int size, real zero) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real a_i = a[i];
    real y_i = larger(a_i, zero) + log1p(exp(-fabs(a_i)));
    y[i] = y_i;
}

extern "C" __global__ void softplus_backward(const real *g, const real *a, real *d, int size, real zero, real one) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real g_i = g[i], a_i = a[i];
    real part = exp(-fabs(a_i));
    real d_i = g_i * ((a_i >= zero ? one : part) / (one + part));
    d[i] = d_i;
}

extern "C" __global__ void gelu_forward(const real *a, real *y, int size) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real a_i = a[i];
    real y_i = a_i * ndtr(a_i);
    y[i] = y_i;
}

extern "C" __global__ void gelu_backward(const real *g, const real *a, real *d, int size, real number__0_5, real number_0_3989422804014327) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real g_i = g[i], a_i = a[i];
    real d_i = g_i * (ndtr(a_i) + a_i * (exp(number__0_5 * a_i * a_i) * number_0_3989422804014327));
    d[i] = d_i;
}

extern "C" __global__ void silu_forward(const real *a, real *y, int size, real zero, real one) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real a_i = a[i];
    real part = exp(-fabs(a_i));
    real y_i = a_i * ((a_i >= zero ? one : part) / (one + part));
    y[i] = y_i;
}

extern "C" __global__ void silu_backward(const real *g, const real *a, real *d, int size, real zero, real one) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real g_i = g[i], a_i = a[i];
    real part = exp(-fabs(a_i));
    real part_2 = (a_i >= zero ? one : part) / (one + part);
    real d_i = g_i * part_2 * (one + a_i * (one - part_2));
    d[i] = d_i;
}

extern "C" __global__ void elu_forward(const real *a, real *y, int size, real zero, real alpha) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real a_i = a[i];
    real y_i = a_i > zero ? a_i : alpha * expm1(smaller(a_i, zero));
    y[i] = y_i;
}

extern "C" __global__ void elu_backward(const real *g, const real *a, real *d, int size, real zero, real alpha) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real g_i = g[i], a_i = a[i];
    real d_i = a_i > zero ? g_i : alpha * g_i * exp(smaller(a_i, zero));
    d[i] = d_i;
}

extern "C" __global__ void gelu_tanh_forward(const real *a, real *y, int size, real number__30, real number_30, real number_0_044715, real
        number_0_7978845608028654, real two, real zero, real one) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real a_i = a[i];
    real part = smaller(larger(a_i, number__30), number_30);
    real part_2 = two * (number_0_7978845608028654 * (part + number_0_044715 * part * part * part));
    real part_3 = exp(-fabs(part_2));
    real y_i = a_i * ((part_2 >= zero ? one : part_3) / (one + part_3));
    y[i] = y_i;
}

extern "C" __global__ void gelu_tanh_backward(const real *g, const real *a, real *d, int size, real number__30, real number_30, real number_0_044715, real
        number_0_7978845608028654, real two, real zero, real one, real number_0_134145, real
        number_1_5957691216057308) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real g_i = g[i], a_i = a[i];
    real part = smaller(larger(a_i, number__30), number_30);
    real part_2 = two * (number_0_7978845608028654 * (part + number_0_044715 * part * part * part));
    real part_3 = exp(-fabs(part_2));
    real part_4 = (part_2 >= zero ? one : part_3) / (one + part_3);
    real d_i = g_i * (part_4 + part * part_4 * (one - part_4) * (number_1_5957691216057308 * (one + number_0_134145 * part * part)));
    d[i] = d_i;
}

extern "C" __global__ void mish_forward(const real *a, real *y, int size, real zero) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real a_i = a[i];
    real y_i = a_i * tanh(larger(a_i, zero) + log1p(exp(-fabs(a_i))));
    y[i] = y_i;
}

extern "C" __global__ void mish_backward(const real *g, const real *a, real *d, int size, real zero, real one) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real g_i = g[i], a_i = a[i];
    real part = exp(-fabs(a_i));
    real part_2 = tanh(larger(a_i, zero) + log1p(part));
    real d_i = g_i * (part_2 + a_i * (one - part_2 * part_2) * ((a_i >= zero ? one : part) / (one + part)));
    d[i] = d_i;
}

extern "C" __global__ void hardswish_forward(const real *a, real *y, int size, real three, real zero, real number_6) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real a_i = a[i];
    real y_i = a_i * (smaller(larger(a_i + three, zero), number_6) / number_6);
    y[i] = y_i;
}

extern "C" __global__ void hardswish_backward(const real *g, const real *a, real *d, int size, real three, real number__3, real one, real zero, real
        number_0_5) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real g_i = g[i], a_i = a[i];
    real d_i = a_i >= three ? g_i : g_i * (a_i > number__3 ? one : zero) * (a_i / three + number_0_5);
    d[i] = d_i;
}
