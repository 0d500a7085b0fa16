/* What must hold of windows whatever the terms and the sums. */
#include "accord/window.h"

#include "window_fixture.h"

__extension__ typedef __int128 int128;

enum { MONTHS = 12, TIERS = 4, ROUNDS = 150, TRIED = 3 };

static const enum accord_window windows[] = {ACCORD_WINDOW_PERIOD, ACCORD_WINDOW_YEAR,
                                             ACCORD_WINDOW_LIFE};

/* Terms with room for their tiers. */
struct drawn {
    struct accord_tier tiers[ACCORD_TERMS_MAX][TIERS];
    struct accord_term terms[ACCORD_TERMS_MAX - 1];
    uint32_t count;
    int64_t left; /* of one whole, for shares of net */
};

/* Small numbers as often as large ones. */
static int64_t draw_amount(uint64_t *seed, int64_t bits)
{
    return random_below(seed, INT64_C(1) << random_below(seed, bits + 1));
}

static void draw_tiers(uint64_t *seed, struct drawn *drawn, struct accord_term *term)
{
    struct accord_tier *tiers = drawn->tiers[drawn->count];
    int64_t from = 0;
    int64_t highest = 0;
    const bool shares = term->metric == ACCORD_METRIC_NET || (term->whole && term->of_net);
    term->tiers = tiers;
    term->tier_count = 1 + (uint32_t)random_below(seed, TIERS);
    for (uint32_t i = 0; i < term->tier_count; i++) {
        tiers[i].from = from;
        from += 1 + draw_amount(seed, term->metric == ACCORD_METRIC_NET ? 20 : 5);
        tiers[i].rate = shares ? random_below(seed, drawn->left / 2 + 1) : draw_amount(seed, 30);
        highest = tiers[i].rate > highest ? tiers[i].rate : highest;
    }
    if (highest == 0)
        tiers[0].rate = highest = 1;
    if (shares)
        drawn->left -= highest;
}

/* One of the terms that are cut from open. */
static void draw_cut(uint64_t *seed, struct drawn *drawn, enum accord_window window)
{
    struct accord_term term = {.payee = (uint32_t)random_below(seed, 3),
                               .window = window,
                               .amount_minor = 1 + draw_amount(seed, 12),
                               .floor_minor = -1,
                               .cap_minor = -1};
    switch (random_below(seed, 3)) {
    case 0:
        term.kind = ACCORD_TERM_TIERED;
        term.metric = (enum accord_metric)random_below(seed, ACCORD_METRICS);
        term.whole = random_below(seed, 2) == 0;
        term.of_net = random_below(seed, 2) == 0;
        draw_tiers(seed, drawn, &term);
        break;
    case 1:
        term.kind = ACCORD_TERM_CPA;
        term.metric = (enum accord_metric)(1 + random_below(seed, ACCORD_METRICS - 1));
        if (random_below(seed, 2) == 0)
            term.floor_minor = draw_amount(seed, 14);
        if (random_below(seed, 2) == 0)
            term.cap_minor =
                1 + draw_amount(seed, 14) + (term.floor_minor > 0 ? term.floor_minor : 0);
        break;
    default:
        term.kind = ACCORD_TERM_GREATER_OF;
        term.metric = (enum accord_metric)(1 + random_below(seed, ACCORD_METRICS - 1));
        term.share_ppm = 1 + random_below(seed, drawn->left / 2);
        drawn->left -= term.share_ppm;
        break;
    }
    drawn->terms[drawn->count++] = term;
}

