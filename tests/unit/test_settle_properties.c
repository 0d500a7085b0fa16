/* What holds for every order: drawn from seeds, up to the edges of int64. */
#include "settle_fixture.h"

enum { LINES = 12, REFUNDS = 24, VERSIONS = 3, PROMOTERS = 3, TOUCHES = 20 };

static const int64_t day_us = INT64_C(86400000000);

static const char *const line_ids[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
static const char *const event_ids[] = {"e1", "e2", "e3", "e4", "e5"};
static const char *const partner_ids[] = {"chn-b", "operator"};
/* A promoter may be a party, too. */
static const char *const promoter_ids[] = {"ann", "bob", "chn-b"};
static const struct accord_tier tiers[] = {{0, 1}};

struct drawn {
    struct accord_agreement_version versions[VERSIONS];
    const struct accord_agreement_version *pointers[VERSIONS];
    struct accord_line lines[LINES];
    struct accord_touch touches[TOUCHES];
    struct accord_promoter promoters[PROMOTERS];
    struct accord_rate_pin rates[VERSIONS];
    struct accord_order order;
    struct accord_refund refunds[REFUNDS];
    size_t refund_count;
};

/* 0 .. limit, often at an end. */
static int64_t draw_amount(uint64_t *seed, int64_t limit)
{
    const int64_t kind = random_below(seed, 6);
    if (kind == 0 || limit <= 0)
        return 0;
    if (kind < 3)
        return kind == 1 ? limit : 1;
    return random_below(seed, limit);
}

static struct accord_deduction draw_deduction(uint64_t *seed)
{
    return (struct accord_deduction){
        .deduct = random_below(seed, 4) > 0,
        .rate_ppm = random_below(seed, 2) == 0 ? -1 : draw_amount(seed, ACCORD_PPM_WHOLE),
        .base = (enum accord_fee_base)random_below(seed, 3)};
}

/* A term that is not a share. */
static struct accord_term draw_other_term(uint64_t *seed, int64_t top, bool *has_referral)
{
    struct accord_term term = {.payee = (uint32_t)random_below(seed, 3)};
    int64_t amount = draw_amount(seed, 1 + top / 20);
    if (amount > ACCORD_AMOUNT_MAX)
        amount = ACCORD_AMOUNT_MAX;
    switch (random_below(seed, *has_referral ? 3 : 4)) {
    case 0:
        term.kind = ACCORD_TERM_AMOUNT;
        term.amount_minor = amount;
        break;
    case 1:
        term.kind = ACCORD_TERM_CPA;
        term.amount_minor = amount + (amount == 0);
        term.metric = (enum accord_metric)(1 + random_below(seed, 3));
        term.floor_minor = term.cap_minor = -1;
        if (random_below(seed, 4) == 0)
            term.cap_minor = term.amount_minor;
        break;
    case 2:
        term.kind = ACCORD_TERM_TIERED;
        term.metric = ACCORD_METRIC_LINES;
        term.tiers = tiers;
        term.tier_count = 1;
        break;
    default:
        term.kind = ACCORD_TERM_REFERRAL;
        term.levels_ppm[0] = 1 + draw_amount(seed, ACCORD_PPM_WHOLE - 1);
        term.levels_ppm[1] = draw_amount(seed, ACCORD_PPM_WHOLE - term.levels_ppm[0]);
        term.level_count = 1 + (uint32_t)random_below(seed, 2);
        term.attribution_window_us = 1 + random_below(seed, 3);
        term.first_touch = random_below(seed, 2) == 0;
        term.coupon_beats_click = random_below(seed, 2) == 0;
        *has_referral = true;
        break;
    }
    return term;
}

static struct accord_agreement_version draw_version(uint64_t *seed, int64_t top)
{
    struct accord_agreement_version version = fixture_version();
    int64_t left = ACCORD_PPM_WHOLE;
    version.tax = draw_deduction(seed);
    version.store_fee = draw_deduction(seed);
    version.payment_fee = draw_deduction(seed);
    if (random_below(seed, 3) == 0)
        version.payment_fee.fixed_minor = draw_amount(seed, top / 64 % ACCORD_AMOUNT_MAX);
    if (random_below(seed, 3) == 0)
        version.admin_fee = draw_deduction(seed);
    version.kept_fees_charged = random_below(seed, 2) == 0;
    version.fee_borne_by = (uint32_t)random_below(seed, 3);
    version.referral_kept = random_below(seed, 3) == 0;
    version.qualify_days = random_below(seed, 4) - 1;
    bool has_referral = false;
    for (int f = 0; f < ACCORD_FUNDERS; f++) {
        version.add_back[f] = random_below(seed, 2) == 0;
        version.funder_party[f] = (uint32_t)random_below(seed, 3);
    }
    version.term_count = 1 + (uint32_t)random_below(seed, ACCORD_TERMS_MAX);
    const uint32_t residual = (uint32_t)random_below(seed, version.term_count);
    for (uint32_t i = 0; i < version.term_count; i++) {
        struct accord_term *term = &version.terms[i];
        *term = (struct accord_term){.payee = (uint32_t)random_below(seed, 3)};
        if (i == residual) {
            term->kind = ACCORD_TERM_RESIDUAL;
        } else if (random_below(seed, 4) == 0) {
            *term = draw_other_term(seed, top, &has_referral);
        } else {
            term->kind = ACCORD_TERM_SHARE;
            term->share_ppm = draw_amount(seed, left) / (1 + random_below(seed, 3));
            left -= term->share_ppm;
        }
    }
    return version;
}

/* What lines of memberships fund; the second of a currency that only some versions have. */
static const struct accord_pool_funding pools[] = {
    {"@pool:chn-b/half", 500000, {"CNY"}},
    {"@pool:chn-b/third", 333333, {"USD"}},
    {"@pool:chn-b/all", ACCORD_PPM_WHOLE, {"CNY"}},
};

static struct accord_line draw_line(uint64_t *seed, const char *line_id, int64_t top)
{
    struct accord_line line = fixture_line(line_id, draw_amount(seed, top));
    line.course_known = random_below(seed, 16) > 0;
    line.quantity = 1 + random_below(seed, 3);
    if (random_below(seed, 16) == 0)
        line.provider = "prv-z";
    if (random_below(seed, 2) == 0)
        line.tax = draw_amount(seed, top / 8);
    if (random_below(seed, 2) == 0)
        line.store_fee = draw_amount(seed, top / 3);
    if (random_below(seed, 2) == 0)
        line.payment_fee = draw_amount(seed, top / 40);
    if (random_below(seed, 4) == 0)
        line.pool = &pools[random_below(seed, 3)];
    for (int f = 0; f < ACCORD_FUNDERS; f++)
        if (random_below(seed, 4) == 0)
            line.discounts[f] = draw_amount(seed, top / 2);
    return line;
}

static void draw_refunds(uint64_t *seed, struct drawn *drawn, int64_t top)
{
    drawn->refund_count = (size_t)random_below(seed, REFUNDS + 1);
    for (size_t i = 0; i < drawn->refund_count; i++) {
        const int64_t line = random_below(seed, (int64_t)drawn->order.line_count + 2);
        struct accord_refund *refund = &drawn->refunds[i];
        *refund = fixture_refund(event_ids[random_below(seed, 5)], NULL, 0);
        if (line > 0)
            refund->line_id = line <= (int64_t)drawn->order.line_count ? line_ids[line - 1] : "z";
        refund->occurred_at_us += random_below(seed, 3) + random_below(seed, 3) * day_us;
        refund->partner = partner_ids[random_below(seed, 2)];
        refund->row = (uint32_t)i;
        refund->amount = draw_amount(seed, 1 + top / 3);
        if (random_below(seed, 3) == 0)
            refund->tax_returned = draw_amount(seed, top / 16);
        if (random_below(seed, 3) == 0)
            refund->fee_returned = draw_amount(seed, top / 16);
    }
}

static void draw_touches(uint64_t *seed, struct drawn *drawn)
{
    for (uint32_t i = 0; i < PROMOTERS; i++)
        drawn->promoters[i] = (struct accord_promoter){
            .id = promoter_ids[i],
            .parent = random_below(seed, 2) == 0 ? ACCORD_PROMOTER_NONE
                                                 : (uint32_t)random_below(seed, PROMOTERS),
            .self_referral = random_below(seed, 8) == 0,
            .suspended = random_below(seed, 8) == 0};
    drawn->order.touches = drawn->touches;
    drawn->order.touch_count = (size_t)random_below(seed, TOUCHES + 1);
    drawn->order.promoters = drawn->promoters;
    drawn->order.promoter_count = PROMOTERS;
    for (size_t i = 0; i < drawn->order.touch_count; i++)
        drawn->touches[i] =
            (struct accord_touch){.occurred_at_us = fixture_time + 1 - random_below(seed, 5),
                                  .partner = "chn-b",
                                  .event_id = line_ids[random_below(seed, LINES)],
                                  .kind = (enum accord_touch_kind)random_below(seed, 3),
                                  .promoter = (uint32_t)random_below(seed, PROMOTERS),
                                  .self_referral = random_below(seed, 8) == 0,
                                  .promoter_suspended = random_below(seed, 8) == 0};
}

static void draw(uint64_t *seed, int64_t top, struct drawn *ret)
{
    for (int i = 0; i < VERSIONS; i++) {
        ret->versions[i] = draw_version(seed, top);
        ret->versions[i].version = i + 1;
        ret->versions[i].effective_from_us = fixture_time + random_below(seed, 3) - 1;
        ret->pointers[i] = &ret->versions[i];
        if (random_below(seed, 4) == 0)
            memcpy(ret->versions[i].currency.code, "USD", 4);
        ret->rates[i] = (struct accord_rate_pin){.num = 1 + random_below(seed, 3000),
                                                 .den = random_below(seed, 4) * 1009};
    }
    ret->order = fixture_order(ret->lines, 1 + (size_t)random_below(seed, LINES));
    ret->order.rates = ret->rates;
    for (size_t i = 0; i < ret->order.line_count; i++)
        ret->lines[i] = draw_line(seed, line_ids[i], top);
    draw_refunds(seed, ret, top);
    draw_touches(seed, ret);
}

static enum accord_error settle(const struct drawn *drawn, size_t refund_count,
                                struct accord_line_result *ret, struct accord_excess *ret_excess)
{
    return accord_settle_order(&drawn->order, drawn->refunds, refund_count, drawn->pointers,
                               VERSIONS, ret, ret_excess);
}

static bool result_equal(const struct accord_line_result *a, const struct accord_line_result *b)
{
    return a->held == b->held && a->version == b->version && a->rank == b->rank &&
           a->gross == b->gross && a->refunded == b->refunded && a->tax == b->tax &&
           a->store_fee == b->store_fee && a->payment_fee == b->payment_fee &&
           a->admin_fee == b->admin_fee && a->net_sale == b->net_sale && a->net == b->net &&
           a->pooled == b->pooled && a->added_back == b->added_back && a->base == b->base &&
           a->open == b->open && a->lines_qualified == b->lines_qualified &&
           a->units_qualified == b->units_qualified &&
           memcmp(a->shares, b->shares, sizeof a->shares) == 0 &&
           memcmp(a->referral, b->referral, sizeof a->referral) == 0 &&
           memcmp(a->promoters, b->promoters, sizeof a->promoters) == 0;
}

static bool results_equal(const struct accord_line_result *a, const struct accord_line_result *b,
                          size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!result_equal(&a[i], &b[i]))
            return false;
    return true;
}

