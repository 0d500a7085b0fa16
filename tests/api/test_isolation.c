/* Isolation: every operation of the contract, asked with no key, a wrong one, an expired one, one
 * without the scope, and another partner's. The list of operations is the contract's own. */
#include "support/world.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Stands in every text of the victim. */
#define MARK "Geheimnis"

static char *victim;   /* key of the provider "victim" */
static char *seller;   /* key of its channel "victim-shop" */
static char *outsider; /* every scope, every role but the platform's */
static char *expired;
static char *import_id;
static char *key_id;
static char *statement_id;
static char *dispute_id;

static void setup(void)
{
    world_setup();
    victim = strdup(make_partner_key("victim", "\"provider\""));
    seller = strdup(make_partner_key("victim-shop", "\"channel\""));
    outsider = strdup(make_partner_key("outsider", "\"provider\",\"channel\""));
    struct response *is = patch(
        victim, "/v1/partners/victim",
        text("If-Match: %s", header(get(victim, "/v1/partners/victim"), "etag")),
        "{\"name\":\"" MARK " name\",\"legal_name\":\"" MARK " legal\",\"tax_id\":\"" MARK "\"}");
    expect_status(is, 200);
    key_id = strdup(text_at(get(victim, "/v1/me"), "/key/id"));
    is = post(victim, "/v1/catalogs",
              "[{\"course_id\":\"c\",\"title\":\"" MARK " course\",\"offers\":[{\"mode\":\"buy\","
              "\"price\":{\"amount\":7654321,\"currency\":\"CNY\"}}]},{\"course_id\":\"\","
              "\"title\":\"" MARK " bad\"}]");
    expect_status(is, 200);
    import_id = strdup(text_at(is, "/id"));
    make_agreement("pact",
                   "\"parties\":[\"victim\",\"victim-shop\"],\"scope\":{\"providers\":[\"victim\"],"
                   "\"channels\":[\"victim-shop\"]},\"effective\":{\"from\":"
                   "\"2025-01-01T00:00:00Z\"},\"currency\":\"CNY\",\"terms\":[{\"kind\":\"share\","
                   "\"payee\":\"victim\",\"share_ppm\":500000},{\"kind\":\"residual\",\"payee\":"
                   "\"victim-shop\"}]",
                   (const char *const[]){victim, seller, NULL});
    make_agreement("club",
                   text("\"parties\":[\"%s\",\"victim-shop\"],\"scope\":{\"providers\":[\"%s\"],"
                        "\"channels\":[\"victim-shop\"]},\"effective\":{\"from\":"
                        "\"2025-01-01T00:00:00Z\"},\"currency\":\"CNY\",\"terms\":[{\"kind\":"
                        "\"residual\",\"payee\":\"victim-shop\"}]",
                        operator_id(), operator_id()),
                   (const char *const[]){operator_key, seller, NULL});
    post_facts(
        seller,
        "{\"event_id\":\"o1\",\"type\":\"order.paid\",\"occurred_at\":\"2025-01-10T00:00:00Z\","
        "\"order_id\":\"o1\",\"currency\":\"CNY\",\"learner\":\"" MARK " learner\",\"lines\":"
        "[{\"line_id\":\"1\",\"provider\":\"victim\",\"course_id\":\"c\",\"quantity\":1,"
        "\"paid\":7654321}]},{\"event_id\":\"r1\",\"type\":\"review\",\"occurred_at\":"
        "\"2025-01-10T00:00:00Z\",\"provider\":\"victim\",\"course_id\":\"c\",\"value\":5,"
        "\"text\":\"" MARK " review\"},{\"event_id\":\"m1\",\"type\":\"membership.started\","
        "\"occurred_at\":\"2025-01-10T00:00:00Z\",\"membership_id\":\"m1\",\"offer\":\"o\","
        "\"learner\":\"" MARK " learner\",\"currency\":\"CNY\",\"paid\":7654321,\"from\":"
        "\"2025-01-10T00:00:00Z\",\"to\":\"2025-02-10T00:00:00Z\"}");

    expect_status(put(seller, "/v1/pools/pool", "If-None-Match: *",
                      "{\"title\":\"" MARK " pool\",\"currency\":\"CNY\",\"time_zone\":\"UTC\","
                      "\"from\":\"2025-01\",\"share_ppm\":1,\"basis\":\"seconds\",\"method\":"
                      "\"pro_rata\",\"idle\":\"retain\"}"),
                  201);
    expect_status(put(seller, "/v1/offers/o", "If-None-Match: *",
                      "{\"kind\":\"membership\",\"title\":\"" MARK
                      " club\",\"currency\":\"CNY\",\"price\":1,\"items\":[],\"valid\":{\"from\":"
                      "\"2025-01-01T00:00:00Z\"},\"membership\":{\"days\":31,\"pool\":\"pool\"}}"),
                  201);
    expect_status(get(seller, "/v1/pools/pool/periods/2025-01"), 200);
    expect_status(
        put(seller, "/v1/offers/run", "If-None-Match: *",
            "{\"kind\":\"challenge\",\"title\":\"" MARK
            " run\",\"currency\":\"CNY\",\"price\":1,\"items\":[],\"valid\":{\"from\":"
            "\"2025-01-01T00:00:00Z\"},\"challenge\":{\"deposit\":7654321,\"need_days\":1,"
            "\"window_days\":1}}"),
        201);
    post_facts(seller, "{\"event_id\":\"in\",\"type\":\"challenge.joined\",\"occurred_at\":"
                       "\"2025-01-10T00:00:00Z\",\"entry_id\":\"in\",\"offer\":\"run\",\"learner\":"
                       "\"" MARK " learner\",\"currency\":\"CNY\",\"paid\":7654321,\"time_zone\":"
                       "\"UTC\"}");
    expect_status(get(seller, "/v1/challenges/run/rounds/2025-01"), 200);
    expect_status(
        put(seller, "/v1/offers/pack", "If-None-Match: *",
            "{\"kind\":\"single\",\"title\":\"" MARK
            " offer\",\"currency\":\"CNY\",\"price\":7654321,\"valid\":{\"from\":"
            "\"2025-01-01T00:00:00Z\"},\"items\":[{\"provider\":\"victim\",\"course_id\":\"c\"}]}"),
        201);
    make_partner("victim-friend", "\"promoter\"", "CNY", "Asia/Shanghai");
    expect_status(put(seller, "/v1/links/LIN", "If-None-Match: *",
                      "{\"promoter\":\"victim-friend\",\"learner\":\"" MARK " learner\"}"),
                  201);
    is = post(operator_key, "/v1/agreements/pact/periods/2025-01/close", NULL);
    expect_status(is, 200);
    statement_id = strdup(text_at(is, text("%s/id", find(is, "/statements", "partner", "victim"))));
    is = post(victim, text("/v1/statements/%s/disputes", statement_id),
              "{\"reason\":\"" MARK " reason\"}");
    expect_status(is, 201);
    dispute_id = strdup(text_at(is, "/id"));
    is = post(operator_key, "/v1/payments",
              text("{\"payment_id\":\"pay\",\"payer\":\"%s\",\"payee\":\"victim\",\"currency\":"
                   "\"CNY\",\"amount\":7654321,\"statements\":[\"%s\"]}",
                   operator_id(), statement_id));
    expect_status(is, 201);

    const time_t soon = time(NULL) + 2;
    struct tm parts;
    gmtime_r(&soon, &parts);
    char when[32];
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    is = post(operator_key, "/v1/partners/outsider/keys",
              text("{\"scopes\":[\"catalog:read\",\"catalog:write\",\"events:read\","
                   "\"events:write\",\"agreements:read\",\"agreements:write\",\"revenue:read\","
                   "\"statements:read\",\"statements:write\"],"
                   "\"expires_at\":\"%s\"}",
                   when));
    expect_status(is, 201);
    expired = strdup(text_at(is, "/secret"));
    while (time(NULL) <= soon)
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    client_free_all();
}

