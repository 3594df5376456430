/* Generation: drawn tokens as recorded from version 0.1, sampling against a naive twin and against
   the softmax, cuts, ties, numbers that are not finite, the likeliest tokens, what the generator
   refuses.   cc -I. -Itests/support tests/unit/generation.c -lm && ./a.out                       */
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "check.h"

#define MOST 600 /* tokens of the largest vocabulary here */

static slm_error err;
static slm_rng rng = {7};
static slm_choice scratch[MOST + 1];

static size_t below(size_t n) {
    return (size_t)slm_rng_below(&rng, n);
}

static slm_sample_options sampling(double temperature, int32_t top_k, double top_p) {
    slm_sample_options options = slm_sample_defaults();

    options.temperature = temperature;
    options.top_k = top_k;
    options.top_p = top_p;
    return options;
}

static void random_logits(slm_real *logits, size_t vocab) {
    double scale = pow(10.0, 3 * slm_rng_uniform(&rng) - 1);

    for (size_t i = 0; i < vocab; i++) {
        logits[i] = (slm_real)(scale * slm_rng_normal(&rng));
        if (i > 0 && below(8) == 0) logits[i] = logits[below(i)]; /* ties */
    }
}

/* ---- tokens that version 0.1 drew, from a model with random weights ---- */
static const struct {
    double temperature;
    int32_t top_k;
    double top_p;
    int32_t tokens[16];
} recorded[] = {
    {1, 0, 1, {291, 98, 106, 23, 236, 248, 243, 55, 78, 279, 149, 295, 40, 227, 240, 88}},
    {0.3, 0, 0.9, {291, 174, 4, 267, 231, 230, 0, 0, 81, 257, 228, 21, 9, 40, 91, 151}},
    {0.8, 20, 0.5, {31, 230, 40, 230, 236, 103, 230, 37, 40, 230, 145, 40, 100, 132, 158, 81}},
    {0, 0, 1, {81, 103, 230, 243, 40, 21, 40, 93, 61, 257, 28, 230, 17, 103, 243, 59}},
};

static slm_model *random_model(void) {
    slm_model_config config;
    slm_model *model = NULL;

    memset(&config, 0, sizeof config);
    config.vocab = 300;
    config.dim = 32;
    config.n_layers = 2;
    config.n_heads = 4;
    config.n_kv_heads = 2;
    config.ffn = 48;
    CHECK_OK(slm_model_create(&model, &config, 5, &err), err);
    if (model == NULL) exit(1);
    for (size_t i = 0; i < model->n_params; i++)
        model->params[i] *= 8;
    return model;
}

static void test_recorded(void) {
    slm_model *model = random_model();
    slm_generator *generator;
    const slm_real *logits;

    CHECK_OK(slm_generator_create(&generator, model, 32, &err), err);
    for (size_t i = 0; i < SLM__COUNT(recorded); i++) {
        slm_sample_options options =
            sampling(recorded[i].temperature, recorded[i].top_k, recorded[i].top_p);
        slm_rng same = slm_rng_seed(9);
        int32_t token = 1;
        slm_generator_reset(generator);
        for (int n = 0; n < 16; n++) {
            CHECK_OK(slm_generator_push(&logits, generator, token, &err), err);
            CHECK_OK(slm_sample_token(&token, logits, 300, &options, &same, scratch, &err), err);
            CHECK(token == recorded[i].tokens[n], "options %zu, token %d: %d", i, n, (int)token);
        }
    }
    slm_generator_free(generator);
    slm_model_free(model);
}

/* ---- against a naive twin: whole rows, a sorted copy, a running sum ---- */
static int naive_order(const void *a, const void *b) {
    const slm_choice *x = (const slm_choice *)a;
    const slm_choice *y = (const slm_choice *)b;

    if (x->p > y->p) return -1;
    if (x->p < y->p) return 1;
    return (x->token > y->token) - (x->token < y->token);
}

static int32_t naive_sample(const slm_real *logits, size_t vocab, const slm_sample_options *options,
                            slm_rng *r) {
    static slm_real weights[MOST];
    static slm_choice choices[MOST];
    slm_real max = slm__row_max(logits, vocab);
    size_t limit = options->top_k > 0 ? slm__min(vocab, (size_t)options->top_k) : vocab;
    size_t n = 0;
    double sum;
    double mass = 0;
    double drawn;

    if (!(options->temperature > 0)) {
        while (logits[n] < max)
            n++;
        return (int32_t)n;
    }
    for (size_t i = 0; i < vocab; i++)
        weights[i] = (slm_real)((double)(logits[i] - max) / options->temperature);
    sum = (double)slm__exp_shift(weights, weights, 0, vocab);
    for (size_t i = 0; i < vocab; i++) {
        choices[i].p = weights[i];
        choices[i].token = (int32_t)i;
    }
    if (limit < vocab || options->top_p < 1)
        qsort(choices, vocab, sizeof *choices, naive_order);
    for (; n < limit && (n == 0 || mass < options->top_p * sum); n++)
        mass += (double)choices[n].p;
    drawn = slm_rng_uniform(r) * mass;
    for (size_t i = 0; i + 1 < n; i++) {
        drawn -= (double)choices[i].p;
        if (drawn < 0) return choices[i].token;
    }
    return choices[n - 1].token;
}

