/* safetensors_cases.h: headers of safetensors files that must be accepted and that must be refused.
   Each becomes a file: the header, in which ' stands for ", then n_data bytes of data. */
#ifndef SAFETENSORS_CASES_H
#define SAFETENSORS_CASES_H

typedef struct safetensors_case {
    const char *name;
    const char *header;
    size_t n_data;
} safetensors_case;

/* One tensor "a" of F32, with these members. */
#define F32(members) "{'a':{'dtype':'F32'," members "}}"

static const safetensors_case good_headers[] = {
    {"no tensors", "{}", 0},
    {"metadata only", "{'__metadata__':{'format':'pt'}}", 0},
    {"metadata empty", "{'__metadata__':{}}", 0},
    {"metadata null", "{'__metadata__':null}", 0},
    {"one tensor", "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}}", 8},
    {"scalar", "{'a':{'dtype':'F32','shape':[],'data_offsets':[0,4]}}", 4},
    {"zero dimension", "{'a':{'dtype':'F32','shape':[0,3],'data_offsets':[0,0]}}", 0},
    {"zero before overflow",
     "{'a':{'dtype':'F32','shape':[0,9223372036854775808,9223372036854775808],'data_offsets':[0,"
     "0]}}",
     0},
    {"members in another order", "{'a':{'data_offsets':[0,8],'shape':[1],'dtype':'F64'}}", 8},
    {"tensors out of order",
     "{'b':{'dtype':'U8','shape':[3],'data_offsets':[2,5]},'a':{'dtype':'U8','shape':[2],"
     "'data_offsets':[0,2]}}",
     5},
    {"empty tensor between",
     "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]},'b':{'dtype':'U8','shape':[0],"
     "'data_offsets':[2,2]},'c':{'dtype':'U8','shape':[1],'data_offsets':[2,3]}}",
     3},
    {"extra field", "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1],'x':[{}]}}", 1},
    {"padded with spaces", "{}              ", 0},
    {"padded in front", "  \n{}", 0},
    {"unicode name", "{'\\u00e9\xC3\xA9':{'dtype':'BOOL','shape':[1],'data_offsets':[0,1]}}", 1},
    {"empty name", "{'':{'dtype':'I8','shape':[1],'data_offsets':[0,1]}}", 1},
    {"F4 in whole bytes", "{'a':{'dtype':'F4','shape':[4],'data_offsets':[0,2]}}", 2},
    {"F6 in whole bytes", "{'a':{'dtype':'F6_E2M3','shape':[4],'data_offsets':[0,3]}}", 3},
    {"C64", "{'a':{'dtype':'C64','shape':[1],'data_offsets':[0,8]}}", 8},
    {"I16", "{'a':{'dtype':'I16','shape':[1],'data_offsets':[0,2]}}", 2}};

