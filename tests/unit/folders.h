/* folders.h: what the tests of model folders and of runs share: small models, and a loop that makes
   the k-th access to a file, or the k-th allocation, fail.  Include it after slm.h and check.h. */
#ifndef FOLDERS_H
#define FOLDERS_H

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- models ---- */
static slm_model *model_of(int tied, uint64_t seed) {
    slm_model_config c;
    slm_model *model;
    slm_error err;

    memset(&c, 0, sizeof c);
    c.vocab = 20;
    c.dim = 8;
    c.n_layers = 2;
    c.n_heads = 4;
    c.n_kv_heads = 2;
    c.head_dim = 6;
    c.ffn = 10;
    c.tie_embeddings = tied;
    c.rope_theta = 54321.5;
    c.norm_eps = 1.0 / 3e5;
    c.max_seq = 33;
    if (slm_model_create(&model, &c, seed, &err) != SLM_OK) {
        printf("%s\n", err.text);
        exit(1);
    }
    /* Norms that are not all one. */
    for (size_t i = 0; i < model->n_tensors; i++)
        if (!model->table[i].decay) model->params[model->table[i].offset + 1] = (slm_real)(2 + i);
    return model;
}

/* Compares what the table lists in two arrays like params; there are gaps between the tensors. */
static int same_tensors(const slm_model *model, const slm_real *a, const slm_real *b) {
    for (size_t i = 0; i < model->n_tensors; i++) {
        const slm_param *p = &model->table[i];

        if (memcmp(a + p->offset, b + p->offset, p->rows * p->cols * sizeof *a) != 0) return 0;
    }
    return 1;
}

/* ---- failures ---- */
typedef slm_status (*operation)(void *user, slm_error *err);

/* What a file holds. */
typedef struct content {
    char *bytes; /* NULL: there is no such file */
    size_t n;
} content;

static content content_of(const char *name) {
    content c = {NULL, 0};

    c.bytes = get(name, &c.n);
    return c;
}

static int same_content(content a, content b) {
    return a.bytes != NULL && b.bytes != NULL && a.n == b.n && memcmp(a.bytes, b.bytes, a.n) == 0;
}

/* What a file may be after a save that has failed. */
typedef enum file_fate { IS_OLD, IS_OLD_OR_NEW, IS_OLD_OR_NEW_OR_GONE } file_fate;

/* Checks that it is one of these, and that no temporary file is left, unless even its removal
   fails. */
static void check_file(const char *what, long k, const char *name, content old, content whole,
                       file_fate fate) {
    content now = content_of(name);
    char temporary[300];
    content left;
    int is_well = same_content(now, old) || (fate != IS_OLD && same_content(now, whole)) ||
                  (fate == IS_OLD_OR_NEW_OR_GONE && now.bytes == NULL);

    CHECK(is_well, "%s, call %ld: %s is neither the old file nor the whole new one", what, k, name);
    free(now.bytes);

    (void)snprintf(temporary, sizeof temporary, "%s.tmp", name);
    left = content_of(temporary);
    CHECK(left.bytes == NULL || io_sticky, "%s, call %ld: %s was left", what, k, temporary);
    free(left.bytes);
    (void)remove(in(temporary));
}

/* Checks that a save has written the whole file, although some access failed. */
static void check_saved(const char *what, long k, const char *name, content whole) {
    content now = content_of(name);

    CHECK(same_content(now, whole), "%s, call %ld: said to be saved, but is not", what, k);
    free(now.bytes);
}

/* Runs `call`, which writes the file `name`, with the k-th access failing, k = 1, 2, ..., to the
   last one; the same with all accesses from the k-th on; the same with the k-th allocation.
   fate: what the file may be if one fails that is not of the sync of its folder. */
static void save_under_failure(const char *what, const char *name, operation call, void *user,
                               file_fate fate) {
    static char old_bytes[] = "the old content";
    content old = {old_bytes, sizeof old_bytes};
    content whole, last;
    slm_status status;
    long n_points = 0;
    slm_error err;

    inject(0, 0);
    CHECK_OK(call(user, &err), err);
    whole = content_of(name);
    for (int sticky = 0; sticky < 2; sticky++) {
        for (long k = 1;; k++) {
            put(name, old.bytes, old.n);
            inject(k, sticky);
            err.text[0] = 0;
            status = call(user, &err);
            n_points++;
            io_fail_at = 0;
            if (status == SLM_OK) check_saved(what, k, name, whole);
            if (io_calls < k) break; /* the call that fails was not reached */
            if (status == SLM_OK) continue;

            CHECK(status == SLM_ERR_IO && err.status == status && err.text[0] != 0,
                  "%s, call %ld: %s (%s)", what, k, slm_status_text(status), err.text);
            check_file(what, k, name, old, whole,
                       fate == IS_OLD && io_folder ? IS_OLD_OR_NEW : fate);
        }
    }
    inject(0, 0);
    status = SLM_ERR_MEMORY;
    for (long k = 1; status != SLM_OK; k++) {
        put(name, old.bytes, old.n);
        inject(0, 0);
        alloc_fail_at = k;
        status = call(user, &err);
        alloc_fail_at = 0;
        n_points++;
        if (status == SLM_OK) continue;

        CHECK(status == SLM_ERR_MEMORY && err.status == status, "%s, allocation %ld: %s", what, k,
              slm_status_text(status));
        check_file(what, k, name, old, whole, fate);
    }
    last = content_of(name);
    CHECK(same_content(last, whole), "%s: the last try wrote other bytes", what);
    CHECK(n_points > 8, "%s: only %ld points", what, n_points);
    printf("%s: failures at %ld points\n", what, n_points);
    free(last.bytes);
    free(whole.bytes);
}

/* The same for `call`, which only reads.  It succeeds where closing the file fails. */
static void load_under_failure(const char *what, operation call, void *user) {
    slm_status status = SLM_OK;
    long n_points = 0;
    slm_error err;

    for (long k = 1;; k++) {
        inject(k, 0);
        err.text[0] = 0;
        status = call(user, &err);
        if (io_calls < k) break; /* the call that fails was not reached */

        n_points++;
        CHECK(status == SLM_OK || (status == SLM_ERR_IO && err.text[0] != 0), "%s, call %ld: %s",
              what, k, slm_status_text(status));
    }
    CHECK(status == SLM_OK, "%s: %s", what, err.text);

    status = SLM_ERR_MEMORY;
    for (long k = 1; status != SLM_OK; k++) {
        inject(0, 0);
        alloc_fail_at = k;
        status = call(user, &err);
        n_points++;
        CHECK(status == SLM_OK || status == SLM_ERR_MEMORY, "%s, allocation %ld: %s", what, k,
              slm_status_text(status));
    }
    inject(0, 0);
    CHECK(n_points > 6, "%s: only %ld points", what, n_points);
    printf("%s: failures at %ld points\n", what, n_points);
}
#endif
