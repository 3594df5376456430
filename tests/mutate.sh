#!/bin/sh
# `make mutate`: breaks slm.h, one small change at a time, and requires that the tests notice.  A
# change that no test notices has survived: a test is missing.  Killed counts as passed, survived
# as failed.
#
#     sh tests/mutate.sh [WORD...]      only the changes whose name holds one of the words
#     sh tests/mutate.sh -n [WORD...]   only looks whether each change finds its place
#
# change NAME "TESTS" OLD NEW: OLD occurs exactly once in slm.h, white space aside (else that is a
# failure: the text has changed, adapt this list).  TESTS are tried in their order until one fails:
# names of tests/unit/NAME.c, `audit` (tools/audit/audit.c against tests/data/golden_*) or `dropin`
# (tests/system/dropin.c).  A test that fails without any change counts for nothing and is named.
cd "$(dirname "$0")/.." || exit 1
. tests/support/build.sh
root=$PWD dir=build/mutate workers=2
export OMP_WAIT_POLICY=passive OMP_NUM_THREADS=2
rm -rf $dir && mkdir -p $dir || exit 1

mutations() {
# ---- base ----
change 'size check of products' 'safetensors step folders' \
    'return b == 0 || a <= SIZE_MAX / b;' 'return 1;'
change 'size of a product' 'dropin audit' \
    '*out = a * b;' '*out = a + b;'
change 'uniform numbers' 'dropin tokenizer selection' \
    'slm_rng_next(rng) >> 11)' 'slm_rng_next(rng) >> 12)'
change 'each thread draws from its place' 'pieces' \
    'words * (uint64_t)first * SLM__GOLDEN}' 'words * (uint64_t)p * SLM__GOLDEN}'
change 'hashes of pieces are folded in order' 'pieces' \
    'hash = slm__checksum_word(hash, piece_hash[i]);' 'hash += piece_hash[i];'
# ---- selection ----
change 'k is rounded' 'selection' \
    'floor(ratio * (double)n + 0.5)' 'floor(ratio * (double)n)'
change 'k is at least 1' 'selection' \
    'if (!(k >= 1)) k = 1;' 'if (!(k >= 1)) k = 0;'
change 'both zeros tie' 'selection' \
    'score += 0;' ';'
change 'order of negative scores' 'selection' \
    'return bits & sign ?' 'return !(bits & sign) ?'
change 'above the cut' 'selection' \
    'return key > cut->key ||' 'return key >= cut->key ||'
change 'ties to the lowest index' 'selection' \
    'i < cut->tie_end' 'i <= cut->tie_end'
change 'bucket of the k-th score' 'selection' \
    'rank -= counts[bucket];' 'rank -= 1;'
change 'the prefix of higher bytes' 'selection' \
    'prefix = prefix << 8 |' 'prefix = prefix << 7 |'
change 'ties over processes' 'selection' \
    'ties > n_equal_before_me ? ties - n_equal_before_me : 0' 'ties'
change 'random scores over processes, micro-batch by micro-batch' 'step' \
    's->n_micro_before = n;' 's->n_micro_before = 0 * n;'
change 'NaN is refused' 'selection' \
    'if (valid[i] && score[i] != score[i])' 'if (!valid[i] && score[i] != score[i])'
change 'excess is a difference' 'selection step' \
    'score[i] = t->loss[i] - t->ref_loss[i]' 'score[i] = t->loss[i] + t->ref_loss[i]'
change 'ref is negated' 'selection' \
    'score[i] = -t->ref_loss[i]' 'score[i] = t->ref_loss[i]'
change 'entropy is negated' 'selection' \
    'score[i] = -t->ref_entropy[i]' 'score[i] = t->ref_entropy[i]'
change 'intersect and union' 'selection' \
    'both ? likely && certain : likely || certain' \
    'both ? likely || certain : likely && certain'
change 'valid targets' 'selection step' \
    'targets == NULL || targets[i] >= 0;' 'targets == NULL || targets[i] >= -1;'
change 'ratio above 1' 'selection' \
    'return ratio > 0 && ratio <= 1;' 'return ratio > 0 && ratio <= 2;'
change 'scope sequence' 'selection' \
    'if (options->scope != SLM_SCOPE_SEQUENCE) {' 'if (options->scope != SLM_SCOPE_MICRO) {'
change 'only scope batch asks the others' 'selection' \
    'if (options->scope != SLM_SCOPE_BATCH) t.group = NULL;' ';'
change 'a ratio of 0 is refused' 'selection' \
    'return ratio > 0 && ratio <= 1;' 'return ratio >= 0 && ratio <= 1;'
change 'a score of its own that failed' 'selection step' \
    'own_score(options->own_user, score, t) == 0' 'own_score(options->own_user, score, t) >= 0'
change 'selected: the local number' 'selection' \
    '*n_selected = slm__count_marked(mask, t.n);' '*n_selected = (size_t)contest.n_valid;'
change 'random differs between steps' 'selection' \
    'slm__mix(step + 1)' 'slm__mix(1)'
# ---- kernels ----
change 'exp: the second part of ln 2' 'audit kernels' \
    'SLM__BY_TYPE(-2.12194440e-4,' 'SLM__BY_TYPE(2.12194440e-4,'
change 'swiglu backward' 'audit gradients' \
    'slm__fma(isa, gate[i], 1 - s, 1)' 'slm__fma(isa, gate[i], 1 + s, 1)'
change 'rmsnorm backward' 'audit gradients' \
    'mean = -slm__fold(s)' 'mean = slm__fold(s)'
change 'rotation' 'audit gradients' \
    'cosine[i], -(b * s))' 'cosine[i], b * s)'
change 'second moment' 'audit' \
    'rest2 * d * d' 'rest2 * d'
change 'weight decay' 'audit' \
    '1.0 - (double)lr * (double)decay' '1.0 + (double)lr * (double)decay'
change 'bias correction 2' 'audit' \
    'v[i] * correct2' 'v[i] * correct1'
change 'softmax backward' 'audit gradients' \
    'dp[i] = p[i] * (dp[i] - e)' 'dp[i] = p[i] * (dp[i] + e)'
change 'gemm: sums over blocks of k' 'kernels' \
    'block > 0 ? SLM__ADD : add' 'add'
change 'gemm: rows of the copied A' 'kernels' \
    'SLM__KC * SLM__MC * (size_t)SLM__THREAD()' '0'
change 'gemm: two places for B' 'kernels' \
    'place = !place;' ';'
change 'gemm: packed, blocks of k' 'kernels' \
    'k0 > 0 ? SLM__ADD : add, C)' 'add, C)'
change 'entropy counts 0 times -inf 0' 'kernels' \
    'd = d < lowest ? lowest : d;' ';'
change 'gemm: rows of a panel' 'kernels' \
    'panel[a_index + i] : row[i][a_index]; SLM__VECTOR_FOR' \
    'panel[a_index] : row[i][a_index]; SLM__VECTOR_FOR'
change 'gemm: panels one after another' 'kernels' \
    'panels + (i0 + i) * depth : NULL' 'panels + (i0 + i + MR) * depth : NULL'
change 'matvec: which matrix' 'kernels audit' \
    'while (piece >= slm__n_blocks(' 'while (piece > slm__n_blocks('
change 'root: a step of Newton' 'kernels' \
    'three_halves = (slm_real)1.5;' 'three_halves = (slm_real)1.4;'
change 'root: of infinity' 'kernels' \
    'return s + (number - x);' 'return s;'
change 'what all threads cost is paid' 'team' \
    'pace * (double)work - seconds' 'pace * (double)work + seconds'
change 'one thread works longer after each failure' 'team' \
    'SLM__TEAM_REST << team->n_failures' 'SLM__TEAM_REST << (0 * team->n_failures)'
change 'no more threads than the work has use for' 'team' \
    'if (team->most < useful) team->most = useful;' 'team->most = SLM__MOST_THREADS;'
change 'at most 1024 threads' 'team' \
    'slm__min((size_t)omp_get_max_threads(), SLM__MOST_THREADS)' '(size_t)omp_get_max_threads()'
# ---- tape ----
change 'overwrite or add' 'audit gradients' \
    'if (unset && live == NULL) return' 'if (!unset && live == NULL) return'
change 'dead rows are zero' 'gradients step' \
    'if (gap > 0) memset(t->grad + done * t->cols' \
    'if (gap > 99999) memset(t->grad + done * t->cols'
change 'two lists of rows' 'step gradients' \
    'if (t->live != NULL && t->live != live) slm__grad_make_dense(t);' ';'
change 'the seed of the sweep' 'audit' \
    'loss->grad[0] = 1;' 'loss->grad[0] = 2;'
change 'first error sticks' 'gradients step dropin' \
    'if (tape->error.status != SLM_OK && err != NULL) *err = tape->error;' ';'
# ---- operations ----
change 'a new gradient is zero' 'audit gradients' \
    'if (mode == SLM__GRAD_OVERWRITE) slm__grad_zero(tape, t);' ';'
change 'rope: made again unturned' 'step' \
    'x->maker->forward = NULL;' ';'
change 'recompute: forgotten' 'step' \
    't->tape->recompute = t->options.recompute;' ';'
change 'swiglu: adds to a gradient' 'kernels gradients' \
    'slope, add_gate ? dgate[i] : 0)' 'slope, 0)'
change 'linear: gradient of w' 'audit gradients' \
    'SLM__TN, O, C, N, g' 'SLM__TN, O, C, N - 1, g'
change 'rmsnorm: eps' 'audit' \
    'sqrt(mean_square + eps)' 'sqrt(mean_square - eps)'
change 'rope: frequencies' 'audit' \
    'f = pow(theta, -2.0' 'f = pow(theta, -1.0'
change 'rope: between high and low' 'model' \
    'return kept * f + (1 - kept)' 'return kept * f + kept'
change 'rope: scaled in generation' 'model' \
    'slm_rope_frequency(i, c->head_dim, c->rope_theta, &c->rope_scaling);' \
    'slm_rope_frequency(i, c->head_dim, c->rope_theta, NULL);'
change 'rope: positions in a document' 'documents' \
    '(n % angles->rows - start) * D;' '(n % angles->rows - 0 * start) * D;'
change 'rope: turned back in a document' 'gradients' \
    'node->in[0], document_start, -1);' 'node->in[0], NULL, -1);'
change 'documents in order' 'gradients' \
    'if (begins || goes_on) continue;' 'if (begins || start[n] >= 0) continue;'
change 'attention: where a document ends' 'documents' \
    'while (span->first + span->n < T && (size_t)start[span->first + span->n] == span->first)' \
    'while (span->first + span->n < T && (size_t)start[span->first + span->n] <= span->first + 2)'
change 'rope after a reader' 'step' \
    'if (node->in[0] == x || node->in[1] == x' 'if (node->in[0] == NULL || node->in[1] == x'
change 'rope: turned back' 'audit gradients' \
    'node->in[0], document_start, -1)' 'node->in[0], document_start, 1)'
change 'attention is causal' 'audit gradients' \
    'slm__exp_shift(row, row, max, visible)' 'slm__exp_shift(row, row, max, block->reach)'
change 'entropy of a row' 'audit' \
    'log_sum - sum_z / sum' 'log_sum + sum_z / sum'
change 'softmax minus one-hot' 'audit gradients' \
    'z[job->rows->targets[n]] -= factor;' 'z[job->rows->targets[n]] += factor;'
change 'selected rows are live' 'audit step' \
    '(mask == NULL || mask[n])' '(mask == NULL || !mask[n])'
change 'the divisor is k' 'audit' \
    '(slm_real)(weight / job->factors->divisor)' '(slm_real)(weight / (job->factors->divisor + 1))'
change 'loss: scaled by dL' 'gradients' \
    'if (dL != 1) slm__grad_scale(tape, &unit, dL);' ';'
change 'loss: its weights' 'gradients' \
    'factors->weights != NULL ? (double)factors->weights[n] : 1.0' '1.0'
change 'loss: the head is shared' 'gradients' \
    'place == SLM__LOSS_AT_END ? rows->head : &unit->dhead' 'rows->head'
change 'leaves that nothing reaches' 'gradients' \
    '(void)slm__grad_prepare_to_add(tape, leaf, NULL, 0);' ';'
change 'loss: without live rows' 'gradients' \
    'if (job.n_live == 0 && job.dhead != NULL)' 'if (0)'
change 'attention: heads in groups' 'audit gradients' \
    'h * s->KV / s->H * s->D' 'h % s->KV * s->D'
change 'attention: the next live rows' 'step gradients' \
    'if (row >= start + n) break;' ';'
change 'target outside the vocabulary' 'step gradients' \
    '(size_t)rows->targets[n] >= head->rows)' '(size_t)rows->targets[n] > head->rows)'
# ---- model ----
change 'residual around the MLP' 'audit' \
    'w[SLM__DOWN], middle)' 'w[SLM__DOWN], NULL)'
change 'norms take no decay' 'audit' \
    'p->decay = kind.rows != SLM__EXTENT_ONE' 'p->decay = kind.rows == SLM__EXTENT_ONE'
change 'heads per kv head' 'config json dropin step' \
    'if (c.n_heads % c.n_kv_heads != 0)' 'if (c.n_heads % c.n_kv_heads == 0)'
change 'even head_dim' 'config step' \
    'if (c.head_dim % 2 != 0)' 'if (c.head_dim % 2 > 2)'
change 'residual writers start small' 'step gradients' \
    'usual / sqrt(2.0' 'usual * sqrt(2.0'
# ---- optimizer ----
change 'warm-up begins above 0' 'dropin' \
    '(double)(step + 1) / (double)o->warmup' '(double)step / (double)o->warmup'
change 'cosine goes down' 'step' \
    '(1 + cos(' '(1 - cos('
change 'clipping' 'audit' \
    'limit / (norm + 1e-6)' 'limit * (norm + 1e-6)'
change 'clipping only shrinks' 'audit' \
    'factor < 1.0 ? factor : 1.0' 'factor > 1.0 ? factor : 1.0'
change 'bias correction counts from 1' 'audit' \
    'step.t = t->steps + 1;' 'step.t = t->steps + 2;'
change 'the norm has all pieces' 'step kernels' \
    'sum += partial[p];' 'sum = partial[p];'
# ---- step ----
change 'rows that may be selected' 'step' \
    'size_t k = slm__step_k(s, i, group_size);' \
    'size_t k = slm__step_k(s, i, slm__min(group_size, end - i));'
change 'divisor over micro-batches' 'step' \
    's->k += k;' 's->k = k;'
change 'step: weights of targets' 'step gradients' \
    'slm__loss_factors factors = {batch->weights,' 'slm__loss_factors factors = {NULL,'
change 'update: refuses NaN' 'step' \
    'if (!(grad_norm <= DBL_MAX))' 'if (!(grad_norm >= 0))'
change 'ratio 1 is plain' 'step' \
    's->ratio >= 1.0' 's->ratio >= 1.5'
change 'nothing on a NaN' 'step' \
    'if (!(grad_norm <= DBL_MAX) ||' 'if (!(grad_norm >= 0) ||'
change 'entries of later micro-batches' 'step' \
    't->targets + first, micro[i]->targets' 't->targets, micro[i]->targets'
# ---- generation ----
change 'generation: scaled logits' 'audit' \
    'slm__scale(p, (slm_real)(1.0 / sqrt((double)D)), n);' ';'
change 'generation: residual' 'audit' \
    'slm__matvec(&output, 1, g->y, H * D, 1, &g->team);' \
    'slm__matvec(&output, 1, g->y, H * D, 0, &g->team);'
change 'sampling: top_p' 'generation' \
    'mass < o.top_p * sum' 'mass < options->top_p'
change 'sampling: top_k' 'generation' \
    'slm__min(V, (size_t)o.top_k)' 'slm__min(V, (size_t)options->top_k + 1)'
change 'sampling: partial sums' 'generation' \
    'sums[(first + i) % SLM__LANES] += weights[i];' 'sums[0] += weights[i];'
change 'sampling: equals by their ids' 'generation' \
    'return x->token < y->token ? -1 : 1;' 'return x->token < y->token ? 1 : -1;'
change 'sampling: finite logits' 'generation' \
    'n_allowed += logits[i] <= largest;' 'n_allowed += !(logits[i] > largest);'
change 'sampling: greedy' 'generation' \
    'while (logits[*token] < largest)' 'while (logits[*token] > largest)'
change 'likeliest: the last gives way' 'generation' \
    '!(logits[token] > choices[k - 1].p)' '!(logits[token] >= choices[0].p)'
# ---- scoring ----
change 'scores of other windows' 'scores' \
    'if (losses->T != T)' 'if (losses->T > T)'
change 'scores of another tokenizer' 'scores' \
    'losses->tokenizer_hash != corpus->tokenizer_hash' \
    'losses->tokenizer_hash > corpus->tokenizer_hash'
change 'a part for the whole' 'scores' \
    'else if (losses->n != losses->total)' 'else if (losses->n > losses->total)'
change 'masked tokens do not count' 'scores' \
    'if (!slm_corpus_is_target(corpus, i + 1)) continue;' \
    'if (!slm_corpus_is_target(corpus, i)) continue;'
change 'bytes of the targets only' 'scores' \
    'sum.bytes += (size_t)corpus->token_bytes[token];' 'sum.bytes++;'
change 'scores within documents' 'documents' \
    'else if (losses->documents_hash != slm__documents_in_effect(corpus))' \
    'else if (losses->documents_hash > slm__documents_in_effect(corpus))'
change 'interval: the lower limit' 'scores' \
    '*low = below[0]' '*low = above[0]'
change 'a damaged file' 'runs scores' \
    'if (strcmp(text, slm_safetensors_metadata(file, "checksum")) != 0)' \
    'if (0 * strcmp(text, slm_safetensors_metadata(file, "checksum")) != 0)'
change 'streamed: each batch has its hidden states' 'stream' \
    'g->hidden + (entry - g->first) * C' 'g->hidden + (entry - entry) * C'
change 'streamed: a stop loses only its group' 'stream' \
    'if (part == SLM__PART_HEAD) s->n_done = g->end;' 's->n_done = g->end;'
change 'streamed: the head must be what it is tied to' 'stream' \
    'if (status == SLM_OK && i == 0)' 'if (status == SLM_OK && i == 1)'
# ---- json ----
change 'json: depth' 'json' \
    'if (depth > SLM__JSON_DEPTH)' 'if (depth > SLM__JSON_DEPTH + 1)'
change 'json: overlong UTF-8' 'json' \
    'c < least[n] ||' 'c < least[n] - 64 ||'
change 'json: low surrogates' 'json' \
    'if (low < 0xDC00 ||' 'if (low < 0xD800 ||'
change 'json: largest number' 'json' \
    '(UINT64_MAX - (uint64_t)digit) / 10;' '(UINT64_MAX - 0 * (uint64_t)digit) / 10;'
change 'json: where a member ends' 'json tokenizer' \
    'slm__json_complete(j, index, name_end);' \
    'slm__json_complete(j, index, name_end + 1);'
change 'json: a member twice' 'json config' \
    'found == NULL, "is there twice"' '1, "is there twice"'
change 'json: control characters' 'json' \
    'if (c < 0x20) { (void)slm__json_fail' 'if (c < 0x1f) { (void)slm__json_fail'
# ---- tokenizers ----
change 'merges: the leftmost first' 'tokenizer' \
    'tree[i].priority = left < right ?' 'tree[i].priority = left >> 32 < right >> 32 ?'
change 'merges: who stands before' 'tokenizer' \
    'tree[after_right].before = leaf;' ';'
change 'pairs before a merge' 'tokenizer' \
    'if (tree[leaf].before != 0) slm__tree_update(t, tree, tree[leaf].before);' ';'
change 'training: ties' 'tokenizer' \
    'slot->key < best.key' 'slot->key > best.key'
change 'training: counts after a merge' 'tokenizer' \
    'slm__bpe_train_count_pair(trainer, b, after, -*count);' ';'
change 'training: a pair occurs twice' 'tokenizer' \
    'if (best.value < 2) return 0;' 'if (best.value < 3) return 0;'
change 'the longest added token' 'tokenizer' \
    'tokens[i].prefix = k;' ';'
change 'the last added token before the text' 'tokenizer' \
    'middle].size, s, n) <= 0)' 'middle].size, s, n) < 0)'
change 'added tokens that begin a longer one' 'tokenizer' \
    'i = tokens[i].prefix;' 'i = -1;'
change 'ids of decode' 'tokenizer' \
    'id >= slm_tokenizer_vocab(tokenizer)) return NULL;' \
    'id > slm_tokenizer_vocab(tokenizer)) return NULL;'
change 'characters: U+2581 is a space' 'tokenizer_llama' \
    "return c == 0x2581 ? ' ' : c;" 'return c;'
change 'characters: which pairs merges join' 'tokenizer_llama' \
    'c->ascii_joined[x][y] = 1;' ';'
change 'characters: pairs beyond ASCII' 'tokenizer_llama' \
    'slm__map_add(&c->joined, slm__pair_key(x, y), 1, err)' \
    'slm__map_add(&c->joined, slm__pair_key(y, x), 1, err)'
change 'characters: tokens of bytes that merge' 'tokenizer_llama' \
    'slm__byte_token(right, b->size) >= 0) c->cut = 0;' \
    'slm__byte_token(right, b->size) >= 0) c->cut = 1;'
change 'characters: unknown tokens that merge' 'tokenizer_llama' \
    'merges[i].b == c->unknown) c->cut = 0;' 'merges[i].b == c->unknown) c->cut = 1;'
change 'characters: no cut before what is unknown' 'tokenizer_llama' \
    '(is_token || !unknown_due)' '(1 || is_token)'
change 'characters: a space in the file is none' 'tokenizer_llama' \
    "s[0] == ' ' || slm__token_find(t, s, n) != id" 'slm__token_find(t, s, n) != id'
change 'unknown tokens are fused' 'tokenizer_llama' \
    'if (!t->characters->fuse_unknown) slm__encode_unknown' 'slm__encode_unknown'
change 'unknown tokens at the end of a piece' 'tokenizer_llama' \
    'slm__encode_unknown(e, &unknown_due);' ';'
change 'Metaspace: split' 'tokenizer_llama' \
    "c->split_spaces && character == ' ') break;" "c->split_spaces && character == '_') break;"
change 'Metaspace: first' 'tokenizer_llama' \
    'prefix == SLM__PREFIX_FIRST && s != e->whole' 'prefix == SLM__PREFIX_FIRST && s == NULL'
change 'a space before each text' 'tokenizer_llama' \
    'if (kind == SLM__ADDED_NORMALIZED && t->prefix_space == SLM__PREFIX_ALWAYS)' \
    'if (kind == SLM__ADDED_NORMALIZED && s == e->whole)'
change 'a space before normalized tokens' 'tokenizer_llama' \
    'int normalize = kind == SLM__ADDED_NORMALIZED &&' 'int normalize = 0 &&'
change 'decoding: the space before a text' 'tokenizer_llama' \
    'position == 0 && strips' 'strips'
change 'tokens of bytes in small letters' 'tokenizer_llama' \
    'digit < 16 ? digit : digit - 6' 'digit < 16 ? digit : digit'
change 'fingerprints of characters' 'tokenizer_llama' \
    'hash = slm__hash_ids(hash, more, 6);' ';'
# ---- data ----
change 'tokens of a source are hashed' 'data' \
    'slm__hash_ids(corpus->hash, &token, 1)' 'slm__hash_ids(SLM_HASH_START, &token, 1)'
change 'a bad record leaves nothing' 'data' \
    'out->text.size = size_before;' 'out->text.size += 0 * size_before;'
change 'going back in a text' 'generation' \
    'n_tokens < generator->n_tokens) generator->n_tokens = n_tokens;' \
    'n_tokens < generator->n_tokens) generator->n_tokens = 0;'
change 'windows of a corpus' 'data' \
    '(corpus->n - 2) / (size_t)T + 1' '(corpus->n - 1) / (size_t)T + 1'
change 'masked targets' 'data documents' \
    'if (corpus->masked != NULL && corpus->masked[i]) return 0;' \
    'if (corpus->masked != NULL && corpus->masked[i - 1]) return 0;'
change 'the first token of a document' 'documents' \
    'return !corpus->within_documents || !slm__begins_document(corpus, i);' 'return 1;'
change 'where documents begin' 'documents' \
    'corpus->document_starts[middle] < token' 'corpus->document_starts[middle] <= token'
change 'a row of no use is alone' 'documents' \
    'int begins = t == 0 || alone || was_alone;' 'int begins = t == 0 || was_alone;'
change 'rows past the end are alone' 'documents' \
    'position >= corpus->n || slm__begins_document' 'slm__begins_document'
change 'masks are of the fingerprint' 'documents' \
    'corpus->hash = slm_hash(corpus->hash, copy, corpus->n);' ';'
change 'fields that are masked' 'documents' \
    'if (n == size && memcmp(list, name, n) == 0) return 1;' 'if (n == size) return 1;'
change 'a weight for each field' 'documents' \
    'if (i < n) parts[i].weight = slm__jsonl_factor(j, item);' \
    'if (i < n) parts[0].weight = slm__jsonl_factor(j, item);'
change 'where a record begins' 'documents' \
    'slm_text_part part = {out->size, field == fields, 0, 1};' \
    'slm_text_part part = {out->size, 1, 0, 1};'
change 'weights of a corpus' 'documents' \
    'inside ? corpus->weights[position] : 1' 'inside ? corpus->weights[position - 1] : 1'
change 'each window once' 'data' \
    '(left ^ hashed)' '(left & hashed)'
change 'scores of the target' 'data scores step' \
    'inside ? values[position - 1] : 0' 'inside ? values[position] : 0'
change 'batches: whose memory' 'data' \
    'slm__release(batch->memory[block]);' 'slm__release(block == 1 ? batch->ref_loss : NULL);'
change 'batches: half a reference' 'data' \
    'if (batch->ref_loss == NULL) batch->ref_loss = block;' 'batch->ref_loss = block;'
change 'batches: weights are 1' 'data' \
    'weights[i] = 1; }' 'weights[i] = 0; }'
change 'files that are no text' 'data' \
    'return kind != NULL ? slm__no_text_refuse(kind, path, err) : SLM_OK;' 'return SLM_OK;'
change 'UTF-16 without a mark' 'data' \
    'if (n_nul[0] == 0 && n_nul[1] == n) return &little;' 'if (n_nul[1] == n) return &little;'
change 'the byte order mark' 'data' \
    'text->start = bytes + start;' 'text->start = bytes;'
# ---- files ----
change 'header length' 'safetensors' \
    'n > size - 8)' 'n > size - 9)'
change 'offsets and shape' 'safetensors' \
    'entry->end - entry->begin != size)' 'entry->end - entry->begin < size)'
change 'gaps and overlaps' 'safetensors' \
    'entries[i].begin == covered)' 'entries[i].begin >= covered)'
change 'bytes after the last tensor' 'safetensors' \
    'if (i == n && covered == file->data_size)' \
    'if (i == n && covered <= file->data_size)'
change 'F16' 'safetensors' \
    'exponent + 112;' 'exponent + 111;'
change 'BF16' 'audit safetensors' \
    '(uint32_t)bits << 16);' '(uint32_t)bits << 15);'
change 'BF16, rounding' 'safetensors' \
    '(bits >> 16 & 1)) >> 16' '(bits >> 16 & 0)) >> 16'
change 'atomic replace' 'folders' \
    'SLM__RENAME(file->path, path) != 0' 'SLM__RENAME(path, path) != 0'
}

