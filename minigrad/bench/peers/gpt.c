/* A training step of a GPT of one layer, as microGPT has it, by hand: forward, backward, Adam's update.

   Without biases; x <- norm(wte[id] + wpe[t]); x <- x + out·attention(qkv·norm(x)); x <- x + down·relu(up·norm(x));
   logits head·x; cross-entropy's mean. norm is x / sqrt(mean(x²) + 1e-5).

   WIDTH, CONTEXT, HEADS and IDS are given by whoever compiles. Everything is held as (feature, position), so that the
   innermost loops run over the positions and gcc puts them into vector registers. */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DEEP (WIDTH / HEADS)
#define WIDER (4 * WIDTH)
#define EPS 1e-5f

typedef float Row[CONTEXT]; /* a feature at all positions */

typedef struct {
    float wte[IDS][WIDTH], wpe[CONTEXT][WIDTH];
    float qkv[3 * WIDTH][WIDTH], out[WIDTH][WIDTH], up[WIDER][WIDTH], down[WIDTH][WIDER], head[IDS][WIDTH];
} Parameters;

#define COUNT (sizeof(Parameters) / sizeof(float))

typedef struct {
    Row first[WIDTH], x1[WIDTH], normed1[WIDTH], qkv[3 * WIDTH], weights[HEADS][CONTEXT], y[WIDTH];
    Row x2[WIDTH], normed2[WIDTH], up[WIDER], x3[WIDTH], logits[IDS];
    Row scale0, scale1, scale2;
} Activations;

typedef struct {
    int batch;
    float rate, beta1, beta2, eps;
    int64_t t;
    Parameters w, m, v, g;
    Activations a;
} Network;

Network *network_new(int batch, float rate, float beta1, float beta2, float eps, const float *parameters) {
    Network *net = calloc(1, sizeof(Network));
    net->batch = batch, net->rate = rate, net->beta1 = beta1, net->beta2 = beta2, net->eps = eps;
    memcpy(&net->w, parameters, sizeof(Parameters));
    return net;
}

void network_free(Network *net) { free(net); }

void network_read(const Network *net, float *parameters) { memcpy(parameters, &net->w, sizeof(Parameters)); }

/* y = w·x, or y += w·x */
static inline void dense(int outputs, int inputs, const float *restrict w, const Row *restrict x, Row *restrict y,
                         int add) {
    for (int o = 0; o < outputs; o++) {
        Row sum = {0};
        for (int i = 0; i < inputs; i++)
            for (int t = 0; t < CONTEXT; t++) sum[t] += w[o * inputs + i] * x[i][t];
        for (int t = 0; t < CONTEXT; t++) y[o][t] = add ? y[o][t] + sum[t] : sum[t];
    }
}

/* dx = wᵀ·d, and dw += d·xᵀ */
static inline void dense_back(int outputs, int inputs, const float *restrict w, const Row *restrict x,
                              const Row *restrict d, Row *restrict dx, float *restrict dw) {
    float turned[CONTEXT][inputs];
    for (int i = 0; i < inputs; i++) {
        Row sum = {0};
        for (int o = 0; o < outputs; o++)
            for (int t = 0; t < CONTEXT; t++) sum[t] += w[o * inputs + i] * d[o][t];
        for (int t = 0; t < CONTEXT; t++) dx[i][t] = sum[t], turned[t][i] = x[i][t];
    }
    for (int o = 0; o < outputs; o++)
        for (int t = 0; t < CONTEXT; t++)
            for (int i = 0; i < inputs; i++) dw[o * inputs + i] += d[o][t] * turned[t][i];
}

static inline void norm(const Row *restrict x, Row *restrict y, float *restrict scale) {
    Row squares = {0};
    for (int i = 0; i < WIDTH; i++)
        for (int t = 0; t < CONTEXT; t++) squares[t] += x[i][t] * x[i][t];
    for (int t = 0; t < CONTEXT; t++) scale[t] = 1 / sqrtf(squares[t] / WIDTH + EPS);
    for (int i = 0; i < WIDTH; i++)
        for (int t = 0; t < CONTEXT; t++) y[i][t] = x[i][t] * scale[t];
}

