/**
 * One JSON text as a jansson tree that has lost nothing: the texts of its numbers are kept. Only
 * for json/.
 */
#ifndef JSON_TREE_H
#define JSON_TREE_H

#include <jansson.h>

#include "accord/error.h"
#include "base/arena.h"
#include "base/buf.h"

struct json_tree {
    json_t *root;
    /* Numbers that are no int64, in document order. In the tree such a number is a real whose value
     * is its place here. */
    struct slice *numbers;
};

/** Why a text was refused, and where. */
struct json_fault {
    size_t place; /**< byte offset */
    const char *reason;
};

/**
 * Checks a text (without byte order mark) and builds its tree; json_tree_done() frees it. The tree
 * borrows from `text` and the arena.
 *
 * @return ACCORD_OK; ACCORD_E_JSON_INVALID, ACCORD_E_FIELD_DUPLICATE or ACCORD_E_TEXT_INVALID with
 *         *ret_fault; ACCORD_E_OUT_OF_MEMORY. *ret is unwritten on failure
 */
enum accord_error json_tree_load(struct arena *arena, struct slice text, struct json_tree *ret,
                                 struct json_fault *ret_fault);
void json_tree_done(struct json_tree *tree);

/** The text of a real of the tree. */
struct slice json_tree_number(const struct json_tree *tree, const json_t *real);
/** A string's bytes, not NUL-terminated as a whole when it holds U+0000. */
struct slice json_tree_string(const json_t *string);

/**
 * Writes a value of the tree canonically.
 *
 * @return ACCORD_OK; ACCORD_E_TEXT_INVALID when a string holds U+0000; ACCORD_E_OUT_OF_MEMORY.
 *         The buf's own errors stay there
 */
enum accord_error json_tree_write(struct arena *arena, const struct json_tree *tree,
                                  const json_t *value, struct buf *out);

/** One member to write, and their order: bytewise by name. */
struct json_tree_member {
    struct slice name;
    const json_t *value;
};
enum accord_error json_tree_write_members(struct arena *arena, const struct json_tree *tree,
                                          struct json_tree_member *members, size_t count,
                                          struct buf *out);

#endif
