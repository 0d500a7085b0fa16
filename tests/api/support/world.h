/* What most tests stand on: one server for the program, partners with keys, agreements. */
#ifndef ACCORD_TESTS_API_WORLD_H
#define ACCORD_TESTS_API_WORLD_H

#include "support/client.h"
#include "support/expect.h"
#include "support/server.h"

/* The server that the tests of a program share; started once (unchecked fixture). */
extern struct server world_server;
/* Something was wrong after the last test: a bad exit status, a sanitizer's report, books that do
 * not agree with the journal. */
extern bool world_failed;
/* Unchecked fixture: starts world_server; stops it and verifies its books. */
void world_setup(void);
void world_teardown(void);
/* Checked fixture: frees what a test kept. */
void test_teardown(void);

/* The operator's partner id. */
const char *operator_id(void);
/* Creates a partner; `roles` as JSON members: "\"provider\",\"channel\"". */
void make_partner(const char *id, const char *roles, const char *currency, const char *time_zone);
/* Creates a key with these scopes (JSON members), or with all of a partner's when NULL; returns its
 * secret. */
const char *make_key(const char *partner, const char *scopes);
/* A partner in CNY, Asia/Shanghai, with a key for everything. */
const char *make_partner_key(const char *id, const char *roles);
/* Creates a course with a price. */
void make_course(const char *key, const char *provider, const char *course_id, long long price,
                 const char *currency);
/* Creates agreement `id` with this body (JSON members), proposes it with keys[0], signs it with all
 * keys (ended by NULL). */
void make_agreement(const char *id, const char *members, const char *const *keys);
/* Posts facts (JSON members of the array); all must be accepted. */
void post_facts(const char *key, const char *facts);
/* Waits until the background work that older sales cause is done. */
struct response *revenue_settled(const char *key, const char *path);

#define API_MAIN(make_suite, name)                                                                 \
    int main(void)                                                                                 \
    {                                                                                              \
        setenv("CK_DEFAULT_TIMEOUT", "120", 0);                                                    \
        client_record_begin(name);                                                                 \
        SRunner *runner = srunner_create(make_suite());                                            \
        srunner_run_all(runner, CK_NORMAL);                                                        \
        const int failed = srunner_ntests_failed(runner);                                          \
        srunner_free(runner);                                                                      \
        return failed == 0 && !world_failed ? EXIT_SUCCESS : EXIT_FAILURE;                         \
    }

#endif
