/* Bytes to an order, refunds and agreements, also such as no check would let through. Whatever they
 * are, settling gives sums that are right or an error, never a wrap, and the same for any order of
 * arrival. */
#include "accord/settle.h"

#include <stdlib.h>
#include <string.h>

enum { LINES = 10, REFUNDS = 20, VERSIONS = 3, PROMOTERS = 3, TOUCHES = 20 };

static const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
static const struct accord_tier tiers[] = {{0, 1}, {1, 2}};
static const struct accord_course_ref courses[] = {{"a", "c"}, {"a", "d"}, {"b", "c"}, {"b", "d"}};

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

static struct accord_deduction deduction(struct input *input)
{
    const uint8_t flags = byte(input);
    return (struct accord_deduction){.deduct = (flags & 1) != 0,
                                     .rate_ppm = (flags & 2) != 0 ? number(input) : -1,
                                     .base = (enum accord_fee_base)((flags >> 2) & 3)};
}

static struct accord_agreement_version version(struct input *input)
{
    struct accord_agreement_version ret = {.agreement = ids[below(input, 3)]};
    ret.version = 1 + below(input, 4);
    ret.party_count = below(input, ACCORD_PARTIES_MAX + 2);
    for (uint32_t i = 0; i < ACCORD_PARTIES_MAX; i++)
        ret.parties[i] = ids[i];
    ret.collector = below(input, ACCORD_PARTIES_MAX + 1);
    const uint8_t scope = byte(input);
    ret.is_default = (scope & 1) != 0;
    ret.providers = ids;
    ret.provider_count = (scope >> 1) & 3;
    ret.channels = ids + 1;
    ret.channel_count = (scope >> 3) & 3;
    ret.courses = courses;
    ret.course_count = (scope >> 5) & 3;
    ret.effective_from_us = number(input);
    ret.effective_to_us = number(input);
    if (ret.effective_to_us == -1)
        ret.effective_to_us = INT64_MAX;
    ret.priority = below(input, 3);
    memcpy(ret.currency.code, below(input, 8) == 7 ? "USD" : "CNY", 4);
    ret.tax = deduction(input);
    ret.store_fee = deduction(input);
    ret.payment_fee = deduction(input);
    for (int f = 0; f < ACCORD_FUNDERS; f++) {
        const uint8_t funder = byte(input);
        ret.add_back[f] = (funder & 1) != 0;
        ret.funder_party[f] = funder >> 4;
    }
    ret.term_count = below(input, ACCORD_TERMS_MAX + 2);
    for (uint32_t i = 0; i < ret.term_count && i < ACCORD_TERMS_MAX; i++) {
        ret.terms[i].kind = (enum accord_term_kind)below(input, 4);
        ret.terms[i].payee = below(input, ACCORD_PARTIES_MAX + 1);
        if (ret.terms[i].kind == ACCORD_TERM_SHARE)
            ret.terms[i].share_ppm = number(input);
        else if (ret.terms[i].kind == ACCORD_TERM_AMOUNT)
            ret.terms[i].amount_minor = number(input);
    }
    return ret;
}

static struct accord_line line(struct input *input, const char *line_id)
{
    const uint8_t flags = byte(input);
    struct accord_line ret = {.line_id = line_id,
                              .provider = ids[flags & 1],
                              .course_id = ids[2 + ((flags >> 1) & 1)],
                              .course_known = (flags >> 2 & 7) != 7,
                              .quantity = 1,
                              .paid = number(input)};
    ret.tax = number(input);
    ret.store_fee = number(input);
    ret.payment_fee = number(input);
    for (int f = 0; f < ACCORD_FUNDERS; f++)
        ret.discounts[f] = (flags >> (5 + f) & 1) != 0 ? number(input) : 0;
    return ret;
}