# ---- the machinery ----

# compile TEST FOLDER: makes the program that runs the test on FOLDER/slm.h.
compile() {
    case $1 in
    audit)
        build_test $2 "$audit_sources" $2/audit -O1 -fopenmp &&
            build_test $2 "$audit_sources" $2/audit_double -O1 -DSLM_REAL=double ;;
    dropin) build_test $2 tests/system/dropin.c $2/dropin -O1 -fopenmp ;;
    *) build_test $2 "$(sources_of $1)" $2/test_$1 -O1 -fopenmp ;;
    esac >$2/compile.log 2>&1
}

# runs TEST FOLDER: does it pass?  Within a time, because a change may make it hang.
runs() {
    case $1 in
    audit) audit_agrees $2 ;;
    dropin) dropin_agrees $2 ;;
    *) unit_passes $1 $2 ;;
    esac >$2/run.log 2>&1
}
audit_agrees() {
    for golden in tests/data/golden_*; do
        timeout 20 $1/audit $golden && timeout 20 $1/audit_double $golden || return 1
    done
}
# The program trains to the same bits as with the slm.h that nobody changed.
dropin_agrees() {
    if ! [ -f $dir/dropin.txt ]; then
        timeout 20 $1/dropin $1/folder >$dir/dropin.txt
        return
    fi
    timeout 20 $1/dropin $1/folder >$1/dropin.txt && cmp $1/dropin.txt $dir/dropin.txt
}
unit_passes() {
    mkdir -p $2/here/build/tmp
    (cd $2/here && timeout 300 ../test_$1)
}

