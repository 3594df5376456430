/* config.json: bad ones by name, each refused with the field; fields, defaults, old and new places
   of RoPE's theta and scaling; the forms of known models; what is written is read back; every
   truncation.
   cc -I. -Itests/support tests/unit/config.c -lm && ./a.out [SCRATCH_FOLDER] */
#include "inject.h"
#define SLM_IMPLEMENTATION
#include "slm.h"
#include "check.h"
#include "quoted.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* In all of these ' stands for ". */
#define SIZES                                                                                      \
    ",'hidden_size':8,'num_hidden_layers':2,'num_attention_heads':2,'intermediate_size':12"
#define BASE "'model_type':'llama','vocab_size':20" SIZES
#define WITH(members) "{" BASE "," members "}"
#define MISTRAL(members) "{'model_type':'mistral','vocab_size':20" SIZES "," members "}"
#define VOCAB(value) "{'model_type':'llama','vocab_size':" value SIZES "}"

static const struct {
    const char *name;
    const char *text;
} bad_configs[] = {
    {"empty", ""},
    {"not JSON", "hello"},
    {"a list", "[]"},
    {"two", "{" BASE "}{}"},
    {"no fields", "{}"},
    {"no model_type",
     "{'vocab_size':20,'hidden_size':8,'num_hidden_layers':2,'num_attention_heads':2,"
     "'intermediate_size':12}"},
    {"no vocab_size",
     "{'model_type':'llama','hidden_size':8,'num_hidden_layers':2,'num_attention_heads':2,"
     "'intermediate_size':12}"},
    {"no hidden_size",
     "{'model_type':'llama','vocab_size':20,'num_hidden_layers':2,'num_attention_heads':2,"
     "'intermediate_size':12}"},
    {"no num_hidden_layers",
     "{'model_type':'llama','vocab_size':20,'hidden_size':8,'num_attention_heads':2,"
     "'intermediate_size':12}"},
    {"no num_attention_heads",
     "{'model_type':'llama','vocab_size':20,'hidden_size':8,'num_hidden_layers':2,"
     "'intermediate_size':12}"},
    {"no intermediate_size",
     "{'model_type':'llama','vocab_size':20,'hidden_size':8,'num_hidden_layers':2,"
     "'num_attention_heads':2}"},
    {"vocab_size twice", WITH("'vocab_size':20")},
    {"another model_type", "{'model_type':'gpt2','vocab_size':20}"},
    {"model_type a number", WITH("'architectures':[1]")},
    {"another architecture", WITH("'architectures':['GPT2LMHeadModel']")},
    {"Mistral's architecture, Llama's type", WITH("'architectures':['MistralForCausalLM']")},
    {"Llama's architecture, Mistral's type",
     MISTRAL("'architectures':['LlamaForCausalLM'],'num_key_value_heads':1")},
    {"Mistral's default of 8 heads of keys", MISTRAL("'sliding_window':8")},
    {"sliding window 0", MISTRAL("'num_key_value_heads':1,'sliding_window':0")},
    {"sliding window a text", MISTRAL("'num_key_value_heads':1,'sliding_window':'8'")},
    {"architectures a string", WITH("'architectures':'LlamaForCausalLM'")},
    {"gelu", WITH("'hidden_act':'gelu'")},
    {"attention bias", WITH("'attention_bias':true")},
    {"mlp bias", WITH("'mlp_bias':true")},
    {"attention bias a number", WITH("'attention_bias':0")},
    {"quantized", WITH("'quantization_config':{'bits':4}")},
    {"rope linear without a factor", WITH("'rope_scaling':{'type':'linear'}")},
    {"rope linear, factor 0.5", WITH("'rope_scaling':{'type':'linear','factor':0.5}")},
    {"rope linear, factor a text", WITH("'rope_scaling':{'type':'linear','factor':'2'}")},
    {"rope linear with a field of llama3",
     WITH("'rope_scaling':{'type':'linear','factor':2,'low_freq_factor':1}")},
    {"rope llama3 with a factor alone", WITH("'rope_scaling':{'rope_type':'llama3','factor':8.0}")},
    {"rope llama3, low above high",
     WITH("'rope_scaling':{'rope_type':'llama3','factor':8,'low_freq_factor':4,"
          "'high_freq_factor':1,'original_max_position_embeddings':8192}")},
    {"rope llama3, no original context",
     WITH("'rope_scaling':{'rope_type':'llama3','factor':8,'low_freq_factor':1,"
          "'high_freq_factor':4}")},
    {"rope dynamic", WITH("'rope_scaling':{'type':'dynamic','factor':2.0}")},
    {"rope type a number", WITH("'rope_scaling':{'rope_type':3}")},
    {"rope of two types", WITH("'rope_scaling':{'rope_type':'default','type':'linear'}")},
    {"rope with a field of yarn",
     WITH("'rope_scaling':{'type':'linear','factor':2,'beta_fast':32}")},
    {"two scalings", WITH("'rope_scaling':{'type':'linear','factor':2},"
                          "'rope_parameters':{'rope_type':'default'}")},
    {"two factors", WITH("'rope_scaling':{'type':'linear','factor':2},"
                         "'rope_parameters':{'rope_type':'linear','factor':4}")},
    {"rope by kinds of layers",
     WITH("'rope_parameters':{'full_attention':{'rope_type':'default'}}")},
    {"rope yarn in parameters",
     WITH("'rope_parameters':{'rope_type':'yarn','rope_theta':10000.0}")},
    {"rope without a type but a factor", WITH("'rope_scaling':{'factor':2.0}")},
    {"rope scaling a number", WITH("'rope_scaling':2")},
    {"two thetas", WITH("'rope_theta':1e4,'rope_parameters':{'rope_theta':5e5}")},
    {"partial rotary", WITH("'rope_parameters':{'partial_rotary_factor':0.5}")},
    {"partial rotary outside", WITH("'partial_rotary_factor':0.5")},
    {"vocab 0", VOCAB("0")},
    {"vocab negative", VOCAB("-20")},
    {"vocab 2^31", VOCAB("2147483648")},
    {"vocab 20.0", VOCAB("20.0")},
    {"vocab a string", VOCAB("'20'")},
    {"vocab null", VOCAB("null")},
    {"heads do not divide",
     "{'model_type':'llama','vocab_size':20,'hidden_size':8,'num_hidden_layers':2,"
     "'num_attention_heads':3,'intermediate_size':12}"},
    {"kv heads do not divide", WITH("'num_key_value_heads':3")},
    {"kv heads 0", WITH("'num_key_value_heads':0")},
    {"head_dim odd", WITH("'head_dim':3")},
    {"head_dim 0", WITH("'head_dim':0")},
    {"theta 0", WITH("'rope_theta':0")},
    {"theta negative", WITH("'rope_theta':-1.0")},
    {"theta a string", WITH("'rope_theta':'1e4'")},
    {"theta infinite", WITH("'rope_theta':1e999")},
    {"eps 0", WITH("'rms_norm_eps':0.0")},
    {"eps 2", WITH("'rms_norm_eps':2")},
    {"tie a number", WITH("'tie_word_embeddings':1")},
    {"tie a text", WITH("'tie_word_embeddings':'true'")},
    {"max positions negative", WITH("'max_position_embeddings':-1")}};