/* dx += the gradient of norm's input, from that of its result y */
static inline void norm_back(const Row *restrict y, const float *restrict scale, const Row *restrict dy,
                             Row *restrict dx) {
    Row mean = {0};
    for (int i = 0; i < WIDTH; i++)
        for (int t = 0; t < CONTEXT; t++) mean[t] += dy[i][t] * y[i][t];
    for (int i = 0; i < WIDTH; i++)
        for (int t = 0; t < CONTEXT; t++) dx[i][t] += scale[t] * (dy[i][t] - y[i][t] * mean[t] / WIDTH);
}

/* weights[s][t] = softmax over s <= t of q·k / sqrt(DEEP); y = weights·v */
static void attention(Activations *a) {
    for (int h = 0; h < HEADS; h++) {
        const Row *q = a->qkv + h * DEEP, *k = q + WIDTH, *v = k + WIDTH;
        Row *weights = a->weights[h], *y = a->y + h * DEEP, top, total = {0};
        for (int t = 0; t < CONTEXT; t++) top[t] = -INFINITY;
        for (int s = 0; s < CONTEXT; s++) {
            Row sum = {0};
            for (int i = 0; i < DEEP; i++)
                for (int t = 0; t < CONTEXT; t++) sum[t] += k[i][s] * q[i][t];
            for (int t = 0; t < CONTEXT; t++) {
                float score = s <= t ? sum[t] / sqrtf(DEEP) : -INFINITY;
                weights[s][t] = score, top[t] = score > top[t] ? score : top[t];
            }
        }
        for (int s = 0; s < CONTEXT; s++)
            for (int t = 0; t < CONTEXT; t++) {
                float power = s <= t ? expf(weights[s][t] - top[t]) : 0;
                weights[s][t] = power, total[t] += power;
            }
        for (int s = 0; s < CONTEXT; s++)
            for (int t = 0; t < CONTEXT; t++) weights[s][t] /= total[t];
        for (int i = 0; i < DEEP; i++) {
            Row sum = {0};
            for (int s = 0; s < CONTEXT; s++)
                for (int t = 0; t < CONTEXT; t++) sum[t] += weights[s][t] * v[i][s];
            memcpy(y[i], sum, sizeof(Row));
        }
    }
}

static inline float dot(const float *restrict a, const float *restrict b) {
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int t = 0; t < CONTEXT; t++) sum += a[t] * b[t];
    return sum;
}

static void attention_back(const Activations *a, const Row *dy, Row *dqkv) {
    for (int h = 0; h < HEADS; h++) {
        const Row *q = a->qkv + h * DEEP, *k = q + WIDTH, *v = k + WIDTH, *weights = a->weights[h];
        const Row *d = dy + h * DEEP;
        Row *dq = dqkv + h * DEEP, *dk = dq + WIDTH, *dv = dk + WIDTH, change[CONTEXT], balance = {0};
        for (int s = 0; s < CONTEXT; s++) {
            Row sum = {0};
            for (int i = 0; i < DEEP; i++)
                for (int t = 0; t < CONTEXT; t++) sum[t] += v[i][s] * d[i][t];
            for (int t = 0; t < CONTEXT; t++) change[s][t] = sum[t], balance[t] += sum[t] * weights[s][t];
        }
        for (int s = 0; s < CONTEXT; s++)
            for (int t = 0; t < CONTEXT; t++)
                change[s][t] = weights[s][t] * (change[s][t] - balance[t]) / sqrtf(DEEP);
        for (int i = 0; i < DEEP; i++) {
            Row sum = {0};
            for (int s = 0; s < CONTEXT; s++) {
                for (int t = 0; t < CONTEXT; t++) sum[t] += change[s][t] * k[i][s];
                dk[i][s] = dot(change[s], q[i]), dv[i][s] = dot(weights[s], d[i]);
            }
            memcpy(dq[i], sum, sizeof(Row));
        }
    }
}