/* What is promised to one payee in one window: no two of a kind, no cap below what is promised. */
static void draw_promises(uint64_t *seed, struct drawn *drawn, enum accord_window window,
                          uint32_t payee)
{
    struct accord_term term = {.payee = payee,
                               .funded_by = (payee + 1 + (uint32_t)random_below(seed, 2)) % 3,
                               .window = window};
    int64_t most = 0;
    if (random_below(seed, 3) == 0) {
        term.kind = ACCORD_TERM_GUARANTEE;
        term.amount_minor = 1 + draw_amount(seed, 20);
        term.recoup = random_below(seed, 2) == 0;
        most = term.amount_minor;
        drawn->terms[drawn->count++] = term;
    }
    if (random_below(seed, 3) == 0) {
        term.kind = ACCORD_TERM_FLOOR;
        term.amount_minor = 1 + draw_amount(seed, 20);
        most = term.amount_minor > most ? term.amount_minor : most;
        drawn->terms[drawn->count++] = term;
    }
    if (random_below(seed, 3) == 0 && payee != PLATFORM) {
        term.kind = ACCORD_TERM_CAP;
        term.amount_minor = 1 + most + draw_amount(seed, 20);
        drawn->terms[drawn->count++] = term;
    }
}

static void draw_advance(uint64_t *seed, struct drawn *drawn, uint32_t payee)
{
    drawn->terms[drawn->count++] = (struct accord_term){.kind = ACCORD_TERM_ADVANCE,
                                                        .payee = payee,
                                                        .funded_by = (payee + 1) % 3,
                                                        .amount_minor = 1 + draw_amount(seed, 22),
                                                        .minimum_minor = draw_amount(seed, 24)};
}

static void draw_any(uint64_t *seed, struct drawn *ret)
{
    *ret = (struct drawn){.left = ACCORD_PPM_WHOLE};
    for (int64_t i = random_below(seed, 4); i >= 0; i--)
        draw_cut(seed, ret, windows[random_below(seed, 3)]);
    for (uint32_t payee = 0; payee < 2; payee++)
        for (int w = 0; w < ACCORD_WINDOWS; w++)
            if (random_below(seed, 2) == 0 && ret->count + 4 < ACCORD_TERMS_MAX)
                draw_promises(seed, ret, windows[w], payee);
    if (random_below(seed, 3) == 0)
        draw_advance(seed, ret, (uint32_t)random_below(seed, 3));
}

static struct accord_window_sums draw_sums(uint64_t *seed)
{
    struct accord_window_sums sums = {.lines = random_below(seed, 20) - 1,
                                      .units = random_below(seed, 40) - 2};
    sums.base = draw_amount(seed, 22) - draw_amount(seed, 16);
    sums.open = draw_amount(seed, 22) - draw_amount(seed, 16);
    sums.net = sums.open;
    for (int w = 0; w < ACCORD_WINDOWS; w++)
        sums.new_learners[w] = random_below(seed, 10);
    for (int p = 0; p < 3; p++) {
        sums.shares[p] = draw_amount(seed, 20) - draw_amount(seed, 14);
        sums.net += sums.shares[p];
    }
    return sums;
}

static void add(struct accord_window_sums *sums, const struct accord_window_sums *more)
{
    sums->net += more->net;
    sums->base += more->base;
    sums->open += more->open;
    sums->lines += more->lines;
    sums->units += more->units;
    for (int w = 0; w < ACCORD_WINDOWS; w++)
        sums->new_learners[w] += more->new_learners[w];
    for (int p = 0; p < ACCORD_PARTIES_MAX; p++)
        sums->shares[p] += more->shares[p];
}

/* ---- conservation ---- */

/* All payees of a part add up to its net, whoever funds what; what is not cut from open is in
 * pairs. */
static bool conserves(const struct accord_window_sums *sums, const struct window_got *got)
{
    int128 all = 0;
    int128 pairs = 0;
    for (int p = 0; p < 3; p++)
        all += sums->shares[p];
    for (size_t i = 0; i < got->count; i++) {
        const char *kind = got->lines[i].kind;
        all += got->lines[i].amount;
        if (strcmp(kind, "tiered") != 0 && strcmp(kind, "cpa") != 0 &&
            strcmp(kind, "greater_of") != 0 && strcmp(kind, "residual") != 0)
            pairs += got->lines[i].amount;
    }
    return all == sums->net && pairs == 0;
}