static slm_status parse(slm_model_config *config, const char *text, slm_error *err) {
    const char *json = quoted(text);

    return slm__config_parse(config, json, strlen(json), "config.json", err);
}

static void refused(void) {
    slm_model_config c;
    slm_error err;

    for (size_t i = 0; i < COUNT(bad_configs); i++) {
        err.text[0] = 0;
        CHECK(parse(&c, bad_configs[i].text, &err) == SLM_ERR_FORMAT, "%s: accepted",
              bad_configs[i].name);
        CHECK(strncmp(err.text, "config.json: ", 13) == 0, "%s: %s", bad_configs[i].name, err.text);
        CHECK(parse(&c, bad_configs[i].text, NULL) == SLM_ERR_FORMAT, "without err");
    }
    CHECK(parse(&c, VOCAB("null"), &err) != SLM_OK && strstr(err.text, "vocab_size: missing"),
          "the message names the field: %s", err.text);
    CHECK(parse(&c, WITH("'hidden_act':'gelu'"), &err) != SLM_OK &&
              strstr(err.text, "hidden_act: not supported: gelu") != NULL,
          "the message quotes the value: %s", err.text);
    CHECK(parse(&c, WITH("'rope_scaling':{'rope_type':'yarn'}"), &err) != SLM_OK &&
              strstr(err.text, "rope_type: not supported: yarn") != NULL,
          "the type of scaling is quoted: %s", err.text);
    CHECK(parse(&c, WITH("'rope_scaling':{'type':'linear','factor':2,'beta_fast':32}"), &err) !=
                  SLM_OK &&
              strstr(err.text, "beta_fast: not supported: 32") != NULL,
          "an unknown field of it is named: %s", err.text);
}

