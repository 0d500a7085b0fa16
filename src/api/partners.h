/** What the operations on partners and those on their keys share. */
#ifndef API_PARTNERS_H
#define API_PARTNERS_H

#include "api/call.h"
#include "store/partners.h"

/** True when the caller may see the partner: itself, or any when it is the operator. */
bool partner_visible(const struct call *call, const char *id);
/** Writes "roles": [ … ]. */
void partner_write_roles(struct json_writer *w, uint32_t roles);
/** In a write transaction: the partner and the caller (and every operator) see a change. */
enum accord_error partner_touch(struct call *call, const char *id);

#endif
