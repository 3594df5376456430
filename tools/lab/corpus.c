/* corpus.c: words, documents, noise. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "experiment.h"

const char *const corpus_kind_names[CORPUS_KINDS] = {"problem", "step", "result", "other",
                                                     "wrong",   "id",   "stamp",  "markup"};

/* ---- words ---- */
enum { WORDS = 24, COOKING = 12 };

static const char *const names[WORDS] = {"Ann", "Tom", "Mia", "Ben", "Eva", "Leo", "Ida", "Max",
                                         "Zoe", "Sam", "Kim", "Jon", "Amy", "Dan", "Liz", "Rob",
                                         "Una", "Gus", "Fay", "Hal", "Joy", "Ned", "Pam", "Vic"};
static const char *const things[WORDS] = {"pens",  "cups",  "nuts",   "eggs",   "figs",   "hats",
                                          "keys",  "maps",  "jars",   "toys",   "bags",   "coins",
                                          "books", "plums", "shells", "stones", "apples", "ropes",
                                          "bells", "cards", "lamps",  "seeds",  "boxes",  "tiles"};
static const char *const places[WORDS] = {
    "shop",   "barn",   "shed",    "hall",    "room",    "yard",    "boat",   "cart",
    "tent",   "loft",   "mill",    "school",  "attic",   "cellar",  "garden", "office",
    "market", "museum", "kitchen", "harbour", "library", "station", "chapel", "tower"};
static const char *const openings[4] = {"$ has # @", "There are # @ in the &",
                                        "$ finds # @ in the &", "The & holds # @"};
static const char *const more[4] = {"Then # more arrive", "$ brings # more", "$ adds #",
                                    "Another # turn up"};
static const char *const less[4] = {"$ takes #", "Then # are sold", "$ gives # away",
                                    "Of these # break"};
static const char *const times[4] = {"Each turns into #", "That happens # times",
                                     "$ wants # times that", "$ sees # times that"};
static const char *const trades[WORDS] = {
    "baker",   "smith",   "tailor",  "mason",   "potter",  "miller",  "joiner", "cooper",
    "weaver",  "tanner",  "glazier", "printer", "saddler", "farrier", "roofer", "plumber",
    "painter", "butcher", "grocer",  "chemist", "binder",  "carver",  "turner", "dyer"};
static const char *const foods[WORDS] = {
    "rice",    "beans",   "leeks",    "onions", "butter",  "flour",   "milk",    "honey",
    "lentils", "carrots", "barley",   "cream",  "ginger",  "pepper",  "raisins", "almonds",
    "spinach", "cabbage", "potatoes", "garlic", "mustard", "parsley", "vinegar", "oats"};
static const char *const cooking[COOKING] = {
    "Stir in the", "Wash the",      "Fold in the", "Roast the", "Slowly warm the", "Chop the",
    "Drain the",   "Set aside the", "Season the",  "Cover the", "Grate the",       "Knead the"};
static const char *const cooking_until[COOKING] = {
    "until it is soft", "for a quarter of an hour", "with a wooden spoon", "over a low flame",
    "in a deep pan",    "until golden brown",       "without browning it", "and let it rest",
    "in cold water",    "under a damp cloth",       "and keep it warm",    "before it cools"};
static const char *const syllables[WORDS] = {
    "arn", "bel", "cor", "dal", "el",   "far", "gol", "hem", "is", "jor", "kel", "lun",
    "mor", "nar", "ost", "pel", "quen", "ros", "sel", "tor", "ul", "ven", "wes", "yar"};

/* ---- a document in the making ---- */
typedef struct document {
    char text[1000];
    uint8_t kind[1000];
    size_t n;
} document;

static size_t pick(slm_rng *rng, size_t n) {
    return (size_t)slm_rng_below(rng, (uint64_t)n);
}

static const char *pick_word(slm_rng *rng, const char *const *words) {
    return words[pick(rng, WORDS)];
}

static int chance(slm_rng *rng, double p) {
    return slm_rng_uniform(rng) < p;
}

/* Mixes a number into an unrelated one: the facts of the directory and of the quiz are functions of
   their index. */
