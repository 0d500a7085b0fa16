/* What each method promises, and what it does not: each axiom is tried on random instances. Where a
 * method has it there is no violation, where it has not one is found. */
#include "pool_fixture.h"

/* Two exact shares are equal within what the millionths of MEMBERS members allow, and differ when
 * they lie a hundredth of a minor unit apart. */
static const int64_t tolerance = 100000;
static const int64_t distinct = 10000000;

enum { INSTANCES = 2000 };

struct trial {
    const struct accord_pool_terms *terms;
    struct instance instance;
    struct outcome outcome;
    uint64_t *seed;
    int64_t worst; /* by how much the axiom is missed, in nano */
};

static void miss(struct trial *trial, i128 by)
{
    if (by > trial->worst)
        trial->worst = by > INT64_MAX ? INT64_MAX : (int64_t)by;
}

static void must_equal(struct trial *trial, i128 a, i128 b)
{
    miss(trial, a > b ? a - b : b - a);
}

/* Two to five payees, one to six members, each of whom used something. Zeros and equal numbers are
 * frequent, so that the conditions of the axioms are met. */
static struct instance draw(uint64_t *seed)
{
    struct instance instance = {.members = 1 + (size_t)random_below(seed, 6),
                                .payees = 2 + (uint32_t)random_below(seed, 4)};
    for (size_t u = 0; u < instance.members; u++) {
        instance.fees[u] = 1 + random_below(seed, 3000);
        for (uint32_t i = 0; i < instance.payees; i++)
            instance.units[u][i] = random_below(seed, 5) < 2 ? 0 : 1 + random_below(seed, 60);
        if (random_below(seed, 3) == 0) { /* he used one payee alone */
            memset(instance.units[u], 0, sizeof instance.units[u]);
            instance.units[u][random_below(seed, instance.payees)] = 1 + random_below(seed, 60);
        }
        instance.units[u][random_below(seed, instance.payees)] += 1;
    }
    return instance;
}

static void efficiency(struct trial *trial)
{
    int64_t left = -trial->outcome.unclaimed;
    for (size_t u = 0; u < trial->instance.members; u++)
        left += trial->instance.fees[u];
    for (uint32_t i = 0; i < trial->instance.payees; i++)
        left -= trial->outcome.amounts[i];
    must_equal(trial, (i128)left * nano, 0);
}

static void null_payee(struct trial *trial)
{
    struct instance changed = trial->instance;
    const uint32_t null = (uint32_t)random_below(trial->seed, changed.payees);
    for (size_t u = 0; u < changed.members; u++)
        changed.units[u][null] = 0;
    must_equal(trial, divide_pool(trial->terms, &changed).exact[null], 0);
}

static void equal_treatment(struct trial *trial)
{
    struct instance changed = trial->instance;
    for (size_t u = 0; u < changed.members; u++)
        changed.units[u][0] = changed.units[u][1];
    const struct outcome outcome = divide_pool(trial->terms, &changed);
    must_equal(trial, outcome.exact[0], outcome.exact[1]);
}

static void additive_over_users(struct trial *trial)
{
    struct instance first = trial->instance;
    struct instance second = trial->instance;
    const size_t half = trial->instance.members / 2;
    first.members = half;
    second.members = trial->instance.members - half;
    for (size_t u = 0; u < second.members; u++) {
        second.fees[u] = trial->instance.fees[half + u];
        memcpy(second.units[u], trial->instance.units[half + u], sizeof second.units[u]);
    }
    const struct outcome a = divide_pool(trial->terms, &first);
    const struct outcome b = divide_pool(trial->terms, &second);
    for (uint32_t i = 0; i < first.payees; i++)
        must_equal(trial, a.exact[i] + b.exact[i], trial->outcome.exact[i]);
}

/* Without a member, those whom he used lose 0 .. his fee, and nobody else anything. */
static void no_cross_subsidy(struct trial *trial)
{
    const size_t out = (size_t)random_below(trial->seed, (int64_t)trial->instance.members);
    const struct outcome without = divide_without(trial->terms, &trial->instance, out);
    for (uint32_t i = 0; i < trial->instance.payees; i++) {
        const i128 loss = trial->outcome.exact[i] - without.exact[i];
        const bool used = trial->instance.units[out][i] > 0;
        miss(trial, -loss);
        miss(trial, loss - (used ? (i128)trial->instance.fees[out] * nano : 0));
    }
}

