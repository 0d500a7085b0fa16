/** The page of /docs: made at build time from the contract, with the settings put in at the start.
 */
#ifndef API_DOCS_H
#define API_DOCS_H

#include "base/buf.h"

/** Writes the page. */
void docs_write(struct buf *out);
/** The rows of a Markdown table (as config_document() writes them) as an HTML table. */
void docs_table(struct slice markdown, struct buf *out);

#endif
