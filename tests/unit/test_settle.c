/* The golden and hard cases of settling one order. */
#include "settle_fixture.h"

#include <stdio.h>

/* Settles one line and checks what the three parties get. */
static void expect_shares(const struct accord_line *line, const struct accord_refund *refunds,
                          size_t refund_count, const struct accord_agreement_version *version,
                          int64_t net, int64_t provider, int64_t channel, int64_t platform)
{
    const struct accord_order order = fixture_order(line, 1);
    struct accord_line_result got;
    ck_assert_int_eq(fixture_settle(&order, refunds, refund_count, version, &got), ACCORD_OK);
    ck_assert_int_eq(got.held, ACCORD_HELD_NOT);
    ck_assert_int_eq(got.net, net);
    ck_assert_int_eq(got.shares[PROVIDER], provider);
    ck_assert_int_eq(got.shares[CHANNEL], channel);
    ck_assert_int_eq(got.shares[PLATFORM], platform);
}

/* Net 197.81 at 60/30/10; 100.00 refunded with the fee kept; the reversal is 60.00/30.00/10.00. */
START_TEST(test_golden)
{
    const struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 19900);
    const struct accord_refund refund = fixture_refund("r", "1", 10000);
    line.payment_fee = 119;
    expect_shares(&line, NULL, 0, &version, 19781, 11869, 5934, 1978);
    expect_shares(&line, &refund, 1, &version, 9781, 5869, 2934, 978);
}
END_TEST

/* Everything refunded: nobody keeps anything, but a kept fee is borne in the shares' proportions.
 */
START_TEST(test_full_refund)
{
    const struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 19900);
    struct accord_refund refund = fixture_refund("r", "1", 19900);
    line.tax = 1126;
    line.payment_fee = 119;
    expect_shares(&line, &refund, 1, &version, -119, -71, -36, -12); /* -71.4 -35.7 -11.9 */
    refund.fee_returned = 119;
    expect_shares(&line, &refund, 1, &version, 0, 0, 0, 0);
    refund.fee_returned = 100000;
    expect_shares(&line, &refund, 1, &version, 0, 0, 0, 0);
    refund.tax_returned = 1000;                                      /* the tax office keeps 126 */
    expect_shares(&line, &refund, 1, &version, -126, -76, -38, -12); /* -75.6 -37.8 -12.6 */
}
END_TEST

/* A hundred refunds of one cent end at 50/50, and are at most a cent apart on the way. */
START_TEST(test_hundred_refunds)
{
    struct accord_agreement_version version = fixture_version();
    const struct accord_line line = fixture_line("1", 200);
    const struct accord_order order = fixture_order(&line, 1);
    struct accord_refund refunds[100];
    struct accord_line_result got;
    version.terms[0].share_ppm = 500000;
    version.terms[1] = (struct accord_term){.kind = ACCORD_TERM_RESIDUAL, .payee = CHANNEL};
    version.term_count = 2;
    for (uint32_t i = 0; i < 100; i++) {
        refunds[i] = fixture_refund("r", "1", 1);
        refunds[i].row = i;
        ck_assert_int_eq(fixture_settle(&order, refunds, i + 1, &version, &got), ACCORD_OK);
        ck_assert_int_le(llabs(got.shares[PROVIDER] - got.shares[CHANNEL]), 1);
    }
    ck_assert_int_eq(got.shares[PROVIDER], 50);
    ck_assert_int_eq(got.shares[CHANNEL], 50);
}
END_TEST

/* What the agreement does not deduct does not lower net, and a signed rate beats a given amount. */
START_TEST(test_what_is_deducted)
{
    struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 10000);
    line.tax = 600;
    line.store_fee = 3000;
    line.payment_fee = 60;
    expect_shares(&line, NULL, 0, &version, 6340, 3804, 1902, 634);
    version.store_fee.deduct = false;
    expect_shares(&line, NULL, 0, &version, 9340, 5604, 2802, 934);
    version.payment_fee.rate_ppm = 10000;
    expect_shares(&line, NULL, 0, &version, 9300, 5580, 2790, 930);
    version.payment_fee.base = ACCORD_FEE_ON_EX_TAX;
    expect_shares(&line, NULL, 0, &version, 9306, 5584, 2792, 930); /* 5583.6 2791.8 930.6 */
    version.tax.deduct = false;
    expect_shares(&line, NULL, 0, &version, 9906, 5944, 2972, 990); /* 5943.6 2971.8 990.6 */
}
END_TEST

