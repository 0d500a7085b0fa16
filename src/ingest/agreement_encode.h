/** Parts of a version's canonical body. */
#ifndef INGEST_AGREEMENT_ENCODE_H
#define INGEST_AGREEMENT_ENCODE_H

#include "accord/settle.h"
#include "json/write.h"

/** The member `terms`, with every default written out. */
void agreement_write_terms(struct json_writer *w, const struct accord_agreement_version *version);

#endif