/* The identities of one line, in 128 bits. */
static bool adds_up(const struct accord_line_result *result)
{
    __extension__ __int128 sum = 0;
    __extension__ __int128 net = (__int128)result->gross - result->refunded - result->tax -
                                 result->store_fee - result->payment_fee - result->admin_fee;
    sum += result->open;
    sum += result->pooled;
    for (int i = 0; i < ACCORD_PARTIES_MAX; i++)
        sum += result->shares[i];
    for (int i = 0; i < ACCORD_LEVELS_MAX; i++) {
        sum += result->referral[i];
        if (result->referral[i] < 0 || (result->promoters[i] == NULL && result->referral[i] != 0))
            return false;
    }
    if (result->refunded < 0 || result->refunded > result->gross)
        return false;
    if (result->held != ACCORD_HELD_NOT)
        return sum == 0 && result->net_sale == 0 && result->net == 0 && result->tax == 0 &&
               result->store_fee == 0 && result->payment_fee == 0 && result->admin_fee == 0 &&
               result->added_back == 0 && result->base == 0 && result->lines_qualified == 0 &&
               result->units_qualified == 0 && result->pooled == 0;
    return sum == result->net && net == result->net_sale && result->tax >= 0 &&
           result->store_fee >= 0 && result->payment_fee >= 0 && result->admin_fee >= 0 &&
           result->added_back >= 0;
}

