/** Keys: their scopes, their secrets, and whether one opens an operation. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "api/call.h"
#include "store/keys.h"

enum { AUTH_SECRET_MAX = 56 }; /**< "accord_live_" and 43 characters, NUL-terminated */

/** Which books a secret opens, by its prefix. */
enum auth_mode { AUTH_NONE, AUTH_LIVE, AUTH_TEST };

/** The mode of a text that has the form of a secret; AUTH_NONE for any other. */
enum auth_mode auth_secret_mode(struct slice secret);
/** Makes a new secret of 256 random bits. */
void auth_secret_make(enum auth_mode mode, char text[AUTH_SECRET_MAX]);
/** The credentials of an Authorization header with the scheme Bearer; data NULL otherwise. */
struct slice auth_bearer(struct slice header);

/** Makes an id for a key; the ids of test keys say that they are. */
void auth_key_id(enum auth_mode mode, char text[RANDOM_ID_MAX]);
enum auth_mode auth_key_id_mode(const char *id);

/** Name of one scope ("catalog:read"), by number 0, 1, 2 …; NULL behind the last. */
const char *auth_scope_name(unsigned number);
/** The bit of a scope by its name; 0 when there is none. */
uint32_t auth_scope_find(struct slice name);

/**
 * Whether a key opens an operation: ACCORD_OK, ACCORD_E_UNAUTHENTICATED,
 * ACCORD_E_PARTNER_SUSPENDED, ACCORD_E_SCOPE_MISSING or ACCORD_E_ROLE_MISSING. What is not allowed
 * by the operation's row is refused.
 *
 * @param owner  the key that was found, or NULL
 */
enum accord_error auth_decide(const struct operation *operation, const struct key_owner *owner,
                              instant_us now);

#endif
