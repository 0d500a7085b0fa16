/* Agreements: rows and their states, the body of a version there and back, what it grants. */
#include "books.h"

#include <stdio.h>

#include "base/buf.h"
#include "store/agreements.h"
#include "store/courses.h"

static struct books b;

static void setup(void)
{
    books_open(&b);
}

static void teardown(void)
{
    books_close(&b);
}

static enum accord_error decode(struct arena *arena, const char *body,
                                struct agreement_version *ret, struct json_problems *problems)
{
    struct slice id;
    struct slice name;
    *problems = (struct json_problems){.count = 0};
    return agreement_decode(arena, slice_of(body), "agr", 1, false, &id, &name, ret, problems);
}

static struct slice encode(const struct agreement_version *version)
{
    struct slice body;
    ck_assert_int_eq(agreement_encode(b.arena, version, &body), ACCORD_OK);
    return body;
}

static struct slice canonical(const char *body)
{
    struct agreement_version version;
    struct json_problems problems;
    const enum accord_error error = decode(b.arena, body, &version, &problems);
    ck_assert_msg(error == ACCORD_OK, "%s: %s %s", body, problems.items[0].pointer,
                  accord_error_code(problems.items[0].code));
    return encode(&version);
}

/* ---- rows ---- */

static void add_version(const char *id, int64_t version, enum agreement_state state,
                        const char *party0, const char *party1)
{
    struct agreement_version_row row = {
        .agreement = id,
        .version = version,
        .state = state,
        .effective_from = version * 100,
        .effective_to = INT64_MAX,
        .body = SLICE("{\"版本\":1}"),
        .body_hash = hash_of(slice_of(id)),
        .reason = "",
        .created_at = 7,
        .changed_seq = version,
        .parties = {{.partner = party0}, {.partner = party1}},
        .party_count = 2,
    };
    ck_assert_int_eq(store_agreement_version_insert(b.db, &row), ACCORD_OK);
}

static void add(const char *id, enum agreement_state state, const char *party0, const char *party1)
{
    const struct agreement_row row = {id, "合作 协议", "op", 5};
    ck_assert_int_eq(store_agreement_insert(b.db, &row), ACCORD_OK);
    add_version(id, 1, state, party0, party1);
}

static struct agreement_version_row *versions_of(const char *id, size_t *ret_count)
{
    struct agreement_version_row *rows;
    ck_assert_int_eq(store_agreement_versions(b.db, b.arena, &id, 1, &rows, ret_count), ACCORD_OK);
    return rows;
}

START_TEST(a_version_is_stored_whole)
{
    size_t count;
    struct agreement_row agreement;
    bool found;
    ck_assert_int_eq(store_agreement_find(b.db, b.arena, "a", &found, &agreement), ACCORD_OK);
    ck_assert(!found);
    versions_of("a", &count);
    ck_assert_uint_eq(count, 0);

    /* Declared order is kept, whatever the order of ids. */
    add("a", AGREEMENT_DRAFT, "p2", "c1");
    add_version("a", 10, AGREEMENT_PROPOSED, "c1", "p2");
    add_version("a", 2, AGREEMENT_REJECTED, "p2", "c1");
    ck_assert_int_eq(store_agreement_find(b.db, b.arena, "a", &found, &agreement), ACCORD_OK);
    ck_assert(found);
    ck_assert_str_eq(agreement.name, "合作 协议");
    ck_assert_str_eq(agreement.created_by, "op");
    ck_assert_int_eq(agreement.created_at, 5);
    const struct agreement_version_row *rows = versions_of("a", &count);
    ck_assert_uint_eq(count, 3);
    ck_assert_int_eq(rows[0].version, 1);
    ck_assert_int_eq(rows[1].version, 2);
    ck_assert_int_eq(rows[2].version, 10);
    ck_assert_int_eq(rows[0].state, AGREEMENT_DRAFT);
    ck_assert_int_eq(rows[1].state, AGREEMENT_REJECTED);
    ck_assert_int_eq(rows[2].state, AGREEMENT_PROPOSED);
    ck_assert_str_eq(rows[0].parties[0].partner, "p2");
    ck_assert_str_eq(rows[2].parties[0].partner, "c1");
    ck_assert_int_eq(rows[2].effective_from, 1000);
    ck_assert_int_eq(rows[2].effective_to, INT64_MAX);
    ck_assert_int_eq(rows[2].activated_seq, 0);
    ck_assert(slice_equal(rows[2].body, SLICE("{\"版本\":1}")));
    const struct hash hash = hash_of(SLICE("a"));
    ck_assert(hash_equal(&rows[2].body_hash, &hash));
    for (uint32_t i = 0; i < rows[0].party_count; i++)
        ck_assert(!rows[0].parties[i].signed_);
}
END_TEST

