/* Agreements: drafting, proposing, signing, versions, precedence, who sees them. */
#include "support/world.h"

#include <stdlib.h>
#include <string.h>

static char *prov;
static char *prov2;
static char *chan;
static char *chan2;

static void setup(void)
{
    world_setup();
    prov = strdup(make_partner_key("prov", "\"provider\""));
    prov2 = strdup(make_partner_key("prov2", "\"provider\""));
    chan = strdup(make_partner_key("chan", "\"channel\""));
    chan2 = strdup(make_partner_key("chan2", "\"channel\""));
    for (int i = 1; i <= 6; i++)
        make_course(prov, "prov", text("c%d", i), 1000, "CNY");
    client_free_all();
}

static void teardown(void)
{
    free(prov);
    free(prov2);
    free(chan);
    free(chan2);
    world_teardown();
    client_free_all();
}

#define PARTIES "\"parties\":[\"prov\",\"chan\"],"
#define SCOPE(course)                                                                              \
    "\"scope\":{\"courses\":[{\"provider\":\"prov\",\"course_id\":\"" course "\"}],"               \
    "\"channels\":[\"chan\"]},"
#define FROM "\"effective\":{\"from\":\"2025-01-01T00:00:00+08:00\"},\"currency\":\"CNY\","
#define HALF                                                                                       \
    "\"terms\":[{\"kind\":\"share\",\"payee\":\"prov\",\"share_ppm\":500000},"                     \
    "{\"kind\":\"residual\",\"payee\":\"chan\"}]"
#define BOTH ((const char *const[]){prov, chan, NULL})

START_TEST(an_agreement_lives)
{
    struct response *is =
        post(prov, "/v1/agreements",
             "{\"id\":\"life\",\"name\":\"合作协议\"," PARTIES SCOPE("c1") FROM HALF "}");
    expect_status(is, 201);
    ck_assert_str_eq(header(is, "location"), "/v1/agreements/life");
    expect_text(is, "/id", "life");
    expect_text(is, "/name", "合作协议");
    expect_text(is, "/created_by", "prov");
    expect_int(is, "/version", 1);
    expect_text(is, "/state", "draft");
    /* Every default is written out. */
    expect_text(is, "/collector", "chan");
    expect_text(is, "/clearing", "operator");
    expect_bool(is, "/default", false);
    expect_int(is, "/priority", 0);
    expect_text(is, "/effective/from", "2024-12-31T16:00:00Z");
    expect_null(is, "/effective/to");
    expect_text(is, "/period/kind", "month");
    expect_count(is, "/signatures", 2);
    expect_null(is, "/signatures/0/signed_at");

    expect_problem(post(chan, "/v1/agreements/life/sign", "{\"version\":1}"), 409,
                   "agreement_state");
    is = post(prov, "/v1/agreements/life/propose", "{\"version\":1}");
    expect_status(is, 200);
    expect_text(is, "/state", "proposed");
    expect_problem(post(prov, "/v1/agreements/life/propose", "{\"version\":1}"), 409,
                   "agreement_state");
    is = post(prov, "/v1/agreements/life/sign", "{\"version\":1}");
    expect_status(is, 200);
    expect_text(is, "/state", "proposed");
    ck_assert(
        json_is_string(at(is, text("%s/signed_at", find(is, "/signatures", "party", "prov")))));
    expect_problem(post(prov, "/v1/agreements/life/sign", "{\"version\":1}"), 409,
                   "already_signed");
    expect_problem(get(chan, "/v1/agreements/resolve?provider=prov&course_id=c1&channel=chan"), 404,
                   "not_found");
    is = post(chan, "/v1/agreements/life/sign", "{\"version\":1}");
    expect_status(is, 200);
    expect_text(is, "/state", "active");

    is = get(chan, "/v1/agreements/resolve?provider=prov&course_id=c1&channel=chan&"
                   "at=2025-01-05T00:00:00Z");
    expect_status(is, 200);
    expect_text(is, "/winner/agreement", "life");
    expect_int(is, "/winner/version", 1);
    expect_text(is, "/winner/rank", "course");
    expect_count(is, "/losers", 0);
    /* Before it begins nothing covers the sale. */
    expect_problem(get(chan, "/v1/agreements/resolve?provider=prov&course_id=c1&channel=chan&"
                             "at=2024-12-31T15:59:59Z"),
                   404, "not_found");

    /* A new version takes over from its own beginning on. */
    is = post(chan, "/v1/agreements/life/versions",
              "{" PARTIES SCOPE("c1") "\"effective\":{\"from\":\"2025-02-01T00:00:00+08:00\"},"
                                      "\"currency\":\"CNY\"," HALF "}");
    expect_status(is, 201);
    expect_int(is, "/version", 2);
    expect_status(post(chan, "/v1/agreements/life/propose", "{\"version\":2}"), 200);
    expect_status(post(chan, "/v1/agreements/life/sign", "{\"version\":2}"), 200);
    is = post(prov, "/v1/agreements/life/sign", "{\"version\":2}");
    expect_text(is, "/state", "active");
    expect_int(get(prov, "/v1/agreements/resolve?provider=prov&course_id=c1&channel=chan&"
                         "at=2025-01-31T15:59:59Z"),
               "/winner/version", 1);
    expect_int(get(prov, "/v1/agreements/resolve?provider=prov&course_id=c1&channel=chan&"
                         "at=2025-01-31T16:00:00Z"),
               "/winner/version", 2);
    is = get(prov, "/v1/agreements/life/versions");
    expect_count(is, "/items", 2);
    expect_int(is, "/items/0/version", 1);
    expect_int(is, "/items/1/version", 2);
    is = get(prov, "/v1/agreements/life");
    expect_int(is, "/version", 2);
    expect_count(is, "/versions", 2);

    is = post(prov, "/v1/agreements/life/terminate", "{\"effective_to\":\"2099-01-01T00:00:00Z\"}");
    expect_status(is, 200);
    expect_text(is, "/ends_at", "2099-01-01T00:00:00Z");
    expect_problem(get(prov, "/v1/agreements/resolve?provider=prov&course_id=c1&channel=chan&"
                             "at=2099-01-01T00:00:00Z"),
                   404, "not_found");
}
END_TEST

