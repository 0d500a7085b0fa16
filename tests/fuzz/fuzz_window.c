/* Bytes to an agreement and what its periods came to, also such as no check would let through.
 * Whatever they are, the payees of every part add up to its net, or it is an error that leaves the
 * state as it was; and telling how changes nothing. A withholding of the same bytes stays within
 * its base. */
#include "accord/window.h"

#include <stdlib.h>
#include <string.h>

#include "accord/withholding.h"

enum { PARTS = 12, TIERS = 3, POOLS = 3 };

static const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g", "h"};

struct input {
    const uint8_t *at;
    const uint8_t *end;
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

static void read_table(struct input *input, struct accord_withholding *ret)
{
    ret->step_count = below(input, 5);
    for (uint32_t i = 0; i < ret->step_count; i++) {
        struct accord_withholding_step *step = &ret->steps[i];
        step->over_minor = i == 0 ? below(input, 2) : number(input);
        step->deduct_minor = below(input, 2) == 0 ? 0 : number(input);
        step->deduct_ppm = below(input, 2) == 0 ? 0 : number(input);
        step->rate_ppm = number(input);
        step->quick_deduction_minor = below(input, 2) == 0 ? 0 : number(input);
    }
}

static struct accord_term read_term(struct input *input, struct accord_tier *tiers,
                                    const struct accord_withholding *table)
{
    struct accord_term term = {.kind = (enum accord_term_kind)below(input, ACCORD_TERM_KINDS)};
    const uint8_t flags = byte(input);
    term.payee = below(input, 9);
    term.funded_by = below(input, 9);
    term.window = (enum accord_window)(flags & 3);
    term.metric = (enum accord_metric)(flags >> 2 & 3);
    term.whole = (flags & 16) != 0;
    term.of_net = (flags & 32) != 0;
    term.recoup = (flags & 64) != 0;
    term.share_ppm = number(input);
    term.amount_minor = number(input);
    term.floor_minor = number(input);
    term.cap_minor = number(input);
    term.minimum_minor = (flags & 128) != 0 ? number(input) : 0;
    term.tiers = tiers;
    term.tier_count = term.kind == ACCORD_TERM_TIERED ? below(input, TIERS + 1) : 0;
    for (uint32_t i = 0; i < term.tier_count; i++) {
        tiers[i].from = i == 0 ? below(input, 2) : number(input);
        tiers[i].rate = number(input);
    }
    term.pool = ids[0];
    term.withholding = table;
    return term;
}

static struct accord_agreement_version read_version(struct input *input,
                                                    struct accord_tier tiers[][TIERS],
                                                    const struct accord_withholding *table)
{
    struct accord_agreement_version version = {.agreement = "x",
                                               .version = 1,
                                               .is_default = true,
                                               .effective_to_us = INT64_MAX,
                                               .currency = {"CNY"}};
    version.party_count = 1 + below(input, ACCORD_PARTIES_MAX);
    const uint32_t turn = below(input, ACCORD_PARTIES_MAX);
    for (uint32_t i = 0; i < version.party_count; i++)
        version.parties[i] = ids[(i + turn) % ACCORD_PARTIES_MAX];
    version.term_count = 1 + below(input, ACCORD_TERMS_MAX);
    for (uint32_t i = 0; i + 1 < version.term_count; i++)
        version.terms[i] = read_term(input, tiers[i], table);
    version.terms[version.term_count - 1] =
        (struct accord_term){.kind = ACCORD_TERM_RESIDUAL, .payee = below(input, 9)};
    return version;
}

static struct accord_window_period read_period(struct input *input, int64_t *number_of)
{
    const uint8_t flags = byte(input);
    *number_of += flags & 3;
    return (struct accord_window_period){.period = *number_of,
                                         .year = *number_of / 4,
                                         .days = below(input, 33),
                                         .days_of_period = 31,
                                         .first_of_life = (flags & 4) != 0,
                                         .ends_period = (flags & 8) != 0,
                                         .ends_year = (flags & 16) != 0,
                                         .ends_life = (flags & 32) != 0};
}

static struct accord_window_sums read_sums(struct input *input,
                                           const struct accord_agreement_version *version,
                                           struct accord_window_pool shares[POOLS])
{
    struct accord_window_sums sums = {.base = number(input)};
    sums.open = number(input);
    sums.lines = number(input);
    sums.units = number(input);
    for (int w = 0; w < ACCORD_WINDOWS; w++)
        sums.new_learners[w] = number(input);
    for (uint32_t i = 0; i < version->party_count; i++)
        sums.shares[i] = number(input);
    sums.pools = shares;
    for (; sums.pool_count < POOLS && (byte(input) & 1) != 0; sums.pool_count++) {
        shares[sums.pool_count] =
            (struct accord_window_pool){.term = below(input, 9), .payee = below(input, 9)};
        shares[sums.pool_count].amount = number(input);
        shares[sums.pool_count].kept = number(input);
    }
    return sums;
}

static void see_step(void *context, size_t line, const struct accord_step *step)
{
    char text[ACCORD_EXACT_TEXT];
    size_t *steps = context;
    must(line == 0 && step->op != NULL);
    accord_step_exact_text(step, text);
    must(strlen(text) < sizeof text && (step->exact_den == 0) == (text[0] == '\0'));
    *steps += 1;
}

static void must_add_up(const struct accord_window_sums *sums,
                        const struct accord_agreement_version *version,
                        const struct accord_window_line *lines, size_t count)
{
    __extension__ __int128 sum = 0;
    for (size_t i = 0; i < count; i++) {
        must(lines[i].amount != 0 && lines[i].term < version->term_count);
        must(lines[i].payee < version->party_count || lines[i].payee == ACCORD_PARTY_POOL);
        sum += lines[i].amount;
    }
    must(sum == sums->open);
}

static void try_part(const struct accord_agreement_version *version,
                     const struct accord_window_period *period,
                     const struct accord_window_sums *sums, struct accord_window_state *state)
{
    const struct accord_window_state before = *state;
    struct accord_window_state told = *state;
    struct accord_window_line lines[ACCORD_WINDOW_LINES_MAX];
    struct accord_window_line told_lines[ACCORD_WINDOW_LINES_MAX];
    size_t count = SIZE_MAX;
    size_t told_count = SIZE_MAX;
    uint32_t term = 0;
    size_t steps = 0;
    const enum accord_error err =
        accord_window_settle(version, period, sums, state, lines, &count, &term, NULL, NULL);
    must(err == accord_window_settle(version, period, sums, &told, told_lines, &told_count, NULL,
                                     see_step, &steps));
    must(count == told_count && memcmp(state, &told, sizeof told) == 0);
    if (err != ACCORD_OK) {
        must(memcmp(state, &before, sizeof before) == 0 && count == SIZE_MAX);
        must(term == UINT32_MAX || term < version->term_count);
        return;
    }
    must(steps + sums->pool_count >= count);
    must_add_up(sums, version, lines, count);
}

static void try_withholding(const struct accord_withholding *table, int64_t base)
{
    struct accord_step step;
    int64_t withheld = -1;
    if (accord_withholding_of(table, base, &withheld, &step) != ACCORD_OK) {
        must(withheld == -1);
        return;
    }
    must(withheld >= 0 && withheld <= (base > 0 ? base : 0) && step.amount == -withheld);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct accord_tier tiers[2][ACCORD_TERMS_MAX][TIERS];
    struct accord_agreement_version versions[2];
    struct accord_withholding table = {.step_count = 0};
    struct accord_window_state state = {0};
    int64_t period_number = 0;

    read_table(&input, &table);
    try_withholding(&table, number(&input));
    for (int i = 0; i < 2; i++)
        versions[i] = read_version(&input, tiers[i], &table);
    for (int i = 0; i < PARTS && input.at < input.end; i++) {
        const struct accord_agreement_version *version = &versions[below(&input, 2)];
        const struct accord_window_period period = read_period(&input, &period_number);
        struct accord_window_pool shares[POOLS];
        const struct accord_window_sums sums = read_sums(&input, version, shares);
        try_part(version, &period, &sums, &state);
    }
    return 0;
}