static const int64_t tops[] = {3, 100, 20000, 1000000000, ACCORD_AMOUNT_MAX};

/* Sums; what was paid is refunded, kept or excess; refunds in any order of arrival. */
START_TEST(test_sums_and_order)
{
    uint64_t seed = (uint64_t)_i + 1000;
    int settled = 0;
    for (int round = 0; round < 1000; round++) {
        struct drawn drawn;
        struct accord_line_result got[LINES];
        struct accord_line_result again[LINES];
        struct accord_excess excess;
        struct accord_excess excess_again;
        __extension__ __int128 asked = 0;
        __extension__ __int128 applied = 0;
        draw(&seed, tops[random_below(&seed, 5)], &drawn);
        const size_t lines = drawn.order.line_count;
        if (settle(&drawn, drawn.refund_count, got, &excess) != ACCORD_OK)
            ck_abort_msg("round %d", round);
        for (size_t i = 0; i < lines; i++) {
            ck_assert_msg(adds_up(&got[i]), "round %d line %zu", round, i);
            settled += got[i].held == ACCORD_HELD_NOT;
            applied += got[i].refunded;
        }
        for (size_t i = 0; i < drawn.refund_count; i++)
            asked += drawn.refunds[i].amount;
        ck_assert_msg(asked == applied + excess.amount, "round %d: excess", round);

        for (size_t i = drawn.refund_count; i > 1; i--) {
            const size_t other = (size_t)random_below(&seed, (int64_t)i);
            const struct accord_refund kept = drawn.refunds[i - 1];
            drawn.refunds[i - 1] = drawn.refunds[other];
            drawn.refunds[other] = kept;
        }
        if (settle(&drawn, drawn.refund_count, again, &excess_again) != ACCORD_OK)
            ck_abort_msg("round %d", round);
        ck_assert_msg(results_equal(got, again, lines), "round %d: arrival matters", round);
        ck_assert(excess.amount == excess_again.amount && excess.count == excess_again.count);
    }
    ck_assert_int_gt(settled, 1000);
}
END_TEST

