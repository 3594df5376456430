/* corpus.h: the built-in corpus.  Text from a seed, with the truth about every byte.  Include after slm.h.
 *
 * Documents end with a blank line.  There are two sorts:
 *
 *   problems (the target)   Q: Tom has 7 pens.
 *                           Then 2 more arrive: 7+2=9.
 *                           Ann takes 4: 9-4=5.
 *                           A: 5
 *   other text              a directory of people, machine logs, recipes, a quiz about towns: learnable, and it competes.
 *                           The quiz borrows the frame "Q: A:", the logs borrow "7+8=" but write the last digit only.
 *
 * and noise inside both: tags with random ids, time stamps; and, in problems, results that are wrong.  Nothing that stands
 * before a wrong result gives it away: each step is right or wrong by a coin, and the story goes on from what was written.
 * Most wrong results follow a rule that a model can learn (one too many, the careless count of fence posts): two conventions
 * in conflict.
 *
 *   general   trains the base: problems, other text and noise
 *   noisy     what step 3 of the method trains on: the same kind of text
 *   clean     problems only, no noise: tunes the reference
 *   valid     as clean: learning rates are chosen on it
 *   eval      as clean: the target, never trained on
 *
 * No problem is in two parts: a problem belongs to the part that a hash of its text, done right, says.
 *
 * Accuracy.  A blank is a stretch that follows from what stands before it: a calculation ("7+2=9") or an answer ("5").
 * corpus_next_blank finds them; a problem counts as solved if greedy generation writes each of its blanks as they stand. */
#ifndef CORPUS_H
#define CORPUS_H
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum corpus_part {
    CORPUS_GENERAL,
    CORPUS_NOISY,
    CORPUS_CLEAN,
    CORPUS_VALID,
    CORPUS_EVAL,
    CORPUS_PARTS
} corpus_part;

/* What a byte is.  The first three are the target (story; operands and signs; results and answers), OTHER is learnable but
   off the target, the rest is noise: an ideal selection keeps kinds up to CORPUS_RESULT. */
typedef enum corpus_kind {
    CORPUS_PROBLEM,
    CORPUS_STEP,
    CORPUS_RESULT,
    CORPUS_OTHER,
    CORPUS_WRONG,
    CORPUS_ID,
    CORPUS_STAMP,
    CORPUS_MARKUP,
    CORPUS_KINDS
} corpus_kind;

typedef struct corpus_mix {
    double target; /* share of the documents that are problems */
    double noise;  /* share of the bytes that are ids, stamps and markup */
    double wrong;  /* share of a problem's steps whose result is wrong */
} corpus_mix;

typedef struct corpus_problem {
    size_t start, end; /* text[start..end), the blank line included */
    uint64_t key;      /* fingerprint of the question */
} corpus_problem;

typedef struct corpus_text {
    char *text;    /* (size) bytes, NUL behind */
    uint8_t *kind; /* (size) corpus_kind of each byte */
    size_t size, capacity;
    corpus_problem *problems;
    size_t n_problems, problem_capacity;
    size_t count[CORPUS_KINDS];
} corpus_text;

static const char *const corpus_kind_names[CORPUS_KINDS] = {"problem", "step", "result", "other",
                                                            "wrong",   "id",   "stamp",  "markup"};

/* ---- words ---- */
#define CORPUS_WORDS 24
static const char *const corpus_names[CORPUS_WORDS] = {
    "Ann", "Tom", "Mia", "Ben", "Eva", "Leo", "Ida", "Max", "Zoe", "Sam", "Kim", "Jon",
    "Amy", "Dan", "Liz", "Rob", "Una", "Gus", "Fay", "Hal", "Joy", "Ned", "Pam", "Vic"};
static const char *const corpus_things[CORPUS_WORDS] = {
    "pens",   "cups",  "nuts",  "eggs",  "figs",  "hats",  "keys",   "maps",
    "jars",   "toys",  "bags",  "coins", "books", "plums", "shells", "stones",
    "apples", "ropes", "bells", "cards", "lamps", "seeds", "boxes",  "tiles"};
