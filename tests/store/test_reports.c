/* The revenue report of a month, page by page, beside a naive sum over the entries that made it. */
#include "books.h"

#include "api/revenue_report.h"
#include "ingest/rollup.h"
#include "store/agreements.h"

enum {
    VERSIONS = 6,
    ENTRIES = 900,
    JANUARY = 20089, /* 2025-01-01, in days since 1970 */
    FEBRUARY = JANUARY + 31,
    MARCH = FEBRUARY + 28,
};

static struct books b;
static uint64_t seed;

/* The versions that settle: who is in them, the collector first named as an index. */
static const struct {
    const char *id;
    int64_t version;
    const char *parties[4];
    uint32_t collector;
    const char *currency;
    const char *clearing;
} versions[VERSIONS] = {
    {"a", 1, {"p1", "c1", NULL}, 1, "CNY", "operator"},
    {"a", 2, {"p1", "c1", "op"}, 1, "USD", "operator"},
    {"a", 10, {"c1", "p1", "p2"}, 0, "CNY", "direct"},
    {"a-b", 1, {"p2", "c2", NULL}, 0, "USD", "direct"},
    {"ab", 1, {"p1", "p2", "c1"}, 2, "JPY", "operator"},
    {"b", 1, {"op", "c2", "p1"}, 1, "CNY", "operator"},
};
static const char *const partners[] = {"p1", "p2", "c1", "c2", "op"};
enum { PARTNERS = sizeof partners / sizeof partners[0] };

static int64_t below(int64_t bound)
{
    return random_below(&seed, bound);
}

static uint32_t party_count(int version)
{
    uint32_t count = 0;
    while (count < 4 && versions[version].parties[count] != NULL)
        count++;
    return count;
}

static bool is_in(int version, const char *partner)
{
    for (uint32_t i = 0; i < party_count(version); i++)
        if (strcmp(versions[version].parties[i], partner) == 0)
            return true;
    return false;
}

/* ---- what is in the books ---- */

static struct entry {
    int version; /* -1: none */
    struct entry_row row;
    bool counts; /* visible */
} entries[ENTRIES];
static size_t entry_count;

static void add_version(int version)
{
    char body[1024];
    char parties[128] = "";
    for (uint32_t i = 0; i < party_count(version); i++)
        snprintf(parties + strlen(parties), sizeof parties - strlen(parties), "%s\"%s\"",
                 i == 0 ? "" : ",", versions[version].parties[i]);
    const char *collector = versions[version].parties[versions[version].collector];
    snprintf(body, sizeof body,
             "{\"parties\":[%s],\"collector\":\"%s\",\"clearing\":\"%s\",\"scope\":{\"channels\":["
             "\"%s\"]},\"priority\":%d,\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},"
             "\"currency\":\"%s\",\"terms\":[{\"kind\":\"residual\",\"payee\":\"%s\"}]}",
             parties, collector, versions[version].clearing, collector, version,
             versions[version].currency, collector);
    /* Versions 2 and 10 of an agreement are there without those between. */
    if (versions[version].version != 1) {
        struct agreement_version decoded;
        struct json_problems problems = {.count = 0};
        struct agreement_version_row row = {.agreement = versions[version].id,
                                            .version = versions[version].version,
                                            .state = AGREEMENT_SUPERSEDED,
                                            .effective_to = INT64_MAX,
                                            .reason = "",
                                            .party_count = party_count(version)};
        ck_assert_int_eq(agreement_decode(b.arena, slice_of(body), "a", 2, false, NULL, NULL,
                                          &decoded, &problems),
                         ACCORD_OK);
        ck_assert_int_eq(agreement_encode(b.arena, &decoded, &row.body), ACCORD_OK);
        for (uint32_t i = 0; i < row.party_count; i++)
            row.parties[i].partner = versions[version].parties[i];
        ck_assert_int_eq(store_agreement_version_insert(b.db, &row), ACCORD_OK);
        return;
    }
    books_agreement(&b, versions[version].id, 1, body);
}

