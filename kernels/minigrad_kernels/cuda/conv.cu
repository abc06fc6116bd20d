// Convolution and its two gradients, entry by entry. `real` is float or double. The weights are (o, cg, kh, kw), where
// cg channels of x belong to a group; pixel (p, q) of y meets with tap (i, j) pixel (p sy + i dy - top, q sx + j dx - left).

// A thread for each entry of y (n, o, oh, ow).
extern "C" __global__ void conv_forward(const real *x, const real *w, const real *b_or_null, real *y, int size,
                                        int channels, int height, int width, int o, int cg, int kh, int kw, int oh,
                                        int ow, int sy, int sx, int top, int left, int dy, int dx) {
    int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= size) return;
    int q = k % ow, p = k / ow % oh, f = k / ow / oh % o, n = k / ow / oh / o;
    int first = f / (o / (channels / cg)) * cg;
    real sum = 0;
    for (int c = 0; c < cg; c++)
        for (int i = 0; i < kh; i++) {
            int row = p * sy + i * dy - top;
            if (row < 0 || row >= height) continue;
            for (int j = 0; j < kw; j++) {
                int column = q * sx + j * dx - left;
                if (column < 0 || column >= width) continue;
                sum += x[(((size_t)n * channels + first + c) * height + row) * width + column] *
                       w[(((size_t)f * cg + c) * kh + i) * kw + j];
            }
        }
    y[k] = b_or_null ? sum + b_or_null[f] : sum;
}

// A thread for each entry of d (n, channels, height, width), x's gradient: it asks which pixels of y it was met by.
extern "C" __global__ void conv_backward_input(const real *g, const real *w, const real *b_or_null, real *d, int size,
                                               int channels, int height, int width, int o, int cg, int kh, int kw,
                                               int oh, int ow, int sy, int sx, int top, int left, int dy, int dx) {
    int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= size) return;
    int column = k % width, row = k / width % height, c = k / width / height % channels;
    int n = k / width / height / channels, og = o / (channels / cg), first = c / cg * og;
    real sum = 0;
    for (int f = first; f < first + og; f++)
        for (int i = 0; i < kh; i++) {
            int p = row + top - i * dy;
            if (p < 0 || p % sy || p / sy >= oh) continue;
            for (int j = 0; j < kw; j++) {
                int q = column + left - j * dx;
                if (q < 0 || q % sx || q / sx >= ow) continue;
                sum += g[(((size_t)n * o + f) * oh + p / sy) * ow + q / sx] *
                       w[(((size_t)f * cg + c % cg) * kh + i) * kw + j];
            }
        }
    d[k] = b_or_null ? sum + b_or_null[c] : sum;
}

#define THREADS 64

// sums[0] is the sum of what the threads of a block bring, added in halves.
__device__ void add_up(real *sums, real sum) {
    sums[threadIdx.x] = sum;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
        __syncthreads();
    }
}

// A block for each weight: its threads share out the pixels of y.

extern "C" __global__ void conv_backward_weight(const real *g, const real *x, real *d, int size, int batch, int channels,
                                                int height, int width, int o, int cg, int kh, int kw, int oh, int ow,
                                                int sy, int sx, int top, int left, int dy, int dx) {
    __shared__ real sums[THREADS];
    int k = blockIdx.x, j = k % kw, i = k / kw % kh, c = k / kw / kh % cg, f = k / kw / kh / cg;
    int channel = f / (o / (channels / cg)) * cg + c;
    real sum = 0;
    for (int m = threadIdx.x; m < batch * oh * ow; m += THREADS) {
        int q = m % ow, p = m / ow % oh, n = m / ow / oh;
        int row = p * sy + i * dy - top, column = q * sx + j * dx - left;
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        sum += g[(((size_t)n * o + f) * oh + p) * ow + q] *
               x[(((size_t)n * channels + channel) * height + row) * width + column];
    }
    add_up(sums, sum);
    if (threadIdx.x == 0 && k < size) d[k] = sums[0];
}

// A block for each channel of g (batch, o, pixels): its threads share out the pixels.
extern "C" __global__ void conv_backward_bias(const real *g, real *d, int batch, int o, int pixels) {
    __shared__ real sums[THREADS];
    real sum = 0;
    for (int m = threadIdx.x; m < batch * pixels; m += THREADS)
        sum += g[((size_t)(m / pixels) * o + blockIdx.x) * pixels + m % pixels];
    add_up(sums, sum);
    if (threadIdx.x == 0) d[blockIdx.x] = sums[0];
}