/* A fee returned lowers the payment fee first, then the store fee. */
START_TEST(test_fee_returned)
{
    const struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 10000);
    const struct accord_order order = fixture_order(&line, 1);
    struct accord_refund refund = fixture_refund("r", "1", 1000);
    struct accord_line_result got;
    line.store_fee = 3000;
    line.payment_fee = 60;
    refund.fee_returned = 160;
    ck_assert_int_eq(fixture_settle(&order, &refund, 1, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.payment_fee, 0);
    ck_assert_int_eq(got.store_fee, 2900);
    ck_assert_int_eq(got.net, 6100);
}
END_TEST

/* A discount of 20.00 funded by the channel: the provider shares what it would have shared. */
START_TEST(test_discount_added_back)
{
    struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 8000);
    const struct accord_order order = fixture_order(&line, 1);
    struct accord_refund refund = fixture_refund("r", "1", 4000);
    struct accord_line_result got;
    line.discounts[ACCORD_FUNDER_CHANNEL] = 2000;
    line.discounts[ACCORD_FUNDER_PROVIDER] = 500;
    expect_shares(&line, NULL, 0, &version, 8000, 4800, 2400, 800);
    version.add_back[ACCORD_FUNDER_CHANNEL] = true;
    expect_shares(&line, NULL, 0, &version, 8000, 6000, 1000, 1000);
    expect_shares(&line, &refund, 1, &version, 4000, 3000, 500, 500);
    ck_assert_int_eq(fixture_settle(&order, &refund, 1, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.added_back, 1000);
    refund.amount = 8000;
    expect_shares(&line, &refund, 1, &version, 0, 0, 0, 0);
}
END_TEST

/* A coupon of 100 %: gross 0. With its funder charged, everybody still earns. */
START_TEST(test_zero_gross)
{
    struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 0);
    const struct accord_refund refund = fixture_refund("r", "1", 1);
    line.discounts[ACCORD_FUNDER_PLATFORM] = 10000;
    expect_shares(&line, NULL, 0, &version, 0, 0, 0, 0);
    version.add_back[ACCORD_FUNDER_PLATFORM] = true;
    expect_shares(&line, NULL, 0, &version, 0, 6000, 3000, -9000);
    expect_shares(&line, &refund, 1, &version, 0, 6000, 3000, -9000);
    version.terms[0] =
        (struct accord_term){.kind = ACCORD_TERM_AMOUNT, .payee = PROVIDER, .amount_minor = 500};
    expect_shares(&line, NULL, 0, &version, 0, 500, 2850, -3350);
}
END_TEST

/* Amounts come before shares, scale with what is not refunded, and must not exceed the sale. */
START_TEST(test_amounts)
{
    struct accord_agreement_version version = fixture_version();
    struct accord_line line = fixture_line("1", 10000);
    const struct accord_order order = fixture_order(&line, 1);
    struct accord_refund refund = fixture_refund("r", "1", 9990);
    struct accord_line_result got;
    version.terms[0] =
        (struct accord_term){.kind = ACCORD_TERM_AMOUNT, .payee = PROVIDER, .amount_minor = 5000};
    expect_shares(&line, NULL, 0, &version, 10000, 5000, 1500, 3500);
    line.payment_fee = 60;
    expect_shares(&line, &refund, 1, &version, -50, 5, -17, -38); /* -55: -16.5 -38.5 */
    line.payment_fee = 5000;
    expect_shares(&line, NULL, 0, &version, 5000, 5000, 0, 0);
    line.payment_fee = 5001;
    for (size_t refunds = 0; refunds < 2; refunds++) {
        ck_assert_int_eq(fixture_settle(&order, &refund, refunds, &version, &got), ACCORD_OK);
        ck_assert_int_eq(got.held, ACCORD_HELD_OVER_ALLOCATED);
        ck_assert_uint_eq(got.version, 0);
        ck_assert_int_eq(got.gross, 10000);
        ck_assert_int_eq(got.refunded, refunds == 0 ? 0 : 9990);
        ck_assert_int_eq(got.payment_fee, 0);
        ck_assert_int_eq(got.net, 0);
        for (size_t i = 0; i < ACCORD_PARTIES_MAX; i++)
            ck_assert_int_eq(got.shares[i], 0);
    }
}
END_TEST

