// The update rules, made from minigrad/optim/formulas.py by `python -m minigrad.optim.generate`; do not edit.

#include "updates.cuh"

extern "C" __global__ void sgd(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real eta) {
    if (all) {
        l2 = given_or_null[1]; eta = given_or_null[2];
    }
    update<0>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        g_i = clip * g_i + l2 * theta_i;
        theta_i = theta_i - eta * g_i;
    });
}

extern "C" __global__ void momentum(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real mu,
        real eta) {
    if (all) {
        l2 = given_or_null[1]; mu = given_or_null[2]; eta = given_or_null[3];
    }
    update<1>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real b_i = state[0];
        g_i = clip * g_i + l2 * theta_i;
        b_i = mu * b_i + g_i;
        theta_i = theta_i - eta * b_i;
        state[0] = b_i;
    });
}

extern "C" __global__ void nesterov(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real mu,
        real eta) {
    if (all) {
        l2 = given_or_null[1]; mu = given_or_null[2]; eta = given_or_null[3];
    }
    update<1>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real b_i = state[0];
        g_i = clip * g_i + l2 * theta_i;
        b_i = mu * b_i + g_i;
        theta_i = theta_i - eta * (g_i + mu * b_i);
        state[0] = b_i;
    });
}

extern "C" __global__ void adagrad(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real eta,
        real eps) {
    if (all) {
        l2 = given_or_null[1]; eta = given_or_null[2]; eps = given_or_null[3];
    }
    update<1>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real s_i = state[0];
        g_i = clip * g_i + l2 * theta_i;
        s_i = s_i + g_i * g_i;
        theta_i = theta_i - eta * g_i / (sqrt(s_i) + eps);
        state[0] = s_i;
    });
}

extern "C" __global__ void rmsprop(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real alpha,
        real one_minus_alpha, real eta, real eps) {
    if (all) {
        l2 = given_or_null[1]; alpha = given_or_null[2]; one_minus_alpha = given_or_null[3]; eta = given_or_null[4];
        eps = given_or_null[5];
    }
    update<1>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real v_i = state[0];
        g_i = clip * g_i + l2 * theta_i;
        v_i = alpha * v_i + one_minus_alpha * (g_i * g_i);
        theta_i = theta_i - eta * g_i / (sqrt(v_i) + eps);
        state[0] = v_i;
    });
}

extern "C" __global__ void rmsprop_momentum(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real alpha,
        real one_minus_alpha, real mu, real eps, real eta) {
    if (all) {
        l2 = given_or_null[1]; alpha = given_or_null[2]; one_minus_alpha = given_or_null[3]; mu = given_or_null[4];
        eps = given_or_null[5]; eta = given_or_null[6];
    }
    update<2>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real v_i = state[0], b_i = state[1];
        g_i = clip * g_i + l2 * theta_i;
        v_i = alpha * v_i + one_minus_alpha * (g_i * g_i);
        b_i = mu * b_i + g_i / (sqrt(v_i) + eps);
        theta_i = theta_i - eta * b_i;
        state[0] = v_i; state[1] = b_i;
    });
}

extern "C" __global__ void rmsprop_centered(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real alpha,
        real one_minus_alpha, real eta, real eps) {
    if (all) {
        l2 = given_or_null[1]; alpha = given_or_null[2]; one_minus_alpha = given_or_null[3]; eta = given_or_null[4];
        eps = given_or_null[5];
    }
    update<2>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real v_i = state[0], m_i = state[1];
        g_i = clip * g_i + l2 * theta_i;
        v_i = alpha * v_i + one_minus_alpha * (g_i * g_i);
        m_i = alpha * m_i + one_minus_alpha * g_i;
        theta_i = theta_i - eta * g_i / (sqrt(v_i - m_i * m_i) + eps);
        state[0] = v_i; state[1] = m_i;
    });
}

extern "C" __global__ void rmsprop_centered_momentum(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real alpha,
        real one_minus_alpha, real mu, real eps, real eta) {
    if (all) {
        l2 = given_or_null[1]; alpha = given_or_null[2]; one_minus_alpha = given_or_null[3]; mu = given_or_null[4];
        eps = given_or_null[5]; eta = given_or_null[6];
    }
    update<3>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real v_i = state[0], m_i = state[1], b_i = state[2];
        g_i = clip * g_i + l2 * theta_i;
        v_i = alpha * v_i + one_minus_alpha * (g_i * g_i);
        m_i = alpha * m_i + one_minus_alpha * g_i;
        b_i = mu * b_i + g_i / (sqrt(v_i - m_i * m_i) + eps);
        theta_i = theta_i - eta * b_i;
        state[0] = v_i; state[1] = m_i; state[2] = b_i;
    });
}

extern "C" __global__ void adam(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real beta1,
        real one_minus_beta1, real beta2, real one_minus_beta2, real one_minus_beta1_to_t, real one_minus_beta2_to_t,
        real alpha, real eps) {
    if (all) {
        l2 = given_or_null[1]; beta1 = given_or_null[2]; one_minus_beta1 = given_or_null[3]; beta2 = given_or_null[4];
        one_minus_beta2 = given_or_null[5]; one_minus_beta1_to_t = given_or_null[6];
        one_minus_beta2_to_t = given_or_null[7]; alpha = given_or_null[8]; eps = given_or_null[9];
    }
    update<2>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real m_i = state[0], v_i = state[1];
        g_i = clip * g_i + l2 * theta_i;
        m_i = beta1 * m_i + one_minus_beta1 * g_i;
        v_i = beta2 * v_i + one_minus_beta2 * (g_i * g_i);
        real m_hat = m_i / one_minus_beta1_to_t;
        real v_hat = v_i / one_minus_beta2_to_t;
        theta_i = theta_i - alpha * m_hat / (sqrt(v_hat) + eps);
        state[0] = m_i; state[1] = v_i;
    });
}

