/**
 * One request on its way through an operation: what handlers see.
 *
 * An operation is one row (struct operation): method, pattern, scope, limits and up to four steps:
 *
 *   prepare  decode and check; no database; on the worker (or a job thread)
 *   read     with a read connection, in a read transaction
 *   write    in the writer's transaction (operations that change something)
 *   answer   encode the reply
 *
 * A step refuses with call_fail() or call_problems(); the steps after it are skipped. Rows of one
 * resource stand in its file as `const struct operation <resource>_operations[]` with a count, and
 * api/operations.c lists them all.
 */
#ifndef API_CALL_H
#define API_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http.h"
#include "ingest/tx.h"
#include "service/jobs.h"
#include "service/writer.h"
#include "store/store.h"
#include "json/decode.h"
#include "json/write.h"

/** Scopes of a key; the names in requests and answers stand in api/auth.c. */
enum scope {
    SCOPE_PUBLIC = 0,     /**< no key needed */
    SCOPE_ANY = 1 << 0,   /**< any valid key */
    SCOPE_ADMIN = 1 << 1, /**< operator only: partners, keys */
    SCOPE_CATALOG_READ = 1 << 2,
    SCOPE_CATALOG_WRITE = 1 << 3,
    SCOPE_EVENTS_READ = 1 << 4,
    SCOPE_EVENTS_WRITE = 1 << 5,
    SCOPE_AGREEMENTS_READ = 1 << 6,
    SCOPE_AGREEMENTS_WRITE = 1 << 7,
    SCOPE_REVENUE_READ = 1 << 8,
    SCOPE_STATEMENTS_READ = 1 << 9,   /**< periods, statements, payments, balances */
    SCOPE_STATEMENTS_WRITE = 1 << 10, /**< accept, dispute */
};

/** As in the table partner, column roles. */
enum role { ROLE_PROVIDER = 1, ROLE_CHANNEL = 2, ROLE_PROMOTER = 4, ROLE_PLATFORM = 8 };

struct caller {
    const char *partner; /**< NULL: no key (public operations) */
    const char *key_id;
    uint32_t roles;
    uint32_t scopes;
    bool is_operator; /**< partner has ROLE_PLATFORM */
};

struct book; /* live or test: api/app.h */
struct app;  /* api/app.h */
struct call;

enum operation_run { RUN_FAST, RUN_JOB };

enum {
    OP_IDEMPOTENCY_KEY = 1 << 0, /**< honours Idempotency-Key */
    OP_IF_MATCH = 1 << 1,        /**< If-Match, or If-None-Match: *, is required */
    /** The answer holds a secret: it is not kept, a replay is 409 secret_already_shown. */
    OP_ANSWER_ONCE = 1 << 2,
};

struct operation {
    const char *id; /**< operationId in the contract */
    const char *method;
    const char *pattern; /**< "/v1/partners/{partner}/keys" */
    uint32_t scope;      /**< any one of these; SCOPE_ADMIN is held by keys of the operator alone */
    uint32_t roles;      /**< any of these; 0: any role. The operator passes always */
    enum operation_run run;
    unsigned flags;
    size_t body_max;      /**< bytes; 0: takes no body */
    const char *media;    /**< Content-Types taken, separated by blanks; NULL with no body */
    const char *produces; /**< media types answered, by preference; NULL: application/json */
    const char *query;    /**< names of the query parameters taken, separated by blanks, or NULL;
                               any other is `query_invalid` */
    /** Without an Idempotency-Key that is known already: then the kept answer is replayed. */
    void (*prepare)(struct call *call);
    void (*read)(struct call *call);
    /** Refusals by call_fail() write nothing; an error return rolls the transaction back. */
    enum accord_error (*write)(struct call *call);
    /** Instead of write: all calls of this operation that wait, as one batch. Both may run again
     *  for the same call after a roll-back and then start from what prepare() and read() left. */
    enum accord_error (*write_many)(struct ingest_tx *tx, struct call *const *calls, size_t count);
    /** No database: on the worker, or (Idempotency-Key given) in the transaction. */
    void (*answer)(struct call *call);
};

struct call {
    struct http_exchange *http;
    struct http_reply *reply; /**< of the exchange; built in write() or answer(), or by a refusal */
    struct arena *arena;      /**< of the exchange */
    const struct operation *operation;
    struct app *app;
    struct book *book; /**< of the key. read() may point it elsewhere for the steps after it */
    struct caller caller;
    struct slice args[4]; /**< path parameters in order of the pattern */
    struct db *db;        /**< in read(): a read connection. In write(): the writer's */
    struct ingest_tx *tx; /**< in write() */
    unsigned reader;      /**< index of this thread's connection in book->readers */
    void *state;          /**< the operation's, between its steps; in the arena */
    bool failed;          /**< a refusal is in the reply */
};

/** A path parameter by its place, as a NUL-terminated text of the arena. */
const char *call_arg(struct call *call, unsigned place);
/** A query parameter (NUL-terminated), or NULL. */
const char *call_query(struct call *call, const char *name);
/** An integer query parameter within a range, or `missing`; fails the call otherwise. */
int64_t call_query_int(struct call *call, const char *name, int64_t min, int64_t max,
                       int64_t missing);
