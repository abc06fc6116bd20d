// c = a·bᵀ for a (m, k) and b (n, k) of 8-bit integers, summed in 32 bits. A block of 16 x 16 threads makes as many
// entries of c, and carries 16 x 16 tiles of a and b through shared memory; what is missing at the edges is 0. The
// padding of one entry keeps the columns of a tile of b out of one memory bank.

extern "C" __global__ void matmul(const signed char *a, const signed char *b, int *c, int m, int k, int n) {
    __shared__ int rows[16][17], columns[16][17];
    int i = blockIdx.y * 16 + threadIdx.y, j = blockIdx.x * 16 + threadIdx.x;
    int other = blockIdx.x * 16 + threadIdx.y;
    int total = 0;
    for (int p0 = 0; p0 < k; p0 += 16) {
        int p = p0 + threadIdx.x;
        rows[threadIdx.y][threadIdx.x] = i < m && p < k ? a[(size_t)i * k + p] : 0;
        columns[threadIdx.y][threadIdx.x] = other < n && p < k ? b[(size_t)other * k + p] : 0;
        __syncthreads();
        for (int q = 0; q < 16; q++) total += rows[threadIdx.y][q] * columns[threadIdx.x][q];
        __syncthreads();
    }
    if (i < m && j < n) c[(size_t)i * n + j] = total;
}
