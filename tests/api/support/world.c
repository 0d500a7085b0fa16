#include "support/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct server world_server;
bool world_failed;

void world_setup(void)
{
    server_prepare(&world_server);
    server_start(&world_server);
    client_use(world_server.base);
}

void world_teardown(void)
{
    const char *why_not = server_end(&world_server);
    if (why_not == NULL)
        why_not = server_verify(&world_server);
    if (why_not != NULL) {
        fprintf(stderr, "at the end: %s\n", why_not);
        world_failed = true;
    }
    server_remove(&world_server);
}

void test_teardown(void)
{
    client_free_all();
}

const char *operator_id(void)
{
    struct response *me = get(operator_key, "/v1/me");
    expect_status(me, 200);
    return text_at(me, "/partner");
}

void make_partner(const char *id, const char *roles, const char *currency, const char *time_zone)
{
    struct response *made =
        post(operator_key, "/v1/partners",
             text("{\"id\":\"%s\",\"name\":\"Partner %s\",\"roles\":[%s],\"currency\":\"%s\","
                  "\"time_zone\":\"%s\"}",
                  id, id, roles, currency, time_zone));
    expect_status(made, 201);
}

const char *make_key(const char *partner, const char *scopes)
{
    static const char all[] = "\"catalog:read\",\"catalog:write\",\"events:read\",\"events:write\","
                              "\"agreements:read\",\"agreements:write\",\"revenue:read\","
                              "\"statements:read\",\"statements:write\"";
    struct response *made = post(operator_key, text("/v1/partners/%s/keys", partner),
                                 text("{\"scopes\":[%s]}", scopes == NULL ? all : scopes));
    expect_status(made, 201);
    return text("%s", text_at(made, "/secret"));
}

const char *make_partner_key(const char *id, const char *roles)
{
    make_partner(id, roles, "CNY", "Asia/Shanghai");
    return make_key(id, NULL);
}

void make_course(const char *key, const char *provider, const char *course_id, long long price,
                 const char *currency)
{
    struct response *made =
        put(key, text("/v1/courses/%s/%s", provider, course_id), "If-None-Match: *",
            text("{\"course_id\":\"%s\",\"title\":\"Course %s\",\"language\":\"en\",\"offers\":"
                 "[{\"mode\":\"buy\",\"price\":{\"amount\":%lld,\"currency\":\"%s\"}}]}",
                 course_id, course_id, price, currency));
    expect_status(made, 201);
}

void make_agreement(const char *id, const char *members, const char *const *keys)
{
    expect_status(post(keys[0], "/v1/agreements",
                       text("{\"id\":\"%s\",\"name\":\"Agreement %s\",%s}", id, id, members)),
                  201);
    expect_status(post(keys[0], text("/v1/agreements/%s/propose", id), "{\"version\":1}"), 200);
    for (size_t i = 0; keys[i] != NULL; i++) {
        struct response *is = post(keys[i], text("/v1/agreements/%s/sign", id), "{\"version\":1}");
        expect_status(is, 200);
        expect_text(is, "/state", keys[i + 1] == NULL ? "active" : "proposed");
    }
}

void post_facts(const char *key, const char *facts)
{
    struct response *is = post(key, "/v1/events", text("[%s]", facts));
    expect_status(is, 200);
    expect_int(is, "/accepted", (json_int_t)json_array_size(at(is, "/results")));
}

struct response *revenue_settled(const char *key, const char *path)
{
    for (int i = 0; i < 1000; i++) {
        struct response *is = get(key, "%s", path);
        expect_status(is, 200);
        if (json_is_false(at(is, "/pending_resettlement")))
            return is;
        const struct timespec wait = {.tv_nsec = 10 * 1000000};
        nanosleep(&wait, NULL);
    }
    ck_abort_msg("%s: still pending after 10 s", path);
}