static const safetensors_case bad_headers[] = {
    {"not JSON", "hello", 0},
    {"empty header", "", 0},
    {"only spaces", "    ", 0},
    {"an array", "[]", 0},
    {"a string", "'a'", 0},
    {"cut off", "{'a':{'dtype':'F32'", 0},
    {"two objects", "{}{}", 0},
    {"byte order mark", "\xEF\xBB\xBF{}", 0},
    {"name not UTF-8", "{'\xFF':{'dtype':'U8','shape':[1],'data_offsets':[0,1]}}", 1},
    {"name with a lone surrogate", "{'\\ud800':{'dtype':'U8','shape':[1],'data_offsets':[0,1]}}",
     1},
    {"name with a NUL", "{'a\\u0000b':{'dtype':'U8','shape':[1],'data_offsets':[0,1]}}", 1},
    {"tensor is null", "{'a':null}", 0},
    {"tensor is a number", "{'a':1}", 0},
    {"tensor is a list", "{'a':[]}", 0},
    {"tensor is empty", "{'a':{}}", 0},
    {"no dtype", "{'a':{'shape':[1],'data_offsets':[0,4]}}", 4},
    {"no shape", F32("'data_offsets':[0,4]"), 4},
    {"no offsets", F32("'shape':[1]"), 4},
    {"dtype twice", F32("'dtype':'F32','shape':[1],'data_offsets':[0,4]"), 4},
    {"shape twice", F32("'shape':[1],'shape':[1],'data_offsets':[0,4]"), 4},
    {"offsets twice", F32("'shape':[1],'data_offsets':[0,4],'data_offsets':[0,4]"), 4},
    {"dtype unknown", "{'a':{'dtype':'F33','shape':[1],'data_offsets':[0,4]}}", 4},
    {"dtype in small letters", "{'a':{'dtype':'f32','shape':[1],'data_offsets':[0,4]}}", 4},
    {"dtype empty", "{'a':{'dtype':'','shape':[1],'data_offsets':[0,4]}}", 4},
    {"dtype with a NUL", "{'a':{'dtype':'F32\\u0000','shape':[1],'data_offsets':[0,4]}}", 4},
    {"dtype a number", "{'a':{'dtype':32,'shape':[1],'data_offsets':[0,4]}}", 4},
    {"shape a number", F32("'shape':1,'data_offsets':[0,4]"), 4},
    {"shape a string", F32("'shape':'1','data_offsets':[0,4]"), 4},
    {"shape with a string", F32("'shape':['1'],'data_offsets':[0,4]"), 4},
    {"shape negative", F32("'shape':[-1],'data_offsets':[0,4]"), 4},
    {"shape minus zero", F32("'shape':[-0],'data_offsets':[0,0]"), 0},
    {"shape 1.0", F32("'shape':[1.0],'data_offsets':[0,4]"), 4},
    {"shape 1e0", F32("'shape':[1e0],'data_offsets':[0,4]"), 4},
    {"shape 01", F32("'shape':[01],'data_offsets':[0,4]"), 4},
    {"shape null", F32("'shape':null,'data_offsets':[0,4]"), 4},
    {"shape 2^64", F32("'shape':[18446744073709551616],'data_offsets':[0,4]"), 4},
    {"shape overflows",
     F32("'shape':[9223372036854775808,9223372036854775808,0],'data_offsets':[0,0]"), 0},
    {"shape times 4 overflows", F32("'shape':[4611686018427387905],'data_offsets':[0,4]"), 4},
    {"shape times 32 bits overflows", F32("'shape':[576460752303423489],'data_offsets':[0,4]"), 4},
    {"nine dimensions", F32("'shape':[1,1,1,1,1,1,1,1,1],'data_offsets':[0,4]"), 4},
    {"offsets one", F32("'shape':[1],'data_offsets':[0]"), 4},
    {"offsets three", F32("'shape':[1],'data_offsets':[0,4,4]"), 4},
    {"offsets none", F32("'shape':[1],'data_offsets':[]"), 4},
    {"offsets reversed", F32("'shape':[1],'data_offsets':[4,0]"), 4},
    {"offsets negative", F32("'shape':[1],'data_offsets':[-4,0]"), 4},
    {"offsets too short", F32("'shape':[2],'data_offsets':[0,4]"), 4},
    {"offsets too long", F32("'shape':[1],'data_offsets':[0,8]"), 8},
    {"offsets 2^64", F32("'shape':[1],'data_offsets':[0,18446744073709551616]"), 4},
    {"F16 with the size of F32", "{'a':{'dtype':'F16','shape':[1],'data_offsets':[0,4]}}", 4},
    {"F4 in half bytes", "{'a':{'dtype':'F4','shape':[3],'data_offsets':[0,2]}}", 2},
    {"F4 in half bytes, rounded down", "{'a':{'dtype':'F4','shape':[3],'data_offsets':[0,1]}}", 1},
    {"a gap in front", F32("'shape':[1],'data_offsets':[4,8]"), 8},
    {"a trailing byte", F32("'shape':[1],'data_offsets':[0,4]"), 5},
    {"data one byte short", F32("'shape':[1],'data_offsets':[0,4]"), 3},
    {"no data", F32("'shape':[1],'data_offsets':[0,4]"), 0},
    {"data past the end",
     F32("'shape':[1],'data_offsets':[18446744073709551612,18446744073709551616]"), 4},
    {"data without tensors", "{}", 1},
    {"a hole between",
     "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},'b':{'dtype':'U8','shape':[1],"
     "'data_offsets':[2,3]}}",
     3},
    {"an overlap",
     "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]},'b':{'dtype':'U8','shape':[2],"
     "'data_offsets':[1,3]}}",
     3},
    {"the same bytes twice",
     "{'a':{'dtype':'U8','shape':[2],'data_offsets':[0,2]},'b':{'dtype':'U8','shape':[2],"
     "'data_offsets':[0,2]}}",
     2},
    {"duplicate name",
     "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},'a':{'dtype':'U8','shape':[1],"
     "'data_offsets':[1,2]}}",
     2},
    {"duplicate name, equal",
     "{'a':{'dtype':'U8','shape':[0],'data_offsets':[0,0]},'a':{'dtype':'U8','shape':[0],"
     "'data_offsets':[0,0]}}",
     0},
    {"metadata a list", "{'__metadata__':[]}", 0},
    {"metadata a string", "{'__metadata__':'pt'}", 0},
    {"metadata with a number", "{'__metadata__':{'a':1}}", 0},
    {"metadata with null", "{'__metadata__':{'a':null}}", 0},
    {"metadata nested", "{'__metadata__':{'a':{}}}", 0},
    {"metadata twice", "{'__metadata__':{},'__metadata__':{}}", 0},
    {"metadata with a NUL", "{'__metadata__':{'a':'\\u0000'}}", 0},
    {"metadata key with a NUL", "{'__metadata__':{'a\\u0000':''}}", 0},
    {"trailing comma", "{'a':{'dtype':'U8','shape':[1],'data_offsets':[0,1]},}", 1}};
#endif