START_TEST(states_move_one_way_and_parties_sign_once)
{
    const struct hash hash = hash_of(SLICE("a"));
    bool moved;
    bool signed_now;
    size_t count;
    add("a", AGREEMENT_DRAFT, "p1", "c1");
    ck_assert_int_eq(
        store_agreement_move(b.db, "a", 1, AGREEMENT_PROPOSED, AGREEMENT_ACTIVE, "", 8, &moved),
        ACCORD_OK);
    ck_assert(!moved);
    ck_assert_int_eq(
        store_agreement_move(b.db, "a", 1, AGREEMENT_DRAFT, AGREEMENT_PROPOSED, "为何", 9, &moved),
        ACCORD_OK);
    ck_assert(moved);
    ck_assert_int_eq(store_agreement_sign(b.db, "a", 1, "c1", 77, "key_1", &hash, 10, &signed_now),
                     ACCORD_OK);
    ck_assert(signed_now);
    ck_assert_int_eq(store_agreement_sign(b.db, "a", 1, "c1", 78, "key_2", &hash, 11, &signed_now),
                     ACCORD_OK);
    ck_assert(!signed_now);
    ck_assert_int_eq(store_agreement_sign(b.db, "a", 1, "p2", 79, "key_3", &hash, 12, &signed_now),
                     ACCORD_OK);
    ck_assert(!signed_now);
    struct agreement_version_row *rows = versions_of("a", &count);
    ck_assert_int_eq(rows[0].state, AGREEMENT_PROPOSED);
    ck_assert_str_eq(rows[0].reason, "为何");
    ck_assert_int_eq(rows[0].changed_seq, 10); /* what changed nothing left no trace */
    ck_assert(!rows[0].parties[0].signed_);
    ck_assert(rows[0].parties[1].signed_);
    ck_assert_int_eq(rows[0].parties[1].signed_at, 77);
    ck_assert_str_eq(rows[0].parties[1].signed_key, "key_1");

    ck_assert_int_eq(store_agreement_activated(b.db, "a", 1, 13), ACCORD_OK);
    ck_assert_int_eq(versions_of("a", &count)->activated_seq, 13);
    ck_assert_int_eq(versions_of("a", &count)->changed_seq, 13);
    ck_assert_int_eq(store_agreement_end(b.db, "a", 1, 4444, 14), ACCORD_OK);
    ck_assert_int_eq(versions_of("a", &count)->effective_to, 4444);
    ck_assert_int_eq(versions_of("a", &count)->changed_seq, 14);
}
END_TEST

static void expect_list(const char *partner, const char *state, const char *after, int64_t limit,
                        const char *ids)
{
    struct agreement_row *rows;
    size_t count;
    char text[256] = "";
    ck_assert_int_eq(
        store_agreement_list(b.db, b.arena, partner, state, after, limit, &rows, &count),
        ACCORD_OK);
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s ", rows[i].id);
    ck_assert_str_eq(text, ids);
}