START_TEST(a_rejected_version_is_done_with)
{
    expect_status(post(prov, "/v1/agreements",
                       "{\"id\":\"no\",\"name\":\"N\"," PARTIES SCOPE("c2") FROM HALF "}"),
                  201);
    expect_status(post(prov, "/v1/agreements/no/propose", "{\"version\":1}"), 200);
    struct response *is =
        post(chan, "/v1/agreements/no/reject", "{\"version\":1,\"reason\":\"分成比例需要再谈\"}");
    expect_status(is, 200);
    expect_text(is, "/state", "rejected");
    expect_problem(post(prov, "/v1/agreements/no/sign", "{\"version\":1}"), 409, "agreement_state");
    expect_problem(post(prov, "/v1/agreements/no/sign", "{\"version\":7}"), 404, "not_found");
}
END_TEST

#define TERMS(list) "{\"name\":\"N\"," PARTIES SCOPE("c2") FROM "\"terms\":[" list "]}"
static const struct {
    const char *body;
    const char *code;
} refused[] = {
    {TERMS("{\"kind\":\"share\",\"payee\":\"prov\",\"share_ppm\":500000}"), "residual_missing"},
    {TERMS("{\"kind\":\"residual\",\"payee\":\"prov\"},{\"kind\":\"residual\",\"payee\":\"chan\"}"),
     "residual_repeated"},
    {TERMS("{\"kind\":\"share\",\"payee\":\"prov\",\"share_ppm\":600000},{\"kind\":\"share\","
           "\"payee\":\"chan\",\"share_ppm\":400001},{\"kind\":\"residual\",\"payee\":\"chan\"}"),
     "shares_exceed_whole"},
    {TERMS("{\"kind\":\"share\",\"payee\":\"prov2\",\"share_ppm\":1},{\"kind\":\"residual\","
           "\"payee\":\"chan\"}"),
     "payee_not_party"},
    {TERMS("{\"kind\":\"share\",\"payee\":\"prov\",\"share_ppm\":1000001},{\"kind\":\"residual\","
           "\"payee\":\"chan\"}"),
     "value_out_of_range"},
    {TERMS("{\"kind\":\"gift\",\"payee\":\"prov\"},{\"kind\":\"residual\",\"payee\":\"chan\"}"),
     "value_unknown"},
    {"{\"name\":\"N\",\"parties\":[\"prov\",\"prov\"]," SCOPE("c2") FROM HALF "}",
     "party_repeated"},
    {"{\"name\":\"N\",\"parties\":[\"prov\"]," SCOPE("c2") FROM HALF "}", "count_out_of_range"},
    {"{\"name\":\"N\"," PARTIES "\"collector\":\"prov2\"," SCOPE("c2") FROM HALF "}",
     "collector_not_party"},
    {"{\"name\":\"N\"," PARTIES
     "\"scope\":{\"providers\":[\"prov2\"],\"channels\":[\"chan\"]}," FROM HALF "}",
     "scope_foreign"},
    {"{\"name\":\"N\"," PARTIES SCOPE(
         "c2") "\"effective\":{\"from\":\"2025-01-01T00:00:00Z\","
               "\"to\":\"2025-01-01T00:00:00Z\"},\"currency\":\"CNY\"," HALF "}",
     "effective_empty"},
    {"{\"name\":\"N\"," PARTIES SCOPE("c2") "\"effective\":{\"from\":\"2025-01-01T00:00:00Z\"},"
                                            "\"currency\":\"ZZZ\"," HALF "}",
     "currency_unknown"},
    {"{\"name\":\"N\"," PARTIES SCOPE("c2") FROM
     "\"base\":{\"discounts\":{\"platform\":\"add_back\"}}," HALF "}",
     "funder_not_party"},
    {"{\"name\":\"N\"," PARTIES SCOPE("c2") FROM "\"colour\":1," HALF "}", "field_unknown"},
    {"{" PARTIES SCOPE("c2") FROM HALF "}", "field_missing"},
};