# mutate FOLDER OLD NEW: writes FOLDER/slm.h; fails if OLD is not there exactly once.  White space
# is left out of the comparison, and so are the backslashes that continue a macro.
mutate() {
    mkdir -p $1
    OLD=$2 NEW=$3 awk '
        function bare(text) {
            sub(/\\$/, "", text)
            gsub(/[ \t\n]/, "", text)
            return text
        }
        {
            line[NR] = $0
            start[NR] = length(all) + 1
            all = all bare($0)
        }
        # The column of the line where its character number n stands, white space not counted.
        function column(text, n,    i) {
            for (i = 1; i <= length(text); i++)
                if (substr(text, i, 1) !~ /[ \t]/ && --n == 0) return i
            return length(text) + 1
        }
        END {
            old = bare(ENVIRON["OLD"])
            first = index(all, old)
            last = first + length(old) - 1
            if (first == 0) why = "is nowhere in slm.h: "
            else if (index(substr(all, first + 1), old)) why = "is more than once in slm.h: "
            if (why != "") {
                print why ENVIRON["OLD"] >"/dev/stderr"
                exit 1
            }
            start[NR + 1] = length(all) + 1
            for (from = 1; start[from + 1] <= first; from++) {}
            for (to = from; start[to + 1] <= last; to++) {}
            for (i = 1; i < from; i++) print line[i]
            head = substr(line[from], 1, column(line[from], first - start[from] + 1) - 1)
            tail = substr(line[to], column(line[to], last - start[to] + 1) + 1)
            print head ENVIRON["NEW"] tail
            for (i = to + 1; i <= NR; i++) print line[i]
        }' slm.h >$1/slm.h
}

