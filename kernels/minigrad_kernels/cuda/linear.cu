// What surrounds the matrix products of a dense layer. `real` is float or double.

// y <- y + bias, then max(y, 0) where relu is 1. A thread for each entry of y (rows, columns).
extern "C" __global__ void add_bias(real *y, const real *b, int size, int columns, int relu) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real z = y[i] + b[i % columns];
    y[i] = relu && z < 0 ? (real)0 : z;  // NaN stays
}

// d <- g * [y > 0] and total_j <- sum over the rows of d_ij: a thread for each column, which adds its rows in
// their order. Neighbouring threads read neighbouring columns, so each row is read in whole lines.
extern "C" __global__ void mask_and_sum(const real *g, const real *y, real *d, real *total, int rows, int columns) {
    int j = blockIdx.x * blockDim.x + threadIdx.x;
    if (j >= columns) return;
    real sum = 0;
    for (int i = 0; i < rows; i++) {
        size_t k = (size_t)i * columns + j;
        real passed = g[k] * (y[k] > 0 ? (real)1 : (real)0);
        d[k] = passed;
        sum += passed;
    }
    total[j] = sum;
}

extern "C" __global__ void sum_rows(const real *g, real *total, int rows, int columns) {
    int j = blockIdx.x * blockDim.x + threadIdx.x;
    if (j >= columns) return;
    real sum = 0;
    for (int i = 0; i < rows; i++) sum += g[(size_t)i * columns + j];
    total[j] = sum;
}