static size_t fact_of(size_t index, size_t salt, size_t n) {
    slm_rng rng = slm_rng_seed((uint64_t)index * 64 + (uint64_t)salt + 1000003);
    return pick(&rng, n);
}

static void put(document *doc, corpus_kind kind, const char *text) {
    for (; *text != '\0' && doc->n < sizeof doc->text; text++) {
        doc->text[doc->n] = *text;
        doc->kind[doc->n] = (uint8_t)kind;
        doc->n++;
    }
}

static void put_number(document *doc, corpus_kind kind, long number) {
    char digits[32];
    (void)snprintf(digits, sizeof digits, "%ld", number);
    put(doc, kind, digits);
}

/* Fills a pattern: $ a name, @ a thing, & a place, # the number. */
static void put_pattern(document *doc, const char *pattern, slm_rng *rng, const char *thing,
                        long number) {
    for (; *pattern != '\0'; pattern++) {
        const char letter[2] = {*pattern, '\0'};
        switch (*pattern) {
        case '$':
            put(doc, CORPUS_PROBLEM, pick_word(rng, names));
            break;
        case '&':
            put(doc, CORPUS_PROBLEM, pick_word(rng, places));
            break;
        case '@':
            put(doc, CORPUS_PROBLEM, thing);
            break;
        case '#':
            put_number(doc, CORPUS_PROBLEM, number);
            break;
        default:
            put(doc, CORPUS_PROBLEM, letter);
            break;
        }
    }
}

/* ---- problems ---- */
#define LARGEST 9       /* no number of a problem is larger */
#define RULED_SHARE 0.8 /* share of the wrong results that are one too many */

static int wrong_result(int right, slm_rng *rng) {
    int wrong = right + 1;
    if (wrong <= LARGEST && chance(rng, RULED_SHARE)) return wrong;
    do
        wrong = (int)pick(rng, LARGEST + 1);
    while (wrong == right);
    return wrong;
}

/* One line of the story with its calculation.  Returns what the story goes on from.  `story` and
   `noise` are two streams, so that the same problems come with and without wrong results. */
static int write_step(document *doc, int value, double p_wrong, slm_rng *story, slm_rng *noise) {
    size_t operation = pick(story, 5);
    size_t phrase = pick(story, 4);
    const char *sign, *pattern;
    char sum[32];
    corpus_kind kind = CORPUS_RESULT;
    int number, result;
    if (operation == 4 && value * 3 <= LARGEST) {
        number = 2 + (int)pick(story, 2);
        result = value * number;
        sign = "*";
        pattern = times[phrase];
    } else if (value > 1 && (operation >= 2 || value >= LARGEST)) {
        number = 1 + (int)pick(story, (size_t)(value - 1));
        result = value - number;
        sign = "-";
        pattern = less[phrase];
    } else {
        number = 1 + (int)pick(story, (size_t)(LARGEST - value));
        result = value + number;
        sign = "+";
        pattern = more[phrase];
    }

    (void)snprintf(sum, sizeof sum, "%d%s%d=", value, sign, number);
    put_pattern(doc, pattern, story, "", number);
    put(doc, CORPUS_PROBLEM, ": ");
    put(doc, CORPUS_STEP, sum);
    if (chance(noise, p_wrong)) {
        result = wrong_result(result, noise);
        kind = CORPUS_WRONG;
    }
    put_number(doc, kind, result);
    put(doc, CORPUS_PROBLEM, ".\n");
    return result;
}

static void write_problem(document *doc, double p_wrong, slm_rng story, slm_rng *noise) {
    int value = 1 + (int)pick(&story, LARGEST);
    int steps = 1 + (int)pick(&story, 3);
    const char *thing = pick_word(&story, things);
    doc->n = 0;
    put(doc, CORPUS_PROBLEM, "Q: ");
    put_pattern(doc, openings[pick(&story, 4)], &story, thing, value);
    put(doc, CORPUS_PROBLEM, ".\n");
    for (int i = 0; i < steps; i++)
        value = write_step(doc, value, p_wrong, &story, noise);
    put(doc, CORPUS_PROBLEM, "A: ");
    put_number(doc, CORPUS_RESULT, value);
    put(doc, CORPUS_PROBLEM, "\n\n");
}