static void teardown(void)
{
    free(victim);
    free(seller);
    free(outsider);
    free(expired);
    free(import_id);
    free(key_id);
    free(statement_id);
    free(dispute_id);
    world_teardown();
    client_free_all();
}

#define VERSION                                                                                    \
    "\"scope\":{\"providers\":[\"victim\"],"                                                       \
    "\"channels\":[\"victim-shop\"]},\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},"           \
    "\"currency\":\"CNY\",\"terms\":[{\"kind\":\"residual\",\"payee\":\"victim\"}]"

/* How an outsider asks each operation for what is the victim's; `own`: it may answer 200, about the
 * outsider itself. {import}, {key}, {statement} and {dispute} stand for the victim's ids. */
static const struct probe {
    const char *operation;
    const char *path;
    const char *body;
    const char *condition;
    bool own;
} probes[] = {
    {"createPartner", "/v1/partners", "{}", NULL, false},
    {"listPartners", "/v1/partners", NULL, NULL, true},
    {"getPartner", "/v1/partners/victim", NULL, NULL, false},
    {"updatePartner", "/v1/partners/victim", "{\"name\":\"X\"}", "If-Match: \"1\"", false},
    {"createKey", "/v1/partners/victim/keys", "{\"scopes\":[\"revenue:read\"]}", NULL, false},
    {"listKeys", "/v1/partners/victim/keys", NULL, NULL, false},
    {"revokeKey", "/v1/partners/victim/keys/{key}", NULL, NULL, false},
    {"getMe", "/v1/me", NULL, NULL, true},
    {"importCatalog", "/v1/catalogs?provider=victim", "[{\"course_id\":\"c\",\"title\":\"X\"}]",
     NULL, false},
    {"listCatalogs", "/v1/catalogs", NULL, NULL, true},
    {"getCatalog", "/v1/catalogs/{import}", NULL, NULL, false},
    {"listCatalogProblems", "/v1/catalogs/{import}/problems", NULL, NULL, false},
    {"approveCatalog", "/v1/catalogs/{import}/approve", NULL, NULL, false},
    {"listCourses", "/v1/courses?provider=victim", NULL, NULL, true},
    {"getCourse", "/v1/courses/victim/c", NULL, NULL, false},
    {"putCourse", "/v1/courses/victim/c", "{\"course_id\":\"c\",\"title\":\"X\"}",
     "If-Match: \"1\"", false},
    {"withdrawCourse", "/v1/courses/victim/c", NULL, NULL, false},
    {"listCourseVersions", "/v1/courses/victim/c/versions", NULL, NULL, false},
    {"getCourseFeedback", "/v1/courses/victim/c/feedback", NULL, NULL, false},
    {"postEvents", "/v1/events?on_behalf_of=victim-shop",
     "[{\"event_id\":\"x\",\"type\":\"void\",\"occurred_at\":\"2025-01-10T00:00:00Z\","
     "\"supersedes\":\"o1\"}]",
     NULL, false},
    {"listEvents", "/v1/events", NULL, NULL, true},
    {"postFeedback", "/v1/feedback?on_behalf_of=victim-shop",
     "[{\"event_id\":\"x\",\"type\":\"void\",\"occurred_at\":\"2025-01-10T00:00:00Z\","
     "\"supersedes\":\"r1\"}]",
     NULL, false},
    {"postOrders", "/v1/orders?on_behalf_of=victim-shop",
     "[{\"event_id\":\"x\",\"type\":\"void\",\"occurred_at\":\"2025-01-10T00:00:00Z\","
     "\"supersedes\":\"o1\"}]",
     NULL, false},
    {"createAgreement", "/v1/agreements",
     "{\"name\":\"N\",\"parties\":[\"victim\",\"victim-shop\"]," VERSION "}", NULL, false},
    {"listAgreements", "/v1/agreements", NULL, NULL, true},
    {"resolveAgreement",
     "/v1/agreements/resolve?provider=victim&course_id=c&channel=victim-shop&"
     "at=2025-01-10T00:00:00Z",
     NULL, NULL, false},
    {"getAgreement", "/v1/agreements/pact", NULL, NULL, false},
    {"createAgreementVersion", "/v1/agreements/pact/versions",
     "{\"parties\":[\"victim\",\"victim-shop\",\"outsider\"]," VERSION "}", NULL, false},
    {"listAgreementVersions", "/v1/agreements/pact/versions", NULL, NULL, false},
    {"proposeAgreement", "/v1/agreements/pact/propose", "{\"version\":1}", NULL, false},
    {"signAgreement", "/v1/agreements/pact/sign", "{\"version\":1}", NULL, false},
    {"rejectAgreement", "/v1/agreements/pact/reject", "{\"version\":1}", NULL, false},
    {"terminateAgreement", "/v1/agreements/pact/terminate", "{}", NULL, false},
    {"getRevenue", "/v1/revenue?period=2025-01&partner=victim", NULL, NULL, false},
    {"listPools", "/v1/pools", NULL, NULL, true},
    {"getPool", "/v1/pools/pool?channel=victim-shop", NULL, NULL, false},
    {"listChallengeRounds", "/v1/challenges/run/rounds?channel=victim-shop", NULL, NULL, false},
    {"getChallengeRound", "/v1/challenges/run/rounds/2025-01?channel=victim-shop", NULL, NULL,
     false},
    {"listChallengeEntries", "/v1/challenges/run/rounds/2025-01/entries?channel=victim-shop", NULL,
     NULL, false},
    {"settleChallengeRound", "/v1/challenges/run/rounds/2025-01/settle?channel=victim-shop", "",
     NULL, false},
    {"getChallengeEntry", "/v1/challenge-entries/victim-shop/in", NULL, NULL, false},
    {"getPoolPeriod", "/v1/pools/pool/periods/2025-01?channel=victim-shop", NULL, NULL, false},
    {"putPool", "/v1/pools/pool?channel=victim-shop",
     "{\"title\":\"X\",\"currency\":\"CNY\",\"time_zone\":\"UTC\",\"from\":\"2025-01\",\"share_"
     "ppm\":1,"
     "\"basis\":\"seconds\",\"method\":\"pro_rata\",\"idle\":\"retain\"}",
     "If-None-Match: *", false},
    {"listOffers", "/v1/offers", NULL, NULL, true},
    {"getOffer", "/v1/offers/pack?channel=victim-shop", NULL, NULL, false},
    {"putOffer", "/v1/offers/pack?channel=victim-shop",
     "{\"kind\":\"single\",\"title\":\"X\",\"currency\":\"CNY\",\"price\":1,\"valid\":{\"from\":"
     "\"2025-01-01T00:00:00Z\"},\"items\":[{\"provider\":\"victim\",\"course_id\":\"c\"}]}",
     "If-None-Match: *", false},
    {"listLinks", "/v1/links?channel=victim-shop", NULL, NULL, true},
    {"putLink", "/v1/links/LIN?channel=victim-shop", "{\"promoter\":\"victim\"}",
     "If-None-Match: *", false},
    {"getLink", "/v1/links/LIN?channel=victim-shop", NULL, NULL, false},
    {"acceptLink", "/v1/links/LIN/accept?channel=victim-shop", NULL, NULL, false},
    {"closeLink", "/v1/links/LIN/close?channel=victim-shop", NULL, NULL, false},
    {"getOrder", "/v1/orders/victim-shop/o1", NULL, NULL, false},
    {"explainOrder", "/v1/orders/victim-shop/o1/explain", NULL, NULL, false},
    {"getOrderAttribution", "/v1/orders/victim-shop/o1/attribution", NULL, NULL, false},
    {"getMembership", "/v1/memberships/victim-shop/m1", NULL, NULL, false},
    {"explainMembership", "/v1/memberships/victim-shop/m1/explain", NULL, NULL, false},
    {"listPeriods", "/v1/periods?agreement=pact", NULL, NULL, false},
    {"closePeriod", "/v1/agreements/pact/periods/2025-02/close", NULL, NULL, false},
    {"closePeriods", "/v1/periods/2025-02/close", NULL, NULL, false},
    {"listStatements", "/v1/statements", NULL, NULL, true},
    {"getStatement", "/v1/statements/{statement}", NULL, NULL, false},
    {"acceptStatement", "/v1/statements/{statement}/accept", NULL, NULL, false},
    {"listStatementLines", "/v1/statements/{statement}/lines", NULL, NULL, false},
    {"simulate", "/v1/simulations", "{\"agreement\":\"pact\",\"period\":\"2025-02\"}", NULL, false},
    {"explainStatementLine", "/v1/statements/{statement}/lines/s1.0.0/explain", NULL, NULL, false},
    {"getStatementInputs", "/v1/statements/{statement}/inputs", NULL, NULL, false},
    {"openDispute", "/v1/statements/{statement}/disputes", "{\"reason\":\"X\"}", NULL, false},
    {"listDisputes", "/v1/statements/{statement}/disputes", NULL, NULL, false},
    {"resolveDispute", "/v1/statements/{statement}/disputes/{dispute}/resolve",
     "{\"outcome\":\"rejected\",\"resolution\":\"X\"}", NULL, false},
    {"withdrawDispute", "/v1/statements/{statement}/disputes/{dispute}/withdraw", NULL, NULL,
     false},
    {"createPayment", "/v1/payments",
     "{\"payment_id\":\"x\",\"payer\":\"victim\",\"payee\":\"outsider\",\"currency\":\"CNY\","
     "\"amount\":1}",
     NULL, false},
    {"listPayments", "/v1/payments", NULL, NULL, true},
    {"getPayment", "/v1/payments/pay", NULL, NULL, false},
    {"movePayment", "/v1/payments/pay/state", "{\"state\":\"failed\"}", NULL, false},
    {"listExchangeRates", "/v1/exchange-rates", NULL, NULL, true},
    {"getExchangeRates", "/v1/exchange-rates/2025-01-10", NULL, NULL, true},
    {"putExchangeRates", "/v1/exchange-rates/2025-01-10", "{\"rates\":{\"CNY\":\"7.8\"}}",
     "If-None-Match: *", false},
    {"listBalances", "/v1/balances", NULL, NULL, true},
    {"listPostings", "/v1/postings", NULL, NULL, true},
    {"getHealth", "/healthz", NULL, NULL, true},
    {"getReady", "/readyz", NULL, NULL, true},
    {"getMetrics", "/metrics", NULL, NULL, true},
    {"getContract", "/openapi.json", NULL, NULL, true},
    {"getDocs", "/docs", NULL, NULL, true},
};
enum { PROBES = sizeof probes / sizeof probes[0] };