START_TEST(lists_show_a_partner_its_own)
{
    size_t count;
    struct agreement_version_row *rows;
    expect_list(NULL, "", "", 10, "");
    add("d", AGREEMENT_DRAFT, "p1", "c1");
    add("b", AGREEMENT_ACTIVE, "p1", "c2");
    add("c", AGREEMENT_SUPERSEDED, "p1", "c1");
    add_version("c", 2, AGREEMENT_ACTIVE, "p1", "c1");
    add_version("c", 3, AGREEMENT_PROPOSED, "p1", "p2");
    add("a", AGREEMENT_TERMINATED, "p2", "c1");
    expect_list(NULL, "", "", 10, "a b c d ");
    expect_list(NULL, "", "a", 2, "b c ");
    expect_list(NULL, "", "d", 2, "");
    expect_list(NULL, "active", "", 10, "b c ");
    expect_list("p1", "", "", 10, "b c d ");
    expect_list("p1", "", "b", 1, "c ");
    expect_list("c2", "", "", 10, "b ");
    expect_list("op", "", "", 10, "");
    /* A state counts in versions that the partner is a party of. */
    expect_list("p1", "proposed", "", 10, "c ");
    expect_list("p2", "proposed", "", 10, "c ");
    expect_list("c1", "proposed", "", 10, "");
    expect_list("c1", "superseded", "", 10, "c ");

    ck_assert_int_eq(store_agreement_settling(b.db, b.arena, NULL, &rows, &count), ACCORD_OK);
    ck_assert_uint_eq(count, 4);
    ck_assert_str_eq(rows[0].agreement, "a");
    ck_assert_str_eq(rows[3].agreement, "c");
    ck_assert_int_eq(rows[3].version, 2);
    ck_assert_int_eq(store_agreement_settling(b.db, b.arena, "c1", &rows, &count), ACCORD_OK);
    ck_assert_uint_eq(count, 3);
    /* All parties of a version come with it, not only the one that asks. */
    ck_assert_uint_eq(rows[0].party_count, 2);
    ck_assert_int_eq(store_agreement_settling(b.db, b.arena, "op", &rows, &count), ACCORD_OK);
    ck_assert_uint_eq(count, 0);

    const char *const ids[] = {"p1", "nobody", "c1", "none"};
    size_t unknown;
    ck_assert_int_eq(store_agreement_unknown_party(b.db, ids, 4, &unknown), ACCORD_OK);
    ck_assert_uint_eq(unknown, 1);
    ck_assert_int_eq(store_agreement_unknown_party(b.db, ids, 1, &unknown), ACCORD_OK);
    ck_assert_uint_eq(unknown, 1);
    const char *const two[] = {"d", "b"};
    ck_assert_int_eq(store_agreement_versions(b.db, b.arena, two, 2, &rows, &count), ACCORD_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(rows[0].agreement, "d");
}
END_TEST

/* ---- bodies ---- */

#define FROM "\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\""
#define HALF                                                                                       \
    "\"terms\":[{\"kind\":\"share\",\"payee\":\"p1\",\"share_ppm\":500000},"                       \
    "{\"kind\":\"residual\",\"payee\":\"c1\"}]"

START_TEST(equal_meaning_has_one_text)
{
    const struct slice brief = canonical("{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"providers\":["
                                         "\"p1\"],\"channels\":[\"c1\"]}," FROM "," HALF "}");
    static const char whole[] =
        "{\"base\":{\"admin_fee\":{\"deduct\":false,\"of\":\"running\"},"
        "\"discounts\":{\"channel\":\"deduct\",\"platform\":\"deduct\","
        "\"provider\":\"deduct\"},"
        "\"payment_fee\":{\"deduct\":true,\"fixed_minor\":0,\"of\":\"gross\"},"
        "\"store_fee\":{\"deduct\":true,\"of\":\"gross\"},\"tax\":{\"deduct\":true}},"
        "\"clearing\":\"operator\",\"collector\":\"c1\",\"currency\":\"CNY\",\"default\":false,"
        "\"dispute_days\":30,\"effective\":{\"from\":\"2024-12-31T16:00:00Z\",\"to\":null},"
        "\"funders\":{\"channel\":\"c1\",\"provider\":\"p1\"},"
        "\"fx\":{\"policy\":\"order_day\",\"source\":\"ecb\"},\"hold_days\":0,"
        "\"late_usage\":{\"policy\":\"both\"},\"min_payout_minor\":0,\"parties\":[\"p1\",\"c1\"],"
        "\"period\":{\"kind\":\"month\",\"time_zone\":\"UTC\"},\"priority\":0,"
        "\"qualify_days\":null,\"refund\":{\"basis\":\"original\",\"fee_borne_by\":null,"
        "\"referral_clawback\":true},\"reserve\":{\"periods\":0,\"ppm\":0},\"retroactive\":false,"
        "\"scope\":{\"channels\":[\"c1\"],\"providers\":[\"p1\"]},\"tail_days\":0,"
        "\"terms\":[{\"kind\":\"share\",\"payee\":\"p1\",\"share_ppm\":500000},"
        "{\"kind\":\"residual\",\"payee\":\"c1\"}]}";
    ck_assert_str_eq(brief.data, whole);
    ck_assert_str_eq(canonical(whole).data, whole);
    /* Nulls, empty lists, other offsets and another order of keys say the same. */
    ck_assert_str_eq(
        canonical("{ \"collector\":null,\"priority\":null,\"base\":{},\"funders\":{}," HALF
                  ",\"currency\":\"CNY\",\"effective\":{\"to\":null,\"from\":"
                  "\"2024-12-31T11:00:00-05:00\"},\"scope\":{\"courses\":[],\"channels\":[\"c1\"],"
                  "\"providers\":[\"p1\"]},\"parties\":[\"p1\",\"c1\"]}")
            .data,
        whole);
    /* A scope names a set. */
    ck_assert_str_eq(canonical("{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"providers\":[\"p1\","
                               "\"p1\"],\"channels\":[\"c1\",\"c1\",\"c1\"]}," FROM "," HALF "}")
                         .data,
                     whole);
    const struct slice one = canonical(
        "{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"courses\":[{\"provider\":\"p1\",\"course_id\":"
        "\"数据 "
        "\\\"科学\\\"\"},{\"provider\":\"p1\",\"course_id\":\"b\"}],\"channels\":[\"c1\"]}," FROM
        "," HALF "}");
    const struct slice other = canonical(
        "{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"courses\":[{\"course_id\":\"b\",\"provider\":"
        "\"p1\"},{\"provider\":\"p1\",\"course_id\":\"b\"},{\"provider\":\"p1\",\"course_id\":"
        "\"\\u6570\\u636e \\\"科学\\\"\"}],\"channels\":[\"c1\"]}," FROM "," HALF "}");
    ck_assert_str_eq(one.data, other.data);
    /* The order of parties and of terms decides ties: it is meaning. */
    ck_assert_str_ne(
        canonical("{\"parties\":[\"c1\",\"p1\"],\"scope\":{\"providers\":[\"p1\"],\"channels\":["
                  "\"c1\"]}," FROM "," HALF "}")
            .data,
        whole);
}
END_TEST

static const struct {
    const char *body;
    const char *pointer;
    enum accord_error code;
} refused[] = {
    {"{\"parties\":[\"p1\",\"c1\"],\"default\":true,\"scope\":{}," FROM "," HALF "}", "/collector",
     ACCORD_E_FIELD_MISSING},
    {"{\"parties\":[\"p1\",\"c1\"],\"collector\":\"c1\",\"scope\":{}," FROM "," HALF "}", "/scope",
     ACCORD_E_SCOPE_EMPTY},
    {"{\"parties\":[\"p1\",\"c1\",\"p2\"],\"scope\":{\"providers\":[\"p1\"],\"channels\":[\"c1\"],"
     "\"courses\":[{\"provider\":\"p2\",\"course_id\":\"x\"}]}," FROM "," HALF "}",
     "/scope/courses", ACCORD_E_SCOPE_FOREIGN},
    {"{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"providers\":[\"p1\",\"p2\"],\"channels\":[\"c1\"]}"
     "," FROM "," HALF "}",
     "/scope/providers/1", ACCORD_E_SCOPE_FOREIGN},
    {"{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"channels\":[\"c1\"]}," FROM
     ",\"period\":{\"kind\":\"month\",\"time_zone\":\"Mars/Olympus\"}," HALF "}",
     "/period/time_zone", ACCORD_E_TIME_ZONE_UNKNOWN},
    {"{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"channels\":[\"c1\"]}," FROM
     ",\"period\":{\"kind\":\"month\",\"time_zone\":\"../../etc/passwd\"}," HALF "}",
     "/period/time_zone", ACCORD_E_TIME_ZONE_UNKNOWN},
    {"{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"channels\":[\"c1\"]}," FROM
     ",\"terms\":[{\"kind\":\"amount\",\"payee\":\"p1\"},{\"kind\":\"residual\",\"payee\":\"c1\"}]"
     "}",
     "/terms/0/amount_minor", ACCORD_E_FIELD_MISSING},
    {"{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"channels\":[\"c1\"]}," FROM
     ",\"terms\":[{\"kind\":\"residual\",\"payee\":\"c1\",\"share_ppm\":1}]}",
     "/terms/0/share_ppm", ACCORD_E_FIELD_UNKNOWN},
    {"{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"channels\":[\"c1\"]}," FROM
     ",\"base\":{\"tax\":{\"deduct\":true,\"of\":\"gross\"}}," HALF "}",
     "/base/tax/of", ACCORD_E_FIELD_UNKNOWN},
    {"{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"channels\":[\"c1\"]}," FROM
     ",\"base\":{\"discounts\":{\"provider\":\"add_back\"}}," HALF "}",
     "/funders/provider", ACCORD_E_FUNDER_NOT_PARTY},
    {"{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"channels\":[\"c1\"]}," FROM
     ",\"funders\":{\"platform\":\"op\"}," HALF "}",
     "/funders/platform", ACCORD_E_FUNDER_NOT_PARTY},
    {"{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"channels\":[\"c1\"]},\"effective\":{\"from\":"
     "\"2025-01-01T00:00:00Z\",\"to\":\"2025-01-01T08:00:00+08:00\"},\"currency\":\"CNY\"," HALF
     "}",
     "/effective/to", ACCORD_E_EFFECTIVE_EMPTY},
    {"{\"parties\":[\"p1\",\"c1\"],\"scope\":{\"channels\":[\"c1\"]},\"id\":\"x\"," FROM "," HALF
     "}",
     "/id", ACCORD_E_FIELD_UNKNOWN},
};

START_TEST(a_refusal_points_at_its_cause)
{
    struct agreement_version version;
    struct json_problems problems;
    ck_assert_int_eq(decode(b.arena, refused[_i].body, &version, &problems),
                     ACCORD_E_FIELDS_INVALID);
    ck_assert_msg(problems.count == 1, "%d: %zu problems, %s %s", _i, problems.count,
                  problems.items[0].pointer, accord_error_code(problems.items[0].code));
    ck_assert_str_eq(problems.items[0].pointer, refused[_i].pointer);
    ck_assert_str_eq(accord_error_code(problems.items[0].code),
                     accord_error_code(refused[_i].code));
}
END_TEST

/* ---- random bodies, beside a model of what they mean ---- */

static const char *const pool[] = {"p1", "p2", "c1", "c2", "op", "x-1", "y_2", "zz"};
enum { POOL = 8 };
static const char *const currencies[] = {"CNY", "USD", "JPY", "BHD"};
static const char *const zones[] = {"UTC", "Asia/Shanghai", "America/New_York"};
static const char *const bases[] = {"gross", "ex_tax", "running"};
static const char *const funders[] = {"provider", "channel", "platform"};

struct writing {
    uint64_t seed;
    struct buf out;
    bool comma;
};

static int64_t below(struct writing *w, int64_t bound)
{
    return random_below(&w->seed, bound);
}

static void key(struct writing *w, const char *name)
{
    buf_printf(&w->out, "%s\"%s\":", w->comma ? "," : "", name);
    w->comma = true;
}

/* A list that names some of the parties in any order, some twice; `ret` marks them. */
static void write_set(struct writing *w, const char *name, const char *const *parties,
                      uint32_t count, bool ret[ACCORD_PARTIES_MAX])
{
    const int64_t places = below(w, 4);
    if (places == 0 && below(w, 2) == 0)
        return;
    key(w, name);
    buf_add_char(&w->out, '[');
    for (int64_t i = 0; i < places; i++) {
        const int64_t party = below(w, count);
        ret[party] = true;
        buf_printf(&w->out, "%s\"%s\"", i == 0 ? "" : ",", parties[party]);
    }
    buf_add_char(&w->out, ']');
}

static size_t marked(const bool marks[ACCORD_PARTIES_MAX], uint32_t count)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += marks[i];
    return sum;
}

