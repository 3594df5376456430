/* manual.c: `slm manual man|bash|zsh|fish`: the manual page, and what each of three shells
 * completes, from the tables of options that the verbs parse by.  `make install` puts them down. */
#include <stdio.h>
#include <string.h>

#include "common/cli.h"
#include "common/options.h"
#include "slm/verbs.h"

/* Calls the visitor with the table of every verb. */
static void visit_all(option_visitor *visit) {
    char train[] = "train";
    char import[] = "import";
    char *sub_verbs[] = {train, import};
    options_visit(visit);
    for (size_t i = 0; i < n_verbs; i++) {
        if (verbs[i].run != verb_tokenizer) {
            (void)verbs[i].run(0, NULL);
            continue;
        }
        for (size_t k = 0; k < COUNT(sub_verbs); k++)
            (void)verbs[i].run(1, &sub_verbs[k]);
    }
    options_visit(NULL);
}

/* Prints the text, and `before` before each character of `signs` in it. */
static void print_escaped(const char *text, const char *signs, const char *before) {
    for (; *text != 0; text++) {
        if (strchr(signs, *text) != NULL) fputs(before, stdout);
        putchar(*text);
    }
}

/* ---- the manual page, in the macros of man(7) ---- */

/* A line of text must not begin with a sign that troff takes for a command. */
static void print_roff(const char *text) {
    int line_begins = 1;
    for (; *text != 0; text++) {
        if (line_begins && (*text == '.' || *text == '\'')) fputs("\\&", stdout);
        if (*text == '\\') {
            fputs("\\e", stdout);
        } else if (*text == '-') {
            fputs("\\-", stdout);
        } else {
            putchar(*text);
        }
        line_begins = *text == '\n';
    }
}

static void print_man_flag(const option *o) {
    fputs(".TP\n\\fB", stdout);
    print_roff(option_dashes(o));
    print_roff(o->name);
    fputs("\\fR", stdout);
    if (o->value != NULL) {
        fputs(" \\fI", stdout);
        print_roff(o->value);
        fputs("\\fR", stdout);
    }
    putchar('\n');
    print_roff(o->help);
    putchar('\n');
}

static void print_man_verb(const option_page *page, const option *table, size_t n) {
    fputs(".SS slm ", stdout);
    print_roff(page->verb);
    putchar('\n');
    print_roff(page->what);
    fputs(".\n.PP\n.nf\nslm ", stdout);
    print_roff(page->usage);
    fputs("\n.fi\n", stdout);
    for (size_t i = 0; i < n; i++)
        print_man_flag(&table[i]);
    fputs(".PP\n.nf\n", stdout);
    for (size_t i = 0; i < COUNT(page->examples); i++) {
        print_roff(page->examples[i]);
        putchar('\n');
    }
    fputs(".fi\n", stdout);
    if (page->notes == NULL) return;
    fputs(".PP\n", stdout);
    print_roff(page->notes);
    putchar('\n');
}

static void print_man(void) {
    printf(".TH SLM 1 \"\" \"slm %s\"\n", SLM_VERSION);
    fputs(".SH NAME\nslm \\- Selective Language Modeling\n"
          ".SH SYNOPSIS\n.B slm\n.I VERB\n.RI [ flags ]\n.SH DESCRIPTION\n"
          "A reference model, tuned on a little clean text, scores every token of a noisy corpus\n"
          "once; training then uses the loss of only those tokens whose excess loss is highest.\n"
          ".B slm \\-h\nshows the method as commands.\n.SH VERBS\n",
          stdout);
    visit_all(print_man_verb);
    fputs(".SH EXIT STATUS\n0 done, 1 failed, 2 usage, 3 bad input, 4 out of memory, 5 check "
          "failed, 130\ninterrupted (after a clean checkpoint).\n",
          stdout);
}

/* ---- bash ---- */
static void print_words(const option *o) {
    for (const char *word = o->value; *word != 0; word++)
        putchar(*word == '|' ? ' ' : *word);
}

static void print_bash_choices(const option_page *page, const option *table, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (table[i].kind != OPTION_IS_CHOICE) continue;
        printf("    \"%s --%s\") words=\"", page->verb, table[i].name);
        print_words(&table[i]);
        fputs("\" ;;\n", stdout);
    }
}

static void print_bash_flags(const option_page *page, const option *table, size_t n) {
    printf("    \"%s \"*) words=\"", page->verb);
    for (size_t i = 0; i < n; i++)
        printf("%s%s%s", i > 0 ? " " : "", option_dashes(&table[i]), table[i].name);
    fputs("\" ;;\n", stdout);
}

static void print_verb_names(void) {
    for (size_t i = 0; i < n_verbs; i++)
        printf("%s%s", i > 0 ? " " : "", verbs[i].name);
}

