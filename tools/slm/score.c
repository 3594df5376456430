/* score.c: the verb `score`: loss and entropy of every token of a text, once: into a score file
 * that training reads, as a table for people, or for an array of tokens from NumPy. */
#include "slm/score.h"

#include <stdio.h>
#include <string.h>

#include "common/cli.h"
#include "common/group.h"
#include "common/inputs.h"
#include "common/text.h"
#include "slm/losses_join.h"
#include "slm/verbs.h"

static void print_summary(const score_options *o, const slm_losses *losses) {
    double loss = 0;
    double entropy = 0;
    for (size_t i = 0; i < losses->n; i++) {
        loss += (double)losses->loss[i];
        entropy += (double)losses->entropy[i];
    }
    loss /= (double)losses->n;
    entropy /= (double)losses->n;
    if (!o->json) {
        printf("%s: %zu tokens in windows of %d, mean loss %.6f, mean entropy %.6f nats\n", o->out,
               losses->n, (int)losses->T, loss, entropy);
        return;
    }
    printf("{\"out\": ");
    escape_json(stdout, o->out);
    printf(", \"tokens\": %zu, \"seq\": %d", losses->n, (int)losses->T);
    printf(", \"loss\": %.17g, \"entropy\": %.17g", loss, entropy);
    printf(", \"corpus\": \"%016llx\"", (unsigned long long)losses->corpus_hash);
    printf(", \"tokenizer\": \"%016llx\"", (unsigned long long)losses->tokenizer_hash);
    printf(", \"model\": \"%016llx\"}\n", (unsigned long long)losses->model_hash);
}

/* The position is the token's place in the text, from 0: the first token is no target and has no
 * line. */
static void print_table(const score_run *r) {
    int digits = sizeof(slm_real) == sizeof(float) ? 9 : 17;
    printf("position\ttoken\ttext\tloss\tentropy\n");
    for (size_t i = 0; i < r->losses->n; i++) {
        size_t size = 0;
        int32_t id = slm_corpus_token(r->corpus, i + 1);
        const char *bytes = NULL;
        if (r->tokenizer != NULL) bytes = slm_tokenizer_token(&size, r->tokenizer, id);
        printf("%zu\t%d\t", i + 1, (int)id);
        if (bytes != NULL) escape_terminal(stdout, bytes, size);
        printf("\t%.*g", digits, (double)r->losses->loss[i]);
        printf("\t%.*g\n", digits, (double)r->losses->entropy[i]);
    }
}

static void print_shard(const score_options *o, const score_run *r) {
    int i = (int)o->shard_index;
    int n = (int)o->n_shards;
    if (o->json) {
        printf("{\"shard\": %d, \"shards\": %d, \"windows\": %zu}\n", i, n,
               slm_corpus_n_windows(r->corpus, r->T));
    } else {
        printf("%s: shard %d of %d is done; when all are: slm score --join FILE... --out SCORES\n",
               o->out, i, n);
    }
}

static int score_and_print(score_run *r, const score_options *o) {
    int code = score_text(r, o);
    if (code != DONE || group_rank() > 0) return code;
    if (o->n_shards > 1) {
        print_shard(o, r);
    } else if (o->tsv) {
        print_table(r);
    } else {
        print_summary(o, r->losses);
    }
    return DONE;
}

static int join_shards(score_run *r, const score_options *o) {
    slm_error err;
    slm_losses *parts[OPTION_LIST_MAX] = {NULL};
    slm_status status = SLM_OK;
    for (size_t i = 0; i < o->join.n && status == SLM_OK; i++)
        status = slm_losses_load(&parts[i], o->join.items[i], &err);
    if (status == SLM_OK)
        status = losses_join(&r->losses, (const slm_losses *const *)parts, o->join.n, &err);
    for (size_t i = 0; i < o->join.n; i++)
        slm_losses_free(parts[i]);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);

    if (r->losses->n != r->losses->total) {
        return fail(BAD_INPUT, "the shards given hold %zu of %zu scores", r->losses->n,
                    r->losses->total);
    }
    status = slm_losses_save(r->losses, o->out, &err);
    if (status == SLM_OK) print_summary(o, r->losses);
    return fail_status(status, FOR_OUTPUT, &err);
}

/* ---- the flags ---- */
enum { SAVE_EVERY_UNSET = -1 };

static int check_join(const score_options *o) {
    int flags = o->shard != NULL || o->tsv || o->stream != STREAM_IF_LARGE;
    if (o->model != NULL || o->data.n > 0 || flags)
        return fail(USAGE, "--join takes finished shards and --out, nothing else");
    return need_flag(o->out != NULL, "--out", "S");
}

static int check_tokens(const score_options *o) {
    if (o->data.n > 0 || o->shard != NULL || o->tsv || o->seq > 0) {
        return fail(USAGE, "--tokens brings its own windows: no --data, --seq, --shard or --tsv "
                           "with it");
    }
    return need_flag(o->out != NULL, "--out", "FOLDER");
}

/* Reads --shard i/n. */
static int parse_shard(score_options *o) {
    int end = 0;
    if (o->shard == NULL) return DONE;
    int n_read = sscanf(o->shard, "%6d/%6d%n", &o->shard_index, &o->n_shards, &end);
    int in_range = o->shard_index >= 0 && o->shard_index < o->n_shards;
    if (n_read != 2 || o->shard[end] != 0 || !in_range)
        return fail(USAGE, "--shard %s: i/n is needed, i from 0 to n-1", o->shard);
    if (o->n_shards > 1 && (o->tsv || o->out == NULL))
        return fail(USAGE, "--shard goes with --out and without --tsv");
    return DONE;
}