static void test_twin(void) {
    static slm_real logits[MOST];
    int bad = 0;

    for (int round = 0; round < 5000 && bad == 0; round++) {
        size_t vocab = 1 + below(MOST);
        double temperature = below(8) == 0 ? 0 : 2 * slm_rng_uniform(&rng);
        int32_t top_k = below(2) == 0 ? 0 : (int32_t)below(MOST);
        double top_p = below(2) == 0 ? 1 : 1 - slm_rng_uniform(&rng);
        slm_sample_options options = sampling(temperature, top_k, top_p);
        slm_rng mine = slm_rng_seed((uint64_t)round);
        slm_rng theirs = mine;
        int32_t token = -1;
        int32_t expected;

        random_logits(logits, vocab);
        scratch[vocab].token = -7;
        CHECK_OK(slm_sample_token(&token, logits, (int32_t)vocab, &options, &mine, scratch, &err),
                 err);
        expected = naive_sample(logits, vocab, &options, &theirs);
        bad = token != expected || mine.state != theirs.state;
        CHECK(bad == 0, "round %d: token %d, not %d", round, (int)token, (int)expected);
        CHECK(scratch[vocab].token == -7, "round %d: a choice behind the vocabulary", round);
    }
}

/* The sum of the weights has the bits of a sum over the whole row. */
static void test_sum(void) {
    static slm_real logits[MOST];
    static slm_real weights[MOST];

    for (size_t vocab = 1; vocab < MOST; vocab++) {
        slm_real sum;
        slm_real expected;
        random_logits(logits, vocab);
        sum = slm__softmax_weights(NULL, logits, vocab, 1);
        expected = slm__exp_shift(weights, logits, slm__row_max(logits, vocab), vocab);
        CHECK(memcmp(&sum, &expected, sizeof sum) == 0, "%zu logits: %g, not %g", vocab,
              (double)sum, (double)expected);
    }
}

/* ---- against the softmax: how often each token is drawn ---- */
static void test_frequencies(void) {
    static const slm_real logits[4] = {0, 1, 2, -1};
    static const struct {
        slm_sample_options options;
        double p[4];
    } cases[] = {
        {{1, 0, 1}, {0.0871443187, 0.236882818, 0.643914260, 0.0320586033}},
        {{0.5, 0, 1}, {0.0158422434, 0.117058913, 0.864954864, 0.00214400}},
        {{1, 2, 1}, {0, 0.268941421, 0.731058579, 0}},
        {{1, 0, 0.8}, {0, 0.268941421, 0.731058579, 0}},
        {{1, 0, 0.6}, {0, 0, 1, 0}},
    };
    const int draws = 40000;

    for (size_t i = 0; i < SLM__COUNT(cases); i++) {
        int count[4] = {0};
        for (int n = 0; n < draws; n++) {
            int32_t token = -1;
            slm_status status =
                slm_sample_token(&token, logits, 4, &cases[i].options, &rng, scratch, &err);
            if (status == SLM_OK && token >= 0 && token < 4) count[token]++;
        }
        for (int t = 0; t < 4; t++) {
            double p = cases[i].p[t];
            double deviation = sqrt(p * (1 - p) / draws);
            double difference = fabs((double)count[t] / draws - p);
            CHECK(difference <= 5 * deviation + 1e-12, "case %zu, token %d: %d times", i, t,
                  count[t]);
        }
    }
}

/* ---- edges ---- */
static void test_greedy(void) {
    static const slm_real logits[5] = {1, 3, 2, 3, -3};
    slm_sample_options greedy = sampling(0, 0, 1);
    slm_sample_options one = sampling(1, 1, 1);
    slm_sample_options little = sampling(1, 0, 1e-9);
    int32_t token = -1;

    /* The lowest id among equals; neither a random number nor scratch memory is needed. */
    CHECK_OK(slm_sample_token(&token, logits, 5, &greedy, NULL, NULL, &err), err);
    CHECK(token == 1, "temperature 0: token %d", (int)token);
    CHECK_OK(slm_sample_token(&token, logits, 5, &one, &rng, scratch, &err), err);
    CHECK(token == 1, "top_k 1: token %d", (int)token);
    CHECK_OK(slm_sample_token(&token, logits, 5, &little, &rng, scratch, &err), err);
    CHECK(token == 1, "top_p 1e-9: token %d", (int)token);
}