START_TEST(a_bad_agreement_is_not_drafted)
{
    struct response *is = post(prov, "/v1/agreements", refused[_i].body);
    ck_assert_msg(is->status == 422, "%ld: %s", is->status, is->body);
    ck_assert_msg(strstr(is->body, text("\"%s\"", refused[_i].code)) != NULL, "want %s: %s",
                  refused[_i].code, is->body);
}
END_TEST

START_TEST(equal_claims_on_one_sale_are_refused)
{
    make_agreement("claim-a", PARTIES SCOPE("c3") FROM HALF, BOTH);
    expect_status(post(prov, "/v1/agreements",
                       "{\"id\":\"claim-b\",\"name\":\"B\"," PARTIES SCOPE("c3") FROM HALF "}"),
                  201);
    expect_status(post(prov, "/v1/agreements/claim-b/propose", "{\"version\":1}"), 200);
    expect_status(post(prov, "/v1/agreements/claim-b/sign", "{\"version\":1}"), 200);
    expect_problem(post(chan, "/v1/agreements/claim-b/sign", "{\"version\":1}"), 409,
                   "agreement_overlap");
    struct response *is = get(chan, "/v1/agreements/claim-b");
    expect_text(is, "/state", "proposed");
    expect_null(is, text("%s/signed_at", find(is, "/signatures", "party", "chan")));
    /* A higher priority decides. */
    make_agreement("claim-c", PARTIES SCOPE("c3") FROM "\"priority\":1," HALF, BOTH);
    is = get(prov, "/v1/agreements/resolve?provider=prov&course_id=c3&channel=chan&"
                   "at=2025-03-01T00:00:00Z");
    expect_text(is, "/winner/agreement", "claim-c");
    expect_count(is, "/losers", 1);
    expect_text(is, "/losers/0/agreement", "claim-a");
    expect_problem(post(prov, "/v1/agreements",
                        "{\"id\":\"claim-a\",\"name\":\"A\"," PARTIES SCOPE("c3") FROM HALF "}"),
                   409, "agreement_exists");
}
END_TEST

