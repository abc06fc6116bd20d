/* A training step of a dense ReLU network, by hand: forward, backward, update.

   Matrices lie row by row: x (batch, in), w (out, in), y and its gradient d (batch, out). Large products are
   OpenBLAS's; small ones, and those of a single sample, are loops, which start sooner. The gradient of weights is
   no array where it need not be: SGD adds it to w as the product is made, and of a single sample it is an outer
   product, whose entries are worked out where they are used. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* GEMM and INTEGER are given by whoever compiles: what OpenBLAS calls cblas_sgemm there, and its integers */
extern void GEMM(int order, int a_trans, int b_trans, INTEGER m, INTEGER n, INTEGER k, float alpha, const float *a,
                 INTEGER lda, const float *b, INTEGER ldb, float beta, float *c, INTEGER ldc);
enum { ROW_MAJOR = 101, NO = 111, TRANS = 112 };

#define SMALL 8192        /* multiplications below which a loop is done before BLAS has begun */
#define SHARED 131072     /* entries from which two threads pay */
#define MOST_LAYERS 16

typedef struct {
    int inputs, outputs;
    float *w, *b, *mw, *mb, *vw, *vb; /* parameters and Adam's moments */
    float *y, *d, *dw;                /* activation, its gradient, the gradient of w */
} Layer;

typedef struct {
    int layers, batch, adam;
    float rate, beta1, beta2, eps, first, second; /* first, second: Adam's corrections of this step */
    int64_t t;
    Layer layer[MOST_LAYERS];
} Network;

static float *zeros(size_t n) { return calloc(n, sizeof(float)); }

static float *copied(const float **from, size_t n) {
    float *to = zeros(n);
    memcpy(to, *from, n * sizeof(float));
    *from += n;
    return to;
}

/* parameters: w and b of each layer, one after another */
Network *network_new(int layers, const int *widths, int batch, int adam, float rate, float beta1, float beta2, float eps,
                     const float *parameters) {
    if (layers > MOST_LAYERS) return NULL;
    Network *net = calloc(1, sizeof(Network));
    net->layers = layers, net->batch = batch, net->adam = adam;
    net->rate = rate, net->beta1 = beta1, net->beta2 = beta2, net->eps = eps;
    for (int k = 0; k < layers; k++) {
        Layer *l = &net->layer[k];
        l->inputs = widths[k], l->outputs = widths[k + 1];
        size_t size = (size_t)l->inputs * l->outputs;
        l->w = copied(&parameters, size), l->b = copied(&parameters, l->outputs);
        if (adam) {
            l->mw = zeros(size), l->vw = zeros(size), l->dw = zeros(size);
            l->mb = zeros(l->outputs), l->vb = zeros(l->outputs);
        }
        l->y = zeros((size_t)batch * l->outputs), l->d = zeros((size_t)batch * l->outputs);
    }
    return net;
}

void network_free(Network *net) {
    for (int k = 0; k < net->layers; k++) {
        Layer *l = &net->layer[k];
        float *all[] = {l->w, l->b, l->mw, l->mb, l->vw, l->vb, l->y, l->d, l->dw};
        for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) free(all[i]);
    }
    free(net);
}

void network_read(const Network *net, float *parameters) {
    for (int k = 0; k < net->layers; k++) {
        const Layer *l = &net->layer[k];
        size_t size = (size_t)l->inputs * l->outputs;
        memcpy(parameters, l->w, size * sizeof(float)), parameters += size;
        memcpy(parameters, l->b, l->outputs * sizeof(float)), parameters += l->outputs;
    }
}

/* y = x·wᵀ + b, and 0 for what is below it where relu */
static void forward(const Layer *l, const float *restrict x, int n, int relu) {
    int in = l->inputs, out = l->outputs;
    int by_loop = n == 1 || (int64_t)n * in * out < SMALL;
    if (!by_loop) GEMM(ROW_MAJOR, NO, TRANS, n, out, in, 1, x, in, l->w, in, 0, l->y, out);
#pragma omp parallel for collapse(2) if ((int64_t)n * (by_loop ? in : 1) * out >= SHARED)
    for (int s = 0; s < n; s++) {
        for (int i = 0; i < out; i++) {
            float *y = &l->y[(size_t)s * out + i], z = by_loop ? 0 : *y;
            if (by_loop) {
                const float *restrict row = l->w + (size_t)i * in, *restrict sample = x + (size_t)s * in;
#pragma omp simd reduction(+ : z)
                for (int j = 0; j < in; j++) z += row[j] * sample[j];
            }
            z += l->b[i];
            *y = relu && z < 0 ? 0 : z;
        }
    }
}

/* dx = d·w, and 0 where x is: x is what ReLU made */
static void backward_input(const Layer *l, const float *restrict x, float *restrict dx, int n) {
    int in = l->inputs, out = l->outputs;
    if (n > 1 && (int64_t)n * in * out >= SMALL) {
        GEMM(ROW_MAJOR, NO, NO, n, in, out, 1, l->d, out, l->w, in, 0, dx, in);
    } else {
        memset(dx, 0, (size_t)n * in * sizeof(float));
        for (int s = 0; s < n; s++) {
            float *restrict to = dx + (size_t)s * in;
            for (int i = 0; i < out; i++) {
                float factor = l->d[(size_t)s * out + i];
                const float *restrict row = l->w + (size_t)i * in;
                for (int j = 0; j < in; j++) to[j] += factor * row[j];
            }
        }
    }
    for (size_t i = 0; i < (size_t)n * in; i++) dx[i] = x[i] > 0 ? dx[i] : 0;
}