/* One operation as the contract describes it. */
struct described {
    const struct probe *probe;
    char method[8];
    bool is_public;
    json_t *scopes;
};

static const char *id_of(char letter)
{
    switch (letter) {
    case 'i':
        return import_id;
    case 's':
        return statement_id;
    case 'd':
        return dispute_id;
    default:
        return key_id;
    }
}

static const char *fill(const char *path)
{
    const char *open = strchr(path, '{');
    if (open == NULL)
        return path;
    const char *close = strchr(open, '}');
    return fill(text("%.*s%s%s", (int)(open - path), path, id_of(open[1]), close + 1));
}

static struct response *ask(const struct described *operation, const char *key)
{
    const struct probe *probe = operation->probe;
    return client_send(&(struct request){.method = operation->method,
                                         .path = fill(probe->path),
                                         .key = key,
                                         .body = probe->body,
                                         .headers = {probe->condition}});
}

static void expect_nothing_of_the_victim(const struct described *operation,
                                         const struct response *is)
{
    const char *id = operation->probe->operation;
    ck_assert_msg(strstr(is->body, MARK) == NULL, "%s leaks a text: %s", id, is->body);
    ck_assert_msg(strstr(is->body, "7654321") == NULL, "%s leaks an amount: %s", id, is->body);
    if (operation->probe->own && !operation->is_public)
        ck_assert_msg(strstr(is->body, "victim") == NULL, "%s leaks an id: %s", id, is->body);
}