/* What a line that was refunded in full still pays: CPA when the last refund came beyond its days,
 * a referral that is kept; and whoever bears the kept fees is all that is charged for them. */
static void check_kept(const struct accord_agreement_version *version,
                       const struct accord_line_result *sold, const struct accord_line_result *got,
                       bool after_all_days)
{
    const bool counts = got->lines_qualified == 1;
    if (after_all_days)
        ck_assert_int_eq(counts, version->qualify_days >= 0);
    ck_assert(version->qualify_days >= 0 || !counts);
    ck_assert(counts || got->units_qualified == 0);
    if (version->referral_kept)
        ck_assert_mem_eq(got->referral, sold->referral, sizeof sold->referral);
    if (!version->kept_fees_charged || counts || version->referral_kept)
        return;
    for (uint32_t i = 0; i < version->party_count; i++)
        ck_assert_int_eq(got->shares[i], i == version->fee_borne_by ? got->net : 0);
    ck_assert_int_eq(got->open, 0);
}

/* However a line was refunded: once all of it is, with fees and pro rata tax, nobody has anything
 * but what is kept by agreement; the last difference is the mirror of what stood before. Held does
 * not depend on refunds. */
START_TEST(test_refund_everything)
{
    uint64_t seed = (uint64_t)_i + 2000;
    for (int round = 0; round < 1000; round++) {
        struct drawn drawn;
        struct accord_line_result sold[LINES];
        struct accord_line_result before[LINES];
        struct accord_line_result got[LINES];
        struct accord_excess excess;
        draw(&seed, tops[random_below(&seed, 4)], &drawn);
        if (drawn.refund_count > REFUNDS - 1)
            drawn.refund_count = REFUNDS - 1;
        for (size_t i = 0; i < drawn.refund_count; i++)
            drawn.refunds[i].tax_returned = -1;
        for (size_t i = 0; i < drawn.order.line_count; i++)
            if (drawn.lines[i].paid == 0)
                drawn.lines[i].paid = 1; /* what costs nothing cannot be refunded */
        ck_assert_int_eq(settle(&drawn, 0, sold, &excess), ACCORD_OK);
        ck_assert_int_eq(settle(&drawn, drawn.refund_count, before, &excess), ACCORD_OK);
        struct accord_refund *last = &drawn.refunds[drawn.refund_count++];
        *last = fixture_refund("z", NULL, INT64_C(1000000000000));
        last->occurred_at_us += 3 * day_us;
        ck_assert_int_eq(settle(&drawn, drawn.refund_count, got, &excess), ACCORD_OK);
        for (size_t i = 0; i < drawn.order.line_count; i++) {
            const struct accord_line_result *line = &got[i];
            ck_assert_msg(line->held == sold[i].held && line->version == sold[i].version,
                          "round %d: held", round);
            ck_assert_msg(line->refunded == line->gross, "round %d: not all of it", round);
            ck_assert_msg(line->tax == 0 && line->added_back == 0, "round %d: tax", round);
            ck_assert_msg(line->net_sale == -line->store_fee - line->payment_fee - line->admin_fee,
                          "round %d: net", round);
            if (line->held == ACCORD_HELD_NOT)
                check_kept(&drawn.versions[line->version], &sold[i], line,
                           before[i].refunded < line->gross);
            ck_assert_msg(adds_up(line), "round %d: sum", round);
        }
        /* Now with every fee returned, by rows of one line each. */
        struct accord_refund all[LINES];
        for (int i = 0; i < VERSIONS; i++) {
            drawn.versions[i].admin_fee.deduct = false;
            drawn.versions[i].referral_kept = false;
            drawn.versions[i].qualify_days = -1;
        }
        for (size_t i = 0; i < drawn.order.line_count; i++) {
            all[i] = fixture_refund("z", drawn.lines[i].line_id, drawn.lines[i].paid);
            all[i].row = (uint32_t)i;
            all[i].fee_returned = INT64_C(1000000000000);
        }
        ck_assert_int_eq(accord_settle_order(&drawn.order, all, drawn.order.line_count,
                                             drawn.pointers, VERSIONS, got, &excess),
                         ACCORD_OK);
        for (size_t i = 0; i < drawn.order.line_count; i++) {
            int64_t kept = got[i].net | got[i].open | got[i].referral[0] | got[i].referral[1];
            for (int party = 0; party < ACCORD_PARTIES_MAX; party++)
                kept |= got[i].shares[party];
            ck_assert_msg(kept == 0, "round %d line %zu: somebody keeps something", round, i);
        }
    }
}
END_TEST