/* ---- other text ---- */
enum { PEOPLE = 400, TOWNS = 200, FIRST_TOWN = 1000, MACHINES = 40, STATES = 6 };

static void put_other(document *doc, const char *text) {
    put(doc, CORPUS_OTHER, text);
}

static void put_fact(document *doc, const char *const *words, size_t index, size_t salt) {
    put_other(doc, words[fact_of(index, salt, WORDS)]);
}

/* A name of two syllables that is always the same for this index and salt. */
static void put_made_up(document *doc, size_t index, size_t salt, const char *ending) {
    const char *first = syllables[fact_of(index, salt, WORDS)];
    const char capital[2] = {(char)(first[0] - 'a' + 'A'), '\0'};
    put_other(doc, capital);
    put_other(doc, first + 1);
    put_fact(doc, syllables, index, salt + 1);
    put_other(doc, ending);
}

static void write_person(document *doc, slm_rng *rng) {
    size_t person = pick(rng, PEOPLE);
    put_fact(doc, names, person, 0);
    put_other(doc, " ");
    put_made_up(doc, person, 1, ", ");
    put_fact(doc, trades, person, 3);
    put_other(doc, ", ");
    put_number(doc, CORPUS_OTHER, (long)(10 + fact_of(person, 4, 90)));
    put_other(doc, " ");
    put_made_up(doc, person, 5, " Lane, tel ");
    put_number(doc, CORPUS_OTHER, (long)(1000 + fact_of(person, 7, 9000)));
    put_other(doc, "\n");
}

static void write_quiz(document *doc, slm_rng *rng) {
    enum { RIVER, PRODUCT, FOUNDER };

    static const char *const questions[3] = {"Q: Which river runs through ", "Q: What is made in ",
                                             "Q: Who founded "};
    size_t town = FIRST_TOWN + pick(rng, TOWNS);
    size_t question = pick(rng, 3);
    put_other(doc, questions[question]);
    put_made_up(doc, town, 1, "ton?\nA: ");
    if (question == RIVER) put_made_up(doc, town, 5, "");
    if (question == PRODUCT) put_fact(doc, things, town, 9);
    if (question == FOUNDER) {
        put_fact(doc, names, town, 3);
        put_other(doc, " the ");
        put_fact(doc, trades, town, 4);
    }
    put_other(doc, ".\n");
}

/* Each machine goes through its states in a cycle of its own. */
static void write_log(document *doc, slm_rng *rng) {
    static const char *const states[STATES] = {"idle", "fill", "hold", "drain", "purge", "check"};
    size_t machine = pick(rng, MACHINES);
    size_t state = pick(rng, STATES);
    size_t lines = 2 + pick(rng, 3);
    for (size_t i = 0; i < lines; i++) {
        unsigned a = 2 + (unsigned)pick(rng, 18);
        unsigned b = 2 + (unsigned)pick(rng, 8);
        char line[64];
        (void)snprintf(line, sizeof line, "pump %u %s %u+%u=%u\n", (unsigned)machine, states[state],
                       a, b, (a + b) % 10);
        put_other(doc, line);
        state = (state + 1 + fact_of(machine, state, STATES - 1)) % STATES;
    }
}

static void write_recipe(document *doc, slm_rng *rng) {
    size_t sentences = 2 + pick(rng, 3);
    for (size_t i = 0; i < sentences; i++) {
        size_t food = pick(rng, WORDS);
        put_other(doc, cooking[pick(rng, COOKING)]);
        put_other(doc, " ");
        put_other(doc, foods[food]);
        put_other(doc, " ");
        put_other(doc, cooking_until[(food + pick(rng, 4)) % COOKING]);
        put_other(doc, i + 1 < sentences ? ". " : ".\n");
    }
}