/* One cent and five payees: the first of the largest gets it. */
START_TEST(test_one_cent_five_payees)
{
    struct accord_agreement_version version = fixture_version();
    const struct accord_line line = fixture_line("1", 1);
    const struct accord_order order = fixture_order(&line, 1);
    struct accord_line_result got;
    version.parties[3] = "d";
    version.parties[4] = "e";
    version.party_count = 5;
    for (uint32_t i = 0; i < 4; i++)
        version.terms[i] =
            (struct accord_term){.kind = ACCORD_TERM_SHARE, .payee = 4 - i, .share_ppm = 200000};
    version.terms[4] = (struct accord_term){.kind = ACCORD_TERM_RESIDUAL, .payee = 0};
    version.term_count = 5;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_OK);
    ck_assert_int_eq(got.shares[4], 1);
    ck_assert_int_eq(got.net, 1);
}
END_TEST

/* Why a line is held; other lines of the order are settled all the same. */
START_TEST(test_held)
{
    const struct accord_agreement_version version = fixture_version();
    const struct accord_agreement_version *versions[] = {&version};
    struct accord_line lines[] = {fixture_line("1", 100), fixture_line("2", 200),
                                  fixture_line("3", 300)};
    struct accord_order order = fixture_order(lines, 3);
    const struct accord_refund refund = fixture_refund("r", NULL, 60);
    struct accord_line_result got[3];
    struct accord_excess excess;
    lines[0].course_known = false;
    lines[1].provider = "prv-z";
    ck_assert_int_eq(accord_settle_order(&order, &refund, 1, versions, 1, got, &excess), ACCORD_OK);
    ck_assert_str_eq(accord_held_name(got[0].held), "unmatched");
    ck_assert_uint_eq(got[0].version, SIZE_MAX);
    ck_assert_int_eq(got[0].rank, ACCORD_RANK_NONE);
    ck_assert_int_eq(got[0].refunded, 10);
    ck_assert_str_eq(accord_held_name(got[1].held), "unassigned");
    ck_assert_uint_eq(got[1].version, SIZE_MAX);
    ck_assert_int_eq(got[1].refunded, 20);
    ck_assert_str_eq(accord_held_name(got[2].held), "");
    ck_assert_uint_eq(got[2].version, 0);
    ck_assert_int_eq(got[2].rank, ACCORD_RANK_PROVIDER_CHANNEL);
    ck_assert_int_eq(got[2].net, 270);

    memcpy(order.currency.code, "USD", 4);
    ck_assert_int_eq(accord_settle_order(&order, NULL, 0, versions, 1, got, &excess), ACCORD_OK);
    ck_assert_str_eq(accord_held_name(got[2].held), "no_rate");
    ck_assert_uint_eq(got[2].version, 0);
    ck_assert_int_eq(got[2].gross, 300);
    ck_assert_int_eq(got[2].net, 0);
    ck_assert_int_eq(got[2].shares[0], 0);
}
END_TEST

/* The terms of the sale's own time, also for what is refunded later; an agreement of one course
 * takes its sales out of the wider one. Currencies without decimals and with three are like any
 * other. */