static void try_all_keys(const struct described *operation)
{
    const char *id = operation->probe->operation;
    static const char wrong[] = "accord_live_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    if (operation->is_public) {
        struct response *is = ask(operation, NULL);
        expect_status(is, 200);
        expect_nothing_of_the_victim(operation, is);
        return;
    }
    const char *const strangers[] = {NULL, wrong, expired};
    for (size_t i = 0; i < 3; i++) {
        struct response *is = ask(operation, strangers[i]);
        expect_problem(is, 401, "unauthenticated");
        expect_nothing_of_the_victim(operation, is);
    }
    /* A key of the outsider, and of the victim itself, with every scope but those needed. */
    if (json_array_size(operation->scopes) > 0) {
        static const char *const all[] = {"catalog:read", "catalog:write",   "events:read",
                                          "events:write", "agreements:read", "agreements:write",
                                          "revenue:read", "statements:read", "statements:write"};
        const char *scopes = "";
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
            bool needed = false;
            for (size_t k = 0; k < json_array_size(operation->scopes); k++)
                needed |=
                    strcmp(json_string_value(json_array_get(operation->scopes, k)), all[i]) == 0;
            if (!needed)
                scopes = text("%s%s\"%s\"", scopes, *scopes == '\0' ? "" : ",", all[i]);
        }
        static const char *const partners[] = {"outsider", "victim"};
        for (size_t i = 0; i < 2; i++) {
            struct response *is = ask(operation, make_key(partners[i], scopes));
            expect_problem(is, 403, "scope_missing");
            expect_nothing_of_the_victim(operation, is);
        }
    }
    struct response *is = ask(operation, outsider);
    if (operation->probe->own)
        ck_assert_msg(is->status == 200, "%s: %ld %s", id, is->status, is->body);
    else if (strcmp(id, "createAgreement") == 0) /* nobody drafts for others */
        expect_field_problem(is, "/parties", "party_missing");
    else
        ck_assert_msg(is->status == 404 || is->status == 403, "%s: %ld %s", id, is->status,
                      is->body);
    expect_nothing_of_the_victim(operation, is);
}

