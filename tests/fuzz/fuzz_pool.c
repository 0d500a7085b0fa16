/* Bytes to a pool and its members, also such as no check would let through. Whatever they are, what
 * is divided adds up to what came in, each part lies within a unit of its exact share, and the
 * order of members changes nothing; or it is an error that leaves the pool as it was. */
#include "accord/pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PAYEES = 48, MEMBERS = 24, CELLS = 56 };

__extension__ typedef __int128 i128;

struct input {
    const uint8_t *at;
    const uint8_t *end;
};

struct member {
    int64_t fee;
    struct accord_pool_cell cells[CELLS];
    size_t count;
};

static uint8_t byte(struct input *input)
{
    return input->at < input->end ? *input->at++ : 0;
}

static uint32_t below(struct input *input, uint32_t bound)
{
    return byte(input) % bound;
}

/* One to eight bytes, signed: small and huge are equally likely. */
static int64_t number(struct input *input)
{
    const uint32_t bytes = below(input, 9);
    uint64_t value = 0;
    if (bytes == 0)
        return -1;
    for (uint32_t i = 0; i < bytes; i++)
        value = value << 8 | byte(input);
    return (int64_t)value;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

struct seen {
    uint32_t payees;
    int64_t sum;
    int64_t fees;
    int64_t unclaimed;
};

static void see_step(void *context, size_t line, const struct accord_step *step)
{
    struct seen *seen = context;
    char text[ACCORD_EXACT_TEXT];
    if (line == SIZE_MAX) {
        if (strcmp(step->op, "fees") == 0)
            seen->fees = step->amount;
        if (strcmp(step->op, "unclaimed") == 0)
            seen->unclaimed = step->amount;
        return;
    }
    must(line < seen->payees);
    if (strcmp(step->op, "units") == 0) {
        must(step->amount >= 0);
        return;
    }
    must(step->exact_den > 0 && step->exact_num < step->exact_den);
    const i128 whole = step->exact_negative ? -(i128)step->exact_floor : (i128)step->exact_floor;
    const i128 off = step->amount - whole;
    must(off == 0 || (step->exact_num > 0 && off == (step->exact_negative ? -1 : 1)));
    must((off != 0) == (step->extra != 0));
    accord_step_exact_text(step, text);
    must(text[0] != '\0' && strlen(text) < sizeof text);
    seen->sum += step->amount;
}

static void read_member(struct input *input, struct member *ret)
{
    ret->fee = number(input);
    ret->count = below(input, CELLS + 1);
    const bool small = below(input, 2) == 0; /* one byte a cell: room for many */
    for (size_t i = 0; i < ret->count; i++) {
        const uint32_t payee = small ? (uint32_t)i : below(input, PAYEES + 1);
        ret->cells[i] =
            (struct accord_pool_cell){.payee = payee, .units = small ? byte(input) : number(input)};
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct member members[MEMBERS];
    struct input input = {data, data + size};
    int64_t weights[PAYEES];
    int64_t amounts[2][PAYEES];
    int64_t unclaimed[2];
    struct accord_pool *pools[2] = {NULL, NULL};
    struct accord_pool_terms terms = {.method = (enum accord_pool_method)below(&input, 6),
                                      .idle = (enum accord_pool_idle)below(&input, 4),
                                      .payee_count = below(&input, PAYEES + 1),
                                      .weights_ppm = below(&input, 8) == 7 ? NULL : weights};
    terms.lambda_ppm = number(&input);
    terms.min_units = below(&input, 2) == 0 ? 0 : number(&input);
    terms.cap_units = below(&input, 2) == 0 ? 0 : number(&input);
    for (uint32_t i = 0; i < PAYEES; i++)
        weights[i] = terms.method == ACCORD_POOL_WEIGHTED_SHAPLEY ? number(&input) : -1;

    if (accord_pool_new(&terms, &pools[0]) != ACCORD_OK)
        return 0;
    must(accord_pool_new(&terms, &pools[1]) == ACCORD_OK);
    const size_t count = below(&input, MEMBERS + 1);
    size_t taken = 0;
    int64_t fees = 0;
    for (size_t u = 0; u < count; u++) {
        struct member *member = &members[taken];
        read_member(&input, member);
        if (accord_pool_user(pools[0], member->fee, member->cells, member->count) != ACCORD_OK)
            continue;
        must(!__builtin_add_overflow(fees, member->fee, &fees));
        taken++;
    }
    for (size_t u = taken; u > 0; u--)
        must(accord_pool_user(pools[1], members[u - 1].fee, members[u - 1].cells,
                              members[u - 1].count) == ACCORD_OK);

    struct seen seen = {.payees = terms.payee_count};
    must(accord_pool_explain(pools[0], amounts[0], &unclaimed[0], see_step, &seen) == ACCORD_OK);
    must(accord_pool_finish(pools[1], amounts[1], &unclaimed[1]) == ACCORD_OK);
    must(seen.fees == fees && seen.unclaimed == unclaimed[0] && seen.sum + unclaimed[0] == fees);
    must(unclaimed[0] == unclaimed[1] &&
         memcmp(amounts[0], amounts[1], terms.payee_count * sizeof **amounts) == 0);
    accord_pool_free(pools[0]);
    accord_pool_free(pools[1]);
    return 0;
}