static const char *const corpus_places[CORPUS_WORDS] = {
    "shop",   "barn",   "shed",    "hall",    "room",    "yard",    "boat",   "cart",
    "tent",   "loft",   "mill",    "school",  "attic",   "cellar",  "garden", "office",
    "market", "museum", "kitchen", "harbour", "library", "station", "chapel", "tower"};
static const char *const corpus_starts[4] = {"$ has # @", "There are # @ in the &",
                                             "$ finds # @ in the &", "The & holds # @"};
static const char *const corpus_more[4] = {"Then # more arrive", "$ brings # more", "$ adds #",
                                           "Another # turn up"};
static const char *const corpus_less[4] = {"$ takes #", "Then # are sold", "$ gives # away",
                                           "Of these # break"};
static const char *const corpus_times[4] = {"Each turns into #", "That happens # times",
                                            "$ wants # times that", "$ sees # times that"};
static const char *const corpus_trades[CORPUS_WORDS] = {
    "baker",   "smith",   "tailor",  "mason",   "potter",  "miller",  "joiner", "cooper",
    "weaver",  "tanner",  "glazier", "printer", "saddler", "farrier", "roofer", "plumber",
    "painter", "butcher", "grocer",  "chemist", "binder",  "carver",  "turner", "dyer"};
static const char *const corpus_foods[CORPUS_WORDS] = {
    "rice",    "beans",   "leeks",    "onions", "butter",  "flour",   "milk",    "honey",
    "lentils", "carrots", "barley",   "cream",  "ginger",  "pepper",  "raisins", "almonds",
    "spinach", "cabbage", "potatoes", "garlic", "mustard", "parsley", "vinegar", "oats"};
static const char *const corpus_cooking[12] = {
    "Stir in the", "Wash the",      "Fold in the", "Roast the", "Slowly warm the", "Chop the",
    "Drain the",   "Set aside the", "Season the",  "Cover the", "Grate the",       "Knead the"};
static const char *const corpus_until[12] = {
    "until it is soft", "for a quarter of an hour", "with a wooden spoon", "over a low flame",
    "in a deep pan",    "until golden brown",       "without browning it", "and let it rest",
    "in cold water",    "under a damp cloth",       "and keep it warm",    "before it cools"};
static const char *const corpus_syllables[CORPUS_WORDS] = {
    "arn", "bel", "cor", "dal", "el",   "far", "gol", "hem", "is", "jor", "kel", "lun",
    "mor", "nar", "ost", "pel", "quen", "ros", "sel", "tor", "ul", "ven", "wes", "yar"};

/* ---- a document in the making ---- */
typedef struct corpus_doc {
    char text[1000];
    uint8_t kind[1000];
    size_t n;
    uint64_t key;
} corpus_doc;

static inline size_t corpus_pick(slm_rng *rng, size_t n) {
    return (size_t)slm_rng_below(rng, (uint64_t)n);
}

static inline int corpus_chance(slm_rng *rng, double p) {
    return slm_rng_uniform(rng) < p;
}

/* Mixes a number into an unrelated one: the facts of the directory and of the quiz are functions of their index. */
static inline size_t corpus_fact(size_t index, size_t salt, size_t n) {
    slm_rng rng = slm_rng_seed((uint64_t)index * 64 + (uint64_t)salt + 1000003);
    return corpus_pick(&rng, n);
}

static inline void corpus_put(corpus_doc *doc, corpus_kind kind, const char *text) {
    for (; *text != '\0' && doc->n < sizeof doc->text; text++, doc->n++) {
        doc->text[doc->n] = *text;
        doc->kind[doc->n] = (uint8_t)kind;
    }
}

static inline void corpus_put_number(corpus_doc *doc, corpus_kind kind, long number) {
    char digits[32];
    (void)snprintf(digits, sizeof digits, "%ld", number);
    corpus_put(doc, kind, digits);
}