static void write_fee(struct writing *w, const char *name, bool is_tax,
                      struct accord_deduction *ret)
{
    *ret = (struct accord_deduction){.deduct = true, .rate_ppm = -1, .base = ACCORD_FEE_ON_GROSS};
    if (below(w, 3) == 0)
        return;
    ret->deduct = below(w, 2) == 0;
    key(w, name);
    buf_printf(&w->out, "{\"deduct\":%s", ret->deduct ? "true" : "false");
    if (below(w, 2) == 0) {
        ret->rate_ppm = below(w, 1000001);
        buf_printf(&w->out, ",\"rate_ppm\":%lld", (long long)ret->rate_ppm);
    }
    if (!is_tax && below(w, 2) == 0) {
        ret->base = (enum accord_fee_base)below(w, 3);
        buf_printf(&w->out, ",\"of\":\"%s\"", bases[ret->base]);
    }
    buf_add_char(&w->out, '}');
}

struct model {
    struct accord_agreement_version terms;
    bool providers[ACCORD_PARTIES_MAX];
    bool channels[ACCORD_PARTIES_MAX];
    bool retroactive;
    bool quarterly;
    const char *zone;
};

static void write_terms(struct writing *w, struct accord_agreement_version *terms)
{
    int64_t left = ACCORD_PPM_WHOLE;
    terms->term_count = (uint32_t)(1 + below(w, ACCORD_TERMS_MAX));
    const uint32_t residual = (uint32_t)below(w, terms->term_count);
    key(w, "terms");
    for (uint32_t i = 0; i < terms->term_count; i++) {
        struct accord_term *term = &terms->terms[i];
        *term = (struct accord_term){.payee = (uint32_t)below(w, terms->party_count)};
        const char *payee = terms->parties[term->payee];
        buf_add_char(&w->out, i == 0 ? '[' : ',');
        if (i == residual) {
            term->kind = ACCORD_TERM_RESIDUAL;
            buf_printf(&w->out, "{\"kind\":\"residual\",\"payee\":\"%s\"}", payee);
        } else if (below(w, 2) == 0) {
            term->kind = ACCORD_TERM_SHARE;
            term->share_ppm = below(w, left + 1);
            left -= term->share_ppm;
            buf_printf(&w->out, "{\"share_ppm\":%lld,\"kind\":\"share\",\"payee\":\"%s\"}",
                       (long long)term->share_ppm, payee);
        } else {
            term->kind = ACCORD_TERM_AMOUNT;
            term->amount_minor = below(w, 3) == 0 ? ACCORD_AMOUNT_MAX : below(w, 100000);
            buf_printf(&w->out, "{\"payee\":\"%s\",\"amount_minor\":%lld,\"kind\":\"amount\"}",
                       payee, (long long)term->amount_minor);
        }
    }
    buf_add_char(&w->out, ']');
}

