/* Every operation of the service. */
#include "api/operations.h"

#include "api/agreements.h"
#include "api/balances.h"
#include "api/catalogs.h"
#include "api/challenges.h"
#include "api/courses.h"
#include "api/dispatch.h"
#include "api/disputes.h"
#include "api/events.h"
#include "api/feedback.h"
#include "api/links.h"
#include "api/memberships.h"
#include "api/offers.h"
#include "api/orders.h"
#include "api/payments.h"
#include "api/periods.h"
#include "api/pool_months.h"
#include "api/pools.h"
#include "api/rates.h"
#include "api/revenue.h"
#include "api/simulations.h"
#include "api/statement_inputs.h"
#include "api/statement_lines.h"
#include "api/statements.h"

static const struct {
    const struct operation *rows;
    const size_t *count;
} tables[] = {
    {partner_operations, &partner_operation_count},
    {key_operations, &key_operation_count},
    {catalog_operations, &catalog_operation_count},
    {course_operations, &course_operation_count},
    {agreement_operations, &agreement_operation_count},
    {agreement_step_operations, &agreement_step_operation_count},
    {agreement_resolve_operations, &agreement_resolve_operation_count},
    {event_operations, &event_operation_count},
    {feedback_operations, &feedback_operation_count},
    {link_operations, &link_operation_count},
    {offer_operations, &offer_operation_count},
    {challenge_operations, &challenge_operation_count},
    {challenge_entry_operations, &challenge_entry_operation_count},
    {pool_operations, &pool_operation_count},
    {pool_month_operations, &pool_month_operation_count},
    {order_operations, &order_operation_count},
    {order_attribution_operations, &order_attribution_operation_count},
    {membership_operations, &membership_operation_count},
    {revenue_operations, &revenue_operation_count},
    {period_operations, &period_operation_count},
    {statement_operations, &statement_operation_count},
    {simulation_operations, &simulation_operation_count},
    {statement_input_operations, &statement_input_operation_count},
    {statement_line_operations, &statement_line_operation_count},
    {statement_explain_operations, &statement_explain_operation_count},
    {dispute_operations, &dispute_operation_count},
    {payment_operations, &payment_operation_count},
    {balance_operations, &balance_operation_count},
    {rate_operations, &rate_operation_count},
    {system_operations, &system_operation_count},
};

enum { TABLES = sizeof tables / sizeof tables[0] };

size_t operations_count(void)
{
    size_t count = 0;
    for (size_t i = 0; i < TABLES; i++)
        count += *tables[i].count;
    return count;
}

const struct operation *operations_at(size_t index)
{
    for (size_t i = 0; i < TABLES; i++) {
        if (index < *tables[i].count)
            return &tables[i].rows[index];
        index -= *tables[i].count;
    }
    return NULL;
}