/* Fills a pattern: $ a name, @ a thing, & a place, # the number. */
static inline void corpus_put_pattern(corpus_doc *doc, const char *pattern, slm_rng *rng,
                                      const char *thing, long number) {
    const corpus_kind kind = CORPUS_PROBLEM;
    for (; *pattern != '\0'; pattern++) {
        char one[2] = {*pattern, '\0'};
        if (*pattern == '$')
            corpus_put(doc, kind, corpus_names[corpus_pick(rng, CORPUS_WORDS)]);
        else if (*pattern == '&')
            corpus_put(doc, kind, corpus_places[corpus_pick(rng, CORPUS_WORDS)]);
        else if (*pattern == '@')
            corpus_put(doc, kind, thing);
        else if (*pattern == '#')
            corpus_put_number(doc, kind, number);
        else
            corpus_put(doc, kind, one);
    }
}

/* ---- problems ---- */
#define CORPUS_LARGEST 9 /* no number of a problem is larger */
#define CORPUS_RULE 0.8  /* share of the wrong results that are one too many */

static inline int corpus_wrong_result(int right, slm_rng *rng) {
    int wrong = right + 1;
    if (wrong <= CORPUS_LARGEST && corpus_chance(rng, CORPUS_RULE)) return wrong;
    do
        wrong = (int)corpus_pick(rng, CORPUS_LARGEST + 1);
    while (wrong == right);
    return wrong;
}

/* One line of the story with its calculation; returns what the story goes on from.  `story` and `noise` are two streams: the
   same problems come with and without wrong results. */
static inline int corpus_step(corpus_doc *doc, int value, double p_wrong, slm_rng *story,
                              slm_rng *noise) {
    size_t op = corpus_pick(story, 5), said = corpus_pick(story, 4);
    int number, right;
    char sign[2] = "+";
    const char *pattern = corpus_more[said];
    corpus_kind kind = CORPUS_RESULT;
    if (op == 4 && value * 3 <= CORPUS_LARGEST) {
        number = 2 + (int)corpus_pick(story, 2);
        right = value * number;
        sign[0] = '*';
        pattern = corpus_times[said];
    } else if (value > 1 && (op >= 2 || value >= CORPUS_LARGEST)) {
        number = 1 + (int)corpus_pick(story, (size_t)(value - 1));
        right = value - number;
        sign[0] = '-';
        pattern = corpus_less[said];
    } else {
        number = 1 + (int)corpus_pick(story, (size_t)(CORPUS_LARGEST - value));
        right = value + number;
    }
    corpus_put_pattern(doc, pattern, story, "", number);
    corpus_put(doc, CORPUS_PROBLEM, ": ");
    corpus_put_number(doc, CORPUS_STEP, value);
    corpus_put(doc, CORPUS_STEP, sign);
    corpus_put_number(doc, CORPUS_STEP, number);
    corpus_put(doc, CORPUS_STEP, "=");
    if (corpus_chance(noise, p_wrong)) {
        right = corpus_wrong_result(right, noise);
        kind = CORPUS_WRONG;
    }
    corpus_put_number(doc, kind, right);
    corpus_put(doc, CORPUS_PROBLEM, ".\n");
    return right;
}

static inline void corpus_write_problem(corpus_doc *doc, double p_wrong, slm_rng story,
                                        slm_rng *noise) {
    int value = 1 + (int)corpus_pick(&story, CORPUS_LARGEST),
        steps = 1 + (int)corpus_pick(&story, 3), i;
    const char *thing = corpus_things[corpus_pick(&story, CORPUS_WORDS)];
    doc->n = 0;
    corpus_put(doc, CORPUS_PROBLEM, "Q: ");
    corpus_put_pattern(doc, corpus_starts[corpus_pick(&story, 4)], &story, thing, value);
    corpus_put(doc, CORPUS_PROBLEM, ".\n");
    for (i = 0; i < steps; i++)
        value = corpus_step(doc, value, p_wrong, &story, noise);
    corpus_put(doc, CORPUS_PROBLEM, "A: ");
    corpus_put_number(doc, CORPUS_RESULT, value);
    corpus_put(doc, CORPUS_PROBLEM, "\n\n");
}