static int by_party(const void *a, const void *c)
{
    return strcmp(*(const char *const *)a, *(const char *const *)c);
}

/* Which of the parties a set names, bytewise. */
static size_t names_of(const struct model *model, const bool marks[ACCORD_PARTIES_MAX],
                       const char *ret[ACCORD_PARTIES_MAX])
{
    size_t count = 0;
    for (uint32_t i = 0; i < model->terms.party_count; i++)
        if (marks[i])
            ret[count++] = model->terms.parties[i];
    qsort(ret, count, sizeof *ret, by_party);
    return count;
}

static uint32_t only(const bool marks[ACCORD_PARTIES_MAX], uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (marks[i])
            return i;
    return UINT32_MAX;
}

/* Writes an acceptable body and what it means. */
static void write_body(struct writing *w, struct model *model)
{
    struct accord_agreement_version *terms = &model->terms;
    *model = (struct model){.zone = "UTC"};
    terms->party_count = (uint32_t)(2 + below(w, POOL - 1));
    const int64_t first = below(w, POOL);
    for (uint32_t i = 0; i < terms->party_count; i++)
        terms->parties[i] = pool[(first + (int64_t)i * 3) % POOL];
    const uint32_t count = terms->party_count;
    w->comma = false;
    buf_add_char(&w->out, '{');
    key(w, "parties");
    for (uint32_t i = 0; i < count; i++)
        buf_printf(&w->out, "%c\"%s\"", i == 0 ? '[' : ',', terms->parties[i]);
    buf_add_char(&w->out, ']');

    key(w, "scope");
    buf_add_char(&w->out, '{');
    w->comma = false;
    write_set(w, "providers", terms->parties, count, model->providers);
    write_set(w, "channels", terms->parties, count, model->channels);
    if (below(w, 2) == 0) {
        /* Courses of providers that the scope admits, in order and each once: the sorting of sets
         * is looked at elsewhere. */
        key(w, "courses");
        buf_printf(&w->out, "[");
        static struct accord_course_ref courses[3];
        const bool any = marked(model->providers, count) == 0;
        for (uint32_t i = 0; i < count && terms->course_count == 0; i++)
            if (any || model->providers[i]) {
                static const char *const ids[] = {"a/b", "c \\\"é\\\"", "课程 1"};
                static const char *const meant[] = {"a/b", "c \"é\"", "课程 1"};
                for (size_t k = 0; k < 3; k++) {
                    buf_printf(&w->out, "%s{\"provider\":\"%s\",\"course_id\":\"%s\"}",
                               k == 0 ? "" : ",", terms->parties[i], ids[k]);
                    courses[k] = (struct accord_course_ref){terms->parties[i], meant[k]};
                }
                terms->course_count = 3;
            }
        terms->courses = courses;
        buf_add_char(&w->out, ']');
    }
    buf_add_char(&w->out, '}');
    w->comma = true;

    const size_t channels = marked(model->channels, count);
    terms->is_default =
        below(w, 4) == 0 || marked(model->providers, count) + channels + terms->course_count == 0;
    if (terms->is_default || below(w, 2) == 0) {
        key(w, "default");
        buf_printf(&w->out, "%s", terms->is_default ? "true" : "false");
    }
    terms->collector = only(model->channels, count);
    if (channels != 1 || below(w, 2) == 0) {
        terms->collector = (uint32_t)below(w, count);
        key(w, "collector");
        buf_printf(&w->out, "\"%s\"", terms->parties[terms->collector]);
    }
    if (below(w, 2) == 0) {
        terms->clearing_direct = below(w, 2) == 0;
        key(w, "clearing");
        buf_printf(&w->out, "\"%s\"", terms->clearing_direct ? "direct" : "operator");
    }
    /* 2025-03-01T00:00:00Z is 1740787200; the hours and offsets cancel out. */
    const int64_t days = below(w, 28);
    const int64_t hours = below(w, 10);
    terms->effective_from_us = (1740787200 + days * 86400) * INT64_C(1000000);
    terms->effective_to_us = INT64_MAX;
    key(w, "effective");
    buf_printf(&w->out, "{\"from\":\"2025-03-%02lldT%02lld:00:00+%02lld:00\"", (long long)days + 1,
               (long long)hours, (long long)hours);
    if (below(w, 2) == 0) {
        buf_printf(&w->out, ",\"to\":\"2025-04-01T00:00:00.000001Z\"");
        terms->effective_to_us = INT64_C(1743465600000001);
    }
    buf_add_char(&w->out, '}');
    terms->currency.code[0] = '\0';
    ck_assert_int_eq(accord_currency_parse(currencies[below(w, 4)], 3, &terms->currency),
                     ACCORD_OK);
    key(w, "currency");
    buf_printf(&w->out, "\"%s\"", terms->currency.code);
    if (below(w, 2) == 0) {
        model->retroactive = below(w, 2) == 0;
        key(w, "retroactive");
        buf_printf(&w->out, "%s", model->retroactive ? "true" : "false");
    }
    if (below(w, 2) == 0) {
        model->quarterly = below(w, 2) == 0;
        model->zone = zones[below(w, 3)];
        key(w, "period");
        buf_printf(&w->out, "{\"kind\":\"%s\",\"time_zone\":\"%s\"}",
                   model->quarterly ? "quarter" : "month", model->zone);
    }
    if (below(w, 2) == 0) {
        terms->priority = below(w, 2000001) - 1000000;
        key(w, "priority");
        buf_printf(&w->out, "%lld", (long long)terms->priority);
    }
    key(w, "base");
    buf_add_char(&w->out, '{');
    w->comma = false;
    write_fee(w, "tax", true, &terms->tax);
    write_fee(w, "store_fee", false, &terms->store_fee);
    write_fee(w, "payment_fee", false, &terms->payment_fee);
    key(w, "discounts");
    buf_add_char(&w->out, '{');
    w->comma = false;
    for (int i = 0; i < ACCORD_FUNDERS; i++)
        if (below(w, 2) == 0) {
            terms->add_back[i] = below(w, 2) == 0;
            key(w, funders[i]);
            buf_printf(&w->out, "\"%s\"", terms->add_back[i] ? "add_back" : "deduct");
        }
    buf_printf(&w->out, "}}");
    w->comma = true;
    key(w, "funders");
    buf_add_char(&w->out, '{');
    w->comma = false;
    const bool *const roles[] = {model->providers, model->channels, NULL};
    for (int i = 0; i < ACCORD_FUNDERS; i++) {
        const bool unique = roles[i] != NULL && marked(roles[i], count) == 1;
        terms->funder_party[i] = unique ? only(roles[i], count) : UINT32_MAX;
        if (below(w, 2) == 0 || (terms->add_back[i] && !unique)) {
            terms->funder_party[i] = (uint32_t)below(w, count);
            key(w, funders[i]);
            buf_printf(&w->out, "\"%s\"", terms->parties[terms->funder_party[i]]);
        }
    }
    buf_add_char(&w->out, '}');
    w->comma = true;
    write_terms(w, terms);
    buf_add_char(&w->out, '}');
}