static int same(double a, double b) {
    return memcmp(&a, &b, sizeof a) == 0;
}

static const char full[] =
    "{" BASE ",'num_key_value_heads':1,'head_dim':6,'hidden_act':'silu','rope_theta':500000.0,"
    "'rope_scaling':null,'rms_norm_eps':1e-05,'tie_word_embeddings':true,"
    "'max_position_embeddings':77,'eos_token_id':[1,2],'bos_token_id':null,"
    "'architectures':['LlamaForCausalLM'],'attention_bias':false,'mlp_bias':false,"
    "'quantization_config':null,'torch_dtype':'bfloat16','x':{}}";

static void accepted(void) {
    slm_model_config c;
    slm_error err;

    CHECK_OK(parse(&c, full, &err), err);
    CHECK(c.vocab == 20 && c.dim == 8 && c.n_layers == 2 && c.n_heads == 2 && c.n_kv_heads == 1,
          "sizes");
    CHECK(c.head_dim == 6 && c.ffn == 12 && c.max_seq == 77 && c.tie_embeddings == 1, "sizes");
    CHECK(same(c.rope_theta, 500000.0) && same(c.norm_eps, 1e-5), "numbers");

    CHECK_OK(parse(&c, "{" BASE "}", &err), err);
    CHECK(c.n_kv_heads == 2 && c.head_dim == 4 && c.max_seq == 2048 && c.tie_embeddings == 0,
          "defaults of sizes");
    CHECK(same(c.rope_theta, 10000.0) && same(c.norm_eps, 1e-6), "transformers' defaults");

    CHECK_OK(
        parse(&c, WITH("'tie_word_embeddings':null,'rope_theta':null,'hidden_act':null"), &err),
        err);
    CHECK(c.tie_embeddings == 0 && same(c.rope_theta, 10000.0), "null: as if it were not there");
}

/* transformers 5 has theta in an object. */
static void rope(void) {
    slm_model_config c;
    slm_error err;

    CHECK_OK(parse(&c,
                   WITH("'num_key_value_heads':null,'head_dim':null,"
                        "'rope_parameters':{'rope_type':'default','rope_theta':5e5}"),
                   &err),
             err);
    CHECK(same(c.rope_theta, 500000.0) && c.n_kv_heads == 2, "fields of transformers 5");

    CHECK_OK(parse(&c,
                   WITH("'rope_theta':5e5,'rope_scaling':{'rope_type':'default'},"
                        "'rope_parameters':{'rope_theta':5e5}"),
                   &err),
             err);
    CHECK_OK(parse(&c, WITH("'rope_scaling':{'type':'default','factor':1.0}"), &err), err);
    CHECK_OK(parse(&c, WITH("'partial_rotary_factor':1"), &err), err);
}

static int same_rope(slm_rope_scaling a, slm_rope_scaling b) {
    return a.type == b.type && same(a.factor, b.factor) &&
           same(a.low_freq_factor, b.low_freq_factor) &&
           same(a.high_freq_factor, b.high_freq_factor) && a.original_seq == b.original_seq;
}

static void rope_scaling(void) {
#define LLAMA3                                                                                     \
    "'factor':8,'low_freq_factor':1.0,'high_freq_factor':4,"                                       \
    "'original_max_position_embeddings':8192,'rope_type':'llama3'"
    static const slm_rope_scaling linear = {SLM_ROPE_LINEAR, 2, 0, 0, 0};
    static const slm_rope_scaling llama3 = {SLM_ROPE_LLAMA3, 8, 1, 4, 8192};
    static const slm_rope_scaling plain = {SLM_ROPE_PLAIN, 0, 0, 0, 0};
    static const struct {
        const char *text;
        const slm_rope_scaling *scaling;
    } good[] = {
        {WITH("'rope_scaling':{'type':'linear','factor':2.0}"), &linear},
        {WITH("'rope_scaling':{'type':'linear','factor':2}"), &linear},
        {WITH("'rope_scaling':{'type':'linear','rope_type':'linear','factor':2}"), &linear},
        {WITH("'rope_parameters':{'rope_type':'linear','factor':2,'rope_theta':1e4}"), &linear},
        {WITH("'rope_scaling':{" LLAMA3 "}"), &llama3},
        {WITH("'rope_scaling':{" LLAMA3 ",'type':null}"), &llama3},
        {WITH("'rope_parameters':{" LLAMA3 ",'rope_theta':500000}"), &llama3},
        {WITH("'rope_scaling':{" LLAMA3 "},'rope_parameters':{" LLAMA3 "}"), &llama3},
        {WITH("'rope_scaling':{" LLAMA3 "},'rope_parameters':{'rope_theta':5e5}"), &llama3},
        {WITH("'rope_scaling':null,'rope_parameters':{" LLAMA3 "}"), &llama3},
        {WITH("'rope_scaling':null"), &plain},
        {WITH("'rope_scaling':{'rope_type':'default','factor':1,'partial_rotary_factor':1}"),
         &plain},
    };
    slm_model_config c;
    slm_error err;

    for (size_t i = 0; i < COUNT(good); i++) {
        CHECK_OK(parse(&c, good[i].text, &err), err);
        CHECK(same_rope(c.rope_scaling, *good[i].scaling), "another scaling: %s", good[i].text);
    }
    CHECK_OK(parse(&c, WITH("'rope_scaling':{'type':'linear','factor':1.0}"), &err), err);
    CHECK(c.rope_scaling.type == SLM_ROPE_LINEAR && same(c.rope_scaling.factor, 1),
          "a factor of 1 changes nothing, and is no fault");
}

