// Rows of a table by id, and their gradient. `real` is float or double. An id outside the table gives a row of NaN
// (gather) or is left out (scatter_add): nothing outside the arrays is touched.

// A thread for each entry of y (ids, width).
extern "C" __global__ void gather(const real *weight, const long long *ids, real *y, int size, int width, int count) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    long long id = ids[i / width];
    y[i] = 0 <= id && id < count ? weight[(size_t)id * width + i % width] : (real)0 / (real)0;
}

// `order` holds the positions of the ids sorted by id, those of equal ids in their order. One thread adds all the
// rows of one id in one column, so no two threads write one place and the order of the sum is fixed: a thread
// works where a run of equal ids starts, and walks to the end of the run.
extern "C" __global__ void scatter_add(const real *g, const long long *ids, const long long *order, real *total,
                                       int size, int width, int count) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    int n = size / width, start = i / width, column = i % width;
    long long id = ids[order[start]];
    if (id < 0 || id >= count || (start > 0 && ids[order[start - 1]] == id)) return;
    real sum = 0;
    for (int k = start; k < n && ids[order[k]] == id; k++) sum += g[(size_t)order[k] * width + column];
    total[(size_t)id * width + column] = sum;
}
