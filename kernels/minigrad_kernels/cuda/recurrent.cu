// One time of a recurrent layer, a thread for each entry of its state (samples, width). `real` is float or double.
// The gates of a sample lie side by side, (samples, gates * width).

__device__ real sigmoid(real x) {  // below 0 as e^x / (1 + e^x), so that nothing overflows
    real e = exp(-fabs(x)), t = 1 / (1 + e);
    return x < 0 ? e * t : t;
}

extern "C" __global__ void rnn_tanh_step(real *h, const real *a, int size, int width) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size) h[i] = tanh(h[i] + a[i]);
}

extern "C" __global__ void rnn_relu_step(real *h, const real *a, int size, int width) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    real z = h[i] + a[i];
    h[i] = z < 0 ? (real)0 : z;  // NaN stays
}

extern "C" __global__ void rnn_tanh_back(const real *dh, const real *g, const real *h, real *d, int size, int width) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size) d[i] = (dh[i] + g[i]) * (1 - h[i] * h[i]);
}

extern "C" __global__ void rnn_relu_back(const real *dh, const real *g, const real *h, real *d, int size, int width) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size) d[i] = (dh[i] + g[i]) * (h[i] > 0 ? (real)1 : (real)0);
}

extern "C" __global__ void gru_step(const real *h, const real *a, const real *p, const real *b, real *gates, real *y,
                                    int size, int width) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    int n = i / width, j = i % width;
    const real *part = a + (size_t)3 * n * width + j, *product = p + (size_t)3 * n * width + j;
    real *gate = gates + (size_t)4 * n * width + j;
    real r = sigmoid(part[0] + (product[0] + b[j])), z = sigmoid(part[width] + (product[width] + b[width + j]));
    real state = product[2 * width] + b[2 * width + j], fresh = tanh(part[2 * width] + r * state);
    gate[0] = r;
    gate[width] = z;
    gate[2 * width] = fresh;
    gate[3 * width] = state;
    y[i] = (1 - z) * fresh + z * h[i];
}

extern "C" __global__ void gru_back(const real *dh, real *passed, const real *g, const real *gates, const real *h,
                                    real *d, real *p, int size, int width) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    int n = i / width, j = i % width;
    const real *gate = gates + (size_t)4 * n * width + j;
    real *row = d + (size_t)3 * n * width + j, *part = p + (size_t)3 * n * width + j;
    real r = gate[0], z = gate[width], fresh = gate[2 * width], total = dh[i] + passed[i] + g[i];
    real dn = total * (1 - z) * (1 - fresh * fresh);
    real dz = total * (h[i] - fresh) * z * (1 - z), dr = dn * gate[3 * width] * r * (1 - r);
    row[0] = part[0] = dr;
    row[width] = part[width] = dz;
    row[2 * width] = dn;
    part[2 * width] = dn * r;
    passed[i] = total * z;
}

extern "C" __global__ void lstm_step(real *h, real *c, const real *before, const real *a, real *gates, int size,
                                     int width) {
    int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= size) return;
    int n = k / width, j = k % width;
    const real *part = a + (size_t)4 * n * width + j;
    real *gate = gates + (size_t)4 * n * width + j;
    real i = sigmoid(gate[0] + part[0]), f = sigmoid(gate[width] + part[width]);
    real fresh = tanh(gate[2 * width] + part[2 * width]), o = sigmoid(gate[3 * width] + part[3 * width]);
    gate[0] = i;
    gate[width] = f;
    gate[2 * width] = fresh;
    gate[3 * width] = o;
    c[k] = f * before[k] + i * fresh;
    h[k] = o * tanh(c[k]);
}

extern "C" __global__ void lstm_back(const real *dh, real *dc, const real *gh, const real *gc, const real *gates,
                                     const real *before, const real *after, real *d, int size, int width) {
    int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= size) return;
    int n = k / width, j = k % width;
    const real *gate = gates + (size_t)4 * n * width + j;
    real *row = d + (size_t)4 * n * width + j;
    real i = gate[0], f = gate[width], fresh = gate[2 * width], o = gate[3 * width];
    real of_output = dh[k] + gh[k], shown = tanh(after[k]);
    real of_cell = dc[k] + gc[k] + of_output * o * (1 - shown * shown);
    row[0] = of_cell * fresh * i * (1 - i);
    row[width] = of_cell * before[k] * f * (1 - f);
    row[2 * width] = of_cell * i * (1 - fresh * fresh);
    row[3 * width] = of_output * shown * o * (1 - o);
    dc[k] = of_cell * f;
}