START_TEST(test_payees_add_up_to_net)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < ROUNDS; round++) {
        struct drawn drawn;
        draw_any(&seed, &drawn);
        const struct accord_agreement_version version = window_version(drawn.terms, drawn.count);
        struct accord_window_state state = {0};
        bool fine = true;
        for (int m = 0; m < 2 * MONTHS; m++) {
            struct accord_window_period month = window_month(m);
            const struct accord_window_sums sums = draw_sums(&seed);
            struct window_got got;
            month.first_of_life = m == 0;
            month.ends_life = m + 1 == 2 * MONTHS;
            fine = fine && window_settle(&version, &month, &sums, &state, &got) == ACCORD_OK;
            fine = fine && conserves(&sums, &got);
        }
        ck_assert_msg(fine, "seed %d, round %d", _i + 1, round);
    }
}
END_TEST

/* ---- telescoping ---- */

/* What a year gives by term and party, in so many parts of it as there are sums. */
static bool settle_year(const struct accord_agreement_version *version,
                        const struct accord_window_sums *sums, int parts,
                        int64_t ret[ACCORD_TERMS_MAX][ACCORD_PARTIES_MAX])
{
    struct accord_window_state state = {0};
    memset(ret, 0, sizeof(int64_t[ACCORD_TERMS_MAX][ACCORD_PARTIES_MAX]));
    for (int m = 0; m < parts; m++) {
        struct accord_window_period month = window_month(MONTHS - parts + m);
        struct window_got got;
        month.ends_life = m + 1 == parts;
        if (window_settle(version, &month, &sums[m], &state, &got) != ACCORD_OK)
            return false;
        for (size_t i = 0; i < got.count; i++)
            ret[got.lines[i].term][got.lines[i].payee] += got.lines[i].amount;
    }
    return true;
}

static void draw_of_year(uint64_t *seed, struct drawn *ret)
{
    *ret = (struct drawn){.left = ACCORD_PPM_WHOLE};
    for (int64_t i = random_below(seed, 4); i >= 0; i--)
        draw_cut(seed, ret, windows[1 + random_below(seed, 2)]);
    for (uint32_t payee = 0; payee < 2; payee++)
        for (int w = 1; w < ACCORD_WINDOWS; w++)
            if (ret->count + 4 < ACCORD_TERMS_MAX)
                draw_promises(seed, ret, windows[w], payee);
}

/* Month by month or at once: every term gives everybody the same in the year. And when an early
 * month is restated, what all months change by is what the year changes by. */
START_TEST(test_months_add_up_to_the_year)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < ROUNDS; round++) {
        struct drawn drawn;
        struct accord_window_sums sums[MONTHS];
        int64_t monthly[ACCORD_TERMS_MAX][ACCORD_PARTIES_MAX];
        int64_t once[ACCORD_TERMS_MAX][ACCORD_PARTIES_MAX];
        draw_of_year(&seed, &drawn);
        const struct accord_agreement_version version = window_version(drawn.terms, drawn.count);
        for (int m = 0; m < MONTHS; m++)
            sums[m] = draw_sums(&seed);
        bool fine = true;
        for (int restated = 0; restated < TRIED; restated++) {
            struct accord_window_sums year = {0};
            for (int m = 0; m < MONTHS; m++)
                add(&year, &sums[m]);
            fine = fine && settle_year(&version, sums, MONTHS, monthly);
            fine = fine && settle_year(&version, &year, 1, once);
            fine = fine && memcmp(monthly, once, sizeof once) == 0;
            sums[random_below(&seed, MONTHS)] = draw_sums(&seed);
        }
        ck_assert_msg(fine, "seed %d, round %d", _i + 1, round);
    }
}
END_TEST

/* A version that says the same as the one before it changes nothing, wherever it begins: in the
 * middle of a month, too. */
