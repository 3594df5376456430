/* main.c: `make repro`: every figure of the paper at laptop scale, with the controls.
 *
 *   build/reproduce run [--quick] [--jobs 2] [--out build/repro] [--only SET] [--dry-run]
 *                       [--corpus RAW --clean CLEAN --eval EVAL]
 *   build/reproduce report [--out build/repro]
 *   build/reproduce coverage
 *
 * run trains (hours; stop it at any time, it goes on where it stopped) and leaves CSVs; report
 * makes figures, verdicts and report.html from them; coverage shows how often the report's
 * intervals hold the true mean.  Each training runs on one thread; --jobs says how many run at
 * once.  Results do not depend on it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/options.h"
#include "common/lock.h"
#include "common/os.h"
#include "common/start.h"
#include "findings.h"
#include "jobs.h"

enum { VIEW_BYTES = 5000 }; /* of each text in the heat map */

static int usage(const char *what) {
    fprintf(stderr,
            "%s\nusage: reproduce run [--quick] [--jobs N] [--out DIR] [--only SET] [--dry-run]\n"
            "                     [--corpus RAW --clean CLEAN --eval EVAL]\n"
            "       reproduce report [--out DIR]\n"
            "       reproduce coverage\n",
            what);
    return 2;
}

static int parse(repro *r, int argc, char **argv) {
    const char *out = NULL, *jobs = "2";

    const struct {
        const char *name, **value;
    } flags[6] = {{"--jobs", &jobs},     {"--out", &out},        {"--only", &r->only},
                  {"--corpus", &r->raw}, {"--clean", &r->clean}, {"--eval", &r->eval}};

    for (int i = 2; i < argc; i++) {
        const char **value = NULL;
        for (int k = 0; k < 6; k++)
            if (same_text(argv[i], flags[k].name)) value = flags[k].value;
        if (same_text(argv[i], "--quick"))
            r->quick = 1;
        else if (same_text(argv[i], "--dry-run"))
            r->dry_run = 1;
        else if (value == NULL || i + 1 == argc)
            return usage(argv[i]);
        else
            *value = argv[++i];
    }
    r->at_once = atoi(jobs);
    if (out == NULL) out = r->quick ? "build/repro-quick" : "build/repro";
    if (r->at_once < 1 || strlen(out) >= sizeof r->out)
        return usage("--jobs must be at least 1, --out shorter");
    if ((r->raw != NULL) != (r->clean != NULL) || (r->raw != NULL) != (r->eval != NULL))
        return usage("--corpus, --clean and --eval go together");
    (void)snprintf(r->out, sizeof r->out, "%s", out);
    return 0;
}

/* ---- the folder ---- */
static void make_folders(const repro *r) {
    static const char *const folders[] = {"",       "runs",   "times",          "models",
                                          "scores", "pieces", "models_openstax"};
    (void)os_make_folder("build");
    for (size_t i = 0; i < COUNT(folders); i++)
        (void)os_make_folder(repro_path(r, folders[i], "", ""));
}

static int same_content(const char *path, const char *other) {
    char *a, *b;
    size_t a_size, b_size;
    must(slm_file_read(&a, &a_size, path, &experiment_error));
    must(slm_file_read(&b, &b_size, other, &experiment_error));
    int same = a_size == b_size && memcmp(a, b, a_size) == 0;
    slm_free(a);
    slm_free(b);
    return same;
}

/* A folder holds the runs of one setting: other settings want another folder. */
static int claim_folder(const repro *r) {
    const char *path = repro_path(r, "", "settings", ".csv");
    const char *part = repro_path(r, "", "settings", ".new.csv");
    make_folders(r);
    csv_out out = repro_csv_open(r, "", "settings.new", "key,value\n");
    repro_write_settings(r, out.file);
    repro_csv_close(&out);
    if (!repro_exists(path)) return os_rename(part, path) == 0;
    if (same_content(path, part)) return os_remove(part) == 0;
    fprintf(stderr,
            "%s and %s differ: the runs in this folder have other settings; name another folder\n",
            path, part);
    return 0;
}