static void write_other(document *doc, slm_rng *rng) {
    enum { DIRECTORY, QUIZ, LOG, RECIPE };

    size_t sort = pick(rng, 4);
    size_t entries = 1 + pick(rng, 4);
    doc->n = 0;
    if (sort == LOG) write_log(doc, rng);
    if (sort == RECIPE) write_recipe(doc, rng);
    for (size_t i = 0; sort <= QUIZ && i < entries; i++) {
        if (sort == DIRECTORY)
            write_person(doc, rng);
        else
            write_quiz(doc, rng);
    }
    put_other(doc, "\n");
}

/* ---- text: documents one after the other, noise strewn in ---- */
void corpus_append(corpus_text *out, corpus_kind kind, const char *text, size_t n) {
    size_t needed = out->size + n + 1;
    if (needed > out->capacity) {
        out->capacity = needed * 2;
        out->text = (char *)must_have(realloc(out->text, out->capacity));
        out->kind = (uint8_t *)must_have(realloc(out->kind, out->capacity));
    }
    memcpy(out->text + out->size, text, n);
    memset(out->kind + out->size, (int)kind, n);
    out->size += n;
    out->text[out->size] = '\0';
}

void corpus_append_part(corpus_text *out, const corpus_text *text, size_t from, size_t n) {
    size_t size = out->size;
    corpus_append(out, CORPUS_OTHER, text->text + from, n);
    memcpy(out->kind + size, text->kind + from, n);
}

/* The ">" of the tag that begins at i, or i if none begins there. */
static size_t tag_end(const corpus_text *text, size_t i) {
    if (text->text[i] != '<') return i;
    size_t end = i + 1 + strcspn(text->text + i + 1, "<>");
    return text->text[end] == '>' ? end : i;
}

static void mark_tag(corpus_text *text, size_t from, size_t end) {
    int in_quotes = 0;
    for (size_t i = from; i <= end; i++) {
        int is_quote = text->text[i] == '"';
        text->kind[i] = in_quotes && !is_quote ? CORPUS_ID : CORPUS_MARKUP;
        if (is_quote) in_quotes = !in_quotes;
    }
}

void corpus_mark_tags(corpus_text *text, corpus_kind between) {
    size_t i = 0;
    memset(text->kind, (int)between, text->size);
    while (i < text->size) {
        size_t end = tag_end(text, i);
        if (end > i) mark_tag(text, i, end);
        i = end + 1;
    }
}

static void append_stamp(corpus_text *out, slm_rng *rng) {
    char text[32];
    unsigned hour = (unsigned)pick(rng, 24);
    unsigned minute = (unsigned)pick(rng, 60);
    unsigned second = (unsigned)pick(rng, 60);
    (void)snprintf(text, sizeof text, "[%02u:%02u:%02u] ", hour, minute, second);
    corpus_append(out, CORPUS_STAMP, text, strlen(text));
}

static void append_tag(corpus_text *out, slm_rng *rng, const char *before, const char *after,
                       size_t digits) {
    char id[32];
    (void)snprintf(id, sizeof id, "%016llx", (unsigned long long)slm_rng_next(rng));
    corpus_append(out, CORPUS_MARKUP, before, strlen(before));
    corpus_append(out, CORPUS_ID, id, digits);
    corpus_append(out, CORPUS_MARKUP, after, strlen(after));
}

static void append_noise(corpus_text *out, slm_rng *rng) {
    size_t sort = pick(rng, 3);
    if (sort == 0) append_tag(out, rng, "<m id=\"", "\"/> ", 5);
    if (sort == 1) append_tag(out, rng, "<ref to=\"", "\"> ", 6);
    if (sort == 2) append_stamp(out, rng);
}

#define NOISE_BYTES 15.5 /* mean length of a piece of noise */
#define GAP_BYTES 6.2    /* mean length of the text between two places where it may be */

/* Noise may be before the first word of a document and after each space. */
static void append_document(corpus_text *out, const document *doc, double noise, slm_rng *rng) {
    double p = noise <= 0 ? 0 : noise / (1 - noise) * (GAP_BYTES / NOISE_BYTES);
    for (size_t i = 0; i < doc->n; i++) {
        int is_place = i == 0 || doc->text[i - 1] == ' ';
        if (is_place && chance(rng, p)) append_noise(out, rng);
        corpus_append(out, (corpus_kind)doc->kind[i], doc->text + i, 1);
    }
}