static inline void adam_one(const Network *net, float g, float *w, float *m, float *v) {
    *m = net->beta1 * *m + (1 - net->beta1) * g;
    *v = net->beta2 * *v + (1 - net->beta2) * g * g;
    *w -= net->rate * (*m / net->first) / (sqrtf(*v / net->second) + net->eps);
}

static void update_bias(const Network *net, Layer *l, int n) {
    for (int i = 0; i < l->outputs; i++) {
        float g = 0;
        for (int s = 0; s < n; s++) g += l->d[(size_t)s * l->outputs + i];
        if (net->adam) adam_one(net, g, &l->b[i], &l->mb[i], &l->vb[i]);
        else l->b[i] -= net->rate * g;
    }
}

/* w <- w - rate·dᵀx, or Adam's step along dᵀx */
static void update_weights(const Network *net, Layer *l, const float *restrict x, int n) {
    int in = l->inputs, out = l->outputs;
    int by_loop = n == 1 || (int64_t)n * in * out < SMALL;
    float *restrict w = l->w, *restrict m = l->mw, *restrict v = l->vw;
    if (!by_loop && !net->adam) {
        GEMM(ROW_MAJOR, TRANS, NO, out, in, n, -net->rate, l->d, out, x, in, 1, w, in);
        return;
    }
    if (!by_loop) GEMM(ROW_MAJOR, TRANS, NO, out, in, n, 1, l->d, out, x, in, 0, l->dw, in);
#pragma omp parallel for if ((int64_t)in * out >= SHARED)
    for (int i = 0; i < out; i++) {
        size_t row = (size_t)i * in;
        if (!net->adam) {
            for (int s = 0; s < n; s++) {
                float factor = net->rate * l->d[(size_t)s * out + i];
                const float *restrict sample = x + (size_t)s * in;
                for (int j = 0; j < in; j++) w[row + j] -= factor * sample[j];
            }
        } else if (n == 1) {
            float factor = l->d[i];
            for (int j = 0; j < in; j++) adam_one(net, factor * x[j], &w[row + j], &m[row + j], &v[row + j]);
        } else {
            float *restrict g = l->dw + row;
            if (by_loop) {
                memset(g, 0, in * sizeof(float));
                for (int s = 0; s < n; s++) {
                    float factor = l->d[(size_t)s * out + i];
                    const float *restrict sample = x + (size_t)s * in;
                    for (int j = 0; j < in; j++) g[j] += factor * sample[j];
                }
            }
            for (int j = 0; j < in; j++) adam_one(net, g[j], &w[row + j], &m[row + j], &v[row + j]);
        }
    }
}

/* -(1/n) Σ ln softmax(z)[label], and its gradient (softmax(z) - onehot) / n */
static float cross_entropy(const Layer *l, const int64_t *labels, int n) {
    int classes = l->outputs;
    double loss = 0;
    for (int s = 0; s < n; s++) {
        const float *restrict z = l->y + (size_t)s * classes;
        float *restrict d = l->d + (size_t)s * classes, top = z[0], sum = 0;
        for (int j = 1; j < classes; j++) top = z[j] > top ? z[j] : top;
        for (int j = 0; j < classes; j++) sum += d[j] = expf(z[j] - top);
        loss += logf(sum) - (z[labels[s]] - top);
        for (int j = 0; j < classes; j++) d[j] /= sum * n;
        d[labels[s]] -= 1.0f / n;
    }
    return loss / n;
}

/* (1/n) Σ (z - y)², and its gradient 2 (z - y) / n */
static float squared_error(const Layer *l, const float *targets, int n) {
    double loss = 0;
    for (int s = 0; s < n; s++) {
        float difference = l->y[s] - targets[s];
        loss += difference * difference;
        l->d[s] = 2 * difference / n;
    }
    return loss / n;
}

static float step(Network *net, const float *x, const void *y) {
    int n = net->batch, last = net->layers - 1;
    net->t++;
    if (net->adam) net->first = 1 - pow(net->beta1, net->t), net->second = 1 - pow(net->beta2, net->t);
    for (int k = 0; k <= last; k++) forward(&net->layer[k], k ? net->layer[k - 1].y : x, n, k < last);
    const Layer *top = &net->layer[last];
    float loss = top->outputs == 1 ? squared_error(top, y, n) : cross_entropy(top, y, n);
    for (int k = last; k >= 0; k--) {
        Layer *l = &net->layer[k], *below = k ? l - 1 : NULL;
        if (below) backward_input(l, below->y, below->d, n);
        update_weights(net, l, below ? below->y : x, n);
        update_bias(net, l, n);
    }
    return loss;
}

/* Train on so many batches, and write each one's loss. */
void train(Network *net, int64_t steps, const float *const *x, const void *const *y, float *losses) {
    for (int64_t i = 0; i < steps; i++) losses[i] = step(net, x[i], y[i]);
}