static void mistral(void) {
    slm_model_config c;
    slm_error err;

    CHECK_OK(parse(&c,
                   MISTRAL("'architectures':['MistralForCausalLM'],'num_key_value_heads':1,"
                           "'sliding_window':4096,'max_position_embeddings':32768"),
                   &err),
             err);
    CHECK(c.sliding_window == 4096 && c.n_kv_heads == 1 && c.max_seq == 32768, "given");
    CHECK_OK(parse(&c, MISTRAL("'num_key_value_heads':2,'sliding_window':null"), &err), err);
    CHECK(c.sliding_window == 0, "null: there is none");
    CHECK_OK(parse(&c, MISTRAL("'num_key_value_heads':null"), &err), err);
    CHECK(c.sliding_window == 4096 && c.n_kv_heads == 2 && c.max_seq == 131072,
          "what transformers takes where the file is silent; null is no silence");
    CHECK_OK(parse(&c, WITH("'sliding_window':4096"), &err), err);
    CHECK(c.sliding_window == 0, "a Llama has none, whatever its file says");
}

/* The files of known models, but for their sizes. */
static void known_models(void) {
    static const char *const files[] = {
        /* TinyLlama, Llama-2 */
        WITH("'architectures':['LlamaForCausalLM'],'attention_bias':false,'bos_token_id':1,"
             "'eos_token_id':2,'hidden_act':'silu','initializer_range':0.02,"
             "'max_position_embeddings':2048,'num_key_value_heads':1,'pretraining_tp':1,"
             "'rms_norm_eps':1e-05,'rope_scaling':null,'rope_theta':10000.0,"
             "'tie_word_embeddings':false,'torch_dtype':'float32',"
             "'transformers_version':'4.35.0','use_cache':true"),
        /* Llama-3.2 */
        WITH("'architectures':['LlamaForCausalLM'],'attention_bias':false,"
             "'attention_dropout':0.0,'bos_token_id':128000,'eos_token_id':[128001,128008,128009],"
             "'head_dim':4,'max_position_embeddings':131072,'mlp_bias':false,"
             "'num_key_value_heads':2,'rope_scaling':{" LLAMA3 "},'rope_theta':500000.0,"
             "'tie_word_embeddings':true,'torch_dtype':'bfloat16'"),
        /* SmolLM2 */
        WITH("'architectures':['LlamaForCausalLM'],'bos_token_id':0,'eos_token_id':0,"
             "'is_llama_config':true,'rope_interleaved':false,'rope_scaling':null,"
             "'rope_theta':100000,'tie_word_embeddings':true,'torch_dtype':'bfloat16',"
             "'transformers.js_config':{'kv_cache_dtype':{'q4f16':'float16'}}"),
        /* Mistral-7B-v0.1 */
        MISTRAL("'architectures':['MistralForCausalLM'],'bos_token_id':1,'eos_token_id':2,"
                "'hidden_act':'silu','max_position_embeddings':32768,'num_key_value_heads':1,"
                "'rms_norm_eps':1e-05,'rope_theta':10000.0,'sliding_window':4096,"
                "'tie_word_embeddings':false,'torch_dtype':'bfloat16'"),
        /* transformers 5 */
        WITH("'architectures':['LlamaForCausalLM'],'dtype':'bfloat16','head_dim':4,"
             "'eos_token_id':[1,2],'rope_parameters':{'rope_theta':500000.0," LLAMA3 "},"
             "'tie_word_embeddings':true,'use_cache':true"),
    };
    slm_model_config c;
    slm_error err;

    for (size_t i = 0; i < COUNT(files); i++)
        CHECK_OK(parse(&c, files[i], &err), err);
}