static struct accord_refund refund(struct input *input, uint32_t row)
{
    const uint8_t flags = byte(input);
    struct accord_refund ret = {.occurred_at_us = flags & 3,
                                .partner = ids[flags >> 2 & 1],
                                .event_id = ids[flags >> 3 & 3],
                                .row = row,
                                .amount = number(input),
                                .tax_returned = -1};
    const uint32_t to = below(input, LINES + 2);
    ret.line_id = to == 0 ? NULL : ids[to];
    if ((flags & 64) != 0)
        ret.tax_returned = number(input);
    if ((flags & 128) != 0)
        ret.fee_returned = number(input);
    return ret;
}

/* What the input's end is read for: terms of all kinds, fees, policies. */
static void more_terms(struct input *input, struct accord_agreement_version *version)
{
    const uint8_t flags = byte(input);
    if ((flags & 1) != 0)
        version->admin_fee = deduction(input);
    if ((flags & 2) != 0)
        version->payment_fee.fixed_minor = number(input);
    version->kept_fees_charged = (flags & 4) != 0;
    version->referral_kept = (flags & 8) != 0;
    version->fee_borne_by = below(input, ACCORD_PARTIES_MAX + 1);
    version->qualify_days = number(input);
    for (uint32_t i = 0; i < (uint32_t)(flags >> 4) && i < ACCORD_TERMS_MAX; i++) {
        const uint8_t how = byte(input);
        struct accord_term *term = &version->terms[i];
        term->kind = (enum accord_term_kind)(how % (ACCORD_TERM_KINDS + 1));
        term->amount_minor = number(input);
        term->metric = (enum accord_metric)below(input, ACCORD_METRICS + 1);
        term->floor_minor = (how & 32) != 0 ? number(input) : -1;
        term->cap_minor = (how & 64) != 0 ? number(input) : -1;
        term->tiers = tiers;
        term->tier_count = below(input, 3);
        term->level_count = below(input, ACCORD_LEVELS_MAX + 2);
        for (int level = 0; level < ACCORD_LEVELS_MAX; level++)
            term->levels_ppm[level] = number(input);
        term->attribution_window_us = number(input);
        term->first_touch = (how & 16) != 0;
        term->coupon_beats_click = (how & 128) != 0;
    }
}

static void touches(struct input *input, struct accord_order *order, struct accord_touch *ret,
                    struct accord_promoter *promoters)
{
    order->touches = ret;
    order->touch_count = below(input, TOUCHES + 1);
    order->promoters = promoters;
    order->promoter_count = PROMOTERS;
    for (uint32_t i = 0; i < PROMOTERS; i++) {
        const uint8_t flags = byte(input);
        promoters[i] = (struct accord_promoter){
            .id = ids[i],
            .parent = (flags & 1) != 0 ? (uint32_t)(flags >> 3) % 4 : ACCORD_PROMOTER_NONE,
            .self_referral = (flags & 2) != 0,
            .suspended = (flags & 4) != 0};
    }
    for (size_t i = 0; i < order->touch_count; i++) {
        const uint8_t flags = byte(input);
        ret[i] = (struct accord_touch){.occurred_at_us = order->occurred_at_us,
                                       .partner = ids[0],
                                       .event_id = ids[flags >> 4 & 7],
                                       .kind = (enum accord_touch_kind)(flags & 3),
                                       .promoter = flags >> 2 & 3,
                                       .self_referral = (flags & 128) != 0};
        if ((flags & 64) != 0)
            ret[i].occurred_at_us = number(input);
    }
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void must_add_up(const struct accord_line_result *result)
{
    __extension__ __int128 sum = 0;
    __extension__ const __int128 net = (__int128)result->gross - result->refunded - result->tax -
                                       result->store_fee - result->payment_fee - result->admin_fee;
    sum += result->open;
    for (int i = 0; i < ACCORD_LEVELS_MAX; i++) {
        sum += result->referral[i];
        must(result->referral[i] == 0 || result->promoters[i] != NULL);
    }
    for (int i = 0; i < ACCORD_PARTIES_MAX; i++)
        sum += result->shares[i];
    must(result->refunded >= 0 && result->refunded <= result->gross);
    must(result->held == ACCORD_HELD_NOT ? sum == net && net == result->net
                                         : sum == 0 && result->net == 0);
}

static void see_step(void *context, size_t at, const struct accord_step *step)
{
    char text[ACCORD_EXACT_TEXT];
    size_t *steps = context;
    must(at < LINES && step->op != NULL);
    accord_step_exact_text(step, text);
    must(strlen(text) < sizeof text && (step->exact_den == 0) == (text[0] == '\0'));
    *steps += 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, data + size};
    struct accord_agreement_version versions[VERSIONS];
    const struct accord_agreement_version *pointers[VERSIONS];
    const struct accord_agreement_version *turned[VERSIONS];
    struct accord_line lines[LINES];
    struct accord_refund refunds[REFUNDS];
    struct accord_refund backwards[REFUNDS];
    struct accord_touch all_touches[TOUCHES];
    struct accord_promoter promoters[PROMOTERS];
    struct accord_line_result results[2][LINES] = {0};
    struct accord_excess excess[2] = {0};
    size_t steps = 0;

