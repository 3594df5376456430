/* scenarios.c: the commands of the tool that write files. */
#include "scenarios.h"

/* Runs of a model so small that a file is a few writes. */
#define TRAIN                                                                                      \
    "train --data ../in/text --dim 8 --layers 1 --heads 1 --ffn 8 --seq 16 --batch 2 "             \
    "--save-every 2 --quiet --out out "
#define RUN_FILES                                                                                  \
    {"out/state.safetensors", "out/model.safetensors", "out/config.json", "out/tokenizer.json",    \
     "out/tokenizer_config.json", "out/generation_config.json", "out/run.json"}
#define MODEL_FILES                                                                                \
    {"out/model.safetensors", "out/config.json", "out/tokenizer.json",                             \
     "out/tokenizer_config.json", "out/generation_config.json"}
#define EVAL "eval --model out --data ../in/text --quiet"
#define SCORE "score --model ../in/model --data ../in/text --seq 64 --quiet --out s "
#define OLD_TOKENIZER "tokenizer train --data ../in/text --vocab 260 --quiet --out t.json"
#define TOKENIZE "tokenize --tokenizer t.json ../in/text"

const scenario scenarios[] = {
    {"train", {NULL}, TRAIN "--steps 6", TRAIN "--steps 6 --resume", RUN_FILES, "out/log.csv",
     "out/config.json", {EVAL, "info out/state.safetensors"}, 0},
    {"train-resume", {TRAIN "--steps 2"}, TRAIN "--steps 6 --resume", TRAIN "--steps 6 --resume",
     RUN_FILES, "out/log.csv", "out/config.json", {EVAL, "info out/state.safetensors"}, 0},
    {"train-force", {TRAIN "--steps 2 --seed 7"}, TRAIN "--steps 4 --force",
     TRAIN "--steps 4 --force", RUN_FILES, "out/log.csv", "out/config.json",
     {EVAL, "info out/state.safetensors"}, 1},
    {"score", {NULL}, SCORE "--save-every 0 --batch 8", SCORE "--save-every 0 --batch 8",
     {"s", "s.part"}, NULL, NULL, {"info s"}, 0},
    {"score-stream", {NULL}, SCORE "--data ../in/long --stream 1",
     SCORE "--data ../in/long --stream 1", {"s", "s.part"}, NULL, NULL, {"info s"}, 0},
    {"score-array", {"score --model ../in/model --tokens ../in/old.npy --out out --quiet"},
     "score --model ../in/model --tokens ../in/tokens.npy --out out --quiet",
     "score --model ../in/model --tokens ../in/tokens.npy --out out --quiet",
     {"out/loss.npy", "out/entropy.npy"}, NULL, NULL, {NULL}, 0},
    {"tokenizer-train", {OLD_TOKENIZER},
     "tokenizer train --data ../in/text --vocab 300 --quiet --out t.json",
     "tokenizer train --data ../in/text --vocab 300 --quiet --out t.json", {"t.json"}, NULL, NULL,
     {TOKENIZE}, 0},
    {"tokenizer-import", {OLD_TOKENIZER}, "tokenizer import --from ../in/gpt2 --out t.json",
     "tokenizer import --from ../in/gpt2 --out t.json", {"t.json"}, NULL, NULL, {TOKENIZE}, 0},
    {"convert-gguf", {"convert ../in/other x.gguf --quiet"},
     "convert ../in/model x.gguf --quiet --type Q8_0",
     "convert ../in/model x.gguf --quiet --type Q8_0", {"x.gguf"}, NULL, NULL, {"info x.gguf"}, 0},
    {"convert-bin", {"convert ../in/seeded x.bin --quiet"}, "convert ../in/model x.bin --quiet",
     "convert ../in/model x.bin --quiet", {"x.bin", "tokenizer.bin"}, NULL, NULL, {NULL}, 0},
    {"convert-folder", {NULL}, "convert ../in/model.gguf out --quiet",
     "convert ../in/model.gguf out --quiet", MODEL_FILES, NULL, NULL, {EVAL}, 0},
    {"convert-over", {"convert ../in/other.gguf out --quiet"},
     "convert ../in/model.gguf out --quiet", "convert ../in/model.gguf out --quiet", MODEL_FILES,
     NULL, NULL, {EVAL}, 1},
    {"view", {"view --model ../in/other --data ../in/text --limit 40 --quiet --out r.html"},
     "view --model ../in/model --data ../in/text --limit 40 --quiet --out r.html",
     "view --model ../in/model --data ../in/text --limit 40 --quiet --out r.html", {"r.html"}, NULL,
     NULL, {NULL}, 0},
    {"plot", {"plot ../in/other --out p.svg"}, "plot ../in/model --out p.svg",
     "plot ../in/model --out p.svg", {"p.svg"}, NULL, NULL, {NULL}, 0},
    {"eval", {NULL}, "eval --model ../in/model --data ../in/text --quiet", NULL, {NULL},
     NULL, NULL, {NULL}, 0},
    {"generate", {NULL}, "generate --model ../in/model --prompt word -n 20 --temp 0", NULL, {NULL},
     NULL, NULL, {NULL}, 0},
    {"tokenize", {NULL}, "tokenize --tokenizer ../in/t.json ../in/text", NULL, {NULL}, NULL, NULL,
     {NULL}, 0},
    {"info", {NULL}, "info ../in/model", NULL, {NULL}, NULL, NULL, {NULL}, 0},
    {"info-gguf", {NULL}, "info ../in/model.gguf", NULL, {NULL}, NULL, NULL, {NULL}, 0},
    {"score-table", {NULL}, "score --model ../in/model --data ../in/text --seq 64 --tsv --quiet",
     NULL, {NULL}, NULL, NULL, {NULL}, 0},
};
const size_t n_scenarios = sizeof scenarios / sizeof *scenarios;
