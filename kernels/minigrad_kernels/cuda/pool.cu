// The largest number or the mean of each window of a picture. `real` is float or double.

// A thread for each entry of y (pictures, oh, ow). Of equal numbers the first one counts, and a NaN is the largest.
extern "C" __global__ void max_pool(const real *x, real *y, long long *places, int size, int height, int width, int oh,
                                    int ow, int kh, int kw, int sy, int sx, int top, int left, int dy, int dx) {
    int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= size) return;
    int q = k % ow, p = k / ow % oh;
    size_t picture = (size_t)(k / ow / oh) * height * width;
    real best = -1 / (real)0;
    long long place = -1;
    for (int i = 0; i < kh; i++) {
        int row = p * sy - top + i * dy;
        if (row < 0 || row >= height) continue;
        for (int j = 0; j < kw; j++) {
            int column = q * sx - left + j * dx;
            if (column < 0 || column >= width) continue;
            real number = x[picture + (size_t)row * width + column];
            if (place < 0 || number > best || number != number) {
                best = number;
                place = (long long)row * width + column;
            }
        }
    }
    y[k] = best;
    places[k] = place;
}

// A block for each picture. Windows may overlap: a thread adds what belongs to its pixels, so that no two write one place.
extern "C" __global__ void unpool(const real *g, const long long *places, real *d, int pictures, int results, int pixels) {
    size_t k = blockIdx.x;
    if (k >= pictures) return;
    for (int i = threadIdx.x; i < pixels; i += blockDim.x) d[k * pixels + i] = 0;
    for (int p = 0; p < results; p++) {
        long long place = places[k * results + p];
        if (place >= 0 && place < pixels && place % blockDim.x == threadIdx.x) d[k * pixels + place] += g[k * results + p];
    }
}

// A thread for each entry of y (pictures, oh, ow); a table has (start, stop, divisor) for each of its rows or columns.
extern "C" __global__ void mean_pool(const real *x, const long long *rows, const long long *columns, real *y, int size,
                                     int height, int width, int oh, int ow) {
    int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= size) return;
    const long long *r = rows + 3 * (k / ow % oh), *c = columns + 3 * (k % ow);
    size_t picture = (size_t)(k / ow / oh) * height * width;
    real sum = 0;
    for (long long i = r[0]; i < r[1]; i++)
        for (long long j = c[0]; j < c[1]; j++) sum += x[picture + i * width + j];
    y[k] = sum / (real)(r[2] * c[2]);
}

// A thread for each entry of d (pictures, height, width): it looks which windows it lies in.
extern "C" __global__ void spread(const real *g, const long long *rows, const long long *columns, real *d, int size,
                                  int height, int width, int oh, int ow) {
    int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= size) return;
    int column = k % width, row = k / width % height;
    size_t picture = (size_t)(k / width / height) * oh * ow;
    real sum = 0;
    for (int p = 0; p < oh; p++) {
        const long long *r = rows + 3 * p;
        if (row < r[0] || row >= r[1]) continue;
        for (int q = 0; q < ow; q++) {
            const long long *c = columns + 3 * q;
            if (column >= c[0] && column < c[1]) sum += g[picture + p * ow + q] / (real)(r[2] * c[2]);
        }
    }
    d[k] = sum;
}
