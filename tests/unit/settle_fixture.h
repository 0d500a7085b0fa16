/* An agreement between a provider, a channel and the platform, and orders under it. */
#ifndef ACCORD_TESTS_SETTLE_FIXTURE_H
#define ACCORD_TESTS_SETTLE_FIXTURE_H

#include "accord/settle.h"

#include <string.h>

#include "unit.h"

enum { PROVIDER, CHANNEL, PLATFORM };

static const char *const fixture_providers[] = {"prv-a"};
static const char *const fixture_channels[] = {"chn-b"};
static const int64_t fixture_time = INT64_C(1768478591000000);

/* 60 % to the provider, 30 % to the channel, the rest to the platform; the payment fee is deducted
 * as given. */
static inline struct accord_agreement_version fixture_version(void)
{
    return (struct accord_agreement_version){
        .agreement = "agr",
        .version = 1,
        .parties = {"prv-a", "chn-b", "platform"},
        .party_count = 3,
        .collector = CHANNEL,
        .providers = fixture_providers,
        .provider_count = 1,
        .channels = fixture_channels,
        .channel_count = 1,
        .effective_from_us = 0,
        .effective_to_us = INT64_MAX,
        .currency = {"CNY"},
        .tax = {.deduct = true, .rate_ppm = -1},
        .store_fee = {.deduct = true, .rate_ppm = -1},
        .payment_fee = {.deduct = true, .rate_ppm = -1},
        .funder_party = {PROVIDER, CHANNEL, PLATFORM},
        .terms = {{.kind = ACCORD_TERM_SHARE, .payee = PROVIDER, .share_ppm = 600000},
                  {.kind = ACCORD_TERM_SHARE, .payee = CHANNEL, .share_ppm = 300000},
                  {.kind = ACCORD_TERM_RESIDUAL, .payee = PLATFORM}},
        .term_count = 3,
    };
}

static inline struct accord_line fixture_line(const char *line_id, int64_t paid)
{
    return (struct accord_line){.line_id = line_id,
                                .provider = "prv-a",
                                .course_id = "python",
                                .course_known = true,
                                .quantity = 1,
                                .paid = paid,
                                .tax = -1,
                                .store_fee = -1,
                                .payment_fee = -1};
}

static inline struct accord_order fixture_order(const struct accord_line *lines, size_t count)
{
    return (struct accord_order){.channel = "chn-b",
                                 .order_id = "o-1",
                                 .occurred_at_us = fixture_time,
                                 .currency = {"CNY"},
                                 .lines = lines,
                                 .line_count = count};
}

static inline struct accord_refund fixture_refund(const char *event_id, const char *line_id,
                                                  int64_t amount)
{
    return (struct accord_refund){.occurred_at_us = fixture_time + 1,
                                  .partner = "chn-b",
                                  .event_id = event_id,
                                  .line_id = line_id,
                                  .amount = amount,
                                  .tax_returned = -1};
}

/* Settles under one version; the excess is dropped. */
static inline enum accord_error fixture_settle(const struct accord_order *order,
                                               const struct accord_refund *refunds, size_t count,
                                               const struct accord_agreement_version *version,
                                               struct accord_line_result *ret)
{
    struct accord_excess excess;
    return accord_settle_order(order, refunds, count, &version, 1, ret, &excess);
}

#endif