START_TEST(every_operation_keeps_to_its_partner)
{
    struct response *contract = get(NULL, "/openapi.json");
    expect_status(contract, 200);
    const char *path;
    json_t *item;
    size_t asked = 0;
    json_object_foreach(at(contract, "/paths"), path, item)
    {
        const char *method;
        json_t *operation;
        json_object_foreach(item, method, operation)
        {
            const char *id = json_string_value(json_object_get(operation, "operationId"));
            if (id == NULL)
                continue;
            struct described described = {.scopes = json_object_get(operation, "x-scopes")};
            for (size_t i = 0; i < PROBES; i++)
                if (strcmp(probes[i].operation, id) == 0)
                    described.probe = &probes[i];
            ck_assert_msg(described.probe != NULL, "%s has no probe here", id);
            for (size_t i = 0; method[i] != '\0' && i + 1 < sizeof described.method; i++)
                described.method[i] = (char)(method[i] - 'a' + 'A');
            const json_t *security = json_object_get(operation, "security");
            described.is_public = json_is_array(security) && json_array_size(security) == 0;
            try_all_keys(&described);
            asked++;
        }
    }
    ck_assert_uint_eq(asked, PROBES);
    /* None of it changed anything. */
    expect_text(get(victim, "/v1/partners/victim"), "/name", MARK " name");
    struct response *course = get(victim, "/v1/courses/victim/c");
    expect_text(course, "/title", MARK " course");
    expect_text(course, "/state", "active");
    expect_status(get(victim, "/v1/me"), 200);
    expect_text(get(victim, "/v1/agreements/pact"), "/state", "active");
    expect_money(get(victim, "/v1/revenue?period=2025-01"), "/totals/0/gross", 7654321, "CNY");
    expect_count(get(victim, "/v1/courses/victim/c/feedback"), "/reviews", 1);
    expect_text(get(victim, "/v1/payments/pay"), "/state", "approved");
    expect_text(get(seller, "/v1/links/LIN"), "/state", "proposed");
    expect_int(get(seller, "/v1/offers/pack"), "/version", 1);
    struct response *disputes = get(victim, "/v1/statements/%s/disputes", statement_id);
    expect_text(disputes, "/state", "disputed");
    expect_count(disputes, "/items", 1);
    expect_text(disputes, "/items/0/state", "open");
    expect_text(get(victim, "/v1/periods?agreement=pact"), "/items/1/state", "open");
}
END_TEST

