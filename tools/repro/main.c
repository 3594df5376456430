/* `make repro`: every figure of the paper at laptop scale, with the controls.
 *
 *   build/reproduce run [--quick] [--jobs 2] [--out build/repro] [--only SET] [--dry-run] [--corpus RAW --clean CLEAN --eval EVAL]
 *   build/reproduce report [--out build/repro]
 *
 * run trains (hours; stop it whenever you like, it goes on where it stopped) and leaves CSVs; report makes figures, verdicts and
 * report.html from them.  Each training runs on one thread; --jobs trains so many at once.  Results do not depend on it. */
#define _POSIX_C_SOURCE 200809L
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "slm.h"
#include <fcntl.h>
#include "repro_runs.h"
#include "repro_runs_texts.h"
#include "repro_runs_do.h"
#include "repro_runs_plan.h"
#include "repro_runs_write.h"
#include "repro_report.h"

static int usage(const char *what) {
    fprintf(stderr,
            "%s\nusage: reproduce run [--quick] [--jobs N] [--out DIR] [--only SET] [--dry-run]\n"
            "                     [--corpus RAW --clean CLEAN --eval EVAL]\n"
            "       reproduce report [--out DIR]\n",
            what);
    return 2;
}

static int parse(repro *r, int argc, char **argv) {
    const char *out = NULL, *jobs = NULL, **value;

    const struct {
        const char *name, **value;
    } flags[6] = {{"--jobs", &jobs},     {"--out", &out},        {"--only", &r->only},
                  {"--corpus", &r->raw}, {"--clean", &r->clean}, {"--eval", &r->eval}};

    int i, k;
    for (i = 2; i < argc; i++) {
        for (k = 0, value = NULL; k < 6; k++)
            if (strcmp(argv[i], flags[k].name) == 0) value = flags[k].value;
        if (strcmp(argv[i], "--quick") == 0)
            r->quick = 1;
        else if (strcmp(argv[i], "--dry-run") == 0)
            r->dry_run = 1;
        else if (value == NULL || i + 1 == argc)
            return usage(argv[i]);
        else
            *value = argv[++i];
    }
    r->at_once = jobs == NULL ? 2 : atoi(jobs);
    if (out == NULL) out = r->quick ? "build/repro-quick" : "build/repro";
    if (r->at_once < 1 || strlen(out) >= sizeof r->out)
        return usage("--jobs must be at least 1, --out shorter");
    if ((r->raw != NULL) != (r->clean != NULL) || (r->raw != NULL) != (r->eval != NULL))
        return usage("--corpus, --clean and --eval go together");
    (void)snprintf(r->out, sizeof r->out, "%s", out);
    return 0;
}

/* A folder holds the runs of one setting: other settings want another folder. */
static int claim_folder(const repro *r) {
    static const char *const folders[6] = {"", "runs", "times", "models", "scores", "pieces"};
    char path[400], part[400], *was = NULL, *is = NULL;
    size_t was_size, is_size, i;
    int same;
    FILE *out;
    (void)mkdir("build", 0777);
    for (i = 0; i < 6; i++)
        (void)mkdir(repro_path(path, r, folders[i], "", ""), 0777);
    (void)mkdir(repro_path(path, r, "models_openstax", "", ""), 0777);
    repro_path(path, r, "", "settings", ".csv");
    out = fopen(repro_path(part, r, "", "settings", ".part"), "wb");
    if (out == NULL) {
        fprintf(stderr, "%s: cannot be written\n", part);
        return 0;
    }
    write_settings(r, out);
    if (fclose(out) != 0) {
        fprintf(stderr, "%s: could not be written whole\n", part);
        return 0;
    }
    if (!repro_exists(path)) return rename(part, path) == 0;
    must(slm_file_read(&was, &was_size, path, &experiment_error));
    must(slm_file_read(&is, &is_size, part, &experiment_error));
    same = was_size == is_size && memcmp(was, is, is_size) == 0;
    slm_free(was);
    slm_free(is);
    if (same)
        (void)remove(part);
    else
        fprintf(
            stderr,
            "%s and %s differ: the runs in this folder have other settings; name another folder\n",
            path, part);
    return same;
}