only_look=
if [ "$1" = -n ]; then
    only_look=1
    shift
fi
words=$*
chosen() {
    [ -z "$words" ] && return 0
    for word in $words; do
        case $1 in *"$word"*) return 0 ;; esac
    done
    return 1
}
finish() {                  # finish PASSED FAILED
    echo "$1 passed, $2 failed"
    [ "$2" -eq 0 ]
    exit
}

# ---- with -n: does each change find its place? ----
if [ -n "$only_look" ]; then
    change() {
        chosen "$1" || return
        if mutate $dir/look "$3" "$4" 2>$dir/why; then echo "ok $1"
        else echo "FAIL $1: $(head -n 1 $dir/why)"; fi
    }
    mutations >$dir/looked
    grep '^FAIL' $dir/looked
    finish "$(grep -c '^ok' $dir/looked)" "$(grep -c '^FAIL' $dir/looked)"
fi

# ---- first pass: which tests are asked for, and do they pass as things are? ----
change() {
    chosen "$1" || return
    for test in $2; do echo $test; done
}
mutations | sort -u >$dir/tests
baseline() {
    here=$dir/baseline_$1
    mkdir -p $here && cp slm.h $here/
    if compile $1 $here && runs $1 $here; then
        touch $dir/usable_$1
    else
        why=$(grep -h -m 1 -E 'error|FAIL|undefined' $here/compile.log $here/run.log 2>/dev/null)
        echo "$1 fails without any change: $(echo "$why" | head -n 1)"
    fi
}
jobs=0
for test in $(cat $dir/tests); do
    baseline $test >>$dir/baseline.txt &
    jobs=$((jobs + 1))
    [ $((jobs % workers)) -eq 0 ] && wait