/* Their real sizes: as many weights as their makers say. */
static void known_sizes(void) {
#define KNOWN(type, vocab, dim, ffn, layers, heads, kv, more)                                      \
    "{'model_type':'" type "','vocab_size':" vocab ",'hidden_size':" dim ",'intermediate_size':"   \
    ffn ",'num_hidden_layers':" layers ",'num_attention_heads':" heads ",'num_key_value_heads':"   \
    kv more "}"
    static const struct {
        const char *text;
        double n_weights;
        int32_t head_dim;
    } known[] = {
        {KNOWN("llama", "32000", "2048", "5632", "22", "32", "4", ""), 1100048384, 64},
        {KNOWN("llama", "32000", "4096", "11008", "32", "32", "32", ""), 6738415616, 128},
        {KNOWN("llama", "128256", "2048", "8192", "16", "32", "8",
               ",'head_dim':64,'tie_word_embeddings':true,'rope_scaling':{" LLAMA3 "}"),
         1235814400, 64},
        {KNOWN("llama", "128256", "4096", "14336", "32", "32", "8", ""), 8030261248, 128},
        {KNOWN("llama", "49152", "576", "1536", "30", "9", "3", ",'tie_word_embeddings':true"),
         134515008, 64},
        {KNOWN("mistral", "32000", "4096", "14336", "32", "32", "8", ""), 7241732096, 128}};
    slm_model_config c;
    slm_error err;

    for (size_t i = 0; i < COUNT(known); i++) {
        CHECK_OK(parse(&c, known[i].text, &err), err);
        CHECK(same(slm__config_n_weights(&c), known[i].n_weights) &&
                  c.head_dim == known[i].head_dim,
              "%.0f weights, not %.0f; heads of %d", slm__config_n_weights(&c),
              known[i].n_weights, (int)c.head_dim);
    }
}

/* ---- special ids ---- */
static void special_ids(void) {
    slm_model_config c;
    slm_error err;
    const slm_special_ids *s = &c.special;
    char many[512] = "{" BASE ",'eos_token_id':[0";

    CHECK_OK(parse(&c, WITH("'bos_token_id':1,'eos_token_id':0,'pad_token_id':20"), &err), err);
    CHECK(s->has_bos && s->bos == 1 && s->n_eos == 1 && s->eos[0] == 0, "0 is an id");
    CHECK(s->has_pad && s->pad == 20, "so is one above the vocabulary");
    CHECK_OK(parse(&c, WITH("'eos_token_id':[128001,128008,128009],'pad_token_id':-1"), &err), err);
    CHECK(s->n_eos == 3 && s->eos[0] == 128001 && s->eos[2] == 128009, "a list");
    CHECK(!s->has_bos && !s->has_pad, "what is not there, and what is -1, is none");
    CHECK_OK(parse(&c, WITH("'eos_token_id':[],'bos_token_id':null"), &err), err);
    CHECK(s->n_eos == 0 && !s->has_bos, "none");

    CHECK(parse(&c, WITH("'eos_token_id':'</s>'"), &err) == SLM_ERR_FORMAT &&
              strstr(err.text, "eos_token_id") != NULL,
          "a text: %s", err.text);
    CHECK(parse(&c, WITH("'bos_token_id':[1]"), &err) == SLM_ERR_FORMAT &&
              strstr(err.text, "bos_token_id") != NULL,
          "a list of begins: %s", err.text);
    CHECK(parse(&c, WITH("'pad_token_id':2147483648"), &err) == SLM_ERR_FORMAT &&
              strstr(err.text, "2147483648") != NULL,
          "2^31: %s", err.text);
    CHECK(parse(&c, WITH("'eos_token_id':[1,null]"), &err) == SLM_ERR_FORMAT, "null in a list");
    for (int i = 0; i < SLM_EOS_MAX - 1; i++)
        (void)snprintf(many + strlen(many), sizeof many - strlen(many), ",%d", i);
    size_t n = strlen(many);
    (void)snprintf(many + n, sizeof many - n, "]}");
    CHECK_OK(parse(&c, many, &err), err);
    CHECK(s->n_eos == SLM_EOS_MAX, "as many as there may be");
    (void)snprintf(many + n, sizeof many - n, ",99]}");
    CHECK(parse(&c, many, &err) == SLM_ERR_FORMAT && strstr(err.text, "more than 16") != NULL,
          "one more: %s", err.text);
    c.special.n_eos = SLM_EOS_MAX + 1;
    CHECK(slm_model_config_check(&c, &err) == SLM_ERR_ARGUMENT, "n_eos is checked");
}