static void print_bash(void) {
    fputs("# What bash completes after slm.\n"
          "_slm() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local verb=${COMP_WORDS[1]} words=\n"
          "    [ \"$verb\" = tokenizer ] && [ \"$COMP_CWORD\" -gt 2 ] && "
          "verb=\"tokenizer ${COMP_WORDS[2]}\"\n"
          "    [ \"$COMP_CWORD\" -eq 1 ] && verb= before=slm\n"
          "    case \"$verb $before\" in\n"
          "    \" slm\") words=\"",
          stdout);
    print_verb_names();
    fputs("\" ;;\n    \"tokenizer tokenizer\") words=\"train import\" ;;\n", stdout);
    visit_all(print_bash_choices);
    fputs("    *) [ \"${word:0:1}\" = - ] && case \"$verb \" in\n", stdout);
    visit_all(print_bash_flags);
    fputs("    esac ;;\n    esac\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "}\n"
          "complete -o default -F _slm slm\n",
          stdout);
}

/* ---- zsh ---- */
static void print_zsh_text(const char *text) {
    for (; *text != 0; text++) {
        if (*text == '\'') {
            fputs("'\\''", stdout);
            continue;
        }
        if (strchr("[]:\\", *text) != NULL) putchar('\\');
        putchar(*text);
    }
}

static void print_zsh_verb(const option_page *page, const option *table, size_t n) {
    printf("\"%s \"*)\n    _arguments", page->verb);
    for (size_t i = 0; i < n; i++) {
        const option *o = &table[i];
        printf(" \\\n        '*%s%s[", option_dashes(o), o->name);
        print_zsh_text(o->help);
        putchar(']');
        if (o->kind == OPTION_IS_CHOICE) {
            fputs(":word:(", stdout);
            print_words(o);
            putchar(')');
        } else if (o->value != NULL) {
            putchar(':');
            print_zsh_text(o->value);
            fputs(":_files", stdout);
        }
        putchar('\'');
    }
    fputs(" \\\n        '*:file:_files'\n    ;;\n", stdout);
}

static void print_zsh(void) {
    fputs("#compdef slm\n# What zsh completes after slm.\n"
          "if (( CURRENT == 2 )); then\n    local -a names=(\n",
          stdout);
    for (size_t i = 0; i < n_verbs; i++) {
        printf("        '%s:", verbs[i].name);
        print_zsh_text(verbs[i].what);
        fputs("'\n", stdout);
    }
    fputs("    )\n    _describe verb names\n    return\nfi\n"
          "if [[ $words[2] == tokenizer ]] && (( CURRENT == 3 )); then\n"
          "    compadd train import\n    return\nfi\n"
          "case \"$words[2] $words[3] \" in\n",
          stdout);
    visit_all(print_zsh_verb);
    fputs("esac\n", stdout);
}

/* ---- fish ---- */
static void print_fish_text(const char *text) {
    print_escaped(text, "'\\", "\\");
}

static void print_fish_verb(const option_page *page, const option *table, size_t n) {
    int verb_size = (int)strcspn(page->verb, " ");
    for (size_t i = 0; i < n; i++) {
        const option *o = &table[i];
        printf("complete -c slm -n 'contains -- %.*s (commandline -opc)[2]' -%s %s", verb_size,
               page->verb, o->name[1] != 0 ? "l" : "s", o->name);
        if (o->kind == OPTION_IS_CHOICE) {
            fputs(" -x -a '", stdout);
            print_words(o);
            putchar('\'');
        } else if (o->value != NULL) {
            fputs(" -r", stdout);
        }
        fputs(" -d '", stdout);
        print_fish_text(o->help);
        fputs("'\n", stdout);
    }
}

static void print_fish(void) {
    fputs("# What fish completes after slm.\n", stdout);
    for (size_t i = 0; i < n_verbs; i++) {
        printf("complete -c slm -n __fish_use_subcommand -f -a %s -d '", verbs[i].name);
        print_fish_text(verbs[i].what);
        fputs("'\n", stdout);
    }
    fputs("complete -c slm -n 'test (count (commandline -opc)) = 2; and contains -- tokenizer "
          "(commandline -opc)[2]' -f -a 'train import'\n",
          stdout);
    visit_all(print_fish_verb);
}

int verb_manual(int argc, char **argv) {
    static const struct {
        const char *name;
        void (*print)(void);
    } forms[] = {
        {"man", print_man}, {"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};
    for (size_t i = 0; i < COUNT(forms) && argc == 1; i++) {
        if (strcmp(argv[0], forms[i].name) != 0) continue;
        forms[i].print();
        return DONE;
    }
    return fail(USAGE, "usage: slm manual man|bash|zsh|fish");
}