START_TEST(test_terms_of_the_sale)
{
    static const struct accord_course_ref course[] = {{"prv-a", "sql"}};
    struct accord_agreement_version first = fixture_version();
    struct accord_agreement_version second = fixture_version();
    struct accord_agreement_version narrow = fixture_version();
    const struct accord_agreement_version *versions[] = {&second, &narrow, &first};
    struct accord_line lines[] = {fixture_line("1", 12160), fixture_line("2", 1001)};
    struct accord_order order = fixture_order(lines, 2);
    struct accord_refund refund = fixture_refund("r", "1", 2160);
    struct accord_line_result got[2];
    struct accord_excess excess;
    memcpy(first.currency.code, "JPY", 4);
    memcpy(second.currency.code, "JPY", 4);
    memcpy(narrow.currency.code, "KWD", 4);
    memcpy(order.currency.code, "JPY", 4);
    second.version = 2;
    second.effective_from_us = fixture_time + 1;
    second.terms[0].share_ppm = 500000;
    narrow.agreement = "agr-sql";
    narrow.courses = course;
    narrow.course_count = 1;
    lines[1].course_id = "sql";
    refund.occurred_at_us = fixture_time + 1000;

    ck_assert_int_eq(accord_settle_order(&order, &refund, 1, versions, 3, got, &excess), ACCORD_OK);
    ck_assert_uint_eq(got[0].version, 2);
    ck_assert_int_eq(got[0].shares[PROVIDER], 6000);
    ck_assert_int_eq(got[1].held, ACCORD_HELD_NO_RATE); /* the narrow one wins, in dinar */
    ck_assert_uint_eq(got[1].version, 1);
    ck_assert_int_eq(got[1].rank, ACCORD_RANK_COURSE);

    order.occurred_at_us++;
    ck_assert_int_eq(accord_settle_order(&order, &refund, 1, versions, 3, got, &excess), ACCORD_OK);
    ck_assert_uint_eq(got[0].version, 0);
    ck_assert_int_eq(got[0].shares[PROVIDER], 5000);

    memcpy(order.currency.code, "KWD", 4);
    ck_assert_int_eq(accord_settle_order(&order, NULL, 0, versions, 3, got, &excess), ACCORD_OK);
    ck_assert_int_eq(got[0].held, ACCORD_HELD_NO_RATE);
    ck_assert_int_eq(got[1].held, ACCORD_HELD_NOT);
    ck_assert_int_eq(got[1].shares[PROVIDER], 601); /* 600.6 300.3 100.1 */
    ck_assert_int_eq(got[1].shares[CHANNEL], 300);
    ck_assert_int_eq(got[1].shares[PLATFORM], 100);
}
END_TEST

/* Refunds apply by time, then partner, event and row, up to what was paid; the rest is excess. */
START_TEST(test_excess)
{
    struct accord_agreement_version version = fixture_version();
    const struct accord_agreement_version *versions[] = {&version};
    struct accord_line line = fixture_line("1", 100);
    const struct accord_order order = fixture_order(&line, 1);
    struct accord_refund refunds[] = {
        fixture_refund("b", "1", 70),   /* second: 40 of it */
        fixture_refund("a", "1", 60),   /* first: all of it */
        fixture_refund("c", "none", 5), /* no such line */
        fixture_refund("d", NULL, 7),   /* nothing is left */
    };
    struct accord_line_result got;
    struct accord_excess excess;
    line.tax = 10;
    line.payment_fee = 3;
    refunds[1].tax_returned = 4;
    refunds[0].fee_returned = 1;
    refunds[3].fee_returned = 2; /* of a row that does not apply at all */
    ck_assert_int_eq(accord_settle_order(&order, refunds, 4, versions, 1, &got, &excess),
                     ACCORD_OK);
    ck_assert_int_eq(got.refunded, 100);
    ck_assert_int_eq(got.tax, 2); /* 10 · 60/100 stands until 4 of it came back */
    ck_assert_int_eq(got.payment_fee, 2);
    ck_assert_int_eq(excess.amount, 30 + 5 + 7);
    ck_assert_uint_eq(excess.count, 3);

    refunds[0].occurred_at_us -= 1; /* now it comes first, whole */
    ck_assert_int_eq(accord_settle_order(&order, refunds, 4, versions, 1, &got, &excess),
                     ACCORD_OK);
    ck_assert_int_eq(got.tax, 0); /* 10 · 30/100, of which 4 came back */
    ck_assert_int_eq(excess.amount, 30 + 5 + 7);
}
END_TEST

/* A refund of the whole order mirrors the split of a bundle (ASC 606 style basis). */
START_TEST(test_order_refund)
{
    const struct accord_agreement_version version = fixture_version();
    const struct accord_line lines[] = {fixture_line("1", 6633), fixture_line("2", 8644),
                                        fixture_line("3", 4623)};
    const struct accord_order order = fixture_order(lines, 3);
    struct accord_refund refund = fixture_refund("r", NULL, 5000);
    struct accord_line_result got[3];
    ck_assert_int_eq(fixture_settle(&order, &refund, 1, &version, got), ACCORD_OK);
    ck_assert_int_eq(got[0].refunded, 1667);
    ck_assert_int_eq(got[1].refunded, 2172);
    ck_assert_int_eq(got[2].refunded, 1161);
    refund.amount = 19900;
    ck_assert_int_eq(fixture_settle(&order, &refund, 1, &version, got), ACCORD_OK);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(got[i].refunded, lines[i].paid);
        ck_assert_int_eq(got[i].net, 0);
    }
}
END_TEST