START_TEST(test_parts_add_up_to_the_month)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < ROUNDS; round++) {
        struct drawn drawn;
        struct accord_window_state whole_state = {0};
        struct accord_window_state parts_state = {0};
        draw_any(&seed, &drawn);
        const struct accord_agreement_version version = window_version(drawn.terms, drawn.count);
        bool fine = true;
        for (int m = 0; m < 2 * MONTHS; m++) {
            struct accord_window_period month = window_month(m);
            struct accord_window_period part = month;
            const struct accord_window_sums first = draw_sums(&seed);
            const struct accord_window_sums second = draw_sums(&seed);
            struct accord_window_sums both = first;
            struct window_got whole;
            struct window_got got[2];
            add(&both, &second);
            month.first_of_life = part.first_of_life = m == 0;
            month.ends_life = m + 1 == 2 * MONTHS;
            fine =
                fine && window_settle(&version, &month, &both, &whole_state, &whole) == ACCORD_OK;
            part.days = random_below(&seed, 31);
            part.ends_period = part.ends_year = false;
            fine =
                fine && window_settle(&version, &part, &first, &parts_state, &got[0]) == ACCORD_OK;
            month.days -= part.days;
            month.first_of_life = false;
            fine = fine &&
                   window_settle(&version, &month, &second, &parts_state, &got[1]) == ACCORD_OK;
            for (uint32_t p = 0; p < 3; p++)
                fine = fine && window_sum(&whole, NULL, p) ==
                                   window_sum(&got[0], NULL, p) + window_sum(&got[1], NULL, p);
        }
        ck_assert_msg(fine, "seed %d, round %d", _i + 1, round);
    }
}
END_TEST

/* The order in which terms are declared decides the order of lines, and no amount. */
START_TEST(test_declared_order_decides_no_amount)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < ROUNDS; round++) {
        struct drawn drawn;
        struct accord_window_state state = {0};
        struct accord_window_state other_state = {0};
        draw_any(&seed, &drawn);
        const struct accord_agreement_version version = window_version(drawn.terms, drawn.count);
        struct accord_agreement_version other = version;
        bool fine = true;
        for (size_t i = other.term_count; i > 1; i--) {
            const size_t with = (size_t)random_below(&seed, (int64_t)i);
            const struct accord_term kept = other.terms[i - 1];
            other.terms[i - 1] = other.terms[with];
            other.terms[with] = kept;
        }
        for (int m = 0; m < MONTHS; m++) {
            struct accord_window_period month = window_month(m);
            const struct accord_window_sums sums = draw_sums(&seed);
            struct window_got got;
            struct window_got other_got;
            month.first_of_life = m == 0;
            month.ends_life = m + 1 == MONTHS;
            fine = fine && window_settle(&version, &month, &sums, &state, &got) == ACCORD_OK;
            fine =
                fine && window_settle(&other, &month, &sums, &other_state, &other_got) == ACCORD_OK;
            for (uint32_t p = 0; p < 3; p++)
                fine = fine && window_sum(&got, NULL, p) == window_sum(&other_got, NULL, p);
        }
        ck_assert_msg(fine, "seed %d, round %d", _i + 1, round);
    }
}
END_TEST

/* Posting what an earlier month has become as differences, month after month, ends where settling
 * everything anew ends. */
START_TEST(test_restated_months_end_where_all_anew_does)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < ROUNDS / 4; round++) {
        struct drawn drawn;
        struct accord_window_sums sums[MONTHS] = {{0}};
        int64_t posted[MONTHS][ACCORD_PARTIES_MAX] = {{0}};
        draw_any(&seed, &drawn);
        const struct accord_agreement_version version = window_version(drawn.terms, drawn.count);
        bool fine = true;
        for (int closed = 0; closed < MONTHS; closed++) {
            struct accord_window_state state = {0};
            /* A month of its own, and a late change of one before it. */
            sums[closed] = draw_sums(&seed);
            const struct accord_window_sums late = draw_sums(&seed);
            add(&sums[random_below(&seed, closed + 1)], &late);
            for (int m = 0; m <= closed; m++) {
                struct accord_window_period month = window_month(m);
                struct window_got got;
                month.first_of_life = m == 0;
                fine = fine && window_settle(&version, &month, &sums[m], &state, &got) == ACCORD_OK;
                for (uint32_t p = 0; p < 3; p++) {
                    const int64_t difference = window_sum(&got, NULL, p) - posted[m][p];
                    posted[m][p] += difference;
                }
            }
        }
        /* Posted is what stands, and all payees together have every month's net. */
        for (int m = 0; m < MONTHS; m++) {
            int128 all = 0;
            for (int p = 0; p < 3; p++)
                all += posted[m][p] + sums[m].shares[p];
            fine = fine && all == sums[m].net;
        }
        ck_assert_msg(fine, "seed %d, round %d", _i + 1, round);
    }
}
END_TEST

