/* Whatever the bytes: an agreement's body that is taken is written canonically, reads back as the
 * same version, and is acceptable to settle; what is refused names a problem. */
#include <stdlib.h>
#include <string.h>

#include "ingest/agreement.h"

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void same_texts(const char *const *a, const char *const *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        need(strcmp(a[i], b[i]) == 0);
}

static void same_deduction(const struct accord_deduction *a, const struct accord_deduction *b)
{
    need(a->deduct == b->deduct && a->rate_ppm == b->rate_ppm && a->base == b->base);
}

static void same(const struct agreement_version *x, const struct agreement_version *y)
{
    const struct accord_agreement_version *a = &x->terms;
    const struct accord_agreement_version *b = &y->terms;
    need(x->retroactive == y->retroactive && x->quarterly == y->quarterly && x->zone == y->zone);
    need(strcmp(x->time_zone, y->time_zone) == 0);
    need(a->party_count == b->party_count && a->provider_count == b->provider_count &&
         a->channel_count == b->channel_count && a->course_count == b->course_count &&
         a->term_count == b->term_count);
    same_texts(a->parties, b->parties, a->party_count);
    same_texts(a->providers, b->providers, a->provider_count);
    same_texts(a->channels, b->channels, a->channel_count);
    for (size_t i = 0; i < a->course_count; i++)
        need(strcmp(a->courses[i].provider, b->courses[i].provider) == 0 &&
             strcmp(a->courses[i].course_id, b->courses[i].course_id) == 0);
    for (uint32_t i = 0; i < a->term_count; i++)
        need(a->terms[i].kind == b->terms[i].kind && a->terms[i].payee == b->terms[i].payee &&
             a->terms[i].share_ppm == b->terms[i].share_ppm &&
             a->terms[i].amount_minor == b->terms[i].amount_minor);
    for (size_t i = 0; i < ACCORD_FUNDERS; i++)
        need(a->add_back[i] == b->add_back[i] && a->funder_party[i] == b->funder_party[i]);
    same_deduction(&a->tax, &b->tax);
    same_deduction(&a->store_fee, &b->store_fee);
    same_deduction(&a->payment_fee, &b->payment_fee);
    need(a->collector == b->collector && a->clearing_direct == b->clearing_direct &&
         a->is_default == b->is_default && a->priority == b->priority &&
         a->effective_from_us == b->effective_from_us && a->effective_to_us == b->effective_to_us &&
         strcmp(a->currency.code, b->currency.code) == 0);
}

static enum accord_error decode(struct arena *arena, struct slice body, bool with_head,
                                struct agreement_version *ret, struct json_problems *problems)
{
    struct slice id = SLICE("");
    struct slice name = SLICE("");
    *problems = (struct json_problems){.count = 0};
    return agreement_decode(arena, body, "agr", 1, with_head, &id, &name, ret, problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new((size_t)64 << 20);
    static struct json_problems problems;
    struct agreement_version version;
    if (arena == NULL)
        return 0;
    const struct slice body = {(const char *)data, size};
    for (int head = 0; head < 2; head++) {
        const enum accord_error error = decode(arena, body, head == 1, &version, &problems);
        if (error != ACCORD_OK) {
            need(error == ACCORD_E_OUT_OF_MEMORY || problems.count > 0);
            continue;
        }
        struct slice once;
        struct slice twice;
        struct agreement_version again;
        need(accord_agreement_check(&version.terms, NULL) == ACCORD_OK);
        need(agreement_encode(arena, &version, &once) == ACCORD_OK);
        need(decode(arena, once, false, &again, &problems) == ACCORD_OK);
        same(&version, &again);
        need(agreement_encode(arena, &again, &twice) == ACCORD_OK && slice_equal(once, twice));
    }
    arena_free(arena);
    return 0;
}