static void random_entry(struct entry *entry)
{
    static const char *const courses[] = {"a", "a b", "课程", "ab", "b"};
    static const char *const held[] = {"no_rate", "over_allocated", "unmatched", "unassigned",
                                       "excess_refund"};
    static const char *const currencies[] = {"CNY", "USD", "EUR"};
    struct entry_row *row = &entry->row;
    *entry = (struct entry){.version = (int)below(VERSIONS + 2), .counts = below(10) > 0};
    if (entry->version >= VERSIONS)
        entry->version = -1;
    *row = (struct entry_row){
        .generation = entry->counts ? 0 : 1,
        .agreement = entry->version < 0 ? "" : versions[entry->version].id,
        .version = entry->version < 0 ? 0 : versions[entry->version].version,
        .held = "",
        .day = JANUARY - 1 + below(60),
        .channel = below(2) == 0 ? "c1" : "c2",
        .provider = below(2) == 0 ? "p1" : "p2",
        .course_id = courses[below(5)],
        .currency = entry->version < 0 ? currencies[below(3)] : versions[entry->version].currency,
    };
    if (entry->version < 0)
        row->held = held[2 + below(3)];
    /* Some sales are in another currency than their agreement. */
    row->sale_currency =
        entry->version >= 0 && below(4) == 0 ? currencies[below(3)] : row->currency;
    if (entry->version >= 0 && below(5) == 0)
        row->held = held[below(2)];
    row->numbers[ENTRY_LINES] = 1 + below(3);
    row->numbers[ENTRY_QUANTITY] = 1 + below(5);
    row->numbers[ENTRY_GROSS] = below(100000);
    row->numbers[ENTRY_REFUNDED] = below(1000);
    if (strcmp(row->held, "excess_refund") == 0)
        row->numbers[ENTRY_GROSS] = 0;
    if (*row->held != '\0')
        return;
    row->numbers[ENTRY_TAX] = below(100);
    row->numbers[ENTRY_STORE_FEE] = below(100);
    row->numbers[ENTRY_PAYMENT_FEE] = below(100);
    row->numbers[ENTRY_ADMIN_FEE] = below(100);
    row->numbers[ENTRY_ADDED_BACK] = below(100);
    row->numbers[ENTRY_BASE] = below(1000);
    row->numbers[ENTRY_LINES_QUALIFIED] = below(3);
    row->numbers[ENTRY_UNITS_QUALIFIED] = below(5);
    row->numbers[ENTRY_NET] = row->numbers[ENTRY_GROSS] - row->numbers[ENTRY_REFUNDED] -
                              row->numbers[ENTRY_TAX] - row->numbers[ENTRY_STORE_FEE] -
                              row->numbers[ENTRY_PAYMENT_FEE] - row->numbers[ENTRY_ADMIN_FEE];
    row->numbers[ENTRY_NET_SALE] = row->numbers[ENTRY_NET];
    if (strcmp(row->sale_currency, row->currency) != 0)
        row->numbers[ENTRY_NET] = below(100000);
    int64_t left = row->numbers[ENTRY_NET];
    row->share_count = party_count(entry->version);
    for (size_t i = 0; i < row->share_count; i++) {
        const int64_t part = i + 1 == row->share_count ? left : below(2000) - 1000;
        row->shares[i] = (struct entry_share){versions[entry->version].parties[i], part};
        left -= part;
    }
}

static void post(const struct entry *entry)
{
    ck_assert_int_eq(rollup_batch_entry(b.tx->rollups, &entry->row), ACCORD_OK);
}

/* Takes an entry back, as settling again does: its rows stay, with zeros where it stood alone. */
static void take_back(const struct entry *entry)
{
    struct entry opposite = *entry;
    for (size_t i = 0; i < ENTRY_NUMBERS; i++)
        opposite.row.numbers[i] = -opposite.row.numbers[i];
    for (size_t i = 0; i < opposite.row.share_count; i++)
        opposite.row.shares[i].amount = -opposite.row.shares[i].amount;
    post(&opposite);
}

