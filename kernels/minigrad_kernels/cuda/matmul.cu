// The lesson in matrix multiplication on the GPU: c (m, n) = a (m, k) b (k, n). `real` is float or double.

// 1. A thread for each entry of c. Each of the 2k numbers that it needs comes from global memory, although its
//    neighbours in the row need the same ones of a, and its neighbours in the column the same ones of b.
extern "C" __global__ void naive(const real *a, const real *b, real *c, int m, int k, int n) {
    int i = blockIdx.y * blockDim.y + threadIdx.y, j = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= m || j >= n) return;
    real total = 0;
    for (int p = 0; p < k; p++) total += a[(size_t)i * k + p] * b[(size_t)p * n + j];
    c[(size_t)i * n + j] = total;
}

// 2. A block of 16 x 16 threads fetches a 16 x 16 tile of a and one of b into shared memory, each number once,
//    and each number is then read 16 times from there.
#define TILE 16

extern "C" __global__ void tiled(const real *a, const real *b, real *c, int m, int k, int n) {
    __shared__ real tile_a[TILE][TILE], tile_b[TILE][TILE];
    int i = blockIdx.y * TILE + threadIdx.y, j = blockIdx.x * TILE + threadIdx.x;
    real total = 0;
    for (int p0 = 0; p0 < k; p0 += TILE) {
        int pa = p0 + threadIdx.x, pb = p0 + threadIdx.y;
        tile_a[threadIdx.y][threadIdx.x] = i < m && pa < k ? a[(size_t)i * k + pa] : (real)0;
        tile_b[threadIdx.y][threadIdx.x] = pb < k && j < n ? b[(size_t)pb * n + j] : (real)0;
        __syncthreads();  // the tiles are complete
        for (int p = 0; p < TILE; p++) total += tile_a[threadIdx.y][p] * tile_b[p][threadIdx.x];
        __syncthreads();  // nobody reads them any more
    }
    if (i < m && j < n) c[(size_t)i * n + j] = total;
}

// 3. Shared memory is now what limits: two reads for each multiplication. A thread works out 8 x 8 entries of c in
//    registers: 16 reads serve 64 multiplications, and they come four at a time, in one instruction of 16 bytes. A
//    block of 16 x 16 threads makes 128 x 128 entries; a thread's rows are two groups of four, 64 apart, and so are
//    its columns. There are two pairs of tiles: while one is worked on, the numbers of the next are on their way,
//    through registers, into the other.
#define BLOCK 128
#define DEPTH 8
#define EACH 8
#define PITCH (BLOCK + 4)  // of the tile of a, which is kept turned: its columns start in other banks

struct alignas(16) Four {
    real at[4];
};

extern "C" __global__ void __launch_bounds__(256) register_blocked(const real *a, const real *b, real *c, int m,
                                                                  int k, int n) {
    alignas(16) __shared__ real tile_a[2][DEPTH][PITCH], tile_b[2][DEPTH][BLOCK];
    int thread = threadIdx.y * 16 + threadIdx.x, row = threadIdx.y * 4, column = threadIdx.x * 4;
    int i0 = blockIdx.y * BLOCK, j0 = blockIdx.x * BLOCK;
    real sums[EACH][EACH], next_a[4], next_b[4];
#pragma unroll
    for (int s = 0; s < EACH; s++)
#pragma unroll
        for (int t = 0; t < EACH; t++) sums[s][t] = 0;

    for (int p0 = -DEPTH; p0 < k; p0 += DEPTH) {
        // Fetch the tile after this one: 1024 numbers of each by 256 threads. (Before the first there is none.)
        int next = p0 + DEPTH, now = p0 / DEPTH & 1;
#pragma unroll
        for (int f = 0; f < 4; f++) {
            int at = thread + 256 * f;
            int i = i0 + at / DEPTH, pa = next + at % DEPTH, pb = next + at / BLOCK, j = j0 + at % BLOCK;
            next_a[f] = i < m && pa < k ? a[(size_t)i * k + pa] : (real)0;
            next_b[f] = pb < k && j < n ? b[(size_t)pb * n + j] : (real)0;
        }
        if (p0 >= 0) {
#pragma unroll
            for (int p = 0; p < DEPTH; p++) {
                Four from_a[2], from_b[2];
#pragma unroll
                for (int h = 0; h < 2; h++) {
                    from_a[h] = *(const Four *)&tile_a[now][p][row + 64 * h];
                    from_b[h] = *(const Four *)&tile_b[now][p][column + 64 * h];
                }
#pragma unroll
                for (int s = 0; s < EACH; s++)
#pragma unroll
                    for (int t = 0; t < EACH; t++) sums[s][t] += from_a[s / 4].at[s % 4] * from_b[t / 4].at[t % 4];
            }
        }
#pragma unroll
        for (int f = 0; f < 4; f++) {
            int at = thread + 256 * f;
            tile_a[1 - now][at % DEPTH][at / DEPTH] = next_a[f];
            tile_b[1 - now][at / BLOCK][at % BLOCK] = next_b[f];
        }
        __syncthreads();  // the next tiles are complete, and nobody reads these any more
    }
#pragma unroll
    for (int s = 0; s < EACH; s++) {
#pragma unroll
        for (int t = 0; t < EACH; t++) {
            int i = i0 + row + s / 4 * 64 + s % 4, j = j0 + column + t / 4 * 64 + t % 4;
            if (i < m && j < n) c[(size_t)i * n + j] = sums[s][t];
        }
    }
}
