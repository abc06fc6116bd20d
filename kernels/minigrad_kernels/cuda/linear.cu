// What surrounds the matrix products of a dense layer. `real` is float or double.

// y <- y + bias, then max(y, 0) where relu is 1. A thread for each entry of y (rows, columns).
extern "C" __global__ void add_bias(real *y, const real *b, int size, int columns, int relu) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real z = y[i] + b[i % columns];
    y[i] = relu && z < 0 ? (real)0 : z;  // NaN stays
}

// The sums over the rows: a block for COLUMNS columns, whose threads of one column add every LANES-th row each.
// Neighbouring threads read neighbouring columns, so each row is read in whole lines.
#define COLUMNS 32
#define LANES 32

// total_j <- the sums of the lanes of column j, the upper half added to the lower half, again and again.
__device__ void add_lanes(real sum, real *total, int j, int columns) {
    __shared__ real sums[LANES][COLUMNS];
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    for (int half = LANES / 2; half > 0; half /= 2) {
        if (threadIdx.y < half) sums[threadIdx.y][threadIdx.x] += sums[threadIdx.y + half][threadIdx.x];
        __syncthreads();
    }
    if (threadIdx.y == 0 && j < columns) total[j] = sums[0][threadIdx.x];
}

// d <- g where y > 0, else 0, and total_j <- sum over the rows of d_ij. d may be g itself: so that the next numbers are
// fetched all the same before the last ones are stored, BATCH rows at a time are.
#define BATCH 4

extern "C" __global__ void mask_and_sum(const real *g, const real *y, real *d, real *total, int rows, int columns) {
    int j = blockIdx.x * COLUMNS + threadIdx.x;
    real sum = 0, passed[BATCH];
    for (int i = threadIdx.y; i < rows && j < columns; i += BATCH * LANES) {
        size_t k = (size_t)i * columns + j, step = (size_t)LANES * columns;
#pragma unroll
        for (int e = 0; e < BATCH; e++)
            if (i + e * LANES < rows) passed[e] = y[k + e * step] > 0 ? g[k + e * step] : (real)0;
#pragma unroll
        for (int e = 0; e < BATCH; e++)
            if (i + e * LANES < rows) {
                d[k + e * step] = passed[e];
                sum += passed[e];
            }
    }
    add_lanes(sum, total, j, columns);
}

extern "C" __global__ void sum_rows(const real *g, real *total, int rows, int columns) {
    int j = blockIdx.x * COLUMNS + threadIdx.x;
    real sum = 0;
#pragma unroll 4
    for (int i = threadIdx.y; i < rows && j < columns; i += LANES) sum += g[(size_t)i * columns + j];
    add_lanes(sum, total, j, columns);
}
