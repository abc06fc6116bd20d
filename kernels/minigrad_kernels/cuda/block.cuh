// What a block's threads do together. `real` is float or double.

#define THREADS 128

// The block's threads hold one value each; all get the sum of them, added in a fixed order: the upper half to the
// lower half, again and again.
__device__ real block_sum(real value, real *shared) {
    shared[threadIdx.x] = value;
    __syncthreads();
    for (int half = THREADS / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) shared[threadIdx.x] += shared[threadIdx.x + half];
        __syncthreads();
    }
    real total = shared[0];
    __syncthreads();
    return total;
}
