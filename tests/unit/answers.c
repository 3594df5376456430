/* Answers: what is taken for the final answer of a worked solution, in what form, and what equals
   what.
   make build/tests/answers && build/tests/answers                                               */
#include <stdio.h>
#include <string.h>

#include "slm/answer.h"

static int passed, failed;

static void check(int good, const char *what, const char *got) {
    passed += good;
    failed += !good;
    if (!good) printf("FAIL tests/unit/answers.c: %s: got \"%s\"\n", what, got);
}

static const struct {
    answer_kind kind;
    const char *text, *answer;
} cases[] = {
    /* ---- a mark ---- */
    {ANSWER_NUMBER, "He has 3 left.\n#### 3", "3"},
    {ANSWER_NUMBER, "#### 1,234", "1234"},
    {ANSWER_NUMBER, "#### 12,345,678", "12345678"},
    {ANSWER_NUMBER, "#### $18.50", "18.5"},
    {ANSWER_NUMBER, "#### 18.00", "18"},
    {ANSWER_NUMBER, "#### -7", "-7"},
    {ANSWER_NUMBER, "#### \xE2\x88\x92" "7 is below", "-7"},
    {ANSWER_NUMBER, "#### +7", "7"},
    {ANSWER_NUMBER, "#### 70%", "70"},
    {ANSWER_NUMBER, "#### 5 apples", "5"},
    {ANSWER_NUMBER, "#### 3/4", "3/4"},
    {ANSWER_NUMBER, "####12", "12"},
    {ANSWER_NUMBER, "#### .5", "0.5"},
    {ANSWER_NUMBER, "#### 007", "7"},
    {ANSWER_NUMBER, "48/2 = <<48/2=24>>24 clips.\n#### 72\n\nQuestion: 9", "72"},
    {ANSWER_NUMBER, "#### 1\n#### 2", "2"},
    {ANSWER_NUMBER, "#### none, but 5 before\nit is 6", "5"},
    {ANSWER_NUMBER, "####\nit is 6", "6"},
    {ANSWER_NUMBER, "#### -$5", "-5"},
    /* ---- words ---- */
    {ANSWER_NUMBER, "The answer is 42.", "42"},
    {ANSWER_NUMBER, "So the ANSWER IS: $1,000.", "1000"},
    {ANSWER_NUMBER, "The answer is 3.50 dollars for 2.", "3.5"},
    {ANSWER_NUMBER, "The answer is not 5. No, the answer is 6 of 7.", "6"},
    {ANSWER_NUMBER, "Answer: 12", "12"},
    {ANSWER_NUMBER, "The answer is \\frac{3}{4}.", "3/4"},
    {ANSWER_NUMBER, "The answer is -\\dfrac{3}{4}.", "-3/4"},
    {ANSWER_NUMBER, "The answer is \\cfrac{3}{4}.", "3/4"},
    {ANSWER_NUMBER, "The answer is \\boxed{8}", "8"},
    /* ---- a box, or nothing ---- */
    {ANSWER_NUMBER, "We get \\boxed{15} of 20", "15"},
    {ANSWER_NUMBER, "We get \\boxed{x = 15}", "15"},
    {ANSWER_NUMBER, "First 3, then 4, in all 7 apples.", "7"},
    {ANSWER_NUMBER, "It costs $2,500.", "2500"},
    {ANSWER_NUMBER, "8 - 3 = 5", "5"},
    {ANSWER_NUMBER, "from 8-3", "3"},
    {ANSWER_NUMBER, "it is - 3", "3"},
    {ANSWER_NUMBER, "it is -3 degrees", "-3"},
    {ANSWER_NUMBER, "1,2 and 3,45", "45"},
    {ANSWER_NUMBER, "nothing at all", ""},
    /* What lies behind the end of a text is not read. */
    {ANSWER_NUMBER, "5 \\\0frac{1}{2}", "5"},
    {ANSWER_NUMBER, "", ""},
    {ANSWER_NUMBER, "- + $ . , /", ""},
    /* ---- boxes ---- */
    {ANSWER_BOX, "so $\\boxed{5}$.", "5"},
    {ANSWER_BOX, "\\boxed{\\frac{1}{2}}", "1/2"},
    {ANSWER_BOX, "\\boxed{\\dfrac{1}{2}}", "1/2"},
    {ANSWER_BOX, "\\boxed{\\tfrac12}", "1/2"},
    {ANSWER_BOX, "\\boxed{\\frac1{2}}", "1/2"},
    {ANSWER_BOX, "\\boxed{-\\frac{7}{2}}", "-7/2"},
    {ANSWER_BOX, "\\boxed{\\frac{\\sqrt{3}}{2}}", "\\frac{\\sqrt{3}}{2}"},
    {ANSWER_BOX, "\\boxed{\\frac{\\sqrt3}{2}}", "\\frac{\\sqrt{3}}{2}"},
    {ANSWER_BOX, "\\boxed{2\\sqrt 5}", "2\\sqrt{5}"},
    {ANSWER_BOX, "\\boxed{\\left(3, \\frac{\\pi}{2} \\right)}", "(3,\\frac{\\pi}{2})"},
    {ANSWER_BOX, "\\boxed{(1,234)}", "(1,234)"},
    {ANSWER_BOX, "\\boxed{1,234}", "1234"},
    {ANSWER_BOX, "\\boxed{1{,}234}", "1234"},
    {ANSWER_BOX, "\\boxed{10,\\!000}", "10000"},
    {ANSWER_BOX, "\\boxed{12\\text{ inches}}", "12"},
    {ANSWER_BOX, "\\boxed{12 \\mbox{ cm}^2}", "12cm^2"},
    {ANSWER_BOX, "\\boxed{12\\text{ cm}}", "12"},
    {ANSWER_BOX, "\\boxed{\\text{(A)}}", "(A)"},
    {ANSWER_BOX, "\\boxed{\\text{Monday}}", "Monday"},
    {ANSWER_BOX, "\\boxed{30^\\circ}", "30"},
    {ANSWER_BOX, "\\boxed{30^{\\circ}}", "30"},
    {ANSWER_BOX, "\\boxed{\\$18.90}", "18.9"},
    {ANSWER_BOX, "\\boxed{25\\%}", "25"},
    {ANSWER_BOX, "\\boxed{x = 5}", "5"},
    {ANSWER_BOX, "\\boxed{f(x) = 2x}", "2x"},
    {ANSWER_BOX, "\\boxed{x^2 + 2x + 1}", "x^2+2x+1"},
    {ANSWER_BOX, "\\boxed{\\{1, 2\\}}", "\\{1,2\\}"},
    {ANSWER_BOX, "\\boxed{a_{n_{1}}}", "a_{n_{1}}"},
    {ANSWER_BOX, "\\boxed 7 and more", "7"},
    {ANSWER_BOX, "\\fbox{9}", "9"},
    {ANSWER_BOX, "first \\boxed{1}, then \\boxed{2}", "2"},
    {ANSWER_BOX, "\\boxed{+5}", "5"},
    {ANSWER_BOX, "\\boxed{5.}", "5"},
    {ANSWER_BOX, "\\boxed{0.50}", "0.5"},
    {ANSWER_BOX, "\\boxed{{5}}", "5"},
    {ANSWER_BOX, "\\boxed{2:3}", "2:3"},
    {ANSWER_BOX, "\\boxed{}", ""},
    {ANSWER_BOX, "The answer is $\\frac{2}{3}$. Done.", "2/3"},
    {ANSWER_BOX, "the answer is x^2+1\nand 5", "x^2+1"},
    {ANSWER_BOX, "the answer is 2.5.", "2.5"},
    {ANSWER_BOX, "so it is 11 in all", "11"},
    {ANSWER_BOX, "#### 4", "4"},
    {ANSWER_BOX, "\\boxed{never closed", ""},
};