/* ---- other text ---- */
#define CORPUS_PEOPLE 400
#define CORPUS_TOWNS 200

static inline void corpus_put_made_up(corpus_doc *doc, size_t index, size_t salt,
                                      const char *ending) {
    const char *first = corpus_syllables[corpus_fact(index, salt, CORPUS_WORDS)];
    char capital[2] = {(char)(first[0] - 'a' + 'A'), '\0'};
    corpus_put(doc, CORPUS_OTHER, capital);
    corpus_put(doc, CORPUS_OTHER, first + 1);
    corpus_put(doc, CORPUS_OTHER, corpus_syllables[corpus_fact(index, salt + 1, CORPUS_WORDS)]);
    corpus_put(doc, CORPUS_OTHER, ending);
}

static inline void corpus_write_person(corpus_doc *doc, slm_rng *rng) {
    size_t who = corpus_pick(rng, CORPUS_PEOPLE);
    corpus_put(doc, CORPUS_OTHER, corpus_names[corpus_fact(who, 0, CORPUS_WORDS)]);
    corpus_put(doc, CORPUS_OTHER, " ");
    corpus_put_made_up(doc, who, 1, ", ");
    corpus_put(doc, CORPUS_OTHER, corpus_trades[corpus_fact(who, 3, CORPUS_WORDS)]);
    corpus_put(doc, CORPUS_OTHER, ", ");
    corpus_put_number(doc, CORPUS_OTHER, (long)(10 + corpus_fact(who, 4, 90)));
    corpus_put(doc, CORPUS_OTHER, " ");
    corpus_put_made_up(doc, who, 5, " Lane, tel ");
    corpus_put_number(doc, CORPUS_OTHER, (long)(1000 + corpus_fact(who, 7, 9000)));
    corpus_put(doc, CORPUS_OTHER, "\n");
}

static inline void corpus_write_quiz(corpus_doc *doc, slm_rng *rng) {
    static const char *const asked[3] = {"Q: Which river runs through ", "Q: What is made in ",
                                         "Q: Who founded "};
    size_t town = 1000 + corpus_pick(rng, CORPUS_TOWNS), what = corpus_pick(rng, 3);
    corpus_put(doc, CORPUS_OTHER, asked[what]);
    corpus_put_made_up(doc, town, 1, "ton?\nA: ");
    if (what == 0)
        corpus_put_made_up(doc, town, 5, "");
    else if (what == 1)
        corpus_put(doc, CORPUS_OTHER, corpus_things[corpus_fact(town, 9, CORPUS_WORDS)]);
    else {
        corpus_put(doc, CORPUS_OTHER, corpus_names[corpus_fact(town, 3, CORPUS_WORDS)]);
        corpus_put(doc, CORPUS_OTHER, " the ");
        corpus_put(doc, CORPUS_OTHER, corpus_trades[corpus_fact(town, 4, CORPUS_WORDS)]);
    }
    corpus_put(doc, CORPUS_OTHER, ".\n");
}

static inline void corpus_write_log(corpus_doc *doc, slm_rng *rng) {
    static const char *const states[6] = {"idle", "fill", "hold", "drain", "purge", "check"};
    size_t machine = corpus_pick(rng, 40), state = corpus_pick(rng, 6),
           lines = 2 + corpus_pick(rng, 3), i;
    for (i = 0; i < lines; i++) {
        unsigned a = 2 + (unsigned)corpus_pick(rng, 18), b = 2 + (unsigned)corpus_pick(rng, 8);
        char line[64];
        (void)snprintf(line, sizeof line, "pump %u %s %u+%u=%u\n", (unsigned)machine, states[state],
                       a, b, (a + b) % 10);
        corpus_put(doc, CORPUS_OTHER, line);
        state = (state + 1 + corpus_fact(machine, state, 5)) %
                6; /* each machine has a cycle of its own */
    }
}

