/* What a partner's own program does with the installed library: divide a month's pool again and see
 * why a share is what it is. Prints one line per payee. */
#include <accord/bundle.h>
#include <accord/challenge.h>
#include <accord/membership.h>
#include <accord/pool.h>
#include <inttypes.h>
#include <stdio.h>

static const char *const payees[] = {"prv-a", "prv-b", "prv-c"};

static void print_step(void *context, size_t line, const struct accord_step *step)
{
    char exact[ACCORD_EXACT_TEXT];
    (void)context;
    if (step->rounding == NULL)
        return;
    accord_step_exact_text(step, exact);
    printf("%s %" PRId64 " = %s%s\n", payees[line], step->amount, exact,
           step->extra > 0 ? ", rounded up" : "");
}

int main(void)
{
    /* Three members: a year of 365.00, of which January is recognised, and two months of 31.00. */
    const struct accord_membership year = {.paid_minor = 36500, .from_day = 0, .to_day = 365};
    const struct accord_pool_terms terms = {.method = ACCORD_POOL_USER_CENTRIC, .payee_count = 3};
    const struct accord_pool_cell seconds[][2] = {
        {{0, 3600}, {1, 7200}}, {{2, 60}, {0, 60}}, {{1, 1}, {2, 6}}};
    struct accord_pool *pool = NULL;
    int64_t january = 0;
    int64_t amounts[3];
    int64_t unclaimed = 0;

    if (accord_membership_recognised(&year, 0, 31, &january) != ACCORD_OK ||
        accord_pool_new(&terms, &pool) != ACCORD_OK)
        return 1;
    enum accord_error err = accord_pool_user(pool, january, seconds[0], 2);
    for (size_t member = 1; member < 3 && err == ACCORD_OK; member++)
        err = accord_pool_user(pool, 3100, seconds[member], 2);
    if (err == ACCORD_OK)
        err = accord_pool_explain(pool, amounts, &unclaimed, print_step, NULL);
    accord_pool_free(pool);
    return err == ACCORD_OK && amounts[0] + amounts[1] + amounts[2] == 9300 ? 0 : 1;
}