START_TEST(the_more_specific_wins)
{
    make_agreement("wide",
                   PARTIES "\"scope\":{\"providers\":[\"prov\"],\"channels\":[\"chan\"]}," FROM
                           "\"priority\":9," HALF,
                   BOTH);
    struct response *is =
        get(prov, "/v1/agreements/resolve?provider=prov&course_id=c4&channel=chan&"
                  "at=2025-03-01T00:00:00Z");
    expect_text(is, "/winner/agreement", "wide");
    expect_text(is, "/winner/rank", "provider_channel");
    make_agreement("narrow", PARTIES SCOPE("c4") FROM HALF, BOTH);
    is = get(prov, "/v1/agreements/resolve?provider=prov&course_id=c4&channel=chan&"
                   "at=2025-03-01T00:00:00Z");
    expect_text(is, "/winner/agreement", "narrow");
    expect_text(is, "/winner/rank", "course");
    expect_text(is, "/losers/0/agreement", "wide");
    expect_text(is, "/losers/0/rank", "provider_channel");
    expect_int(is, "/hidden_losers", 0);
    expect_problem(get(chan2, "/v1/agreements/resolve?provider=prov&course_id=c4&channel=chan&"
                              "at=2025-03-01T00:00:00Z"),
                   404, "not_found");
    expect_problem(get(prov, "/v1/agreements/resolve?provider=prov&course_id=c4"), 400,
                   "query_invalid");
}
END_TEST