/* ---- tiers by their words ---- */

/* Unit by unit: each is paid at the rate of the bracket it lies in; then rounded, half to even. */
static int64_t unit_by_unit(const struct accord_term *term, int64_t metric)
{
    int64_t millionths = 0;
    for (int64_t unit = 0; unit < metric; unit++) {
        int64_t rate = 0;
        for (uint32_t i = 0; i < term->tier_count; i++)
            if (unit >= term->tiers[i].from)
                rate = term->tiers[i].rate;
        millionths += rate;
    }
    const int64_t floor = millionths / 1000000;
    const int64_t rest = millionths % 1000000;
    return floor + (rest > 500000 || (rest == 500000 && floor % 2 == 1));
}

START_TEST(test_marginal_tiers_unit_by_unit)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < ROUNDS; round++) {
        struct drawn drawn = {.left = ACCORD_PPM_WHOLE};
        struct accord_term term = {.kind = ACCORD_TERM_TIERED,
                                   .payee = PROVIDER,
                                   .metric = (enum accord_metric)random_below(&seed, 3)};
        int64_t before = 0;
        bool fine = true;
        draw_tiers(&seed, &drawn, &term);
        if (term.metric == ACCORD_METRIC_NET && random_below(&seed, 2) == 0)
            for (uint32_t i = 0; i < term.tier_count; i++) /* ties are frequent in halves */
                drawn.tiers[0][i].rate = 500000 * (1 + random_below(&seed, 2));
        const struct accord_agreement_version version = window_version(&term, 1);
        const struct accord_window_period month = window_month(5);
        for (int64_t metric = 0; metric < 80; metric++) {
            struct accord_window_state state = {0};
            const struct accord_window_sums sums = window_sums(metric, metric);
            struct window_got got;
            fine = fine && window_settle(&version, &month, &sums, &state, &got) == ACCORD_OK;
            const int64_t paid = window_sum(&got, "tiered", PROVIDER);
            fine = fine && paid == unit_by_unit(&term, metric);
            fine = fine && paid >= before;
            /* At most one for one, and what rounding adds. */
            fine = fine && (term.metric != ACCORD_METRIC_NET || paid <= before + 2);
            before = paid;
        }
        ck_assert_msg(fine, "seed %d, round %d", _i + 1, round);
    }
}
END_TEST

/* ---- promises ---- */

/* With nothing carried at the end, an advance and a minimum come to the largest of what was
 * earned, the advance, and the minimum. */