static void test_not_finite(void) {
    const double numbers[] = {NAN, INFINITY};
    static slm_real logits[MOST];
    slm_rng unused = rng;

    for (size_t i = 0; i < SLM__COUNT(numbers); i++) {
        for (size_t place = 0; place < MOST; place += MOST / 2 - 1) {
            for (int temperature = 0; temperature < 2; temperature++) {
                slm_sample_options options = sampling(temperature, 0, 1);
                int32_t token = -7;
                slm_status status;
                memset(logits, 0, sizeof logits);
                logits[place] = (slm_real)numbers[i];
                status = slm_sample_token(&token, logits, MOST, &options, &rng, scratch, &err);
                CHECK(status == SLM_ERR_NOT_FINITE && token == -7, "%g at %zu, temperature %d",
                      numbers[i], place, temperature);
                status = slm_likeliest_tokens(scratch, logits, MOST, 3, &err);
                CHECK(status == SLM_ERR_NOT_FINITE, "the likeliest: %g at %zu", numbers[i], place);
            }
        }
    }
    CHECK(rng.state == unused.state, "a random number was drawn");
}

/* A token of logit -infinity has probability 0 and is never drawn; if all are, that is an error. */
static void test_masked_logits(void) {
    static slm_real logits[MOST];

    for (size_t i = 0; i < MOST; i++)
        logits[i] = i % 3 == 1 ? (slm_real)0.5 : -(slm_real)INFINITY;
    for (int temperature = 0; temperature < 3; temperature++) {
        slm_sample_options options = sampling(temperature, 0, temperature == 2 ? 0.9 : 1);
        for (int draw = 0; draw < 200; draw++) {
            int32_t token = -1;
            CHECK_OK(slm_sample_token(&token, logits, MOST, &options, &rng, scratch, &err), err);
            CHECK(token % 3 == 1, "a token without probability: %d", (int)token);
        }
    }
    CHECK_OK(slm_likeliest_tokens(scratch, logits, MOST, MOST, &err), err);
    CHECK(scratch[MOST - 1].p == 0 && scratch[0].p > 0, "probabilities of masked tokens");

    for (size_t i = 0; i < MOST; i++)
        logits[i] = -(slm_real)INFINITY;
    CHECK(slm_likeliest_tokens(scratch, logits, MOST, 3, &err) == SLM_ERR_NOT_FINITE,
          "all logits are -infinity");
}

static void test_bad_options(void) {
    static const slm_sample_options bad[] = {{-0.1, 0, 1}, {1, -1, 1}, {1, 0, 0}, {1, 0, 1.1}};
    static const slm_real logits[2] = {0, 1};
    slm_sample_options options = sampling(NAN, 0, 1);
    int32_t token = -7;
    slm_status status;

    for (size_t i = 0; i < SLM__COUNT(bad); i++) {
        status = slm_sample_token(&token, logits, 2, &bad[i], &rng, scratch, &err);
        CHECK(status == SLM_ERR_ARGUMENT && token == -7, "options %zu", i);
    }
    status = slm_sample_token(&token, logits, 2, &options, &rng, scratch, &err);
    CHECK(status == SLM_ERR_ARGUMENT, "a temperature that is not a number");
    options = slm_sample_defaults();
    CHECK(options.top_k == 0 && fabs(options.temperature - 1) <= 0 && fabs(options.top_p - 1) <= 0,
          "the defaults");
    status = slm_sample_token(&token, logits, 0, &options, &rng, scratch, &err);
    CHECK(status == SLM_ERR_ARGUMENT, "no tokens");
}