static void fill(size_t count)
{
    books_open(&b);
    for (int i = 0; i < VERSIONS; i++)
        add_version(i);
    entry_count = 0;
    books_begin(&b);
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &entries[entry_count];
        random_entry(entry);
        post(entry);
        entry_count++;
    }
    books_commit(&b);
    books_begin(&b);
    for (size_t i = entry_count; i-- > 0;)
        if (below(4) == 0) {
            take_back(&entries[i]);
            entries[i] = entries[--entry_count];
        }
    books_commit(&b);
}

/* ---- what a report should say ---- */

struct view {
    const char *partner; /* NULL: the operator over everything */
    enum report_group_by group_by;
    const char *currency; /* "": any */
};

static bool shows(const struct view *view, const struct entry *entry)
{
    const struct entry_row *row = &entry->row;
    return entry->counts && row->day >= JANUARY && row->day < FEBRUARY &&
           (*view->currency == '\0' || strcmp(view->currency, row->currency) == 0);
}

static bool shows_settled(const struct view *view, const struct entry *entry)
{
    return shows(view, entry) && entry->version >= 0 && *entry->row.held == '\0' &&
           (view->partner == NULL || is_in(entry->version, view->partner));
}

struct want {
    int version;
    const char *sale_currency;
    const char *provider; /* of the group's key; "" where it has none */
    const char *course_id;
    const char *channel;
    int64_t day;
    int64_t numbers[ENTRY_NUMBERS];
    int64_t shares[4];
};

static int by_group(const void *a, const void *c)
{
    const struct want *x = a;
    const struct want *y = c;
    int order = strcmp(versions[x->version].id, versions[y->version].id);
    if (order == 0 && versions[x->version].version != versions[y->version].version)
        order = versions[x->version].version < versions[y->version].version ? -1 : 1;
    if (order == 0)
        order = strcmp(x->sale_currency, y->sale_currency);
    if (order == 0 && x->day != y->day)
        order = x->day < y->day ? -1 : 1;
    if (order == 0)
        order = strcmp(x->provider, y->provider);
    if (order == 0)
        order = strcmp(x->course_id, y->course_id);
    return order != 0 ? order : strcmp(x->channel, y->channel);
}

static size_t groups_wanted(const struct view *view, struct want *ret)
{
    size_t count = 0;
    for (size_t i = 0; i < entry_count; i++) {
        const struct entry_row *row = &entries[i].row;
        if (!shows_settled(view, &entries[i]))
            continue;
        struct want key = {.version = entries[i].version,
                           .sale_currency = row->sale_currency,
                           .provider = "",
                           .course_id = "",
                           .channel = ""};
        if (view->group_by == REPORT_BY_DAY)
            key.day = row->day;
        if (view->group_by == REPORT_BY_COURSE || view->group_by == REPORT_BY_COUNTERPARTY)
            key.provider = row->provider;
        if (view->group_by == REPORT_BY_COURSE)
            key.course_id = row->course_id;
        if (view->group_by == REPORT_BY_COUNTERPARTY)
            key.channel = row->channel;
        size_t at = 0;
        while (at < count && by_group(&ret[at], &key) != 0)
            at++;
        if (at == count)
            ret[count++] = key;
        for (size_t n = 0; n < ENTRY_NUMBERS; n++)
            ret[at].numbers[n] += row->numbers[n];
        for (size_t s = 0; s < row->share_count; s++)
            ret[at].shares[s] += row->shares[s].amount;
    }
    qsort(ret, count, sizeof *ret, by_group);
    return count;
}

