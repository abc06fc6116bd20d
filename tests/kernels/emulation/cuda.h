// What a .cu file needs of CUDA, on the CPU, one block after another. Each thread of a block is a fiber (a stack of
// its own, switched by hand), and __syncthreads() goes on to the next fiber. The order in which the threads take
// their turns is chosen by the caller: a missing barrier shows as results that depend on it. A barrier that not all
// threads of a block reach is reported by its line.
#pragma once
#include <cmath>
#include <cstddef>
#include <functional>
#include <ucontext.h>
#include <vector>

using std::exp;
using std::log;
using std::sqrt;

#define __global__
#define __device__ static
#define __shared__ static
#define __launch_bounds__(...)
#define __syncthreads() emulation::barrier(__LINE__)

struct Index {
    unsigned x, y, z;
};
static Index threadIdx, blockIdx, blockDim, gridDim;

namespace emulation {

const size_t STACK = 64 * 1024;

struct Fiber {
    ucontext_t context;
    std::vector<char> stack;
    Index index;
    int line;  // of the barrier at which it waits; 0 at the start, -1 once it is done
};

static ucontext_t scheduler;
static Fiber *current;
static const std::function<void()> *body;

inline void barrier(int line) {
    current->line = line;
    swapcontext(&current->context, &scheduler);
}

inline void run_thread() {
    (*body)();
    current->line = -1;
    swapcontext(&current->context, &scheduler);
}

inline void start(Fiber &fiber) {
    getcontext(&fiber.context);
    fiber.stack.resize(STACK);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = STACK;
    fiber.context.uc_link = nullptr;
    fiber.line = 0;
    makecontext(&fiber.context, run_thread, 0);
}

// 0 ascending, 1 descending, else a permutation: steps of a prime number larger than any block.
inline size_t turn(size_t t, size_t count, int order) {
    return order == 0 ? t : order == 1 ? count - 1 - t : (t * 2053 + 7) % count;
}

// All threads of a block run to their next barrier, then to the one after it ... Returns 0, or the line of a barrier
// that only some of them reached.
inline int run_block(std::vector<Fiber> &fibers, int order) {
    for (Fiber &fiber : fibers) start(fiber);
    for (;;) {
        for (size_t t = 0; t < fibers.size(); t++) {
            current = &fibers[turn(t, fibers.size(), order)];
            threadIdx = current->index;
            swapcontext(&scheduler, &current->context);
        }
        int line = fibers[0].line;
        for (Fiber &fiber : fibers)
            if (fiber.line != line) return line > 0 ? line : fiber.line;
        if (line == -1) return 0;
    }
}

inline int run(const int *grid, const int *block, int order, const std::function<void()> &kernel) {
    gridDim = {(unsigned)grid[0], (unsigned)grid[1], 1};
    blockDim = {(unsigned)block[0], (unsigned)block[1], 1};
    body = &kernel;
    std::vector<Fiber> fibers(block[0] * block[1]);
    for (unsigned t = 0; t < fibers.size(); t++) fibers[t].index = {t % blockDim.x, t / blockDim.x, 0};
    for (unsigned y = 0; y < gridDim.y; y++)
        for (unsigned x = 0; x < gridDim.x; x++) {
            blockIdx = {x, y, 0};
            int line = run_block(fibers, order);
            if (line) return line;
        }
    return 0;
}

}  // namespace emulation