/* ---- the likeliest ---- */
static void test_likeliest(void) {
    static slm_real logits[MOST];
    static slm_choice sorted[MOST];
    slm_choice choices[MOST];

    for (int round = 0; round < 500; round++) {
        size_t vocab = 1 + below(MOST);
        size_t k = 1 + below(vocab);
        double sum = 0;
        int bad = 0;
        random_logits(logits, vocab);
        CHECK_OK(slm_likeliest_tokens(choices, logits, (int32_t)vocab, (int32_t)k, &err), err);
        for (size_t i = 0; i < vocab; i++) {
            sorted[i].p = logits[i];
            sorted[i].token = (int32_t)i;
        }
        qsort(sorted, vocab, sizeof *sorted, naive_order);
        for (size_t i = 0; i < vocab; i++)
            sum += exp((double)sorted[i].p - (double)sorted[0].p);
        for (size_t i = 0; i < k; i++) {
            double p = exp((double)sorted[i].p - (double)sorted[0].p) / sum;
            bad += choices[i].token != sorted[i].token;
            bad += !(fabs((double)choices[i].p - p) <= 1e-5 * p + 1e-30);
        }
        CHECK(bad == 0, "round %d: %d of %zu are wrong", round, bad, k);
    }
    CHECK(slm_likeliest_tokens(choices, logits, 5, 0, &err) == SLM_ERR_ARGUMENT, "none of 5");
    CHECK(slm_likeliest_tokens(choices, logits, 5, 6, &err) == SLM_ERR_ARGUMENT, "6 of 5");
    logits[0] = (slm_real)SLM__BY_TYPE(FLT_MAX, DBL_MAX);
    logits[1] = (slm_real)NAN;
    CHECK(slm_likeliest_tokens(choices, logits, 2, 1, &err) == SLM_ERR_NOT_FINITE &&
              strstr(err.text, "token 1 is") != NULL,
          "the largest number is none that is refused: %s", err.text);
}

/* ---- the generator ---- */
/* What was pushed after the place is forgotten. */
static void test_rewind(slm_generator *generator) {
    slm_real wanted[300];
    const slm_real *logits = NULL;
    static const int32_t tokens[] = {5, 9, 7, 8, 9};

    slm_generator_reset(generator);
    for (int i = 0; i < 2; i++)
        CHECK_OK(slm_generator_push(&logits, generator, tokens[i], &err), err);
    memcpy(wanted, logits, sizeof wanted);
    slm_generator_rewind(generator, 1);
    CHECK_OK(slm_generator_push(&logits, generator, tokens[2], &err), err);
    CHECK(memcmp(wanted, logits, sizeof wanted) != 0, "the same logits after another token");
    slm_generator_rewind(generator, 2); /* as many as there are */
    slm_generator_rewind(generator, 3);
    slm_generator_rewind(generator, -1);
    slm_generator_rewind(generator, 1);
    CHECK_OK(slm_generator_push(&logits, generator, tokens[1], &err), err);
    CHECK(memcmp(wanted, logits, sizeof wanted) == 0, "other logits after going back");
}

/* A position turns half of a head's numbers, and writes no more angles. */
static void test_angles(const slm_model *model) {
    const size_t half = (size_t)model->config.head_dim / 2;
    slm_real angles[2][300];
    slm_generator *generator = NULL;

    CHECK_OK(slm_generator_create(&generator, model, 2, &err), err);
    generator->cosine = angles[0];
    generator->sine = angles[1];
    angles[0][half] = angles[1][half] = 7;
    CHECK_OK(slm_generator_push(NULL, generator, 5, &err), err);
    CHECK(angles[0][half] == 7 && angles[1][half] == 7, "an angle behind the last");
    CHECK(angles[0][half - 1] == 1 && angles[1][half - 1] == 0, "the first position is turned");
    slm_generator_free(generator);
}

static void test_generator(void) {
    slm_model *model = random_model();
    slm_generator *generator = NULL;
    const slm_real *logits = NULL;
    slm_real first[300];
    slm_status status;

    status = slm_generator_create(&generator, model, 0, &err);
    CHECK(status == SLM_ERR_ARGUMENT && generator == NULL, "room for no tokens");
    CHECK_OK(slm_generator_create(&generator, model, 2, &err), err);
    status = slm_generator_push(&logits, generator, 300, &err);
    CHECK(status == SLM_ERR_ARGUMENT && logits == NULL, "token 300 of 300");
    status = slm_generator_push(&logits, generator, -1, &err);
    CHECK(status == SLM_ERR_ARGUMENT && logits == NULL, "token -1");

    CHECK_OK(slm_generator_push(&logits, generator, 5, &err), err);
    memcpy(first, logits, sizeof first);
    CHECK_OK(slm_generator_push(NULL, generator, 6, &err), err);
    status = slm_generator_push(&logits, generator, 7, &err);
    CHECK(status == SLM_ERR_ARGUMENT && logits == NULL, "a third token where two fit");
    slm_generator_reset(generator);
    CHECK_OK(slm_generator_push(&logits, generator, 5, &err), err);
    CHECK(memcmp(first, logits, sizeof first) == 0, "other logits after a reset");
    test_rewind(generator);
    test_angles(model);
    slm_generator_free(generator);
    slm_generator_free(NULL);
    slm_model_free(model);
}

int main(void) {
    test_recorded();
    test_twin();
    test_sum();
    test_frequencies();
    test_greedy();
    test_not_finite();
    test_masked_logits();
    test_bad_options();
    test_likeliest();
    test_generator();
    return check_end();
}