/* Whatever one member does, he moves no payee by more than his fee. */
static void click_fraud_proof(struct trial *trial)
{
    struct instance changed = trial->instance;
    const size_t robot = (size_t)random_below(trial->seed, (int64_t)changed.members);
    for (uint32_t i = 0; i < changed.payees; i++)
        changed.units[robot][i] =
            random_below(trial->seed, 2) == 0 ? 0 : random_below(trial->seed, 100000);
    changed.units[robot][0] += 1;
    const struct outcome outcome = divide_pool(trial->terms, &changed);
    for (uint32_t i = 0; i < changed.payees; i++) {
        const i128 moved = outcome.exact[i] - trial->outcome.exact[i];
        miss(trial, (moved < 0 ? -moved : moved) - (i128)changed.fees[robot] * nano);
    }
}

static i128 worth_of(const struct instance *instance, unsigned set)
{
    i128 worth = 0;
    for (size_t u = 0; u < instance->members; u++) {
        unsigned used = 0;
        for (uint32_t i = 0; i < instance->payees; i++)
            used |= instance->units[u][i] > 0 ? 1u << i : 0;
        if ((used & ~set) == 0)
            worth += (i128)instance->fees[u] * nano;
    }
    return worth;
}

/* A payee gets at least the fees of those who used nobody else. */
static void exclusive_lower_bound(struct trial *trial)
{
    for (uint32_t i = 0; i < trial->instance.payees; i++)
        miss(trial, worth_of(&trial->instance, 1u << i) - trial->outcome.exact[i]);
}

/* No group of payees would earn more alone. */
static void core(struct trial *trial)
{
    for (unsigned set = 1; set < 1u << trial->instance.payees; set++) {
        i128 get = 0;
        for (uint32_t i = 0; i < trial->instance.payees; i++)
            get += (set >> i & 1) != 0 ? trial->outcome.exact[i] : 0;
        miss(trial, worth_of(&trial->instance, set) - get);
    }
}

static void intensity_invariant(struct trial *trial)
{
    struct instance changed = trial->instance;
    const size_t user = (size_t)random_below(trial->seed, (int64_t)changed.members);
    for (uint32_t i = 0; i < changed.payees; i++)
        changed.units[user][i] *= 17;
    const struct outcome outcome = divide_pool(trial->terms, &changed);
    for (uint32_t i = 0; i < changed.payees; i++)
        must_equal(trial, outcome.exact[i], trial->outcome.exact[i]);
}

static void support_only(struct trial *trial)
{
    struct instance changed = trial->instance;
    const size_t user = (size_t)random_below(trial->seed, (int64_t)changed.members);
    for (uint32_t i = 0; i < changed.payees; i++)
        if (changed.units[user][i] > 0)
            changed.units[user][i] = 1 + random_below(trial->seed, 600);
    const struct outcome outcome = divide_pool(trial->terms, &changed);
    for (uint32_t i = 0; i < changed.payees; i++)
        must_equal(trial, outcome.exact[i], trial->outcome.exact[i]);
}

static void pairwise_homogeneous(struct trial *trial)
{
    struct instance changed = trial->instance;
    const int64_t factor = 1 + random_below(trial->seed, 9);
    for (size_t u = 0; u < changed.members; u++)
        changed.units[u][1] = changed.units[u][0] * factor;
    const struct outcome outcome = divide_pool(trial->terms, &changed);
    for (size_t u = 0; u < changed.members; u++) {
        int64_t used = 0;
        for (uint32_t i = 0; i < changed.payees; i++)
            used += changed.units[u][i];
        if (used == 0)
            return; /* the axiom speaks of members who use something */
    }
    /* An error of the first is an error of the second, factor times as large. */
    must_equal(trial, outcome.exact[1] / factor, outcome.exact[0]);
}

/* Nobody gains by appearing under two names. */
static void split_proof(struct trial *trial)
{
    struct instance changed = trial->instance;
    const uint32_t second = changed.payees++;
    for (size_t u = 0; u < changed.members; u++) {
        const int64_t part = random_below(trial->seed, changed.units[u][0] + 1);
        changed.units[u][0] -= part;
        changed.units[u][second] = part;
    }
    const struct outcome outcome = divide_pool(trial->terms, &changed);
    miss(trial, outcome.exact[0] + outcome.exact[second] - trial->outcome.exact[0]);
}