/* ---- explanation ---- */

struct sums {
    struct accord_line_result lines[LINES];
    int64_t running[LINES];
    int64_t payees[LINES];
    int64_t net[LINES];
    bool has_net[LINES];
    int other_currency; /* steps that are told again, converted */
    bool wrong;
};

static uint64_t divide_out(uint64_t a, uint64_t b)
{
    return b == 0 ? a : divide_out(b, a % b);
}

/* Adds up the steps as the header says they add up, and redoes every rounding from the fraction. */
static void sum_step(void *context, size_t line, const struct accord_step *step)
{
    struct sums *sums = context;
    const char *op = step->op;
    if (step->exact_den != 0) {
        int64_t magnitude = (int64_t)step->exact_floor;
        const uint64_t twice = step->exact_num * 2;
        if (step->rounding[0] == 'h')
            magnitude +=
                twice > step->exact_den || (twice == step->exact_den && magnitude % 2 != 0);
        else
            magnitude += step->extra;
        if (step->exact_num >= step->exact_den || divide_out(step->exact_num, step->exact_den) != 1)
            sums->wrong = true;
        if (llabs(step->amount) != magnitude || (step->exact_negative && step->amount > 0))
            sums->wrong = true;
    }
    if (strcmp(op, "refund") == 0) {
        sums->lines[line].refunded -= step->amount;
    } else if (strcmp(op, "net") == 0) {
        sums->net[line] = step->amount;
        sums->has_net[line] = true;
        sums->wrong = sums->wrong || step->amount != sums->running[line];
    } else if (strcmp(op, "share_base") == 0 || strcmp(op, "to_share") == 0) {
        sums->wrong = sums->wrong || step->amount != sums->running[line];
    } else if (strcmp(op, "convert") == 0) {
        sums->running[line] = step->amount;
    } else if (strcmp(op, "discount") == 0 || strcmp(op, "kept_fees") == 0) {
        sums->other_currency++;
    } else if (strcmp(op, "added_back") == 0 || strcmp(op, "fees_added_back") == 0) {
        sums->running[line] += step->amount;
    } else if (strcmp(op, "open") == 0) {
        sums->payees[line] += step->amount;
    } else if (strcmp(op, "amount") == 0 || strcmp(op, "cpa") == 0 || strcmp(op, "referral") == 0 ||
               strcmp(op, "pool") == 0) {
        sums->running[line] -= step->amount;
        sums->payees[line] += step->amount;
    } else if (step->payee != NULL) {
        sums->payees[line] += step->amount;
    } else if (strcmp(op, "held") != 0) {
        sums->running[line] += step->amount;
    }
}

