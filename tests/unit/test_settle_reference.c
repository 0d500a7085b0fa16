/* Settle against the same rules in exact rationals: see settle_reference.py. */
#include "accord/settle.h"

#include <stdio.h>

#include "settle_cases.h"
#include "unit.h"

enum { LINES = 16, REFUNDS = 32, PROMOTERS = 3, TOUCHES = 8, FIELDS = 12 };

static const char *const party_ids[] = {"prv", "chn", "platform", "x", "y"};
static const char *const line_ids[] = {"0", "1", "2", "3", "4",  "5",
                                       "6", "7", "8", "9", "10", "11"};
static const char *const partner_ids[] = {"chn", "chn-b"};
static const char *const event_ids[] = {"e0", "e1", "e2"};
static const char *const promoter_ids[] = {"pa", "pb", "pc"};
static const char *const touch_ids[] = {"t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8", "t9"};
static const struct accord_course_ref course = {"prv", "c"};
static const struct accord_tier tiers[] = {{0, 1}};

/* One case, read from the stream. */
struct replay {
    const int64_t *at;
    struct accord_agreement_version version;
    struct accord_line lines[LINES];
    struct accord_refund refunds[REFUNDS];
    size_t refund_count;
    struct accord_promoter promoters[PROMOTERS];
    struct accord_touch touches[TOUCHES];
    size_t touch_count;
    struct accord_order order;
};

static int64_t next(struct replay *replay)
{
    return *replay->at++;
}

static void read_deduction(struct replay *replay, struct accord_deduction *ret)
{
    ret->deduct = next(replay) != 0;
    ret->rate_ppm = next(replay);
    ret->base = (enum accord_fee_base)next(replay);
}

static void read_term(struct replay *replay, struct accord_term *ret)
{
    static const enum accord_term_kind kinds[] = {ACCORD_TERM_SHARE,    ACCORD_TERM_AMOUNT,
                                                  ACCORD_TERM_RESIDUAL, ACCORD_TERM_CPA,
                                                  ACCORD_TERM_REFERRAL, ACCORD_TERM_TIERED};
    *ret = (struct accord_term){.kind = kinds[next(replay)], .floor_minor = -1};
    ret->payee = (uint32_t)next(replay);
    ret->share_ppm = next(replay);
    ret->amount_minor = next(replay);
    ret->metric = (enum accord_metric)next(replay);
    ret->cap_minor = next(replay);
    ret->level_count = (uint32_t)next(replay);
    for (int i = 0; i < ACCORD_LEVELS_MAX; i++)
        ret->levels_ppm[i] = next(replay);
    ret->attribution_window_us = next(replay);
    ret->first_touch = next(replay) != 0;
    ret->coupon_beats_click = next(replay) != 0;
    ret->tiers = tiers;
    ret->tier_count = 1;
}

static void read_version(struct replay *replay)
{
    struct accord_agreement_version *version = &replay->version;
    *version = (struct accord_agreement_version){.agreement = "a",
                                                 .version = 1,
                                                 .courses = &course,
                                                 .course_count = 1,
                                                 .effective_to_us = INT64_MAX,
                                                 .currency = {"CNY"}};
    version->party_count = (uint32_t)next(replay);
    for (uint32_t i = 0; i < version->party_count; i++)
        version->parties[i] = party_ids[i];
    read_deduction(replay, &version->tax);
    read_deduction(replay, &version->store_fee);
    read_deduction(replay, &version->payment_fee);
    read_deduction(replay, &version->admin_fee);
    for (int f = 0; f < ACCORD_FUNDERS; f++) {
        version->add_back[f] = next(replay) != 0;
        version->funder_party[f] = (uint32_t)next(replay);
    }
    version->payment_fee.fixed_minor = next(replay);
    version->qualify_days = next(replay);
    const int64_t bearer = next(replay);
    version->kept_fees_charged = bearer >= 0;
    version->fee_borne_by = bearer >= 0 ? (uint32_t)bearer : 0;
    version->referral_kept = next(replay) != 0;
    version->term_count = (uint32_t)next(replay);
    for (uint32_t i = 0; i < version->term_count; i++)
        read_term(replay, &version->terms[i]);
}

static void read_touches(struct replay *replay)
{
    for (int i = 0; i < PROMOTERS; i++) {
        struct accord_promoter *promoter = &replay->promoters[i];
        const int64_t parent = next(replay);
        promoter->id = promoter_ids[i];
        promoter->parent = parent < 0 ? ACCORD_PROMOTER_NONE : (uint32_t)parent;
        promoter->self_referral = next(replay) != 0;
        promoter->suspended = next(replay) != 0;
    }
    replay->touch_count = (size_t)next(replay);
    for (size_t i = 0; i < replay->touch_count; i++) {
        struct accord_touch *touch = &replay->touches[i];
        touch->occurred_at_us = -next(replay);
        touch->kind = (enum accord_touch_kind)next(replay);
        touch->promoter = (uint32_t)next(replay);
        touch->self_referral = next(replay) != 0;
        touch->promoter_suspended = next(replay) != 0;
        touch->partner = "chn";
        touch->event_id = touch_ids[next(replay)];
    }
}

