/**
 * The one way in: from an exchange of the HTTP room through an operation's steps to its reply.
 *
 * Life of a flight: admitted on the worker at the headers (route, key, limits, conditions); flown
 * on the worker or a job thread (prepare, read), then perhaps on the book's writer (write); landed
 * on the worker, where the finished reply is handed to the exchange. Of a streamed body that is the
 * first piece; for each of the others it goes to a job thread and back once more. Between the
 * threads it is passed on whole: nobody touches it after giving it away.
 */
#ifndef API_DISPATCH_H
#define API_DISPATCH_H

#include "api/call.h"

struct dispatch;

enum { FLIGHT_DETAIL_MAX = 512 };

/** A call with what dispatch keeps beside it. Begins with the call, so one is found by the other.
 */
struct flight {
    struct call call;
    struct dispatch *dispatch;
    struct write_task task;
    size_t operation_index;    /**< of call.operation */
    const char *partner_name;  /**< of the caller */
    instant_us key_expires_at; /**< of the caller's key */
    bool has_body;             /**< the headers announce one */
    const char *media;         /**< of the body, from operation->media */
    const char *produces;      /**< chosen from operation->produces */
    const char *allow;         /**< methods of the resource, for 405 and OPTIONS */
    bool is_read;              /**< GET or HEAD */
    int64_t data_version;      /**< of the books, before anything was read of them; 0: not known */
    struct hash asked;         /**< what kept answers are found by */
    struct kept_answer *kept;  /**< to that, perhaps of other books; NULL: there is none */
    bool from_kept;            /**< the reply is that one */
    instant_us keep_until;     /**< of the reply; 0: it is not to be kept */
    bool done;                 /**< the reply is there without (more of) the operation's steps */
    bool finished;             /**< flight_finish() was here */
    bool on_writer;            /**< a write task was submitted */
    piece_fn *piece;           /**< of a streamed body; NULL: there is none */
    struct job_part part;      /**< the next piece, waiting for a thread */
    int64_t piece_until_us;    /**< monotonic: when the piece at hand ends, full or not */
    bool limited;              /**< limit_* are to be sent */
    int64_t limit;
    int64_t limit_remaining;
    int64_t limit_wait_s;

    const char *idempotency_key; /**< NULL: none */
    struct hash request_hash;
    bool claimed; /**< an answer of this flight is kept already */

    /* of a failed call */
    enum accord_error error;
    char detail[FLIGHT_DETAIL_MAX];
    const struct json_problems *problems;
};

static inline struct flight *flight_of(struct call *call)
{
    return (struct flight *)call;
}

/** Makes the reply of a failed call, or of one whose body did not get ready. */
void flight_finish(struct flight *flight);

/**
 * Prepares the route table of api/operations.c.
 *
 * @param wake  http_wake, or a test's
 */
enum accord_error dispatch_new(struct app *app, void (*wake)(struct http_exchange *exchange),
                               struct dispatch **ret);
void dispatch_free(struct dispatch *dispatch);
/** The callbacks for http_start(). */
struct http_app dispatch_http(struct dispatch *dispatch);

/** Every operation, from the tables of the resources. */
size_t operations_count(void);
const struct operation *operations_at(size_t index);

#endif
