/* Memory of section >>base: sizes that no address space has are refused and not wrapped around;
   what an arena hands out is aligned and overlaps nothing; after a reset one block is enough.    */
#define SLM_STATIC
#define SLM_IMPLEMENTATION
#include "check.h"
#include "slm.h"

static slm_error err;

static void sizes_that_wrap(void) {
    slm__arena arena = {NULL, 0};
    CHECK(slm__alloc(SIZE_MAX / 2 + 1, 2, &err) == NULL && err.status == SLM_ERR_MEMORY,
          "an array whose bytes wrap to 0");
    CHECK(slm__alloc(SIZE_MAX, 1, &err) == NULL && err.status == SLM_ERR_MEMORY,
          "an array that leaves no room for its head");
    err.status = SLM_OK;
    CHECK(slm__arena_take(&arena, SIZE_MAX / 2 + 1, 2, &err) == NULL &&
              err.status == SLM_ERR_MEMORY,
          "of an arena, likewise");
    err.status = SLM_OK;
    CHECK(slm__arena_take(&arena, SIZE_MAX, 1, &err) == NULL && err.status == SLM_ERR_MEMORY,
          "so many that they cannot be aligned");
    CHECK(arena.blocks == NULL && arena.needed == 0, "%zu bytes were handed out", arena.needed);
}

static void pieces_of_an_arena(void) {
    enum { PIECES = 40 };
    slm__arena arena = {NULL, 0};
    unsigned char *piece[PIECES];
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < PIECES; i++) {
            piece[i] = (unsigned char *)slm__arena_take(&arena, i * 999, sizeof(slm_real), &err);
            CHECK(piece[i] != NULL && (uintptr_t)piece[i] % SLM__ALIGNMENT == 0, "piece %zu", i);
            memset(piece[i], (int)i, i * 999 * sizeof(slm_real));
        }
        for (size_t i = 1; i < PIECES; i++) {
            size_t last = i * 999 * sizeof(slm_real) - 1;
            CHECK(piece[i][0] == i && piece[i][last] == i, "piece %zu was written over", i);
        }
        CHECK((arena.blocks->next != NULL) == (round == 0), "how many blocks, in round %d",
              round);
        slm__arena_reset(&arena);
        CHECK(arena.blocks->next == NULL && arena.blocks->used == 0, "the reset keeps blocks");
    }
    slm__arena_free(&arena);
}

int main(void) {
    sizes_that_wrap();
    pieces_of_an_arena();
    return check_end();
}
