/* tokenizers.h: targets of tokenizer.json, with added tokens and templates, and of GPT-2's pair. */
#ifndef TOKENIZERS_H
#define TOKENIZERS_H
#include "slm/gpt2.h"

/* Ids of a text are in range, and can be decoded. */
static void encode(const slm_tokenizer *t, const char *text, size_t text_size) {
    int32_t *ids;
    size_t n, size;
    char *back;
    if (slm_tokenizer_encode(&ids, &n, t, text, text_size, &err) != SLM_OK) return;
    for (size_t i = 0; i < n; i++)
        require(ids[i] >= 0 && ids[i] < slm_tokenizer_vocab(t), "id");
    if (slm_tokenizer_decode(&back, &size, t, ids, n, &err) == SLM_OK) slm_free(back);
    slm_free(ids);
}

static void fuzz_tokenizer(void) {
    static const char text[] = "Hello world, it'S 1234  \n\t na\xC3\xAFve \xE6\x97\xA5\xE6\x9C\xAC "
                               "\xF0\x9F\xA4\x97 \x80\xFF<|endoftext|> <s>x </s>";
    static const char decomposed[] = "q\xCC\x81 e\xCC\x96\xCC\x81";
    slm_tokenizer *t;
    size_t size;
    int32_t bos, eos;
    if (slm_tokenizer_parse(&t, (const char *)input, input_size, "input", &err) != SLM_OK) return;
    encode(t, text, sizeof text - 1);
    encode(t, decomposed, sizeof decomposed - 1);
    for (int32_t i = 0; i < 300; i++)
        (void)slm_tokenizer_token(&size, t, i - 10);
    if (slm_tokenizer_template(&bos, &eos, t, &err) == SLM_OK)
        require(bos < slm_tokenizer_vocab(t) && eos < slm_tokenizer_vocab(t), "template");
    (void)slm_tokenizer_hash(t);
    slm_tokenizer_free(t);
}

#define LLAMA3                                                                                     \
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?\\\\p{L}+|\\\\p{N}{1,3}"           \
    "| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define SEQUENCE "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":["
#define ADDED                                                                                      \
    "\"added_tokens\":[{\"id\":257,\"content\":\"<|endoftext|>\",\"special\":true},"               \
    "{\"id\":258,\"content\":\"<s>\",\"lstrip\":true,\"rstrip\":false,\"normalized\":true},"       \
    "{\"id\":259,\"content\":\"</s>\",\"rstrip\":true,\"single_word\":false}]"
#define TEMPLATE                                                                                   \
    "\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":["                             \
    "{\"SpecialToken\":{\"id\":\"<s>\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\","               \
    "\"type_id\":0}},{\"SpecialToken\":{\"id\":\"</s>\",\"type_id\":0}}],\"special_tokens\":{"     \
    "\"<s>\":{\"id\":\"<s>\",\"ids\":[258],\"tokens\":[\"<s>\"]},"                                 \
    "\"</s>\":{\"id\":\"</s>\",\"ids\":[259],\"tokens\":[\"</s>\"]}}}"

/* A tokenizer of 256 bytes and one merge, as short as the format allows.  Printable bytes stand
   for themselves, the others for characters from 256 on. */
static void seed_bytes(const char *options) {
    slm__writer w = {{NULL, 0, 0}, &err, SLM_OK};
    int other = 256;
    slm__print(&w, "{\"version\":\"1.0\",%s,", options);
    slm__print(&w, "\"decoder\":{\"type\":\"ByteLevel\"},"
                   "\"model\":{\"type\":\"BPE\",\"vocab\":{");
    for (int byte = 0; byte < 256; byte++) {
        int printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
        int code = printable ? byte : other++;
        slm__print(&w, "%s\"\\u%04x\":%d", byte > 0 ? "," : "", (unsigned)code, byte);
    }
    slm__print(&w, ",\"he\":256},\"merges\":[\"h e\"]}}");
    seed(w.text.data, w.text.size);
    slm__release(w.text.data);
}

/* A tokenizer of characters, likewise: U+2581 is a space. */
static void seed_characters(void) {
    seed_text("{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":["
              "{\"type\":\"Prepend\",\"prepend\":\"\xe2\x96\x81\"},"
              "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},"
              "\"content\":\"\xe2\x96\x81\"}]},"
              "\"decoder\":{\"type\":\"Sequence\",\"decoders\":["
              "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\xe2\x96\x81\"},"
              "\"content\":\" \"},{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"},"
              "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}]},"
              "\"added_tokens\":[{\"id\":0,\"content\":\"<unk>\",\"normalized\":true}],"
              "\"model\":{\"unk_token\":\"<unk>\",\"fuse_unk\":true,"
              "\"byte_fallback\":true,\"vocab\":{\"<unk>\":0,\"<0xC3>\":1,\"<0xAF>\":2,"
              "\"\xe2\x96\x81\":3,\"o\":4,\"\xe2\x96\x81o\":5},"
              "\"merges\":[\"\xe2\x96\x81 o\"]}}");
}

static void seed_tokenizer(void) {
    seed_bytes("\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false}");
    seed_bytes(SEQUENCE "{\"type\":\"Digits\",\"individual_digits\":true},"
                        "{\"type\":\"ByteLevel\"}]},\"normalizer\":{\"type\":\"NFC\"}");
    seed_bytes(SEQUENCE "{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" LLAMA3 "\"},"
                        "\"behavior\":\"Isolated\"},"
                        "{\"type\":\"ByteLevel\",\"use_regex\":false}]}," ADDED "," TEMPLATE);
    seed_characters();
}

/* ---- GPT-2's pair of files ---- */
static void fuzz_gpt2(void) {
    slm_tokenizer *t;
    if (gpt2_tokenizer(&t, "input", &err) != SLM_OK) return;
    encode(t, "Hello world, it's 12", 20);
    slm_tokenizer_free(t);
}

static void seed_gpt2(void) {
    seed_text("@@encoder.json\n{\"a\":0,\"b\":1,\"ab\":2,\"<|endoftext|>\":3}\n"
              "@@vocab.bpe\n#version: 0.2\na b\n");
}
#endif