    const size_t version_count = below(&input, VERSIONS + 1);
    for (size_t i = 0; i < version_count; i++) {
        versions[i] = version(&input);
        versions[i].version = (int64_t)(1 + i); /* no version twice */
        pointers[i] = turned[version_count - 1 - i] = &versions[i];
    }
    struct accord_order order = {.channel = ids[below(&input, 3)],
                                 .order_id = "o",
                                 .occurred_at_us = number(&input),
                                 .currency = {"CNY"},
                                 .lines = lines};
    order.line_count = below(&input, LINES + 1);
    for (size_t i = 0; i < order.line_count; i++)
        lines[i] = line(&input, ids[i + 1]);
    const size_t refund_count = below(&input, REFUNDS + 1);
    for (size_t i = 0; i < refund_count; i++) {
        refunds[i] = refund(&input, (uint32_t)i);
        backwards[refund_count - 1 - i] = refunds[i];
    }
    for (size_t i = 0; i < version_count; i++) {
        uint32_t term = 0;
        more_terms(&input, &versions[i]);
        (void)accord_agreement_check(&versions[i], &term);
    }
    touches(&input, &order, all_touches, promoters);
    for (size_t i = 0; i < order.line_count && below(&input, 2) != 0; i++)
        lines[i].quantity = number(&input);

    const enum accord_error err = accord_settle_order(&order, refunds, refund_count, pointers,
                                                      version_count, results[0], &excess[0]);
    const enum accord_error again =
        accord_explain_order(&order, backwards, refund_count, turned, version_count, results[1],
                             &excess[1], see_step, &steps);
    must((err == ACCORD_OK) == (again == ACCORD_OK));
    if (err != ACCORD_OK)
        return 0;
    must(excess[0].amount == excess[1].amount && excess[0].count == excess[1].count);
    must(steps >= order.line_count);
    for (size_t i = 0; i < order.line_count; i++) {
        const struct accord_line_result *a = &results[0][i];
        struct accord_line_result b = results[1][i];
        if (b.version != SIZE_MAX)
            b.version = version_count - 1 - b.version;
        must_add_up(a);
        must(a->held == b.held && a->version == b.version && a->net == b.net &&
             a->refunded == b.refunded && a->open == b.open && a->base == b.base &&
             a->lines_qualified == b.lines_qualified &&
             memcmp(a->referral, b.referral, sizeof b.referral) == 0 &&
             memcmp(a->shares, b.shares, sizeof b.shares) == 0);
    }
    for (size_t i = 0; i < version_count; i++)
        for (size_t j = 0; j < version_count; j++)
            must(accord_agreement_overlap(pointers[i], pointers[j]) ==
                 accord_agreement_overlap(pointers[j], pointers[i]));
    return 0;
}