static int check_options(score_options *o) {
    if (group_size() > 1 && (o->join.n > 0 || o->tokens != NULL))
        return fail(USAGE, "--join and --tokens are work for one process, and there are %d",
                    group_size());
    if (o->join.n > 0) return check_join(o);
    if (o->stream == 1 && o->save_every != SAVE_EVERY_UNSET)
        return fail(USAGE, "--save-every: a streamed model saves after each group of windows");
    if (o->save_every == SAVE_EVERY_UNSET) o->save_every = 60;
    if (o->tokens != NULL && o->stream != STREAM_IF_LARGE)
        return fail(USAGE, "--stream goes with --data: an array is scored by a model in memory");
    int code = need_flag(o->model != NULL, "--model", "DIR");
    if (code != DONE) return code;
    if (o->tokens != NULL) return check_tokens(o);
    code = need_flag(o->data.n > 0, "--data", "F");
    if (code == DONE) code = need_flag(o->out != NULL || o->tsv, "--out", "S");
    if (code == DONE) code = check_data(&o->read, &o->data, NULL);
    if (code == DONE) code = parse_shard(o);
    return code;
}

static int parse_options(score_options *o, int argc, char **argv) {
    static const option_page page = {
        "score",
        "loss and entropy of every token of a text, once",
        "score --model DIR --data F... --out S [flags]",
        {"slm score --model ref --data noisy.txt --out noisy.scores",
         "slm score --model ref --data page.txt --tsv | sort -t '\t' -k4 -nr | head"},
        "The score file holds loss and entropy (nats) of each token in its window of --seq,\n"
        "which must be that of training, and the fingerprints of text, tokenizer and model:\n"
        "train refuses it for anything else.  An interrupted scoring (S.part) is taken up by\n"
        "the same command; meanwhile S.lock keeps others out: a second process ends with 2.\n"
        "Shards 0/n to n-1/n can be made on different machines, each into its own file; --join\n"
        "FILE... --out S makes one of them.  --tsv prints position, token, text, loss, entropy\n"
        "(tabs between; \\n, \\t, \\\\ and \\xHH in the text).  --tokens takes an int32 array\n"
        "of shape (rows, T+1): inputs [:, :T], targets [:, 1:].\n"
        "A model whose weights take more than half of the memory (as F32) is streamed: 8192\n"
        "tokens at a time pass it layer by layer, each read from its file.  The scores are the\n"
        "same, and S.part is saved after each 8192 instead of by --save-every.",
        0};
    option_list rest = {{NULL}, 0};
    option table[] = {
        OPTION_MODEL(&o->model),
        OPTION_DATA(&o->data),
        OPTION_TEXT("out", &o->out, "S", "the score file to write; with --tokens a folder"),
        OPTION_SEQ(&o->seq, OR_THE_CONTEXT),
        OPTION_TOKENIZER(&o->tokenizer, OR_THE_MODELS),
        OPTIONS_TEXT(&o->read),
        OPTION_DTYPE(&o->read),
        OPTIONS_DOCUMENTS(&o->read),
        OPTION_BATCH(&o->batch, BATCH_IS_SPEED),
        OPTION_I32("stream", &o->stream, 0, 1, "0|1",
                   "1: read the weights layer by layer; 0: hold them (default: by their size)"),
        OPTION_TEXT("shard", &o->shard, "i/n", "score only part i of n, i from 0"),
        OPTION_I32("save-every", &o->save_every, 0, 1000000, "SECONDS",
                   "between saves of S.part (default 60)"),
        OPTION_LIST("join", &o->join, "FILE...", "make one score file of all shards"),
        OPTION_FLAG("tsv", &o->tsv, "print the scores as a table"),
        OPTION_TEXT("tokens", &o->tokens, "T.npy",
                    "score this array; writes loss.npy and entropy.npy"),
        OPTION_THREADS(&o->threads),
        OPTION_FLAG("json", &o->json, "the summary as JSON"),
        OPTION_QUIET(&o->quiet),
    };
    memset(o, 0, sizeof *o);
    o->read = data_defaults();
    o->batch = 8;
    o->stream = STREAM_IF_LARGE;
    o->save_every = SAVE_EVERY_UNSET;
    o->n_shards = 1;
    return options_parse(&page, table, COUNT(table), &rest, argc, argv);
}

static int score(score_run *r, const score_options *o) {
    if (o->join.n > 0) return join_shards(r, o);
    if (o->tokens != NULL) return score_array(r, o);
    return score_and_print(r, o);
}

/* Of several processes, the first one writes. */
static int open_output(score_run *r, const score_options *o) {
    if (o->out == NULL || group_rank() > 0) return DONE;
    if (o->tokens != NULL && o->join.n == 0) return score_open_folder(r, o->out);
    return output_open_file(&r->out, o->out);
}

int verb_score(int argc, char **argv) {
    score_options o;
    score_run r;
    int code = parse_options(&o, argc, argv);
    if (code != OPTIONS_PARSED) return code;
    code = check_options(&o);
    if (code != DONE) return code;

    memset(&r, 0, sizeof r);
    use_threads(o.threads);
    if (group_rank() > 0) o.quiet = 1;
    code = open_output(&r, &o);
    if (code == DONE && group_wait()) code = FAILED;
    if (code == DONE) code = score(&r, &o);
    slm_losses_free(r.losses);
    slm_corpus_free(r.corpus);
    score_free_model(&r);
    slm_tokenizer_free(r.tokenizer);
    output_close(&r.out);
    return code;
}