/* the loss of one text, and its gradient added to g */
static float text(Network *net, const int64_t *ids, const int64_t *labels) {
    const Parameters *w = &net->w;
    Parameters *g = &net->g;
    Activations *a = &net->a;
    for (int i = 0; i < WIDTH; i++)
        for (int t = 0; t < CONTEXT; t++) a->first[i][t] = w->wte[ids[t]][i] + w->wpe[t][i];
    norm(a->first, a->x1, a->scale0);
    norm(a->x1, a->normed1, a->scale1);
    dense(3 * WIDTH, WIDTH, w->qkv[0], a->normed1, a->qkv, 0);
    attention(a);
    memcpy(a->x2, a->x1, sizeof(a->x2));
    dense(WIDTH, WIDTH, w->out[0], a->y, a->x2, 1);
    norm(a->x2, a->normed2, a->scale2);
    dense(WIDER, WIDTH, w->up[0], a->normed2, a->up, 0);
    for (int i = 0; i < WIDER; i++)
        for (int t = 0; t < CONTEXT; t++) a->up[i][t] = a->up[i][t] > 0 ? a->up[i][t] : 0;
    memcpy(a->x3, a->x2, sizeof(a->x3));
    dense(WIDTH, WIDER, w->down[0], a->up, a->x3, 1);
    dense(IDS, WIDTH, w->head[0], a->x3, a->logits, 0);

    Row top, total = {0}, d_logits[IDS];
    float loss = 0, share = 1.0f / (CONTEXT * net->batch);
    memcpy(top, a->logits[0], sizeof(Row));
    for (int i = 1; i < IDS; i++)
        for (int t = 0; t < CONTEXT; t++) top[t] = a->logits[i][t] > top[t] ? a->logits[i][t] : top[t];
    for (int i = 0; i < IDS; i++)
        for (int t = 0; t < CONTEXT; t++) total[t] += d_logits[i][t] = expf(a->logits[i][t] - top[t]);
    for (int i = 0; i < IDS; i++)
        for (int t = 0; t < CONTEXT; t++) d_logits[i][t] *= share / total[t];
    for (int t = 0; t < CONTEXT; t++) {
        loss += share * (logf(total[t]) - (a->logits[labels[t]][t] - top[t]));
        d_logits[labels[t]][t] -= share;
    }

    Row dx[WIDTH], d_up[WIDER], d_qkv[3 * WIDTH], part[WIDTH], d_first[WIDTH] = {0};
    dense_back(IDS, WIDTH, w->head[0], a->x3, d_logits, dx, g->head[0]);
    dense_back(WIDTH, WIDER, w->down[0], a->up, dx, d_up, g->down[0]);
    for (int i = 0; i < WIDER; i++)
        for (int t = 0; t < CONTEXT; t++) d_up[i][t] = a->up[i][t] > 0 ? d_up[i][t] : 0;
    dense_back(WIDER, WIDTH, w->up[0], a->normed2, d_up, part, g->up[0]);
    norm_back(a->normed2, a->scale2, part, dx);
    dense_back(WIDTH, WIDTH, w->out[0], a->y, dx, part, g->out[0]);
    attention_back(a, part, d_qkv);
    dense_back(3 * WIDTH, WIDTH, w->qkv[0], a->normed1, d_qkv, part, g->qkv[0]);
    norm_back(a->normed1, a->scale1, part, dx);
    norm_back(a->x1, a->scale0, dx, d_first);
    for (int t = 0; t < CONTEXT; t++)
        for (int i = 0; i < WIDTH; i++) {
            g->wte[ids[t]][i] += d_first[i][t];
            g->wpe[t][i] += d_first[i][t];
        }
    return loss;
}

static void update(Network *net) {
    float *restrict w = (float *)&net->w, *restrict m = (float *)&net->m, *restrict v = (float *)&net->v;
    float *restrict g = (float *)&net->g;
    float beta1 = net->beta1, beta2 = net->beta2, eps = net->eps, rate = net->rate;
    net->t++;
    float first = 1 - pow(beta1, net->t), second = 1 - pow(beta2, net->t);
    for (size_t i = 0; i < COUNT; i++) {
        m[i] = beta1 * m[i] + (1 - beta1) * g[i];
        v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
        w[i] -= rate * (m[i] / first) / (sqrtf(v[i] / second) + eps);
        g[i] = 0;
    }
}

void train(Network *net, int64_t n, const int64_t **xs, const int64_t **ys, float *losses) {
    for (int64_t k = 0; k < n; k++) {
        losses[k] = 0;
        for (int b = 0; b < net->batch; b++) losses[k] += text(net, xs[k] + b * CONTEXT, ys[k] + b * CONTEXT);
        update(net);
    }
}