START_TEST(only_parties_see_and_sign)
{
    expect_status(post(prov, "/v1/agreements",
                       "{\"id\":\"ours\",\"name\":\"O\"," PARTIES SCOPE("c5") FROM HALF "}"),
                  201);
    expect_status(post(prov, "/v1/agreements/ours/propose", "{\"version\":1}"), 200);
    static const char *const paths[] = {"propose", "sign", "reject", "terminate"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        expect_problem(post(chan2, text("/v1/agreements/ours/%s", paths[i]),
                            i == 3 ? "{}" : "{\"version\":1}"),
                       404, "not_found");
    expect_problem(get(chan2, "/v1/agreements/ours"), 404, "not_found");
    expect_problem(get(chan2, "/v1/agreements/ours/versions"), 404, "not_found");
    ck_assert(strstr(get(chan2, "/v1/agreements")->body, "ours") == NULL);
    expect_status(get(operator_key, "/v1/agreements/ours"), 200);
    struct response *is = post(operator_key, "/v1/agreements/ours/sign", "{\"version\":1}");
    ck_assert(is->status == 403 || is->status == 404);
    is = get(prov, "/v1/agreements/ours");
    expect_null(is, "/signatures/0/signed_at");
    expect_null(is, "/signatures/1/signed_at");
    /* Nobody drafts for others. */
    is = post(chan2, "/v1/agreements",
              "{\"id\":\"theirs\",\"name\":\"T\"," PARTIES SCOPE("c6") FROM HALF "}");
    ck_assert_int_ge(is->status, 403);
    expect_problem(get(prov, "/v1/agreements/theirs"), 404, "not_found");
}
END_TEST

#define SINCE(from) "\"effective\":{\"from\":\"" from "\"},\"currency\":\"CNY\","
#define DRAFT(id, parties, scope, from)                                                            \
    "{\"id\":\"" id "\",\"name\":\"N\"," parties scope SINCE(from) HALF "}"
#define VERSION(parties, scope, from) "{" parties scope SINCE(from) HALF "}"

static void sign_by_both(const char *id, int version)
{
    const char *body = text("{\"version\":%d}", version);
    expect_status(post(prov, text("/v1/agreements/%s/propose", id), body), 200);
    expect_status(post(prov, text("/v1/agreements/%s/sign", id), body), 200);
    struct response *is = post(chan, text("/v1/agreements/%s/sign", id), body);
    expect_status(is, 200);
    expect_text(is, "/state", "active");
}

START_TEST(a_version_ends_only_what_its_parties_signed)
{
    expect_status(
        post(prov, "/v1/agreements", DRAFT("take", PARTIES, SCOPE("t1"), "2025-01-01T00:00:00Z")),
        201);
    sign_by_both("take", 1);
    /* The channel alone cannot end it by agreeing on something with somebody else. */
    expect_status(
        post(chan, "/v1/agreements/take/versions",
             "{\"parties\":[\"chan\",\"chan2\"],\"scope\":{\"channels\":[\"chan\"]}," SINCE(
                 "2025-02-01T00:00:00Z") "\"terms\":[{\"kind\":\"residual\",\"payee\":\"chan\"}]}"),
        201);
    expect_problem(post(chan, "/v1/agreements/take/propose", "{\"version\":2}"), 409,
                   "agreement_state");
    /* Each sees the versions that it is a party of. */
    struct response *is = get(prov, "/v1/agreements/take");
    expect_count(is, "/versions", 1);
    expect_int(is, "/version", 1);
    is = get(chan2, "/v1/agreements/take");
    expect_count(is, "/versions", 1);
    expect_int(is, "/version", 2);
    expect_count(get(chan, "/v1/agreements/take"), "/versions", 2);
    expect_count(get(chan2, "/v1/agreements/take/versions"), "/items", 1);
    is = get(chan2, "/v1/agreements?state=draft");
    expect_int(is, text("%s/version", find(is, "/items", "id", "take")), 2);
    ck_assert(strstr(get(chan2, "/v1/agreements?state=active")->body, "take") == NULL);
    ck_assert(strstr(get(prov, "/v1/agreements?state=draft")->body, "take") == NULL);
    expect_problem(post(prov, "/v1/agreements/take/sign", "{\"version\":2}"), 404, "not_found");
    expect_problem(post(chan2, "/v1/agreements/take/terminate", "{}"), 409, "agreement_state");
}
END_TEST

START_TEST(what_was_overtaken_is_signed_no_more)
{
    expect_status(
        post(prov, "/v1/agreements", DRAFT("late", PARTIES, SCOPE("t2"), "2025-01-01T00:00:00Z")),
        201);
    sign_by_both("late", 1);
    static const char *const from[] = {"2025-03-01T00:00:00Z", "2025-04-01T00:00:00Z"};
    for (int i = 0; i < 2; i++)
        expect_status(post(prov, "/v1/agreements/late/versions",
                           text("{" PARTIES SCOPE("t2") "\"effective\":{\"from\":\"%s\"},"
                                                        "\"currency\":\"CNY\"," HALF "}",
                                from[i])),
                      201);
    expect_status(post(prov, "/v1/agreements/late/propose", "{\"version\":2}"), 200);
    expect_status(post(prov, "/v1/agreements/late/sign", "{\"version\":2}"), 200);
    sign_by_both("late", 3);
    expect_problem(post(chan, "/v1/agreements/late/sign", "{\"version\":2}"), 409,
                   "agreement_state");
    expect_status(post(chan, "/v1/agreements/late/reject", "{\"version\":2}"), 200);
    /* A version that begins before others leaves them nothing. */
    expect_status(post(prov, "/v1/agreements/late/versions",
                       VERSION(PARTIES, SCOPE("t2"), "2025-02-01T00:00:00Z")),
                  201);
    sign_by_both("late", 4);
    struct response *is = get(prov, "/v1/agreements/late/versions");
    expect_text(is, "/items/0/ends_at", "2025-02-01T00:00:00Z");
    expect_text(is, "/items/0/state", "superseded");
    expect_text(is, "/items/1/state", "rejected");
    expect_text(is, "/items/2/ends_at", "2025-04-01T00:00:00Z");
    expect_text(is, "/items/2/state", "superseded");
    expect_null(is, "/items/3/ends_at");
    expect_int(get(prov, "/v1/agreements/resolve?provider=prov&course_id=t2&channel=chan&"
                         "at=2025-05-01T00:00:00Z"),
               "/winner/version", 4);
    is = get(prov, "/v1/agreements/late/versions?limit=3");
    expect_count(is, "/items", 3);
    is = get(prov, "/v1/agreements/late/versions?limit=3&cursor=%s", text_at(is, "/next"));
    expect_count(is, "/items", 1);
    expect_int(is, "/items/0/version", 4);
    expect_null(is, "/next");
}
END_TEST

static struct response *get_if(const char *key, const char *path, const char *condition)
{
    return client_send(
        &(struct request){.method = "GET", .path = path, .key = key, .headers = {condition}});
}

START_TEST(an_end_reaches_what_is_still_in_force)
{
    expect_status(
        post(prov, "/v1/agreements", DRAFT("end", PARTIES, SCOPE("t3"), "2025-01-01T00:00:00Z")),
        201);
    sign_by_both("end", 1);
    expect_status(post(prov, "/v1/agreements/end/versions",
                       VERSION(PARTIES, SCOPE("t3"), "2099-01-01T00:00:00Z")),
                  201);
    sign_by_both("end", 2);
    static const char *const resolve =
        "/v1/agreements/resolve?provider=prov&course_id=t3&channel=chan";
    struct response *is = get(prov, "%s", resolve);
    expect_int(is, "/winner/version", 1);
    const char *tag = text("If-None-Match: %s", header(is, "etag"));
    expect_status(get_if(prov, resolve, tag), 304);
    is = post(prov, "/v1/agreements/end/terminate", "{\"effective_to\":\"2020-01-01T00:00:00Z\"}");
    expect_field_problem(is, "/effective_to", "value_out_of_range");
    is = post(prov, "/v1/agreements/end/terminate", "{\"effective_to\":\"2098-01-01T00:00:00Z\"}");
    expect_status(is, 200);
    expect_text(is, "/versions/0/ends_at", "2098-01-01T00:00:00Z");
    expect_text(is, "/versions/1/ends_at", "2099-01-01T00:00:00Z"); /* it never begins */
    expect_status(get_if(prov, resolve, tag), 304);
    /* It may end sooner, not later. */
    expect_field_problem(
        post(chan, "/v1/agreements/end/terminate", "{\"effective_to\":\"2098-06-01T00:00:00Z\"}"),
        "/effective_to", "value_out_of_range");
    expect_status(post(operator_key, "/v1/agreements/end/terminate", "{}"), 200);
    /* Another test's agreement may cover the sale now. */
    is = get_if(prov, resolve, tag);
    ck_assert(is->status == 200 || is->status == 404);
    ck_assert(strstr(is->body, "\"end\"") == NULL);
    expect_problem(post(chan, "/v1/agreements/end/terminate", "{}"), 409, "agreement_state");
    expect_int(get(prov, "%s&at=2025-06-01T00:00:00Z", resolve), "/winner/version", 1);
    /* And may begin anew. */
    expect_status(post(prov, "/v1/agreements/end/versions",
                       VERSION(PARTIES, SCOPE("t3"), "2097-01-01T00:00:00Z")),
                  201);
    sign_by_both("end", 3);
    expect_int(get(prov, "%s&at=2097-06-01T00:00:00Z", resolve), "/winner/version", 3);
}
END_TEST

START_TEST(the_operator_signs_as_a_party_and_gives_standard_terms)
{
    expect_status(
        post(operator_key, "/v1/agreements",
             "{\"id\":\"standard\",\"name\":\"标准条款\",\"default\":true,\"parties\":["
             "\"operator\",\"prov2\",\"chan\"],\"collector\":\"chan\",\"scope\":{}," SINCE(
                 "2025-01-01T00:00:00Z") "\"terms\":[{\"kind\":\"share\",\"payee\":\"operator\","
                                         "\"share_ppm\":100000},"
                                         "{\"kind\":\"residual\",\"payee\":\"prov2\"}]}"),
        201);
    expect_status(post(operator_key, "/v1/agreements/standard/propose", "{\"version\":1}"), 200);
    expect_status(post(operator_key, "/v1/agreements/standard/sign", "{\"version\":1}"), 200);
    expect_problem(post(operator_key, "/v1/agreements/standard/sign", "{\"version\":1}"), 409,
                   "already_signed");
    expect_status(post(prov2, "/v1/agreements/standard/sign", "{\"version\":1}"), 200);
    struct response *is = post(chan, "/v1/agreements/standard/sign", "{\"version\":1}");
    expect_text(is, "/state", "active");
    is = get(prov2, "/v1/agreements/resolve?provider=prov2&course_id=z&channel=chan&"
                    "at=2025-06-01T00:00:00Z");
    expect_text(is, "/winner/rank", "default");
    expect_problem(get(prov2, "/v1/agreements/resolve?provider=prov2&course_id=z&channel=chan2&"
                              "at=2025-06-01T00:00:00Z"),
                   404, "not_found");
    expect_field_problem(post(prov, "/v1/agreements",
                              DRAFT("resolve", PARTIES, SCOPE("t4"), "2025-01-01T00:00:00Z")),
                         "/id", "slug_invalid");
}
END_TEST

START_TEST(what_is_closed_changes_by_consent_only)
{
    expect_status(
        post(prov, "/v1/agreements", DRAFT("past", PARTIES, SCOPE("t9"), "2025-01-01T00:00:00Z")),
        201);
    sign_by_both("past", 1);
    expect_status(post(operator_key, "/v1/agreements/past/periods/2025-01/close", NULL), 200);
    /* The last instant of the closed month is too early, the first behind it is not. */
    expect_status(post(prov, "/v1/agreements/past/versions",
                       VERSION(PARTIES, SCOPE("t9"), "2025-01-31T23:59:59Z")),
                  201);
    expect_status(post(prov, "/v1/agreements/past/propose", "{\"version\":2}"), 200);
    expect_status(post(prov, "/v1/agreements/past/sign", "{\"version\":2}"), 200);
    expect_problem(post(chan, "/v1/agreements/past/sign", "{\"version\":2}"), 409, "period_closed");
    expect_status(post(chan, "/v1/agreements/past/reject", "{\"version\":2}"), 200);
    expect_status(post(prov, "/v1/agreements/past/versions",
                       "{\"retroactive\":true," PARTIES SCOPE("t9") SINCE("2025-01-31T23:59:59Z")
                           HALF "}"),
                  201);
    sign_by_both("past", 3);
    expect_status(post(prov, "/v1/agreements/past/versions",
                       VERSION(PARTIES, SCOPE("t9"), "2025-02-01T00:00:00Z")),
                  201);
    sign_by_both("past", 4);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("agreements");
    TCase *all = tcase_create("agreements");
    tcase_add_unchecked_fixture(all, setup, teardown);
    tcase_add_checked_fixture(all, NULL, test_teardown);
    tcase_add_test(all, an_agreement_lives);
    tcase_add_test(all, a_rejected_version_is_done_with);
    tcase_add_loop_test(all, a_bad_agreement_is_not_drafted, 0, sizeof refused / sizeof refused[0]);
    tcase_add_test(all, equal_claims_on_one_sale_are_refused);
    tcase_add_test(all, the_more_specific_wins);
    tcase_add_test(all, only_parties_see_and_sign);
    tcase_add_test(all, a_version_ends_only_what_its_parties_signed);
    tcase_add_test(all, what_was_overtaken_is_signed_no_more);
    tcase_add_test(all, an_end_reaches_what_is_still_in_force);
    tcase_add_test(all, what_is_closed_changes_by_consent_only);
    tcase_add_test(all, the_operator_signs_as_a_party_and_gives_standard_terms);
    suite_add_tcase(suite, all);
    return suite;
}

API_MAIN(make_suite, "agreements")