static void expect_sums(const struct report_sums *is, const int64_t want[ENTRY_NUMBERS])
{
    ck_assert_int_eq(is->line_count, want[ENTRY_LINES]);
    ck_assert_int_eq(is->quantity, want[ENTRY_QUANTITY]);
    ck_assert_int_eq(is->gross, want[ENTRY_GROSS]);
    ck_assert_int_eq(is->refunded, want[ENTRY_REFUNDED]);
    ck_assert_int_eq(is->tax, want[ENTRY_TAX]);
    ck_assert_int_eq(is->store_fee, want[ENTRY_STORE_FEE]);
    ck_assert_int_eq(is->payment_fee, want[ENTRY_PAYMENT_FEE]);
    ck_assert_int_eq(is->admin_fee, want[ENTRY_ADMIN_FEE]);
    ck_assert_int_eq(is->net_sale, want[ENTRY_NET_SALE]);
    ck_assert_int_eq(is->net, want[ENTRY_NET]);
    ck_assert_int_eq(is->added_back, want[ENTRY_ADDED_BACK]);
    ck_assert_int_eq(is->base, want[ENTRY_BASE]);
    ck_assert_int_eq(is->lines_qualified, want[ENTRY_LINES_QUALIFIED]);
    ck_assert_int_eq(is->units_qualified, want[ENTRY_UNITS_QUALIFIED]);
}

static void expect_group(const struct view *view, const struct report_group *is,
                         const struct want *want)
{
    ck_assert(slice_equal(is->key.agreement, slice_of(versions[want->version].id)));
    ck_assert_int_eq(is->key.version, versions[want->version].version);
    ck_assert(slice_equal(is->key.currency, slice_of(versions[want->version].currency)));
    ck_assert(slice_equal(is->key.sale_currency, slice_of(want->sale_currency)));
    if (view->group_by == REPORT_BY_DAY)
        ck_assert_int_eq(is->key.day, want->day);
    if (*want->provider != '\0')
        ck_assert(slice_equal(is->key.provider, slice_of(want->provider)));
    if (*want->course_id != '\0')
        ck_assert(slice_equal(is->key.course_id, slice_of(want->course_id)));
    if (*want->channel != '\0')
        ck_assert(slice_equal(is->key.channel, slice_of(want->channel)));
    expect_sums(&is->sums, want->numbers);
    int64_t sum = 0;
    for (uint32_t i = 0; i < party_count(want->version); i++) {
        ck_assert_int_eq(is->shares[i], want->shares[i]);
        sum += is->shares[i];
    }
    ck_assert_int_eq(sum, is->sums.net);
}

static void expect_totals(const struct view *view, const char *self, const struct report *is)
{
    static const char *const currencies[] = {"CNY", "USD", "JPY", "EUR"};
    size_t wanted = 0;
    for (size_t c = 0; c < 16; c++) {
        const char *agreed = currencies[c / 4];
        const char *sold = currencies[c % 4];
        int64_t numbers[ENTRY_NUMBERS] = {0};
        int64_t own = 0;
        int64_t due = 0;
        for (size_t i = 0; i < entry_count; i++) {
            const struct entry_row *row = &entries[i].row;
            if (!shows_settled(view, &entries[i]) || strcmp(row->currency, agreed) != 0 ||
                strcmp(row->sale_currency, sold) != 0)
                continue;
            for (size_t n = 0; n < ENTRY_NUMBERS; n++)
                numbers[n] += row->numbers[n];
            for (size_t s = 0; s < row->share_count; s++)
                if (strcmp(row->shares[s].payee, self) == 0)
                    own += row->shares[s].amount;
            const int version = entries[i].version;
            if (strcmp(versions[version].parties[versions[version].collector], self) == 0)
                due -= row->numbers[ENTRY_NET];
        }
        due += own;
        if (numbers[ENTRY_LINES] == 0)
            continue;
        wanted++;
        size_t at = 0;
        while (at < is->total_count && (!slice_equal(is->totals[at].currency, slice_of(agreed)) ||
                                        !slice_equal(is->totals[at].sale_currency, slice_of(sold))))
            at++;
        ck_assert_uint_lt(at, is->total_count);
        expect_sums(&is->totals[at].sums, numbers);
        ck_assert_int_eq(is->totals[at].own, own);
        ck_assert_int_eq(is->totals[at].due, due);
    }
    ck_assert_uint_eq(is->total_count, wanted);
}

