/* train_command.c: see train_command.h.
 *
 * run.json begins with the version and the command, {"slm": "0.2.0", "command": ["train", "--data",
 * "noisy.txt", ...], as train_folder.c writes it. */
#include "slm/train_command.h"

#include <stdlib.h>
#include <string.h>

#include "common/cli.h"
#include "common/paths.h"

static int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Writes a code point below 65536 as UTF-8, and returns what follows it. */
static char *put_utf8(char *to, unsigned code) {
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    if (code < 0x800) {
        *to++ = (char)(0xC0 | code >> 6);
    } else {
        *to++ = (char)(0xE0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 0x3F));
    }
    *to++ = (char)(0x80 | (code & 0x3F));
    return to;
}

/* Decodes the four digits of \uXXXX.  Returns 0 if they are none, or if the code is 0: no word
 * holds it. */
static int put_code(char **to, const char *digits) {
    unsigned code = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(digits[i]);
        if (digit < 0) return 0;
        code = code * 16 + (unsigned)digit;
    }
    if (code == 0) return 0;
    *to = put_utf8(*to, code);
    return 1;
}

/* Decodes the JSON string that begins at s where it lies: no character is longer than its escape.
 * Returns what follows its second quote, or NULL if it is no string as escape_json writes them. */
static char *decode_string(char *s) {
    char *to = s;
    if (*s++ != '"') return NULL;
    while (*s != '"') {
        if (*s == 0) return NULL;
        if (*s != '\\') {
            *to++ = *s++;
            continue;
        }
        if (s[1] == 'u') {
            if (!put_code(&to, s + 2)) return NULL;
            s += 6;
        } else if (s[1] == '"' || s[1] == '\\') {
            *to++ = s[1];
            s += 2;
        } else {
            return NULL;
        }
    }
    *to = 0;
    return s + 1;
}

/* Takes the words of the list at s, `room` at most.  Returns 0 if it is no list of texts. */
static int take_words(train_command *c, char *s, size_t room) {
    while ((size_t)c->n < room) {
        char *word = s;
        s = decode_string(s);
        if (s == NULL) return 0;
        if (strcmp(word, "--force") != 0) c->words[c->n++] = word;
        if (*s == ']') return 1;
        if (strncmp(s, ", ", 2) != 0) return 0;
        s += 2;
    }
    return 0;
}

int train_command_load(train_command *command, const char *folder, int argc, char **argv) {
    static const char before[] = "\"command\": [\"train\", ";
    char path[PATH_SIZE];
    size_t size;
    slm_error err;
    memset(command, 0, sizeof *command);

    int code = path_join(path, folder, "run.json");
    if (code != DONE) return code;
    if (!path_exists(path)) {
        return fail(USAGE,
                    "%s holds no run to go on with (there is no run.json); --data F begins one",
                    folder);
    }
    slm_status status = slm_file_read(&command->text, &size, path, &err);
    if (status != SLM_OK) return fail_status(status, FOR_INPUT, &err);

    /* Each word of the file takes two quotes at least. */
    size_t room = size / 2 + 1;
    command->words = (char **)calloc(room + (size_t)argc, sizeof *command->words);
    if (command->words == NULL) return fail_memory();
    char *list = strstr(command->text, before);
    if (list == NULL || !take_words(command, list + sizeof before - 1, room)) {
        return fail(BAD_INPUT, "%s: it does not hold the command of the run; repeat the command "
                               "with --resume",
                    path);
    }
    for (int i = 0; i < argc; i++)
        command->words[command->n++] = argv[i];
    return DONE;
}

void train_command_free(train_command *command) {
    free(command->words);
    slm_free(command->text);
}