/* What is the operator's or another party's is not found either when it is asked for by name. */
START_TEST(settlement_of_others_is_not_found)
{
    static const char *const paths[] = {
        "/v1/statements?partner=victim", "/v1/balances?partner=victim",
        "/v1/postings?partner=victim", "/v1/payments?partner=victim"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        expect_problem(get(outsider, "%s", paths[i]), 404, "not_found");
        expect_status(get(victim, "%s", paths[i]), 200);
        expect_status(get(operator_key, "%s", paths[i]), 200);
    }
    /* The other party of the agreement has a statement of its own. */
    expect_problem(get(seller, "/v1/statements/%s", statement_id), 404, "not_found");
    expect_problem(get(seller, "/v1/statements/%s/lines", statement_id), 404, "not_found");
    expect_problem(get(seller, "/v1/statements/%s/inputs", statement_id), 404, "not_found");
    expect_problem(get(seller, "/v1/payments/pay"), 404, "not_found");
    expect_count(get(seller, "/v1/statements"), "/items", 1);
    expect_text(get(seller, "/v1/statements"), "/items/0/partner", "victim-shop");
    expect_absent(get(victim, "/v1/balances"), "/trial_balance");
}
END_TEST

START_TEST(test_keys_reach_no_live_data)
{
    struct response *made = post(operator_key, "/v1/partners/victim/keys",
                                 "{\"mode\":\"test\",\"scopes\":[\"catalog:read\",\"events:read\","
                                 "\"agreements:read\",\"revenue:read\"]}");
    expect_status(made, 201);
    const char *key = text_at(made, "/secret");
    expect_problem(get(key, "/v1/courses/victim/c"), 404, "not_found");
    expect_problem(get(key, "/v1/agreements/pact"), 404, "not_found");
    expect_problem(get(key, "/v1/catalogs/%s", import_id), 404, "not_found");
    expect_count(get(key, "/v1/revenue?period=2025-01"), "/rows", 0);
    expect_count(get(key, "/v1/events"), "/items", 0);
}
END_TEST