/* One at a time works in a folder; the lock goes with the process. */
static int lock_folder(const repro *r) {
    char path[400];
    struct flock lock;
    int file = open(repro_path(path, r, "", "lock", ""), O_RDWR | O_CREAT, 0666);
    memset(&lock, 0, sizeof lock);
    lock.l_type = F_WRLCK;
    if (file >= 0 && fcntl(file, F_SETLK, &lock) == 0) return 1;
    fprintf(stderr, "%s: %s\n", path,
            file < 0 ? "cannot be written" : "another process is at work in this folder");
    return 0;
}

/* A piece of the noisy text, with the truth about each byte: for the token view. */
static void write_view_text(const repro *r) {
    char path[400];
    const settings files = settings_for_files(r);
    corpus_text t;
    if (!corpus_make(&t, CORPUS_NOISY, &built_in.noisy, 5000, REPRO_PIECE_SEED + 1))
        must_have(NULL);
    must(slm_file_write(repro_path(path, r, "models", "text", ".bin"), t.text, t.size,
                        &experiment_error));
    must(slm_file_write(repro_path(path, r, "models", "kind", ".bin"), t.kind, t.size,
                        &experiment_error));
    corpus_free(&t);
    memset(&t, 0, sizeof t);
    if (r->raw == NULL && !repro_exists(REPRO_OPENSTAX "/raw.cnxml.txt")) return;
    text_slice(&t, r->raw != NULL ? r->raw : REPRO_OPENSTAX "/raw.cnxml.txt", NULL,
               files.general_bytes + files.noisy_bytes, 5000);
    must(slm_file_write(repro_path(path, r, "models_openstax", "text", ".bin"), t.text, t.size,
                        &experiment_error));
    corpus_free(&t);
}

static void print_plan(const repro *r) {
    double all = 0, left = 0;
    int i, jobs = 0, to_do = 0;
    for (i = 0; i < r->n; i++) {
        const job *j = &r->jobs[i];
        if (!j->wanted) continue;
        jobs++;
        all += job_work(j);
        if (!repro_finished(r, j) && j->same_as < 0) {
            left += job_work(j);
            to_do++;
        }
        printf("%-58s %8.0fk%s%s%s\n", j->name, job_work(j) / 1e3, j->same_as >= 0 ? "  is " : "",
               j->same_as >= 0 ? r->jobs[j->same_as].name : "",
               repro_finished(r, j) ? "  finished" : "");
    }
    printf("%d jobs, %.1fM tokens of the built-in model's plain training; to do: %d jobs, %.1fM\n",
           jobs, all / 1e6, to_do, left / 1e6);
}

static int run(int argc, char **argv) {
    static job jobs[REPRO_JOBS + 1];
    static repro r;
    int i, status = parse(&r, argc, argv);
    if (status != 0) return status;
    r.jobs = jobs;
    plan_all(&r);
    for (i = 0; i < r.n; i++)
        if (r.only == NULL || strcmp(jobs[i].set, r.only) == 0 ||
            strcmp(jobs[i].corpus, r.only) == 0)
            repro_want(&r, i);
    if (r.dry_run) {
        print_plan(&r);
        return 0;
    }
    if (!claim_folder(&r) || !lock_folder(&r)) return 1;
    write_view_text(&r);
    return repro_carry_out(&r);
}

int main(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "run") == 0) return run(argc, argv);
    if (argc == 2 && strcmp(argv[1], "report") == 0) return repro_report("build/repro");
    if (argc == 4 && strcmp(argv[1], "report") == 0 && strcmp(argv[2], "--out") == 0)
        return repro_report(argv[3]);
    return usage("run or report?");
}