static inline void corpus_write_recipe(corpus_doc *doc, slm_rng *rng) {
    size_t sentences = 2 + corpus_pick(rng, 3), i;
    for (i = 0; i < sentences; i++) {
        size_t food = corpus_pick(rng, CORPUS_WORDS);
        corpus_put(doc, CORPUS_OTHER, corpus_cooking[corpus_pick(rng, 12)]);
        corpus_put(doc, CORPUS_OTHER, " ");
        corpus_put(doc, CORPUS_OTHER, corpus_foods[food]);
        corpus_put(doc, CORPUS_OTHER, " ");
        corpus_put(doc, CORPUS_OTHER, corpus_until[(food + corpus_pick(rng, 4)) % 12]);
        corpus_put(doc, CORPUS_OTHER, i + 1 < sentences ? ". " : ".\n");
    }
}

static inline void corpus_write_other(corpus_doc *doc, slm_rng *rng) {
    size_t sort = corpus_pick(rng, 4), entries = 1 + corpus_pick(rng, 4), i;
    doc->n = 0;
    if (sort == 0)
        for (i = 0; i < entries; i++)
            corpus_write_person(doc, rng);
    else if (sort == 1)
        for (i = 0; i < entries; i++)
            corpus_write_quiz(doc, rng);
    else if (sort == 2)
        corpus_write_log(doc, rng);
    else
        corpus_write_recipe(doc, rng);
    corpus_put(doc, CORPUS_OTHER, "\n");
}

/* ---- text: documents one after the other, noise strewn in ---- */
static inline int corpus_append(corpus_text *out, corpus_kind kind, const char *text, size_t n) {
    if (out->size + n + 1 > out->capacity) {
        size_t capacity = (out->size + n + 1) * 2;
        char *grown = (char *)realloc(out->text, capacity);
        uint8_t *kinds = grown == NULL ? NULL : (uint8_t *)realloc(out->kind, capacity);
        if (grown != NULL) out->text = grown;
        if (kinds == NULL) return 0;
        out->kind = kinds;
        out->capacity = capacity;
    }
    memcpy(out->text + out->size, text, n);
    memset(out->kind + out->size, (int)kind, n);
    out->size += n;
    out->text[out->size] = '\0';
    out->count[kind] += n;
    return 1;
}

#define CORPUS_NOISE_BYTES 15.5 /* mean length of a piece of noise ... */
#define CORPUS_GAP_BYTES 6.2    /* ... and of the text between two places where it may stand */

static inline int corpus_append_noise(corpus_text *out, slm_rng *rng) {
    static const char *const before[2] = {"<m id=\"", "<ref to=\""}, *const after[2] = {"\"/> ",
                                                                                        "\"> "};
    size_t sort = corpus_pick(rng, 3);
    char piece[48];
    if (sort == 2) {
        unsigned hour = (unsigned)corpus_pick(rng, 24), minute = (unsigned)corpus_pick(rng, 60);
        unsigned second = (unsigned)corpus_pick(rng, 60);
        (void)snprintf(piece, sizeof piece, "[%02u:%02u:%02u] ", hour, minute, second);
        return corpus_append(out, CORPUS_STAMP, piece, strlen(piece));
    }
    (void)snprintf(piece, sizeof piece, "%016llx", (unsigned long long)slm_rng_next(rng));
    return corpus_append(out, CORPUS_MARKUP, before[sort], strlen(before[sort])) &&
           corpus_append(out, CORPUS_ID, piece, 5 + sort) &&
           corpus_append(out, CORPUS_MARKUP, after[sort], strlen(after[sort]));
}

/* Noise may stand before the first word of a document and after each space. */
static inline int corpus_append_doc(corpus_text *out, const corpus_doc *doc, double noise,
                                    slm_rng *rng) {
    double p = noise <= 0 ? 0 : noise / (1 - noise) * (CORPUS_GAP_BYTES / CORPUS_NOISE_BYTES);
    size_t i;
    for (i = 0; i < doc->n; i++) {
        if ((i == 0 || doc->text[i - 1] == ' ') && corpus_chance(rng, p) &&
            !corpus_append_noise(out, rng))
            return 0;
        if (!corpus_append(out, (corpus_kind)doc->kind[i], doc->text + i, 1)) return 0;
    }
    return 1;
}