static const struct {
    const char *a, *b;
    int equal;
} pairs[] = {
    {"5", "5", 1},       {"5", "6", 0},       {"0.5", "1/2", 1},  {"2/4", "1/2", 1},
    {"0.333", "1/3", 0}, {"x+1", "x+1", 1},   {"x+1", "1+x", 0},  {"", "", 0},
    {"5", "", 0},        {"1/0", "1/0", 1},   {"1/0", "2/0", 0},  {"-3", "3", 0},
    {"1000000", "1000001", 0}, {"1/2/3", "1/6", 0}, {"(1,2)", "(1,3)", 0},
};

/* Long and odd texts must not run over. */
static void check_long(void) {
    static const char *const pieces[] = {"\\frac", "{", "}",  "\\text{", "1,", "\\boxed{", "12",
                                         "$",      "-", "/", "\\sqrt",  ".",  " ",         "="};
    char text[2000];
    char out[ANSWER_SIZE];
    unsigned seed = 1;
    for (int i = 0; i < 20000; i++) {
        size_t n = 0;
        seed = seed * 1103515245u + 12345u;
        size_t length = seed / 65536 % 1900;
        while (n < length) {
            seed = seed * 1103515245u + 12345u;
            const char *piece = pieces[seed / 65536 % (sizeof pieces / sizeof pieces[0])];
            memcpy(text + n, piece, strlen(piece));
            n += strlen(piece);
        }
        text[n] = 0;
        (void)answer_extract(out, i % 2 ? ANSWER_BOX : ANSWER_NUMBER, text);
        if (strlen(out) >= ANSWER_SIZE) check(0, "too long", out);
    }
    passed++;
}

int main(void) {
    char out[ANSWER_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int found = answer_extract(out, cases[i].kind, cases[i].text);
        check(strcmp(out, cases[i].answer) == 0 && found == (out[0] != 0), cases[i].text, out);
    }
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        check(answer_equal(pairs[i].a, pairs[i].b) == pairs[i].equal, pairs[i].a, pairs[i].b);
        check(answer_equal(pairs[i].b, pairs[i].a) == pairs[i].equal, pairs[i].b, pairs[i].a);
    }
    check_long();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