done
wait

# ---- second pass: each change against its tests, the changes dealt out to the workers ----
change() {
    chosen "$1" || return
    number=$((number + 1))
    [ $((number % workers)) -eq $worker ] || return
    here=$dir/$number
    if ! mutate $here "$3" "$4" 2>$here.why; then
        echo "FAIL $1: $(head -n 1 $here.why)"
        return
    fi
    verdict="survived $2"
    for test in $2; do
        [ -f $dir/usable_$test ] || continue
        if ! compile $test $here; then
            verdict="does not compile: $(grep -m 1 error $here/compile.log)"
            break
        fi
        if ! runs $test $here; then
            verdict="killed by $test"
            break
        fi
    done
    case $verdict in
    killed*)
        echo "killed $1 ($test)"
        rm -rf $here ;;
    *)
        echo "FAIL $1: $verdict: $3 -> $4" | tr '\n' ' '
        echo ;;
    esac
}
worker=0
while [ $worker -lt $workers ]; do
    number=0
    mutations >$dir/worker_$worker.txt &
    worker=$((worker + 1))
done
wait
sed 's/^/FAIL /' $dir/baseline.txt
cat $dir/worker_*.txt | grep '^FAIL'
finish "$(cat $dir/worker_*.txt | grep -c '^killed')" \
    "$(cat $dir/worker_*.txt $dir/baseline.txt | grep -c -v '^killed')"