START_TEST(test_spread)
{
    const int64_t bundle[] = {19900, 9900, 9900};
    const int64_t small[] = {9900, 12900, 6900};
    const int64_t free_lines[] = {0, 0, 0};
    int64_t parts[3] = {7, 7, 7};
    ck_assert_int_eq(accord_spread(29900, bundle, 3, parts), ACCORD_OK);
    ck_assert_int_eq(parts[0], 14988);
    ck_assert_int_eq(parts[1], 7456);
    ck_assert_int_eq(parts[2], 7456);
    ck_assert_int_eq(accord_spread(19900, small, 3, parts), ACCORD_OK);
    ck_assert_int_eq(parts[0], 6633);
    ck_assert_int_eq(parts[1], 8644);
    ck_assert_int_eq(parts[2], 4623);
    ck_assert_int_eq(accord_spread(11, free_lines, 3, parts), ACCORD_OK);
    ck_assert_int_eq(parts[0], 4);
    ck_assert_int_eq(parts[1], 4);
    ck_assert_int_eq(parts[2], 3);
    ck_assert_int_eq(accord_spread(-11, free_lines, 3, parts), ACCORD_OK);
    ck_assert_int_eq(parts[0], -4);
    ck_assert_int_eq(parts[1], -4);
    ck_assert_int_eq(parts[2], -3);
    ck_assert_int_eq(accord_spread(0, free_lines, 3, parts), ACCORD_OK);
    ck_assert_int_eq(parts[0], 0);
    ck_assert_int_eq(accord_spread(0, NULL, 0, parts), ACCORD_OK);
    ck_assert_int_eq(accord_spread(1, NULL, 0, parts), ACCORD_E_WEIGHTS_ZERO);
    ck_assert_int_eq(accord_spread(INT64_MIN, bundle, 3, parts), ACCORD_E_OVERFLOW);
}
END_TEST

/* ---- edges ---- */

START_TEST(test_bad_values)
{
    const struct accord_agreement_version good = fixture_version();
    struct accord_agreement_version version = good;
    const struct accord_line good_line = fixture_line("1", 100);
    struct accord_line line = good_line;
    struct accord_order order = fixture_order(&line, 1);
    struct accord_refund refund = fixture_refund("r", "1", -1);
    struct accord_line_result got = {.gross = 77};
    ck_assert_int_eq(fixture_settle(&order, &refund, 1, &good, &got), ACCORD_E_VALUE_OUT_OF_RANGE);
    refund.amount = 0;
    ck_assert_int_eq(fixture_settle(&order, &refund, 1, &good, &got), ACCORD_OK);
    got.gross = 77;
    refund.fee_returned = -1;
    ck_assert_int_eq(fixture_settle(&order, &refund, 1, &good, &got), ACCORD_E_VALUE_OUT_OF_RANGE);
    line.paid = -1;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &good, &got), ACCORD_E_VALUE_OUT_OF_RANGE);
    line = good_line;
    line.tax = -2;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &good, &got), ACCORD_E_VALUE_OUT_OF_RANGE);
    line = good_line;
    line.discounts[2] = -1;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &good, &got), ACCORD_E_VALUE_OUT_OF_RANGE);
    line = good_line;
    version.terms[2].payee = 3;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_E_PAYEE_NOT_PARTY);
    version = good;
    version.term_count = 2;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, &got), ACCORD_E_RESIDUAL_MISSING);
    order.line_count = ACCORD_LINES_MAX + 1;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &good, &got), ACCORD_E_COUNT_OUT_OF_RANGE);
    ck_assert_int_eq(got.gross, 77);
    order.line_count = 0;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &good, &got), ACCORD_OK);
}
END_TEST