static void read_order(struct replay *replay)
{
    replay->order = (struct accord_order){.channel = "chn",
                                          .order_id = "o",
                                          .currency = {"CNY"},
                                          .lines = replay->lines,
                                          .touches = replay->touches,
                                          .touch_count = replay->touch_count,
                                          .promoters = replay->promoters,
                                          .promoter_count = PROMOTERS};
    replay->order.line_count = (size_t)next(replay);
    for (size_t i = 0; i < replay->order.line_count; i++) {
        struct accord_line *line = &replay->lines[i];
        *line = (struct accord_line){
            .line_id = line_ids[i], .provider = "prv", .course_id = "c", .course_known = true};
        line->paid = next(replay);
        line->quantity = next(replay);
        line->tax = next(replay);
        line->store_fee = next(replay);
        line->payment_fee = next(replay);
        for (int f = 0; f < ACCORD_FUNDERS; f++)
            line->discounts[f] = next(replay);
    }
    replay->refund_count = (size_t)next(replay);
    for (size_t i = 0; i < replay->refund_count; i++) {
        struct accord_refund *refund = &replay->refunds[i];
        refund->occurred_at_us = next(replay);
        refund->partner = partner_ids[next(replay)];
        refund->event_id = event_ids[next(replay)];
        refund->row = (uint32_t)next(replay);
        const int64_t line = next(replay);
        refund->line_id = line < 0 ? NULL : line < LINES ? line_ids[line] : "none";
        refund->amount = next(replay);
        refund->tax_returned = next(replay);
        refund->fee_returned = next(replay);
    }
}

static void compare(struct replay *replay, int64_t number)
{
    const struct accord_agreement_version *versions[] = {&replay->version};
    struct accord_line_result results[LINES];
    struct accord_excess excess;
    ck_assert_int_eq(accord_agreement_check(&replay->version, NULL), ACCORD_OK);
    ck_assert_int_eq(accord_settle_order(&replay->order, replay->refunds, replay->refund_count,
                                         versions, 1, results, &excess),
                     ACCORD_OK);
    const int64_t excess_amount = next(replay);
    const int64_t excess_count = next(replay);
    ck_assert_msg(excess.amount == excess_amount && (int64_t)excess.count == excess_count,
                  "case %jd: excess", (intmax_t)number);
    for (size_t i = 0; i < replay->order.line_count; i++) {
        const struct accord_line_result *got = &results[i];
        const int64_t is[FIELDS] = {got->held == ACCORD_HELD_OVER_ALLOCATED ? 5 : got->held,
                                    got->refunded,
                                    got->tax,
                                    got->store_fee,
                                    got->payment_fee,
                                    got->admin_fee,
                                    got->net,
                                    got->added_back,
                                    got->base,
                                    got->open,
                                    got->lines_qualified,
                                    got->units_qualified};
        for (int field = 0; field < FIELDS; field++) {
            const int64_t want = next(replay);
            ck_assert_msg(is[field] == want, "case %jd line %zu field %d: %jd, want %jd",
                          (intmax_t)number, i, field, (intmax_t)is[field], (intmax_t)want);
        }
        for (int level = 0; level < ACCORD_LEVELS_MAX; level++) {
            const int64_t want = next(replay);
            const int64_t promoter = next(replay);
            ck_assert_msg(got->referral[level] == want, "case %jd line %zu level %d: %jd, want %jd",
                          (intmax_t)number, i, level, (intmax_t)got->referral[level],
                          (intmax_t)want);
            ck_assert_pstr_eq(got->promoters[level], promoter < 0 ? NULL : promoter_ids[promoter]);
        }
        for (uint32_t party = 0; party < replay->version.party_count; party++) {
            const int64_t want = next(replay);
            ck_assert_msg(got->shares[party] == want, "case %jd line %zu party %u: %jd, want %jd",
                          (intmax_t)number, i, party, (intmax_t)got->shares[party], (intmax_t)want);
        }
    }
}

START_TEST(test_same_as_reference)
{
    static struct replay replay;
    replay.at = settle_cases;
    const int64_t count = next(&replay);
    ck_assert_int_gt(count, 1000);
    for (int64_t i = 0; i < count; i++) {
        read_version(&replay);
        read_touches(&replay);
        read_order(&replay);
        compare(&replay, i);
    }
    ck_assert_ptr_eq(replay.at, settle_cases + sizeof settle_cases / sizeof *settle_cases);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("settle reference");
    TCase *tests = tcase_create("exact rationals");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, test_same_as_reference);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