static void expect_deduction(const struct accord_deduction *is, const struct accord_deduction *want)
{
    ck_assert_int_eq(is->deduct, want->deduct);
    ck_assert_int_eq(is->rate_ppm, want->rate_ppm);
    ck_assert_int_eq((int)is->base, (int)want->base);
}

static void expect_names(const char *const *is, size_t count, const struct model *model,
                         const bool marks[ACCORD_PARTIES_MAX])
{
    const char *want[ACCORD_PARTIES_MAX];
    ck_assert_uint_eq(count, names_of(model, marks, want));
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(is[i], want[i]);
}

static void expect_version(const struct agreement_version *is, const struct model *model)
{
    const struct accord_agreement_version *a = &is->terms;
    const struct accord_agreement_version *want = &model->terms;
    ck_assert_uint_eq(a->party_count, want->party_count);
    for (uint32_t i = 0; i < a->party_count; i++)
        ck_assert_str_eq(a->parties[i], want->parties[i]);
    ck_assert_uint_eq(a->collector, want->collector);
    ck_assert_int_eq(a->clearing_direct, want->clearing_direct);
    ck_assert_int_eq(a->is_default, want->is_default);
    expect_names(a->providers, a->provider_count, model, model->providers);
    expect_names(a->channels, a->channel_count, model, model->channels);
    ck_assert_uint_eq(a->course_count, want->course_count);
    for (size_t i = 0; i < a->course_count; i++) {
        ck_assert_str_eq(a->courses[i].provider, want->courses[i].provider);
        ck_assert_str_eq(a->courses[i].course_id, want->courses[i].course_id);
    }
    ck_assert_int_eq(a->effective_from_us, want->effective_from_us);
    ck_assert_int_eq(a->effective_to_us, want->effective_to_us);
    ck_assert_int_eq(a->priority, want->priority);
    ck_assert_str_eq(a->currency.code, want->currency.code);
    expect_deduction(&a->tax, &want->tax);
    expect_deduction(&a->store_fee, &want->store_fee);
    expect_deduction(&a->payment_fee, &want->payment_fee);
    for (int i = 0; i < ACCORD_FUNDERS; i++) {
        ck_assert_int_eq(a->add_back[i], want->add_back[i]);
        ck_assert_uint_eq(a->funder_party[i], want->funder_party[i]);
    }
    ck_assert_uint_eq(a->term_count, want->term_count);
    for (uint32_t i = 0; i < a->term_count; i++) {
        ck_assert_int_eq((int)a->terms[i].kind, (int)want->terms[i].kind);
        ck_assert_uint_eq(a->terms[i].payee, want->terms[i].payee);
        ck_assert_int_eq(a->terms[i].share_ppm, want->terms[i].share_ppm);
        ck_assert_int_eq(a->terms[i].amount_minor, want->terms[i].amount_minor);
    }
    ck_assert_int_eq(is->retroactive, model->retroactive);
    ck_assert_int_eq(is->quarterly, model->quarterly);
    ck_assert_str_eq(is->time_zone, model->zone);
    ck_assert_ptr_nonnull(is->zone);
}

