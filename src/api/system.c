/* /healthz, /readyz, /metrics, /openapi.json, /docs: for those who run Accord, and who build on it.
 */
#include "api/app.h"
#include "api/metering.h"
#include "api/openapi.h"
#include "api/operations.h"
#include "store/health.h"

static const size_t page_bytes_max = (size_t)16 << 20;

static void write_status(struct call *call, const char *status)
{
    struct json_writer w = call_json(call, 200);
    call_header(call, "Cache-Control", "no-store");
    jw_object(&w);
    jw_key_str(&w, "status", status);
    jw_object_end(&w);
}

static void health_answer(struct call *call)
{
    write_status(call, "ok");
}

static void ready_read(struct call *call)
{
    if (atomic_load(&call->app->draining)) {
        call_fail(call, ACCORD_E_SHUTTING_DOWN, NULL);
        return;
    }
    enum accord_error error = store_ready(call->db);
    if (error == ACCORD_OK)
        error = store_ready(call->app->test.readers[call->reader]);
    if (error != ACCORD_OK)
        call_fail(call, ACCORD_E_DATABASE_UNAVAILABLE, "%s", accord_error_title(error));
}

static void ready_answer(struct call *call)
{
    write_status(call, "ready");
}

static struct buf *begin_text(struct call *call, const char *content_type)
{
    buf_done(&call->reply->body);
    buf_init(&call->reply->body, page_bytes_max);
    call->reply->status = 200;
    call->reply->content_type = content_type;
    return &call->reply->body;
}

static void metrics_read(struct call *call)
{
    struct buf *out = begin_text(call, "text/plain; version=0.0.4; charset=utf-8");
    call_header(call, "Cache-Control", "no-store");
    metering_write(call, out);
}

/* What is built in changes only with the program, and the tag names its contract. */
static bool built_in_matches(struct call *call)
{
    return call_etag(call, 1);
}

static void contract_answer(struct call *call)
{
    if (built_in_matches(call))
        return;
    struct buf *out = begin_text(call, "application/json");
    buf_add(out, openapi_json, openapi_json_len);
}

static void docs_answer(struct call *call)
{
    if (built_in_matches(call))
        return;
    struct buf *out = begin_text(call, "text/html; charset=utf-8");
    call_header(call, "Content-Security-Policy",
                "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
                "form-action 'none'; frame-ancestors 'none'");
    buf_add_slice(out, buf_slice(&call->app->docs));
}

const struct operation system_operations[] = {
    {
        .id = "getHealth",
        .method = "GET",
        .pattern = "/healthz",
        .answer = health_answer,
    },
    {
        .id = "getReady",
        .method = "GET",
        .pattern = "/readyz",
        .read = ready_read,
        .answer = ready_answer,
    },
    {
        .id = "getMetrics",
        .method = "GET",
        .pattern = "/metrics",
        .produces = "text/plain",
        .read = metrics_read,
    },
    {
        .id = "getContract",
        .method = "GET",
        .pattern = "/openapi.json",
        .answer = contract_answer,
    },
    {
        .id = "getDocs",
        .method = "GET",
        .pattern = "/docs",
        .produces = "text/html",
        .answer = docs_answer,
    },
};
const size_t system_operation_count = sizeof system_operations / sizeof system_operations[0];