extern "C" __global__ void adamw(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real beta1,
        real one_minus_beta1, real beta2, real one_minus_beta2, real one_minus_beta1_to_t, real one_minus_beta2_to_t,
        real eps, real decay, real eta) {
    if (all) {
        l2 = given_or_null[1]; beta1 = given_or_null[2]; one_minus_beta1 = given_or_null[3]; beta2 = given_or_null[4];
        one_minus_beta2 = given_or_null[5]; one_minus_beta1_to_t = given_or_null[6];
        one_minus_beta2_to_t = given_or_null[7]; eps = given_or_null[8]; decay = given_or_null[9];
        eta = given_or_null[10];
    }
    update<2>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real m_i = state[0], v_i = state[1];
        g_i = clip * g_i + l2 * theta_i;
        m_i = beta1 * m_i + one_minus_beta1 * g_i;
        v_i = beta2 * v_i + one_minus_beta2 * (g_i * g_i);
        real m_hat = m_i / one_minus_beta1_to_t;
        real v_hat = v_i / one_minus_beta2_to_t;
        theta_i = theta_i - eta * (m_hat / (sqrt(v_hat) + eps) + decay * theta_i);
        state[0] = m_i; state[1] = v_i;
    });
}

extern "C" __global__ void amsgrad(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real beta1,
        real one_minus_beta1, real beta2, real one_minus_beta2, real one_minus_beta1_to_t, real one_minus_beta2_to_t,
        real alpha, real eps) {
    if (all) {
        l2 = given_or_null[1]; beta1 = given_or_null[2]; one_minus_beta1 = given_or_null[3]; beta2 = given_or_null[4];
        one_minus_beta2 = given_or_null[5]; one_minus_beta1_to_t = given_or_null[6];
        one_minus_beta2_to_t = given_or_null[7]; alpha = given_or_null[8]; eps = given_or_null[9];
    }
    update<3>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real m_i = state[0], v_i = state[1], v_max_i = state[2];
        g_i = clip * g_i + l2 * theta_i;
        m_i = beta1 * m_i + one_minus_beta1 * g_i;
        v_i = beta2 * v_i + one_minus_beta2 * (g_i * g_i);
        v_max_i = larger(v_max_i, v_i);
        real m_hat = m_i / one_minus_beta1_to_t;
        real v_hat = v_max_i / one_minus_beta2_to_t;
        theta_i = theta_i - alpha * m_hat / (sqrt(v_hat) + eps);
        state[0] = m_i; state[1] = v_i; state[2] = v_max_i;
    });
}

extern "C" __global__ void nadam(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real beta1,
        real one_minus_beta1, real beta2, real one_minus_beta2, real one_minus_beta2_to_t, real share_m, real share_g,
        real eta, real eps) {
    if (all) {
        l2 = given_or_null[1]; beta1 = given_or_null[2]; one_minus_beta1 = given_or_null[3]; beta2 = given_or_null[4];
        one_minus_beta2 = given_or_null[5]; one_minus_beta2_to_t = given_or_null[6]; share_m = given_or_null[7];
        share_g = given_or_null[8]; eta = given_or_null[9]; eps = given_or_null[10];
    }
    update<2>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real m_i = state[0], v_i = state[1];
        g_i = clip * g_i + l2 * theta_i;
        m_i = beta1 * m_i + one_minus_beta1 * g_i;
        v_i = beta2 * v_i + one_minus_beta2 * (g_i * g_i);
        real v_hat = v_i / one_minus_beta2_to_t;
        real m_hat = share_m * m_i + share_g * g_i;
        theta_i = theta_i - eta * m_hat / (sqrt(v_hat) + eps);
        state[0] = m_i; state[1] = v_i;
    });
}

extern "C" __global__ void lion(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real beta1,
        real one_minus_beta1, real beta2, real one_minus_beta2, real decay, real eta) {
    if (all) {
        l2 = given_or_null[1]; beta1 = given_or_null[2]; one_minus_beta1 = given_or_null[3]; beta2 = given_or_null[4];
        one_minus_beta2 = given_or_null[5]; decay = given_or_null[6]; eta = given_or_null[7];
    }
    update<1>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real m_i = state[0];
        g_i = clip * g_i + l2 * theta_i;
        real direction = sign_of(beta1 * m_i + one_minus_beta1 * g_i);
        m_i = beta2 * m_i + one_minus_beta2 * g_i;
        theta_i = theta_i - eta * (direction + decay * theta_i);
        state[0] = m_i;
    });
}

extern "C" __global__ void adam_as_printed(
        const long long *table, int parameters, const real *given_or_null, int all, real clip, real l2, real beta1,
        real one_minus_beta1, real beta2, real one_minus_beta2, real eta_t, real one_minus_beta1_to_t) {
    if (all) {
        l2 = given_or_null[1]; beta1 = given_or_null[2]; one_minus_beta1 = given_or_null[3]; beta2 = given_or_null[4];
        one_minus_beta2 = given_or_null[5]; eta_t = given_or_null[6]; one_minus_beta1_to_t = given_or_null[7];
    }
    update<2>(table, parameters, given_or_null, clip,
              [=](real clip, real &theta_i, real g_i, real *state) {
        real m_i = state[0], v_i = state[1];
        g_i = clip * g_i + l2 * theta_i;
        m_i = beta1 * m_i + one_minus_beta1 * g_i;
        v_i = beta2 * v_i + one_minus_beta2 * (g_i * g_i);
        theta_i = theta_i - eta_t * m_i / one_minus_beta1_to_t;
        state[0] = m_i; state[1] = v_i;
    });
}