/* At the edge of int64 every result is exact or an error. */
START_TEST(test_edges)
{
    struct accord_agreement_version version = fixture_version();
    struct accord_line lines[] = {fixture_line("1", INT64_MAX), fixture_line("2", 1)};
    struct accord_order order = fixture_order(lines, 1);
    struct accord_refund refunds[] = {fixture_refund("a", NULL, INT64_MAX),
                                      fixture_refund("b", "1", INT64_MAX)};
    struct accord_line_result got[2];
    struct accord_excess excess;
    const struct accord_agreement_version *versions[] = {&version};
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, got), ACCORD_OK);
    ck_assert_int_eq(got[0].net, INT64_MAX);
    ck_assert_int_eq(got[0].shares[PROVIDER], INT64_C(5534023222112865484));
    ck_assert_int_eq(got[0].shares[CHANNEL], INT64_C(2767011611056432742));
    ck_assert_int_eq(got[0].shares[PLATFORM], INT64_C(922337203685477581));
    ck_assert_int_eq(accord_settle_order(&order, refunds, 2, versions, 1, got, &excess), ACCORD_OK);
    ck_assert_int_eq(excess.amount, INT64_MAX);

    refunds[1].event_id = "c";
    lines[0].paid = 5;
    ck_assert_int_eq(accord_settle_order(&order, refunds, 2, versions, 1, got, &excess),
                     ACCORD_E_OVERFLOW); /* of the excess */
    lines[0].paid = INT64_MAX;
    order.line_count = 2;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, got), ACCORD_E_OVERFLOW);
    order.line_count = 1;
    lines[0].discounts[0] = 1;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, got), ACCORD_OK);
    version.add_back[0] = true;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, got), ACCORD_E_OVERFLOW);
    lines[0].discounts[0] = 0;
    lines[0].paid = 0;
    lines[0].tax = lines[0].store_fee = INT64_MAX;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, got), ACCORD_E_OVERFLOW);
    lines[0].store_fee = 1; /* net is INT64_MIN, which has no mirror */
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, got), ACCORD_E_OVERFLOW);
    lines[0].store_fee = 0;
    ck_assert_int_eq(fixture_settle(&order, NULL, 0, &version, got), ACCORD_OK);
    ck_assert_int_eq(got[0].net, -INT64_MAX);
}
END_TEST

/* Orders beyond what is kept on the stack. */
START_TEST(test_many_lines)
{
    enum { MANY = ACCORD_LINES_MAX };
    static struct accord_line lines[MANY];
    static struct accord_refund refunds[MANY];
    static struct accord_line_result got[MANY];
    static char ids[MANY][8];
    const struct accord_agreement_version version = fixture_version();
    const struct accord_agreement_version *versions[] = {&version};
    const struct accord_order order = fixture_order(lines, MANY);
    struct accord_excess excess;
    for (int i = 0; i < MANY; i++) {
        snprintf(ids[i], sizeof ids[i], "%d", (i * 7919) % MANY);
        lines[i] = fixture_line(ids[i], 1000 + i);
        refunds[MANY - 1 - i] = fixture_refund("r", ids[i], 10 + i);
    }
    ck_assert_int_eq(accord_settle_order(&order, refunds, MANY, versions, 1, got, &excess),
                     ACCORD_OK);
    int64_t wrong = 0;
    for (int i = 0; i < MANY; i++)
        wrong += got[i].refunded != 10 + i || got[i].net != 990;
    ck_assert_int_eq(wrong, 0);
    ck_assert_uint_eq(excess.count, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("settle");
    TCase *tests = tcase_create("one order");
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, test_golden);
    tcase_add_test(tests, test_full_refund);
    tcase_add_test(tests, test_hundred_refunds);
    tcase_add_test(tests, test_what_is_deducted);
    tcase_add_test(tests, test_fee_returned);
    tcase_add_test(tests, test_discount_added_back);
    tcase_add_test(tests, test_zero_gross);
    tcase_add_test(tests, test_amounts);
    tcase_add_test(tests, test_one_cent_five_payees);
    tcase_add_test(tests, test_held);
    tcase_add_test(tests, test_terms_of_the_sale);
    tcase_add_test(tests, test_excess);
    tcase_add_test(tests, test_order_refund);
    tcase_add_test(tests, test_spread);
    tcase_add_test(tests, test_bad_values);
    tcase_add_test(tests, test_edges);
    tcase_add_test(tests, test_many_lines);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