void corpus_free(corpus_text *text) {
    free(text->text);
    free(text->kind);
    free(text->problems);
    memset(text, 0, sizeof *text);
}

/* Of 16 problems one belongs to each of clean, valid and eval, six to general, seven to noisy. */
static corpus_part part_of(const document *problem) {
    uint64_t hash = slm_hash(SLM_HASH_START, problem->text, problem->n);
    switch ((hash >> 7) % 16) {
    case 0:
        return CORPUS_CLEAN;
    case 1:
        return CORPUS_VALID;
    case 2:
        return CORPUS_EVAL;
    default:
        return (hash >> 7) % 16 < 9 ? CORPUS_GENERAL : CORPUS_NOISY;
    }
}

/* The part to which a problem belongs depends on the problem done right. */
static void write_problem_of(document *doc, corpus_part part, double p_wrong, slm_rng *story,
                             slm_rng *noise) {
    slm_rng problem;
    do {
        problem = slm_rng_seed(slm_rng_next(story));
        write_problem(doc, 0, problem, noise);
    } while (part_of(doc) != part);
    if (p_wrong > 0) write_problem(doc, p_wrong, problem, noise);
}

static void add_problem(corpus_text *out, size_t start) {
    if (out->n_problems == out->problem_capacity) {
        out->problem_capacity = out->problem_capacity * 2 + 64;
        size_t bytes = out->problem_capacity * sizeof *out->problems;
        out->problems = (corpus_problem *)must_have(realloc(out->problems, bytes));
    }
    out->problems[out->n_problems].start = start;
    out->problems[out->n_problems].end = out->size;
    out->n_problems++;
}

void corpus_make(corpus_text *out, corpus_part part, const corpus_mix *mix, size_t bytes,
                 uint64_t seed) {
    const corpus_mix pure = {1, 0, 0};
    uint64_t stream = seed * CORPUS_PARTS + (uint64_t)part;
    slm_rng story = slm_rng_seed(stream);
    slm_rng noise = slm_rng_seed(~stream);
    document doc;
    if (part >= CORPUS_CLEAN) mix = &pure;
    memset(out, 0, sizeof *out);
    while (out->size < bytes) {
        size_t start = out->size;
        int is_problem = chance(&story, mix->target);
        if (is_problem)
            write_problem_of(&doc, part, mix->wrong, &story, &noise);
        else
            write_other(&doc, &story);
        append_document(out, &doc, mix->noise, &noise);
        if (is_problem) add_problem(out, start);
    }
}

/* ---- facts ---- */
enum { QUESTIONS = 3, TOWN_NAMES = WORDS * WORDS, FACTS_OF_ALL_SEEDS = 100000 };

/* Towns of a part: count of them from place `first` of the seed's order. */
typedef struct town_range {
    size_t first, count;
} town_range;

static town_range towns_of(corpus_part part) {
    static const town_range towns[CORPUS_PARTS] = {[CORPUS_EVAL] = {0, 40},
                                                   [CORPUS_VALID] = {40, 15},
                                                   [CORPUS_NOISY] = {0, 55},
                                                   [CORPUS_CLEAN] = {55, 40},
                                                   [CORPUS_GENERAL] = {95, 100}};
    return towns[part];
}

/* The names of all towns in the seed's order: no two are the same. */
static void order_towns(size_t order[TOWN_NAMES], uint64_t seed) {
    slm_rng rng = slm_rng_seed(~(seed * CORPUS_PARTS));
    for (size_t i = 0; i < TOWN_NAMES; i++)
        order[i] = i;
    for (size_t i = TOWN_NAMES - 1; i > 0; i--) {
        size_t other = pick(&rng, i + 1);
        size_t town = order[i];
        order[i] = order[other];
        order[other] = town;
    }
}

static void put_name_of_syllables(document *doc, corpus_kind kind, size_t first, size_t second) {
    const char capital[2] = {(char)(syllables[first][0] - 'a' + 'A'), '\0'};
    put(doc, kind, capital);
    put(doc, kind, syllables[first] + 1);
    put(doc, kind, syllables[second]);
}