START_TEST(any_body_comes_back_as_it_was)
{
    for (uint64_t seed = 1; seed <= 1500; seed++) {
        struct writing w = {.seed = seed};
        struct model model;
        struct agreement_version version;
        struct json_problems problems;
        arena_reset(b.arena);
        buf_init(&w.out, 1 << 20);
        write_body(&w, &model);
        ck_assert_int_eq(buf_error(&w.out), ACCORD_OK);
        const char *body = arena_strdup(b.arena, buf_slice(&w.out));
        buf_done(&w.out);
        const enum accord_error error = decode(b.arena, body, &version, &problems);
        ck_assert_msg(error == ACCORD_OK, "seed %llu: %s %s: %s", (unsigned long long)seed,
                      problems.items[0].pointer, accord_error_code(problems.items[0].code), body);
        expect_version(&version, &model);
        const struct slice once = encode(&version);
        struct slice again;
        ck_assert_int_eq(json_canonical(b.arena, once, &again), ACCORD_OK);
        ck_assert(slice_equal(once, again));
        ck_assert_int_eq(decode(b.arena, once.data, &version, &problems), ACCORD_OK);
        expect_version(&version, &model);
        ck_assert(slice_equal(once, encode(&version)));
    }
}
END_TEST

START_TEST(little_memory_is_an_error_not_a_crash)
{
    struct writing w = {.seed = 4242};
    struct model model;
    struct json_problems problems;
    buf_init(&w.out, 1 << 20);
    do {
        w.out.len = 0;
        write_body(&w, &model);
    } while (model.terms.course_count == 0 || marked(model.providers, 8) == 0);
    const char *body = arena_strdup(b.arena, buf_slice(&w.out));
    buf_done(&w.out);
    bool done = false;
    for (size_t bytes = 64; bytes < ((size_t)1 << 20) && !done; bytes += 64) {
        struct arena *arena = arena_new(bytes);
        struct agreement_version version;
        struct slice out;
        ck_assert_ptr_nonnull(arena);
        enum accord_error error = decode(arena, body, &version, &problems);
        if (error == ACCORD_OK)
            error = agreement_encode(arena, &version, &out);
        ck_assert(error == ACCORD_OK || error == ACCORD_E_OUT_OF_MEMORY);
        done = error == ACCORD_OK;
        arena_free(arena);
    }
    ck_assert(done);
}
END_TEST

