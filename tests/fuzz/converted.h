/* converted.h: the target of files of llama.cpp. */
#ifndef CONVERTED_H
#define CONVERTED_H

/* Shape, tokenizer and the small tensors of what is accepted. */
static void fuzz_gguf(void) {
    static slm_real numbers[4096];
    slm_model_config config;
    slm_tokenizer *t = NULL;
    gguf_file *file;
    if (gguf_open(&file, os_open("input", "rb"), "input", &err) == SLM_OK) {
        if (gguf_config(&config, file, &err) == SLM_OK)
            require(slm_model_config_check(&config, &err) == SLM_OK, "config");
        (void)gguf_tokenizer(&t, file, &err);
        slm_tokenizer_free(t);
        for (size_t i = 0; i < file->n_tensors; i++) {
            const gguf_tensor *tensor = &file->tensors[i];
            require(tensor->offset + tensor->size <= input_size, "a tensor beyond the file");
            uint64_t n = 1;
            for (size_t k = 0; k < tensor->n_dims; k++)
                n *= tensor->dims[k];
            if (n <= 4096)
                require(gguf_read(numbers, file, tensor, 0, (size_t)n, &err) == SLM_OK, "numbers");
        }
    }
    gguf_close(file);
}

/* A GGUF file with a tokenizer of bytes, or of characters. */
static void seed_one_gguf(int of_characters) {
    static const char *const texts[] = {"<unk>", "<0x41>", "a", "b", "ab", "\xe2\x96\x81"};
    static const uint32_t types[] = {2, 6, 1, 1, 1, 1};
    static unsigned char bytes[1 << 14];
    gguf_writer w;
    FILE *f = tmpfile();
    if (f == NULL) exit(1);
    gguf_begin(&w, f, 1);
    gguf_put_text(&w, "general.architecture", "llama");
    gguf_put_u32(&w, "llama.context_length", 8);
    gguf_put_u32(&w, "llama.embedding_length", 4);
    gguf_put_u32(&w, "llama.block_count", 1);
    gguf_put_u32(&w, "llama.feed_forward_length", 4);
    gguf_put_u32(&w, "llama.attention.head_count", 2);
    gguf_put_f32(&w, "llama.attention.layer_norm_rms_epsilon", 1e-5);
    gguf_put_text(&w, "tokenizer.ggml.model", of_characters ? "llama" : "gpt2");
    gguf_put_text(&w, "tokenizer.ggml.pre", of_characters ? "default" : "gpt-2");
    gguf_put_array(&w, "tokenizer.ggml.tokens", GGUF_TEXT, 6);
    for (int i = 0; i < 6; i++)
        gguf_item_text(&w, texts[i], strlen(texts[i]));
    gguf_put_array(&w, "tokenizer.ggml.token_type", GGUF_I32, 6);
    for (int i = 0; i < 6; i++)
        gguf_item_u32(&w, types[i]);
    gguf_put_array(&w, "tokenizer.ggml.scores", GGUF_F32, 6);
    for (int i = 0; i < 6; i++)
        gguf_item_f32(&w, -i);
    gguf_put_array(&w, "tokenizer.ggml.merges", GGUF_TEXT, 1);
    gguf_item_text(&w, "a b", 3);
    (void)gguf_end_keys(&w);
    gguf_list_tensor(&w, "token_embd.weight", NUMBER_F16, 6, 4);
    gguf_pad(&w);
    for (int i = 0; i < 12; i++)
        gguf_item_u32(&w, 0x3c003c00);
    if (ferror(f) || fseek(f, 0, SEEK_SET) != 0) exit(1);
    seed(bytes, fread(bytes, 1, sizeof bytes, f));
    (void)fclose(f);
}

static void seed_gguf(void) {
    seed_one_gguf(0);
    seed_one_gguf(1);
}
#endif