static void usage_monotone(struct trial *trial)
{
    struct instance changed = trial->instance;
    const size_t user = (size_t)random_below(trial->seed, (int64_t)changed.members);
    const uint32_t payee = (uint32_t)random_below(trial->seed, changed.payees);
    changed.units[user][payee] += 1 + random_below(trial->seed, 100);
    miss(trial, trial->outcome.exact[payee] - divide_pool(trial->terms, &changed).exact[payee]);
}

static const int64_t weights[PAYEES] = {1, 2, 1, 4, 3, 1, 1, 1};

static const struct accord_pool_terms methods[] = {
    {.method = ACCORD_POOL_PRO_RATA},
    {.method = ACCORD_POOL_USER_CENTRIC},
    {.method = ACCORD_POOL_SHAPLEY},
    {.method = ACCORD_POOL_WEIGHTED_SHAPLEY, .weights_ppm = weights},
    {.method = ACCORD_POOL_HYBRID, .lambda_ppm = 500000},
};
enum { METHODS = sizeof methods / sizeof *methods };

/* `holds`, in the order above: Y has it, n violates it. The first three are the published table;
 * weighted Shapley is Shapley but for symmetry, and hybrid breaks what either of its halves does.
 */
static const struct axiom {
    const char *name;
    void (*try)(struct trial *trial);
    const char *holds;
} axioms[] = {
    {"efficiency", efficiency, "YYYYY"},
    {"null payee", null_payee, "YYYYY"},
    {"equal treatment", equal_treatment, "YYYnY"},
    {"additive over users", additive_over_users, "nYYYn"},
    {"no cross-subsidy", no_cross_subsidy, "nYYYn"},
    {"click-fraud-proof", click_fraud_proof, "nYYYn"},
    {"exclusive lower bound", exclusive_lower_bound, "nYYYn"},
    {"core", core, "nYYYn"},
    {"intensity-invariant", intensity_invariant, "nYYYn"},
    {"support-only", support_only, "nnYYn"},
    {"pairwise homogeneous", pairwise_homogeneous, "YYnnY"},
    {"split-proof", split_proof, "YYnnY"},
    {"usage-monotone", usage_monotone, "YYYYY"},
};
enum { AXIOMS = sizeof axioms / sizeof *axioms };

START_TEST(test_axiom)
{
    const struct axiom *axiom = &axioms[_i / METHODS];
    const int method = _i % METHODS;
    const bool holds = axiom->holds[method] == 'Y';
    uint64_t seed = 1 + (uint64_t)_i;
    int found = 0;
    for (int round = 0; round < INSTANCES; round++) {
        struct trial trial = {
            .terms = &methods[method], .instance = draw(&seed), .seed = &seed, .worst = 0};
        trial.outcome = divide_pool(trial.terms, &trial.instance);
        axiom->try(&trial);
        if (holds && trial.worst > tolerance)
            ck_abort_msg("method %d, round %d: %s missed by %ld nano", method, round, axiom->name,
                         (long)trial.worst);
        found += trial.worst > distinct;
    }
    if (!holds)
        ck_assert_msg(found > 0, "method %d: no violation of %s in %d instances", method,
                      axiom->name, INSTANCES);
}
END_TEST

static struct accord_pool_terms draw_terms(uint64_t *seed)
{
    struct accord_pool_terms terms = methods[random_below(seed, METHODS)];
    terms.idle = (enum accord_pool_idle)random_below(seed, 3);
    if (terms.idle == ACCORD_POOL_POOL && terms.method != ACCORD_POOL_PRO_RATA &&
        terms.method != ACCORD_POOL_HYBRID)
        terms.idle = ACCORD_POOL_SPREAD;
    terms.lambda_ppm = random_below(seed, ACCORD_PPM_WHOLE + 1);
    terms.min_units = random_below(seed, 4) == 0 ? random_below(seed, 20) : 0;
    terms.cap_units = random_below(seed, 4) == 0 ? 1 + random_below(seed, 40) : 0;
    return terms;
}