/* ---- grants ---- */

static bool sees(const char *channel, const char *provider, const char *course, instant_us now)
{
    bool ret;
    ck_assert_int_eq(store_course_may_see(b.db, channel, provider, slice_of(course), now, &ret),
                     ACCORD_OK);
    return ret;
}

START_TEST(a_version_grants_its_scope_for_its_time)
{
    struct agreement_version version;
    struct json_problems problems;
    static const char body[] =
        "{\"parties\":[\"p1\",\"c1\",\"c2\",\"p2\"],\"collector\":\"c1\",\"scope\":{\"providers\":["
        "\"p1\"],\"channels\":[\"c1\"]},\"effective\":{\"from\":\"1970-01-01T00:00:00.000100Z\"},"
        "\"currency\":\"CNY\"," HALF "}";
    books_course(&b, "p1", "a");
    books_course(&b, "p1", "b");
    books_course(&b, "p2", "a");
    ck_assert_int_eq(decode(b.arena, body, &version, &problems), ACCORD_OK);
    ck_assert_int_eq(agreement_grant(b.db, b.arena, &version, 200), ACCORD_OK);
    ck_assert(sees("c1", "p1", "a", 100));
    ck_assert(sees("c1", "p1", "b", 199));
    ck_assert(!sees("c1", "p1", "a", 99));
    ck_assert(!sees("c1", "p1", "a", 200));
    ck_assert(!sees("c2", "p1", "a", 100)); /* a party, but no channel of the scope */
    ck_assert(!sees("c1", "p2", "a", 100));
    ck_assert(sees("p1", "p1", "a", 0));
    /* Cut short, the grant is; said again, it stands once. */
    ck_assert_int_eq(agreement_grant(b.db, b.arena, &version, 150), ACCORD_OK);
    ck_assert(sees("c1", "p1", "a", 149));
    ck_assert(!sees("c1", "p1", "a", 150));
    ck_assert_int_eq(NUMBER(&b, "SELECT COUNT(*) FROM catalog_grant"), 1);

    ck_assert_int_eq(
        decode(b.arena,
               "{\"parties\":[\"p1\",\"c1\",\"p2\"],\"collector\":\"c1\",\"scope\":{\"courses\":[{"
               "\"provider\":\"p1\",\"course_id\":\"b\"}]},\"effective\":{\"from\":"
               "\"1970-01-01T00:00:00.000100Z\"},\"currency\":\"CNY\"," HALF "}",
               &version, &problems),
        ACCORD_OK);
    ck_assert_int_eq(agreement_grant(b.db, b.arena, &version, INT64_MAX), ACCORD_OK);
    ck_assert(!sees("c1", "p1", "a", 100));
    ck_assert(sees("c1", "p1", "b", 100));
    ck_assert(sees("p2", "p1", "b", 100)); /* no channel is named: any party may sell it */
    ck_assert(!sees("p2", "p1", "a", 100));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("agreements");
    TCase *all = tcase_create("agreements");
    tcase_set_timeout(all, 120);
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, a_version_is_stored_whole);
    tcase_add_test(all, states_move_one_way_and_parties_sign_once);
    tcase_add_test(all, lists_show_a_partner_its_own);
    tcase_add_test(all, equal_meaning_has_one_text);
    tcase_add_loop_test(all, a_refusal_points_at_its_cause, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(all, any_body_comes_back_as_it_was);
    tcase_add_test(all, little_memory_is_an_error_not_a_crash);
    tcase_add_test(all, a_version_grants_its_scope_for_its_time);
    suite_add_tcase(suite, all);
    return suite;
}

UNIT_MAIN(make_suite)
