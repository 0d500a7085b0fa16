/**
 * The store: all SQL of Accord, one file per aggregate.
 *
 * The rooms above are handed a connection (struct db) and pass it on to store functions; of the
 * engine itself they use only what this header brings: opening and closing a connection and the
 * bounds of a transaction (db_open, db_begin, db_commit, db_rollback, db_in_transaction,
 * db_data_version, db_message). Statements are declared and run in store/ and nowhere else.
 *
 * Every store function takes batches where its caller may have many; none is called once per item
 * from a loop.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "db/db.h"

#endif