/* Lines and amounts held, by reason and whether the amount is shown; the parts may be cut up in any
 * way, so their sums are compared. */
static void expect_held(const struct view *view, const struct report *is)
{
    static const char *const reasons[] = {"no_rate", "over_allocated", "unmatched", "unassigned",
                                          "excess_refund"};
    for (size_t r = 0; r < 5; r++)
        for (int hidden = 0; hidden < 2; hidden++) {
            int64_t lines = 0;
            int64_t amount = 0;
            for (size_t i = 0; i < entry_count; i++) {
                const struct entry_row *row = &entries[i].row;
                if (!shows(view, &entries[i]) || strcmp(row->held, reasons[r]) != 0)
                    continue;
                bool whole = view->partner == NULL;
                bool counted = whole;
                if (!whole && entries[i].version >= 0)
                    counted = whole = is_in(entries[i].version, view->partner);
                else if (!whole) {
                    whole = strcmp(row->channel, view->partner) == 0;
                    counted = whole || strcmp(row->provider, view->partner) == 0;
                    whole = counted && (whole || strcmp(row->held, "excess_refund") == 0);
                }
                if (!counted || whole == (hidden == 1))
                    continue;
                lines += row->numbers[ENTRY_LINES];
                amount += strcmp(row->held, "excess_refund") == 0
                              ? row->numbers[ENTRY_REFUNDED]
                              : row->numbers[ENTRY_GROSS] - row->numbers[ENTRY_REFUNDED];
            }
            for (size_t i = 0; i < is->held_count; i++)
                if (slice_equal(is->held[i].key.held, slice_of(reasons[r])) &&
                    is->held[i].amount_hidden == (hidden == 1)) {
                    lines -= is->held[i].lines;
                    amount -= is->held[i].amount;
                }
            ck_assert_int_eq(lines, 0);
            ck_assert_int_eq(amount, 0);
        }
    for (size_t i = 0; i < is->held_count; i++)
        ck_assert(is->held[i].lines != 0 || is->held[i].amount != 0);
}

static struct report read_page(const struct view *view, const char *self, size_t limit,
                               struct report_key after)
{
    const struct report_ask ask = {
        .partner = self,
        .everything = view->partner == NULL,
        .currency = slice_of(view->currency),
        .group_by = view->group_by,
        .day_from = JANUARY,
        .day_to = FEBRUARY,
        .limit = limit,
        .after = after,
    };
    struct report report;
    const enum accord_error error = report_read(b.db, b.arena, &ask, &report);
    ck_assert_msg(error == ACCORD_OK, "%s: %s", accord_error_code(error), db_message(b.db));
    return report;
}

static void expect_report(const struct view *view, size_t limit)
{
    static struct want wanted[ENTRIES];
    memset(wanted, 0, sizeof wanted);
    const char *self = view->partner == NULL ? "op" : view->partner;
    const size_t count = groups_wanted(view, wanted);
    struct report_key after = {.version = 0};
    size_t shown = 0;
    for (bool more = true; more;) {
        const struct report page = read_page(view, self, limit, after);
        ck_assert_uint_le(page.group_count, limit);
        for (size_t i = 0; i < page.group_count; i++, shown++) {
            ck_assert_uint_lt(shown, count);
            expect_group(view, &page.groups[i], &wanted[shown]);
        }
        /* The rest is whole on every page. */
        expect_totals(view, self, &page);
        expect_held(view, &page);
        more = page.more;
        ck_assert(!more || page.group_count == limit);
        after = page.last;
    }
    ck_assert_uint_eq(shown, count);
}