/* Numbers of every size, idle members, and with `refunds` fees of both signs. */
static struct instance draw_any(uint64_t *seed, bool refunds)
{
    struct instance instance = draw(seed);
    const int bits = 1 + (int)random_below(seed, 39);
    instance.members = 1 + (size_t)random_below(seed, MEMBERS);
    instance.payees = 1 + (uint32_t)random_below(seed, PAYEES);
    for (size_t u = 0; u < instance.members; u++) {
        instance.fees[u] = random_below(seed, INT64_C(1) << bits);
        if (refunds && random_below(seed, 3) == 0)
            instance.fees[u] = -instance.fees[u];
        for (uint32_t i = 0; i < PAYEES; i++)
            instance.units[u][i] =
                random_below(seed, 3) == 0 ? 1 + random_below(seed, INT64_C(1) << bits) : 0;
        if (random_below(seed, 4) == 0)
            memset(instance.units[u], 0, sizeof instance.units[u]);
    }
    return instance;
}

/* What the code must keep whatever comes: the sum, one unit of the exact share, nothing for a payee
 * whom nobody used, the mirror, and the same for any order of members. */
START_TEST(test_kept)
{
    uint64_t seed = 7000 + (uint64_t)_i;
    for (int round = 0; round < 500; round++) {
        const struct instance instance = draw_any(&seed, _i % 2 == 1);
        const struct accord_pool_terms terms = draw_terms(&seed);
        const struct outcome got = divide_pool(&terms, &instance);
        struct instance mirror = instance;
        struct instance turned = instance;
        int64_t fees = 0;
        for (size_t u = 0; u < instance.members; u++) {
            const size_t from = instance.members - 1 - u;
            fees += instance.fees[u];
            mirror.fees[u] = -instance.fees[u];
            turned.fees[u] = instance.fees[from];
            memcpy(turned.units[u], instance.units[from], sizeof turned.units[u]);
        }
        const struct outcome mirrored = divide_pool(&terms, &mirror);
        const struct outcome other_order = divide_pool(&terms, &turned);
        int64_t sum = got.unclaimed;
        bool near = true;
        bool null = true;
        bool same = other_order.unclaimed == got.unclaimed;
        bool opposite = mirrored.unclaimed == -got.unclaimed;
        for (uint32_t i = 0; i < instance.payees; i++) {
            const i128 off = (i128)got.amounts[i] * nano - got.exact[i];
            near = near && off < nano && off > -nano;
            null = null && (got.counted[i] > 0 || got.amounts[i] == 0);
            same = same && other_order.amounts[i] == got.amounts[i];
            opposite = opposite && mirrored.amounts[i] == -got.amounts[i];
            sum += got.amounts[i];
        }
        ck_assert_msg(sum == fees, "round %d: sum", round);
        ck_assert_msg(got.fees == fees && got.told_unclaimed == got.unclaimed, "round %d", round);
        ck_assert_msg(near, "round %d: a unit or more from the exact share", round);
        ck_assert_msg(null, "round %d: a payee nobody used got something", round);
        ck_assert_msg(same, "round %d: the order of members counts", round);
        ck_assert_msg(opposite, "round %d: no mirror", round);
        if (terms.idle == ACCORD_POOL_RETAIN)
            ck_assert_int_eq(got.unclaimed, got.idle);
    }
}
END_TEST

/* Scale: with all units times 17 nothing changes; with all fees times 1000, exact shares do by the
 * factor. */
START_TEST(test_scale)
{
    uint64_t seed = 9000 + (uint64_t)_i;
    for (int round = 0; round < 300; round++) {
        const struct instance instance = draw(&seed);
        struct accord_pool_terms terms = methods[random_below(&seed, METHODS)];
        struct instance units = instance;
        struct instance fees = instance;
        for (size_t u = 0; u < instance.members; u++) {
            fees.fees[u] *= 1000;
            for (uint32_t i = 0; i < instance.payees; i++)
                units.units[u][i] *= 17;
        }
        const struct outcome got = divide_pool(&terms, &instance);
        const struct outcome of_units = divide_pool(&terms, &units);
        const struct outcome of_fees = divide_pool(&terms, &fees);
        for (uint32_t i = 0; i < instance.payees; i++) {
            const i128 off = of_fees.exact[i] - got.exact[i] * 1000;
            ck_assert_int_eq(of_units.amounts[i], got.amounts[i]);
            ck_assert(off <= (i128)tolerance * 1000 && -off <= (i128)tolerance * 1000);
        }
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("pool axioms");
    TCase *tests = tcase_create("pool axioms");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, test_axiom, 0, AXIOMS * METHODS);
    tcase_add_loop_test(tests, test_kept, 0, 10);
    tcase_add_loop_test(tests, test_scale, 0, 4);
    suite_add_tcase(suite, tests);
    return suite;
}

UNIT_MAIN(make_suite)
