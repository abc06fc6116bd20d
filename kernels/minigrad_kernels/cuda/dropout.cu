// Dropout from random numbers that were drawn before. `real` is float or double.

extern "C" __global__ void dropout(const real *x, const float *random, real *y, int size, float p, real scale) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < size) y[i] = x[i] * (random[i] >= p ? scale : (real)0);
}
