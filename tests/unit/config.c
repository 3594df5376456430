/* config.json: bad ones by name, each refused with the field; fields, defaults, old and new places
   of RoPE's theta; what is written is read back; every truncation.
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
    {"another architecture", WITH("'architectures':['MistralForCausalLM']")},
    {"architectures a string", WITH("'architectures':'LlamaForCausalLM'")},
    {"gelu", WITH("'hidden_act':'gelu'")},
    {"attention bias", WITH("'attention_bias':true")},
    {"mlp bias", WITH("'mlp_bias':true")},
    {"attention bias a number", WITH("'attention_bias':0")},
    {"quantized", WITH("'quantization_config':{'bits':4}")},
    {"rope linear", WITH("'rope_scaling':{'type':'linear','factor':2.0}")},
    {"rope llama3", WITH("'rope_scaling':{'rope_type':'llama3','factor':8.0}")},
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

/* One list of fields serves reading and writing: what is written is read back. */
static void round_trip(void) {
    slm_model_config c, back;
    slm_error err;
    char *text;
    size_t n = 0;

    CHECK_OK(parse(&c, full, &err), err);
    c.rope_theta = 1.0 / 3;
    c.norm_eps = 1.0 / 3e5;
    CHECK_OK(slm__config_write(&c, SLM_DTYPE_BF16, in("config.json"), &err), err);
    text = get("config.json", &n);
    CHECK(text != NULL && strstr(text, "\"torch_dtype\": \"bfloat16\"\n}\n") != NULL, "%s", text);
    CHECK_OK(slm__config_parse(&back, text, n, "config.json", &err), err);
    CHECK(c.vocab == back.vocab && c.dim == back.dim && c.n_layers == back.n_layers &&
              c.n_heads == back.n_heads && c.n_kv_heads == back.n_kv_heads &&
              c.head_dim == back.head_dim && c.ffn == back.ffn && c.max_seq == back.max_seq &&
              c.tie_embeddings == back.tie_embeddings && same(c.rope_theta, back.rope_theta) &&
              same(c.norm_eps, back.norm_eps),
          "another configuration was read");
    free(text);

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
    round_trip();
    truncated();
    return check_end();
}