START_TEST(every_page_says_what_the_entries_say)
{
    static const char *const currencies[] = {"", "CNY", "USD", "EUR"};
    static const size_t limits[] = {1, 2, 7, 1000};
    static const size_t sizes[] = {0, 3, 60, ENTRIES};
    seed = 1000 + (uint64_t)_i;
    fill(sizes[_i]);
    for (int p = -1; p < PARTNERS; p++)
        for (int g = 0; g < REPORT_GROUPINGS; g++)
            for (int c = 0; c < 4; c++) {
                const struct view view = {p < 0 ? NULL : partners[p], (enum report_group_by)g,
                                          currencies[c]};
                expect_report(&view, limits[(g + c + p + 1) % 4]);
                if (c == 0)
                    expect_report(&view, 1);
                arena_reset(b.arena);
            }
    /* Money only changes hands: what all are due adds up to nothing, currency by currency. */
    int64_t due[3] = {0};
    for (int p = 0; p < PARTNERS; p++)
        for (int c = 1; c < 3; c++) {
            const struct view view = {partners[p], REPORT_BY_AGREEMENT, currencies[c]};
            const struct report report =
                read_page(&view, partners[p], 1, (struct report_key){.version = 0});
            for (size_t i = 0; i < report.total_count; i++)
                due[c] += report.totals[i].due;
        }
    ck_assert_int_eq(due[1], 0);
    ck_assert_int_eq(due[2], 0);
    books_close(&b);
}
END_TEST

START_TEST(another_month_and_another_partner_have_nothing)
{
    seed = 5;
    fill(50);
    const struct report_ask ask = {
        .partner = "zz", .day_from = JANUARY, .day_to = FEBRUARY, .limit = 10};
    struct report report;
    ck_assert_int_eq(report_read(b.db, b.arena, &ask, &report), ACCORD_OK);
    ck_assert_uint_eq(report.group_count + report.total_count + report.held_count, 0);
    const struct report_ask march = {
        .partner = "op", .everything = true, .day_from = MARCH, .day_to = MARCH + 31, .limit = 10};
    ck_assert_int_eq(report_read(b.db, b.arena, &march, &report), ACCORD_OK);
    ck_assert_uint_eq(report.group_count + report.total_count + report.held_count, 0);
    ck_assert(!report.more);
    books_close(&b);
}
END_TEST

START_TEST(a_sum_that_does_not_fit_is_an_error)
{
    seed = 6;
    fill(0);
    books_begin(&b);
    for (int i = 0; i < 3; i++) {
        /* Two rows of one group: another channel. */
        const struct entry_row row = {
            .agreement = "a",
            .version = 1,
            .held = "",
            .day = JANUARY,
            .channel = i == 0   ? "c1"
                       : i == 1 ? "c2"
                                : "op",
            .provider = "p1",
            .course_id = "x",
            .currency = "CNY",
            .sale_currency = "CNY",
            .numbers = {[ENTRY_LINES] = 1, [ENTRY_GROSS] = INT64_MAX / 2 + 1}};
        ck_assert_int_eq(rollup_batch_entry(b.tx->rollups, &row), ACCORD_OK);
        if (i == 0) {
            books_commit(&b);
            books_begin(&b);
            const struct view view = {NULL, REPORT_BY_AGREEMENT, ""};
            read_page(&view, "op", 1, (struct report_key){.version = 0});
        }
    }
    books_commit(&b);
    const struct report_ask ask = {
        .partner = "op", .everything = true, .day_from = JANUARY, .day_to = FEBRUARY, .limit = 10};
    struct report report;
    ck_assert_int_eq(report_read(b.db, b.arena, &ask, &report), ACCORD_E_OVERFLOW);
    books_close(&b);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("reports");
    TCase *all = tcase_create("reports");
    tcase_set_timeout(all, 240);
    tcase_add_loop_test(all, every_page_says_what_the_entries_say, 0, 4);
    tcase_add_test(all, another_month_and_another_partner_have_nothing);
    tcase_add_test(all, a_sum_that_does_not_fit_is_an_error);
    suite_add_tcase(suite, all);
    return suite;
}

UNIT_MAIN(make_suite)