START_TEST(parties_see_their_lines_and_no_more)
{
    /* Two providers in one order: each sees its own line, and no totals. */
    const char *other = make_partner_key("other-school", "\"provider\"");
    make_course(other, "other-school", "x", 100, "CNY");
    make_agreement(
        "other",
        "\"parties\":[\"other-school\",\"victim-shop\"],\"scope\":{\"providers\":"
        "[\"other-school\"],\"channels\":[\"victim-shop\"]},\"effective\":{\"from\":"
        "\"2025-01-01T00:00:00Z\"},\"currency\":\"CNY\",\"terms\":[{\"kind\":\"residual\","
        "\"payee\":\"victim-shop\"}]",
        (const char *const[]){other, seller, NULL});
    post_facts(seller,
               "{\"event_id\":\"o2\",\"type\":\"order.paid\",\"occurred_at\":"
               "\"2025-01-10T00:00:00Z\",\"order_id\":\"o2\",\"currency\":\"CNY\",\"learner\":"
               "\"" MARK "\",\"lines\":[{\"line_id\":\"1\",\"provider\":\"victim\",\"course_id\":"
               "\"c\",\"quantity\":1,\"paid\":7654321},{\"line_id\":\"2\",\"provider\":"
               "\"other-school\",\"course_id\":\"x\",\"quantity\":1,\"paid\":55}]}");
    static const char *const paths[] = {"/v1/orders/victim-shop/o2",
                                        "/v1/orders/victim-shop/o2/explain"};
    for (int i = 0; i < 2; i++) {
        struct response *is = get(other, "%s", paths[i]);
        expect_status(is, 200);
        expect_count(is, "/lines", 1);
        expect_text(is, "/lines/0/line_id", "2");
        ck_assert(strstr(is->body, "7654321") == NULL && strstr(is->body, "7654376") == NULL);
        ck_assert(strstr(is->body, "\"victim\"") == NULL && strstr(is->body, MARK) == NULL);
        is = get(seller, "%s", paths[i]);
        expect_count(is, "/lines", 2);
        ck_assert(strstr(is->body, MARK) == NULL);
        is = get(outsider, "%s", paths[i]);
        expect_problem(is, 404, "not_found");
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("isolation");
    TCase *all = tcase_create("isolation");
    tcase_add_unchecked_fixture(all, setup, teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, every_operation_keeps_to_its_partner);
    tcase_add_test(all, settlement_of_others_is_not_found);
    tcase_add_test(all, test_keys_reach_no_live_data);
    tcase_add_test(all, parties_see_their_lines_and_no_more);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "isolation")