/* The explanation is of the same numbers, and adds up to them. */
START_TEST(test_explained)
{
    uint64_t seed = (uint64_t)_i + 3000;
    for (int round = 0; round < 600; round++) {
        struct drawn drawn;
        struct accord_line_result got[LINES];
        struct accord_line_result explained[LINES];
        struct accord_excess excess;
        struct accord_excess excess_explained;
        struct sums sums = {.wrong = false};
        draw(&seed, tops[random_below(&seed, 5)], &drawn);
        const size_t lines = drawn.order.line_count;
        ck_assert_int_eq(settle(&drawn, drawn.refund_count, got, &excess), ACCORD_OK);
        ck_assert_int_eq(accord_explain_order(&drawn.order, drawn.refunds, drawn.refund_count,
                                              drawn.pointers, VERSIONS, explained,
                                              &excess_explained, sum_step, &sums),
                         ACCORD_OK);
        ck_assert_msg(results_equal(got, explained, lines), "round %d: other numbers", round);
        ck_assert_int_eq(excess.amount, excess_explained.amount);
        ck_assert_msg(!sums.wrong, "round %d: a step is wrong", round);
        for (size_t i = 0; i < lines; i++) {
            bool right = sums.lines[i].refunded == got[i].refunded;
            if (got[i].held == ACCORD_HELD_NOT)
                right = right && sums.has_net[i] && sums.net[i] == got[i].net_sale &&
                        sums.payees[i] == got[i].net;
            ck_assert_msg(right, "round %d line %zu", round, i);
        }
    }
}
END_TEST

/* Near the edge of int64 the answer is exact or an error, and an error writes nothing. */
START_TEST(test_never_wraps)
{
    uint64_t seed = (uint64_t)_i + 4000;
    int fits = 0;
    int refused = 0;
    for (int round = 0; round < 1000; round++) {
        struct drawn drawn;
        struct accord_line_result got[LINES];
        struct accord_excess excess = {.amount = 77};
        memset(got, 0x5a, sizeof got);
        draw(&seed, INT64_MAX >> random_below(&seed, 8), &drawn);
        drawn.order.line_count = drawn.order.line_count / 4 + 1;
        const enum accord_error err = settle(&drawn, drawn.refund_count, got, &excess);
        if (err == ACCORD_OK) {
            fits++;
            for (size_t i = 0; i < drawn.order.line_count; i++)
                ck_assert_msg(adds_up(&got[i]), "round %d line %zu", round, i);
            continue;
        }
        refused++;
        struct accord_line_result untouched[LINES];
        memset(untouched, 0x5a, sizeof untouched);
        ck_assert_int_eq(err, ACCORD_E_OVERFLOW);
        ck_assert_mem_eq(got, untouched, sizeof got);
        ck_assert_int_eq(excess.amount, 77);
    }
    ck_assert_int_gt(fits, 100);
    ck_assert_int_gt(refused, 100);
}
END_TEST

/* Spreading: the sum is exact, and each part lies within one unit of its exact share. */
START_TEST(test_spread)
{
    uint64_t seed = (uint64_t)_i + 5000;
    for (int round = 0; round < 1000; round++) {
        int64_t paid[40];
        int64_t parts[40];
        const size_t count = 1 + (size_t)random_below(&seed, 40);
        const int64_t top = INT64_MAX >> (6 + random_below(&seed, 56));
        const bool nothing = random_below(&seed, 4) == 0;
        const int64_t total = draw_amount(&seed, top) * (random_below(&seed, 2) == 0 ? 1 : -1);
        __extension__ __int128 whole = 0;
        __extension__ __int128 sum = 0;
        bool near = true;
        for (size_t i = 0; i < count; i++) {
            paid[i] = nothing ? 0 : draw_amount(&seed, top);
            whole += paid[i];
        }
        ck_assert_int_eq(accord_spread(total, paid, count, parts), ACCORD_OK);
        for (size_t i = 0; i < count; i++) {
            __extension__ const __int128 weight = whole == 0 ? 1 : paid[i];
            __extension__ const __int128 weights = whole == 0 ? (__int128)count : whole;
            __extension__ const __int128 distance =
                (__int128)parts[i] * weights - (__int128)total * weight;
            near = near && distance < weights && -distance < weights;
            sum += parts[i];
        }
        ck_assert_msg(near && sum == total, "round %d", round);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("settle properties");
    TCase *tests = tcase_create("every order");
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, test_sums_and_order, 0, 4);
    tcase_add_loop_test(tests, test_refund_everything, 0, 4);
    tcase_add_loop_test(tests, test_explained, 0, 4);
    tcase_add_loop_test(tests, test_never_wraps, 0, 4);
    tcase_add_loop_test(tests, test_spread, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