/* One process at a time works in a folder; the lock goes with the process. */
static int lock_folder(const repro *r) {
    const char *path = repro_path(r, "", "lock", "");
    static file_lock lock;
    lock_status status = lock_take(&lock, path);
    if (status == LOCK_TAKEN || status == LOCK_NO_LOCKS) return 1;
    fprintf(stderr, "%s: %s\n", path,
            status == LOCK_BUSY ? "another process is at work in this folder"
                                : "cannot be written");
    return 0;
}

static void write_bytes(const repro *r, const char *folder, const char *name, const void *bytes,
                        size_t size) {
    must(slm_file_write(repro_path(r, folder, name, ".bin"), bytes, size, &experiment_error));
}

/* Texts for the heat map: a piece of the noisy text, with the truth about each byte, and a piece of
   real text. */
static void write_view_texts(const repro *r) {
    const char *raw = r->raw != NULL ? r->raw : REPRO_OPENSTAX "/raw.cnxml.txt";
    const settings files = repro_file_settings(r);
    corpus_text t;
    corpus_make(&t, CORPUS_NOISY, &repro_built_in.noisy, VIEW_BYTES, REPRO_PIECE_SEED + 1);
    write_bytes(r, "models", "text", t.text, t.size);
    write_bytes(r, "models", "kind", t.kind, t.size);
    corpus_free(&t);
    if (r->raw == NULL && !repro_exists(raw)) return;
    text_append_file(&t, raw, NULL, files.general_bytes + files.noisy_bytes, VIEW_BYTES);
    write_bytes(r, "models_openstax", "text", t.text, t.size);
    corpus_free(&t);
}

/* ---- commands ---- */
static void print_job(const repro *r, const job *j) {
    printf("%-58s %8.0fk", j->name, job_work(j) / 1e3);
    if (j->same_as != NULL) printf("  is %s", j->same_as->name);
    if (job_is_finished(r, j))
        printf("  finished\n");
    else if (job_is_needless(r, j))
        printf("  not needed\n");
    else if (j->inward[0] != NULL && !job_is_finished(r, j->inward[0]))
        printf("  if the rate before it is better than the one before that\n");
    else
        printf("\n");
}

static void print_plan(const repro *r) {
    double all = 0, left = 0;
    int jobs = 0, to_do = 0, perhaps = 0;
    for (const job *j = r->jobs; j < r->end; j++) {
        if (!j->wanted) continue;
        print_job(r, j);
        if (!job_is_finished(r, j) && j->inward[0] != NULL) {
            perhaps += !job_is_needless(r, j);
            continue;
        }
        jobs++;
        all += job_work(j);
        if (job_is_finished(r, j) || j->same_as != NULL) continue;
        left += job_work(j);
        to_do++;
    }
    printf("%d jobs, %.1fM tokens of the built-in model's plain training; to do: %d jobs, %.1fM; "
           "and perhaps %d more trials of learning rates\n",
           jobs, all / 1e6, to_do, left / 1e6, perhaps);
}

/* The run that was announced is long, and made by its own command only. */
static int is_asked_for(const repro *r, const job *j) {
    const int asks_confirm = r->only != NULL && same_text(r->only, "confirm");
    if (same_text(j->corpus, "confirm")) return asks_confirm;
    return r->only == NULL || same_text(j->set, r->only) || same_text(j->corpus, r->only);
}

static int run(repro *r) {
    static job jobs[REPRO_MAX_JOBS];
    r->jobs = r->end = jobs;
    repro_plan(r);
    for (job *j = jobs; j < r->end; j++)
        if (is_asked_for(r, j)) repro_want(r, j);
    if (r->dry_run) {
        print_plan(r);
        return 0;
    }
    if (!claim_folder(r) || !lock_folder(r)) return 1;
    write_view_texts(r);
    int failed = repro_carry_out(r);
    if (!failed) repro_write_leaks(r);
    return failed;
}

int main(int argc, char **argv) {
    static repro r;
    int code = program_start("reproduce", &argc, &argv);
    if (code != 0) return code;
    const char *command = argc > 1 ? argv[1] : "";
    if (same_text(command, "coverage")) {
        coverage_print();
        return 0;
    }
    int is_report = same_text(command, "report");
    if (!is_report && !same_text(command, "run")) return usage("run, report or coverage?");
    int status = parse(&r, argc, argv);
    if (status != 0) return status;
    return is_report ? repro_report(r.out) : run(&r);
}