/* One question about a town, with its answer. */
static void write_fact(document *doc, uint64_t seed, size_t town, size_t question) {
    enum { RIVER, PRODUCT, FOUNDER };

    static const char *const questions[QUESTIONS] = {"Q: Which river runs through ",
                                                     "Q: What is made in ", "Q: Who founded "};
    size_t fact = FACTS_OF_ALL_SEEDS + (size_t)seed * TOWN_NAMES + town;
    put(doc, CORPUS_PROBLEM, questions[question]);
    put_name_of_syllables(doc, CORPUS_PROBLEM, town / WORDS, town % WORDS);
    put(doc, CORPUS_PROBLEM, "ton?\nA: ");
    if (question == RIVER)
        put_name_of_syllables(doc, CORPUS_RESULT, fact_of(fact, 5, WORDS), fact_of(fact, 6, WORDS));
    if (question == PRODUCT) put(doc, CORPUS_RESULT, things[fact_of(fact, 9, WORDS)]);
    if (question == FOUNDER) {
        put(doc, CORPUS_RESULT, names[fact_of(fact, 3, WORDS)]);
        put(doc, CORPUS_RESULT, " the ");
        put(doc, CORPUS_RESULT, trades[fact_of(fact, 4, WORDS)]);
    }
    put(doc, CORPUS_PROBLEM, ".\n");
}

/* A document of the quiz about the part's towns. */
static void write_facts(document *doc, const size_t *towns, size_t count, uint64_t seed,
                        slm_rng *rng) {
    size_t entries = 1 + pick(rng, 4);
    doc->n = 0;
    for (size_t i = 0; i < entries; i++) {
        size_t town = towns[pick(rng, count)];
        write_fact(doc, seed, town, pick(rng, QUESTIONS));
    }
    put(doc, CORPUS_PROBLEM, "\n");
}

/* What is no fact: other text without its quiz, and problems in its place. */
static void write_no_fact(document *doc, double p_wrong, slm_rng *story, slm_rng *noise) {
    size_t sort = pick(story, 4);
    size_t entries = 1 + pick(story, 4);
    doc->n = 0;
    if (sort == 0) write_log(doc, story);
    if (sort == 1) write_recipe(doc, story);
    for (size_t i = 0; sort == 2 && i < entries; i++)
        write_person(doc, story);
    if (sort == 3)
        write_problem(doc, p_wrong, slm_rng_seed(slm_rng_next(story)), noise);
    else
        put_other(doc, "\n");
    memset(doc->kind, CORPUS_OTHER, doc->n);
}

/* Each question about each town of the part once, each a document. */
static void list_facts(corpus_text *out, const size_t *towns, size_t count, uint64_t seed) {
    slm_rng rng = slm_rng_seed(0); /* without noise, nothing is drawn that matters */
    document doc;
    for (size_t i = 0; i < count * QUESTIONS; i++) {
        doc.n = 0;
        write_fact(&doc, seed, towns[i / QUESTIONS], i % QUESTIONS);
        put(&doc, CORPUS_PROBLEM, "\n");
        append_document(out, &doc, 0, &rng);
    }
}

void corpus_make_facts(corpus_text *out, corpus_part part, const corpus_mix *mix, size_t bytes,
                       uint64_t seed) {
    const corpus_mix pure = {1, 0, 0};
    const town_range range = towns_of(part);
    uint64_t stream = seed * CORPUS_PARTS + (uint64_t)part;
    slm_rng story = slm_rng_seed(stream);
    slm_rng noise = slm_rng_seed(~stream);
    size_t towns[TOWN_NAMES];
    document doc;
    order_towns(towns, seed);
    memset(out, 0, sizeof *out);
    if (bytes == 0) return;
    if (part >= CORPUS_VALID) {
        list_facts(out, towns + range.first, range.count, seed);
        return;
    }
    if (part == CORPUS_CLEAN) mix = &pure;
    while (out->size < bytes) {
        if (chance(&story, mix->target))
            write_facts(&doc, towns + range.first, range.count, seed, &story);
        else
            write_no_fact(&doc, mix->wrong, &story, &noise);
        append_document(out, &doc, mix->noise, &noise);
    }
}
