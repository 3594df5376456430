/* texts.h: targets of what is text: JSON, records, pieces of a text, the audit's summary. */
#ifndef TEXTS_H
#define TEXTS_H
#include "audit/summary.c"

/* ---- json: what is accepted stays the same when it is written and read again ---- */
static void check_string(const slm__value *v) {
    slm__writer again = {{NULL, 0, 0}, &err, SLM_OK};
    slm__print_string(&again, v->text, v->size);
    if (again.status == SLM_OK) {
        slm__json k;
        if (slm__json_open(&k, again.text.data, again.text.size, "again", &err) == SLM_OK) {
            const slm__value *w = slm__json_root(&k);
            require(w->size == v->size && memcmp(w->text, v->text, v->size) == 0, "string");
        }
        slm__json_close(&k);
    }
    slm__release(again.text.data);
}

static void check_number(slm__json *j, const slm__value *v) {
    char text[48];
    double d = slm__json_double(j, v);
    if (j->status != SLM_OK) return;
    require(slm__double_text(text, d), "finite");
    slm__json k;
    if (slm__json_open(&k, text, strlen(text), "again", &err) == SLM_OK) {
        double back = slm__json_double(&k, slm__json_root(&k));
        require(memcmp(&d, &back, sizeof d) == 0, "number");
    }
    slm__json_close(&k);
}

static void fuzz_json(void) {
    slm__json j;
    if (slm__json_open(&j, (const char *)input, input_size, "input", &err) == SLM_OK) {
        const slm__value *v = slm__json_root(&j);
        size_t n = j.values.size / sizeof *v;
        require(v->n_values == n, "root");
        for (size_t i = 0; i < n; i++)
            require(v[i].n_values >= 1 && v[i].n_values <= n - i && v[i].start >= j.input &&
                        v[i].start < j.end,
                    "values");
        if (v->kind == SLM__JSON_STRING) check_string(v);
        if (v->kind == SLM__JSON_NUMBER) check_number(&j, v);
    }
    slm__json_close(&j);
}

static void seed_json(void) {
    seed_text("{\"a\":[1,-2.5e-3,true,false,null,\"x\\u00e9\\ud83d\\ude00\\n\"]}");
    seed_text("\"text \\u20ac \xC3\xA9\"");
    seed_text("1.7976931348623157e308");
}

/* ---- jsonl, records ---- */
static void fuzz_jsonl(void) {
    static const slm_text_options all[] = {
        {NULL, 0, 0, NULL, NULL}, {"a", 0, 0, NULL, NULL}, {"a,b", 0, 0, NULL, NULL}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        slm_text t;
        const char *text = (const char *)input;
        if (slm_text_parse(&t, text, input_size, "input.jsonl", &all[i], &err) == SLM_OK)
            require(t.size <= 2 * input_size + 2, "not more text than there is");
        slm_text_free(&t);
    }
}

/* Records with fields that are masked, weights, and bad ones left out: the parts are in order and
   within the text, the weights are numbers. */
static void fuzz_records(void) {
    static const slm_text_options all[] = {{"a,b", 1, 0, "a", "w"}, {"a,b", 1, 1, NULL, "w"}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        slm_text t;
        size_t end = 0;
        const char *text = (const char *)input;
        if (slm_text_parse(&t, text, input_size, "input", &all[i], &err) == SLM_OK) {
            for (size_t k = 0; k < t.n_parts; k++) {
                require(t.parts[k].start >= end && t.parts[k].start <= t.size, "a part");
                require(t.parts[k].weight >= 0 && t.parts[k].weight < 1e300, "a weight");
                end = t.parts[k].start;
            }
        }
        slm_text_free(&t);
    }
}

static void seed_records(void) {
    seed_text("{\"text\":\"one\"}\n\n{\"a\":\"q\",\"b\":\"r\",\"text\":\"two\\n\"}\r\n");
    seed_text("{\"a\":\"q\",\"b\":\"r\",\"w\":0.5}\n{\"a\":\"s\",\"b\":\"t\",\"w\":[0,2]}\n"
              "{\"b\":1}\n");
}

/* ---- pieces: a text cut by every rule: its bytes come back.  And whether it is in NFC ---- */
static void check_pieces(const slm_tokenizer *t) {
    int32_t *ids;
    size_t n, size;
    char *back;
    if (slm_tokenizer_encode(&ids, &n, t, (const char *)input, input_size, &err) != SLM_OK) return;
    require(n == input_size, "bytes");
    if (slm_tokenizer_decode(&back, &size, t, ids, n, &err) == SLM_OK) {
        require(size == input_size && memcmp(back, input, size) == 0, "text");
        slm_free(back);
    }
    slm_free(ids);
}

static void fuzz_pieces(void) {
    static slm_tokenizer *t;
    static slm__nfc *nfc;
    if (t == NULL) {
        unsigned k = fail_at;
        fail_at = 0;
        require(slm_tokenizer_create_bytes(&t, &err) == SLM_OK, "a tokenizer");
        nfc = slm__nfc_new(&err);
        require(nfc != NULL, "the tables of NFC");
        keep_what_is_made();
        fail_at = k;
    }
    for (t->split = SLM__SPLIT_NONE; t->split <= SLM__SPLIT_QWEN; t->split++)
        check_pieces(t);
    require(slm__nfc_check(nfc, (const char *)input, input_size) <= input_size, "place");
}

static void seed_pieces(void) {
    seed_text("Hello world, it'S 1234  \n\t na\xC3\xAFve \xE6\x97\xA5\xE6\x9C\xAC "
              "\xF0\x9F\xA4\x97 \x80\xFF q\xCC\x81 e\xCC\x96\xCC\x81");
}

/* ---- summary ---- */
static void fuzz_summary(void) {
    summary s;
    if (summary_parse(&s, (const char *)input, input_size, "input", &err) != SLM_OK) return;
    require(s.ratio - s.ratio >= 0 && s.clip - s.clip >= 0, "finite");
}

static void seed_summary(void) {
    seed_text("{\"clm\":3.4,\"slm_batch\":3.5,\"ratio\":0.6,\"grad_norm_clm\":0.8,"
              "\"grad_norm_slm\":1,\"adamw\":{\"lr\":0.001,\"beta1\":0.9,\"beta2\":0.95,"
              "\"eps\":1e-08,\"weight_decay\":0.1,\"clip\":1.0}}");
}
#endif