START_TEST(test_advance_comes_to_the_largest)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < ROUNDS; round++) {
        struct drawn drawn = {.left = 0};
        struct accord_window_state state = {0};
        int64_t earned = 0;
        int64_t paid = 0;
        bool fine = true;
        draw_advance(&seed, &drawn, PROVIDER);
        const struct accord_agreement_version version = window_version(drawn.terms, 1);
        const int64_t count = 1 + random_below(&seed, MONTHS);
        for (int64_t m = 0; m < count; m++) {
            struct accord_window_period month = window_month(m);
            struct accord_window_sums sums = {0};
            struct window_got got;
            sums.shares[PROVIDER] = draw_amount(&seed, 20);
            if (m + 1 < count)
                sums.shares[PROVIDER] -= draw_amount(&seed, 18);
            else /* good enough to make up for what is carried */
                sums.shares[PROVIDER] += INT64_C(1) << 24;
            sums.base = sums.net = sums.shares[PROVIDER];
            month.first_of_life = m == 0;
            month.ends_life = m + 1 == count;
            fine = fine && window_settle(&version, &month, &sums, &state, &got) == ACCORD_OK;
            earned += sums.shares[PROVIDER];
            paid += sums.shares[PROVIDER] + window_sum(&got, NULL, PROVIDER);
            fine = fine && state.accounts[0].unrecouped >= 0 && state.accounts[0].carry <= 0;
        }
        int64_t largest = earned;
        if (drawn.terms[0].amount_minor > largest)
            largest = drawn.terms[0].amount_minor;
        if (drawn.terms[0].minimum_minor > largest)
            largest = drawn.terms[0].minimum_minor;
        fine = fine && state.accounts[0].carry == 0 && paid == largest;
        ck_assert_msg(fine, "seed %d, round %d", _i + 1, round);
    }
}
END_TEST

/* A recoupable guarantee: nobody falls below it in any month, and no more is taken back than was
 * given. */
START_TEST(test_guarantee_holds)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < ROUNDS; round++) {
        const struct accord_term term = {.kind = ACCORD_TERM_GUARANTEE,
                                         .payee = PROVIDER,
                                         .funded_by = PLATFORM,
                                         .amount_minor = 1 + draw_amount(&seed, 20),
                                         .recoup = true};
        const struct accord_agreement_version version = window_version(&term, 1);
        struct accord_window_state state = {0};
        int64_t given = 0;
        bool fine = true;
        for (int m = 0; m < MONTHS; m++) {
            const struct accord_window_period month = window_month(m);
            struct accord_window_sums sums = {0};
            struct window_got got;
            sums.shares[PROVIDER] = sums.net = draw_amount(&seed, 21) - draw_amount(&seed, 12);
            fine = fine && window_settle(&version, &month, &sums, &state, &got) == ACCORD_OK;
            const int64_t amount = window_sum(&got, NULL, PROVIDER);
            given += amount;
            fine = fine && sums.shares[PROVIDER] + amount >= term.amount_minor;
            fine = fine && given >= 0 && given == state.accounts[0].to_recoup;
            fine = fine &&
                   (amount == 0 || (amount > 0) == (sums.shares[PROVIDER] < term.amount_minor));
        }
        ck_assert_msg(fine, "seed %d, round %d", _i + 1, round);
    }
}
END_TEST

/* Never above a cap; at its window's end never below a floor. */
START_TEST(test_bounds_hold)
{
    uint64_t seed = (uint64_t)_i + 1;
    for (int round = 0; round < ROUNDS; round++) {
        const enum accord_window window = windows[random_below(&seed, 3)];
        const struct accord_term floor = {.kind = ACCORD_TERM_FLOOR,
                                          .payee = PROVIDER,
                                          .funded_by = PLATFORM,
                                          .window = window,
                                          .amount_minor = 1 + draw_amount(&seed, 20)};
        const struct accord_term cap = {.kind = ACCORD_TERM_CAP,
                                        .payee = PROVIDER,
                                        .window = window,
                                        .amount_minor =
                                            floor.amount_minor + draw_amount(&seed, 18)};
        struct accord_term terms[] = {cap, floor};
        const struct accord_agreement_version version = window_version(terms, 2);
        struct accord_window_state state = {0};
        int64_t has = 0;
        bool fine = true;
        for (int m = 0; m < 2 * MONTHS; m++) {
            struct accord_window_period month = window_month(m);
            struct accord_window_sums sums = {0};
            struct window_got got;
            month.ends_life = m + 1 == 2 * MONTHS;
            sums.shares[PROVIDER] = sums.net = draw_amount(&seed, 20) - draw_amount(&seed, 17);
            fine = fine && window_settle(&version, &month, &sums, &state, &got) == ACCORD_OK;
            if (window == ACCORD_WINDOW_PERIOD || (window == ACCORD_WINDOW_YEAR && m % 12 == 0))
                has = 0;
            has += sums.shares[PROVIDER] + window_sum(&got, NULL, PROVIDER);
            const bool ends = window == ACCORD_WINDOW_PERIOD ||
                              (window == ACCORD_WINDOW_YEAR && month.ends_year) || month.ends_life;
            fine = fine && has <= cap.amount_minor;
            fine = fine && (!ends || has >= floor.amount_minor);
        }
        ck_assert_msg(fine, "seed %d, round %d", _i + 1, round);
    }
}
END_TEST