static inline void corpus_free(corpus_text *text) {
    free(text->text);
    free(text->kind);
    free(text->problems);
    memset(text, 0, sizeof *text);
}

/* Of 16 problems one belongs to each of clean, valid and eval, six to general, seven to noisy. */
static inline corpus_part corpus_part_of(uint64_t key) {
    uint64_t bucket = (key >> 7) % 16;
    if (bucket < 3) return bucket == 0 ? CORPUS_CLEAN : bucket == 1 ? CORPUS_VALID : CORPUS_EVAL;
    return bucket < 9 ? CORPUS_GENERAL : CORPUS_NOISY;
}

static inline int corpus_add_problem(corpus_text *out, const corpus_doc *doc, size_t start) {
    corpus_problem *problem;
    if (out->n_problems == out->problem_capacity) {
        size_t capacity = out->problem_capacity * 2 + 64;
        problem = (corpus_problem *)realloc(out->problems, capacity * sizeof *problem);
        if (problem == NULL) return 0;
        out->problems = problem;
        out->problem_capacity = capacity;
    }
    problem = &out->problems[out->n_problems++];
    problem->start = start;
    problem->end = out->size;
    problem->key = doc->key;
    return 1;
}

/* At least `bytes` bytes of whole documents of one part.  mix is read for general and noisy only.  1, or 0: out of memory. */
static inline int corpus_make(corpus_text *out, corpus_part part, const corpus_mix *mix,
                              size_t bytes, uint64_t seed) {
    const corpus_mix pure = {1, 0, 0};
    uint64_t stream = seed * CORPUS_PARTS + (uint64_t)part;
    slm_rng story = slm_rng_seed(stream), noise = slm_rng_seed(~stream);
    corpus_doc doc;
    if (part >= CORPUS_CLEAN) mix = &pure;
    memset(out, 0, sizeof *out);
    while (out->size < bytes) {
        size_t start = out->size;
        int is_problem = corpus_chance(&story, mix->target), ok;
        if (!is_problem)
            corpus_write_other(&doc, &story);
        else
            do { /* the part that it belongs to depends on the problem done right */
                slm_rng one = slm_rng_seed(slm_rng_next(&story));
                corpus_write_problem(&doc, 0, one, &noise);
                doc.key = slm_hash(SLM_HASH_START, doc.text, doc.n);
                if (corpus_part_of(doc.key) == part && mix->wrong > 0)
                    corpus_write_problem(&doc, mix->wrong, one, &noise);
            } while (corpus_part_of(doc.key) != part);
        ok = corpus_append_doc(out, &doc, mix->noise, &noise);
        if (ok && is_problem) ok = corpus_add_problem(out, &doc, start);
        if (!ok) {
            corpus_free(out);
            return 0;
        }
    }
    return 1;
}

/* ---- for measuring ---- */
/* The next blank at or after *to: text[*from..*to) follows from what stands before it.  Start with *to = 0; 0: no more. */
static inline int corpus_next_blank(const corpus_text *text, size_t *from, size_t *to) {
    size_t i = *to;
    while (i < text->size && text->kind[i] != CORPUS_STEP && text->kind[i] != CORPUS_RESULT)
        i++;
    *from = i;
    while (i < text->size && (text->kind[i] == CORPUS_STEP || text->kind[i] == CORPUS_RESULT))
        i++;
    *to = i;
    return *from < *to;
}

/* How many problems of a are also in b (0 between two parts). */
static inline size_t corpus_shared(const corpus_text *a, const corpus_text *b) {
    size_t i, j, shared = 0;
    for (i = 0; i < a->n_problems; i++)
        for (j = 0; j < b->n_problems; j++)
            shared += a->problems[i].key == b->problems[j].key;
    return shared;
}
#endif