static int same_special(const slm_special_ids *a, const slm_special_ids *b) {
    size_t n_bytes = (size_t)a->n_eos * sizeof a->eos[0];

    return a->has_bos == b->has_bos && a->bos == b->bos && a->has_pad == b->has_pad &&
           a->pad == b->pad && a->n_eos == b->n_eos && memcmp(a->eos, b->eos, n_bytes) == 0;
}

/* One list of fields serves reading and writing: what is written is read back. */
static void check_round_trip(const slm_model_config *c, const char *what) {
    slm_model_config back;
    slm_error err;
    size_t n = 0;

    CHECK_OK(slm__config_write(c, SLM_DTYPE_F32, in("config.json"), &err), err);
    char *text = get("config.json", &n);
    CHECK_OK(slm__config_parse(&back, text, n, "config.json", &err), err);
    CHECK(c->vocab == back.vocab && c->dim == back.dim && c->n_layers == back.n_layers &&
              c->n_heads == back.n_heads && c->n_kv_heads == back.n_kv_heads &&
              c->head_dim == back.head_dim && c->ffn == back.ffn && c->max_seq == back.max_seq &&
              c->tie_embeddings == back.tie_embeddings && same(c->rope_theta, back.rope_theta) &&
              same(c->norm_eps, back.norm_eps) && same_rope(c->rope_scaling, back.rope_scaling) &&
              c->sliding_window == back.sliding_window && same_special(&c->special, &back.special),
          "%s: another configuration was read from %s", what, text);
    free(text);
}

static void round_trip(void) {
    slm_model_config c;
    slm_error err;
    char *text;
    size_t n = 0;

    CHECK_OK(parse(&c, full, &err), err);
    c.rope_theta = 1.0 / 3;
    c.norm_eps = 1.0 / 3e5;
    CHECK_OK(slm__config_write(&c, SLM_DTYPE_BF16, in("config.json"), &err), err);
    text = get("config.json", &n);
    CHECK(text != NULL && strstr(text, "\"torch_dtype\": \"bfloat16\"\n}\n") != NULL, "%s", text);
    free(text);

    check_round_trip(&c, "plain");
    c.rope_scaling.type = SLM_ROPE_LINEAR;
    c.rope_scaling.factor = 10.0 / 3;
    check_round_trip(&c, "linear");
    c.rope_scaling.type = SLM_ROPE_LLAMA3;
    c.rope_scaling.low_freq_factor = 1;
    c.rope_scaling.high_freq_factor = 4.5;
    c.rope_scaling.original_seq = 8192;
    check_round_trip(&c, "llama3");
    c.special.has_bos = 1;
    c.special.has_pad = 1;
    c.special.pad = 3;
    check_round_trip(&c, "special ids");
    c.special.n_eos = 1;
    check_round_trip(&c, "one end");
    c.special.n_eos = 0;
    check_round_trip(&c, "no end");
    c.sliding_window = 64;
    check_round_trip(&c, "mistral");

    c.norm_eps = (double)NAN;
    CHECK(slm__config_write(&c, SLM_DTYPE_F32, in("config.json"), &err) == SLM_ERR_ARGUMENT &&
              strstr(err.text, "rms_norm_eps") != NULL,
          "NaN was written: %s", err.text);
}

static void truncated(void) {
    const char *json = quoted(full);
    slm_model_config c;
    slm_error err;

    for (size_t i = 0; i < sizeof full - 1; i++)
        CHECK(slm__config_parse(&c, json, i, "config.json", &err) == SLM_ERR_FORMAT,
              "the first %zu bytes were accepted", i);
}

int main(int argc, char **argv) {
    slm_error err;

    (void)snprintf(root, sizeof root, "%s/config", argc > 1 ? argv[1] : "build/tmp");
    if (slm__make_folder(root, &err) != SLM_OK) {
        printf("%s\n", err.text);
        return 1;
    }
    refused();
    accepted();
    rope();
    rope_scaling();
    mistral();
    known_models();
    known_sizes();
    special_ids();
    round_trip();
    truncated();
    CHECK(alloc_held == 0, "%ld blocks of memory are never freed", alloc_held);
    return check_end();
}