/** The Content-Type of the body, as it stands in operation->media; "" when there is no body. */
const char *call_media(struct call *call);
/** The media type to answer with, as it stands in operation->produces (chosen by Accept). */
const char *call_produces(struct call *call);
/** Zeroed arena memory; fails the call with out_of_memory and returns NULL. */
void *call_alloc(struct call *call, size_t bytes);
/** Decodes the body; every field error goes into one problem reply. An empty body is `body_empty`;
 *  where it is optional look at call->http->request.body.len first. False: failed. */
bool call_decode(struct call *call, const struct json_object *spec, void *ret);
/** Refuses: status and title from the registry, `detail` for this case (may be NULL). The first
 *  refusal of a call stands. */
void call_fail(struct call *call, enum accord_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Refuses with field errors: 422 `fields_invalid` (or the given error). */
void call_problems(struct call *call, enum accord_error error,
                   const struct json_problems *problems);
/** Refuses when error is not ACCORD_OK (an engine's error, for instance). True: it did. */
bool call_check(struct call *call, enum accord_error error);

/** Begins a JSON reply: sets status and content type, returns a writer on the reply's body. */
struct json_writer call_json(struct call *call, unsigned status);
/**
 * Replies 200 with a whole JSON text whose hash is its ETag: for what has no version of its own, or
 * depends on the time as well. Finishes `body`.
 */
void call_json_hashed(struct call *call, struct buf *body);
/**
 * Makes the next piece of a streamed body: appends to `out` until call_piece_full() says so, and
 * keeps in call->state where it goes on. On a job thread, with call->db in a read transaction of
 * its own; call->arena is the piece's, but for the first. May refuse: before anything was sent that
 * is the answer, later the connection is cut. Returns whether there is, or may be, more.
 */
typedef bool piece_fn(struct call *call, struct buf *out);
/**
 * Begins a reply of 200 whose body may be of any length; in read() or answer(). The first piece is
 * made before anything is sent: a body that it holds completely is sent as any other. What `piece`
 * reads must not change between two pieces.
 *
 * @param content_type  static
 */
void call_stream(struct call *call, const char *content_type, piece_fn *piece);
/** Whether a piece has come to its bytes or its time: to be asked after each row that was looked
 * at, whether or not it was written. */
bool call_piece_full(struct call *call, const struct buf *out);
/** A reply without a body (204). */
void call_empty(struct call *call, unsigned status);
/** Adds a reply header; `name` static, `value` static or in the arena. */
void call_header(struct call *call, const char *name, const char *value);
/**
 * Strong ETag, from the version of what is answered (of the row, or call_partner_version()), the
 * caller and the version of the contract; sets ETag and Cache-Control.
 * True (GET only): If-None-Match matched and the reply is a 304, or an answer with this tag was
 * kept and is the reply; do not encode.
 */
bool call_etag(struct call *call, int64_t version);
/**
 * Lets the reply be sent again to the same caller asking the same, without running the operation,
 * while nothing is written to the books. For GETs that answer 200 with an ETag, and depend on
 * nothing but the books, the caller and the request.
 *
 * @param until  when it ends all the same: what is answered depends on the time; INT64_MAX: never
 */
void call_keep(struct call *call, instant_us until);
/**
 * If-Match, or If-None-Match: *, against the version that stands (0: there is none). In write():
 * before anything is written. False: failed with version_mismatch.
 */
bool call_precondition(struct call *call, int64_t version);
/** The caller's partner_version (call->db), for ETag and as_of; 0 when nothing changed yet. */
int64_t call_partner_version(struct call *call);
/** Opaque text of a partner's version, for `as_of`; in the arena. */
const char *call_as_of(struct call *call, int64_t version);
/** A query parameter with such a text; `missing` when it is not given. Fails the call with
 *  cursor_invalid otherwise. */
int64_t call_query_since(struct call *call, const char *name, int64_t missing);
/** For operations that write outside their write step: keeps the reply, complete by now, under the
 *  request's Idempotency-Key, in the transaction open on `tx`, in place of one that this call kept
 *  there before. Without a key it does nothing; where another request with the key was faster, its
 *  answer takes the place of the reply. */
enum accord_error call_remember(struct call *call, struct ingest_tx *tx);
/** For the same, in their first transaction: looks the key up once more, as another request with it
 *  may have come first. *ret_new false: the reply is the kept one, or a refusal. May run again. */
enum accord_error call_claim(struct call *call, struct ingest_tx *tx, bool *ret_new);
/** Forgets what this call kept: the request came to nothing and may be repeated. */
enum accord_error call_forget(struct call *call, struct ingest_tx *tx);
/** Starts the reply over. */
void call_reply_anew(struct call *call);
/** Whether the request has an Idempotency-Key. */
bool call_has_key(struct call *call);
/** Sets Location, behind the public base path. */
void call_location(struct call *call, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Keyset lists: the cursor is opaque, base64url of the last row's key parts. */
enum { CURSOR_PARTS_MAX = 8 };
struct list_page {
    int64_t limit; /**< 1 .. 1000, default 100 */
    bool has_cursor;
    struct slice parts[CURSOR_PARTS_MAX]; /**< of the cursor given; as text */
    size_t part_count;
};
/** Reads `limit` and `cursor`; fails the call when they are not acceptable. */
bool call_page(struct call *call, size_t parts, struct list_page *ret);
/** Writes `"next": "cursor"` (or null) and sets Link; `parts` are those of the last row shown. */
void call_page_next(struct call *call, struct json_writer *w, const struct slice *parts,
                    size_t count, bool more);

#endif