/* ---- the edges of int64 ---- */

static int64_t draw_edge(uint64_t *seed)
{
    const int64_t value = (int64_t)(random_next(seed) >> random_below(seed, 64));
    return random_below(seed, 2) == 0 ? value : -value - 1;
}

/* Whatever the numbers, either all adds up or it is an error that changes nothing. */
START_TEST(test_edges)
{
    uint64_t seed = (uint64_t)_i + 1;
    int refused = 0;
    int settled = 0;
    for (int round = 0; round < 20 * ROUNDS; round++) {
        struct drawn drawn;
        draw_any(&seed, &drawn);
        const struct accord_agreement_version version = window_version(drawn.terms, drawn.count);
        struct accord_window_state state = {0};
        bool fine = true;
        for (int m = 10; m < 14; m++) {
            const struct accord_window_state before = state;
            struct accord_window_period month = window_month(m);
            struct accord_window_sums sums = {.base = draw_edge(&seed),
                                              .open = draw_edge(&seed) / 8,
                                              .lines = draw_edge(&seed),
                                              .units = draw_edge(&seed)};
            struct window_got got = {.count = 77};
            uint32_t term = 77;
            sums.net = sums.open;
            for (int p = 0; p < 3; p++) {
                sums.shares[p] = draw_edge(&seed) / 8;
                sums.net += sums.shares[p];
            }
            for (int w = 0; w < ACCORD_WINDOWS; w++)
                sums.new_learners[w] = draw_edge(&seed);
            month.first_of_life = m == 10;
            month.ends_life = m == 13;
            const enum accord_error err = accord_window_settle(
                &version, &month, &sums, &state, got.lines, &got.count, &term, NULL, NULL);
            if (err == ACCORD_OK) {
                settled++;
                fine = fine && conserves(&sums, &got);
            } else {
                refused++;
                fine = fine && err == ACCORD_E_OVERFLOW && got.count == 77 &&
                       (term == UINT32_MAX || term < version.term_count) &&
                       memcmp(&before, &state, sizeof state) == 0;
            }
        }
        ck_assert_msg(fine, "seed %d, round %d", _i + 1, round);
    }
    ck_assert_int_gt(settled, ROUNDS);
    ck_assert_int_gt(refused, ROUNDS);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("window_properties");
    TCase *tc = tcase_create("window_properties");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, test_payees_add_up_to_net, 0, 8);
    tcase_add_loop_test(tc, test_months_add_up_to_the_year, 0, 8);
    tcase_add_loop_test(tc, test_parts_add_up_to_the_month, 0, 8);
    tcase_add_loop_test(tc, test_declared_order_decides_no_amount, 0, 4);
    tcase_add_loop_test(tc, test_restated_months_end_where_all_anew_does, 0, 4);
    tcase_add_loop_test(tc, test_marginal_tiers_unit_by_unit, 0, 4);
    tcase_add_loop_test(tc, test_advance_comes_to_the_largest, 0, 4);
    tcase_add_loop_test(tc, test_guarantee_holds, 0, 4);
    tcase_add_loop_test(tc, test_bounds_hold, 0, 4);
    tcase_add_loop_test(tc, test_edges, 0, 4);
    suite_add_tcase(suite, tc);
    return suite;
}

UNIT_MAIN(make_suite)
