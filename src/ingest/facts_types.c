#include "ingest/facts.h"

static const struct {
    const char *name;
    enum fact_class kind;
} types[FACT_TYPES] = {
    [FACT_RATING] = {"rating", FACT_CLASS_FEEDBACK},
    [FACT_REVIEW] = {"review", FACT_CLASS_FEEDBACK},
    [FACT_SURVEY] = {"survey", FACT_CLASS_FEEDBACK},
    [FACT_QUESTION] = {"question", FACT_CLASS_FEEDBACK},
    [FACT_ANSWER] = {"answer", FACT_CLASS_FEEDBACK},
    [FACT_COMMENT] = {"comment", FACT_CLASS_FEEDBACK},
    [FACT_CHECKIN] = {"checkin", FACT_CLASS_FEEDBACK},
    [FACT_SHARE] = {"share", FACT_CLASS_FEEDBACK},
    [FACT_PROGRESS] = {"progress", FACT_CLASS_FEEDBACK},
    [FACT_COMPLETION] = {"completion", FACT_CLASS_FEEDBACK},
    [FACT_IMPRESSION] = {"impression", FACT_CLASS_REACH},
    [FACT_CLICK] = {"click", FACT_CLASS_REACH},
    [FACT_TOUCH] = {"touch", FACT_CLASS_REACH},
    [FACT_ENROLMENT] = {"enrolment", FACT_CLASS_REACH},
    [FACT_USAGE] = {"usage", FACT_CLASS_USAGE},
    [FACT_ORDER_PAID] = {"order.paid", FACT_CLASS_ORDER},
    [FACT_ORDER_REFUNDED] = {"order.refunded", FACT_CLASS_ORDER},
    [FACT_ORDER_CHARGED_BACK] = {"order.charged_back", FACT_CLASS_ORDER},
    [FACT_ORDER_CHARGEBACK_REVERSED] = {"order.chargeback_reversed", FACT_CLASS_ORDER},
    [FACT_MEMBERSHIP_STARTED] = {"membership.started", FACT_CLASS_MEMBERSHIP},
    [FACT_MEMBERSHIP_RENEWED] = {"membership.renewed", FACT_CLASS_MEMBERSHIP},
    [FACT_MEMBERSHIP_CANCELLED] = {"membership.cancelled", FACT_CLASS_MEMBERSHIP},
    [FACT_CHALLENGE_JOINED] = {"challenge.joined", FACT_CLASS_CHALLENGE},
    [FACT_CHALLENGE_WITHDRAWN] = {"challenge.withdrawn", FACT_CLASS_CHALLENGE},
    [FACT_CONSENT] = {"consent", FACT_CLASS_CONSENT},
    [FACT_ADJUSTMENT] = {"adjustment", FACT_CLASS_OPERATOR},
    [FACT_PAYMENT] = {"payment", FACT_CLASS_OPERATOR},
    [FACT_VOID] = {"void", FACT_CLASS_VOID},
};

const char *fact_type_name(enum fact_type type)
{
    return types[type].name;
}

enum fact_class fact_class_of(enum fact_type type)
{
    return types[type].kind;
}

bool fact_type_find(struct slice name, enum fact_type *ret)
{
    for (int i = 0; i < FACT_TYPES; i++)
        if (slice_equal(name, slice_of(types[i].name))) {
            *ret = (enum fact_type)i;
            return true;
        }
    return false;
}

const char *fact_status_name(enum fact_status status)
{
    static const char *const names[] = {"accepted", "duplicate", "conflict", "rejected"};
    return names[status];
}
