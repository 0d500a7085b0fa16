/* What clients hand back or choose by: cursors, versions, secrets, entity tags, media types. */
#include <stdlib.h>

#include "api/auth.h"
#include "api/cursor.h"
#include "api/media.h"
#include "api/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(1 << 20);
    const struct slice text = {(const char *)data, size};
    struct slice parts[4];
    struct slice media = {NULL, 0};
    int64_t version = -1;
    if (arena == NULL)
        return 0;
    for (size_t count = 0; count <= 4; count++) {
        uint32_t binding = 0; /* that of most of the corpus */
        if (cursor_decode(arena, binding, text, count, parts)) {
            const char *again = cursor_encode(arena, binding, parts, count);
            require(again != NULL && slice_equal(slice_of(again), text));
        }
    }
    if (cursor_to_version(0, text, &version)) {
        const char *again = cursor_of_version(arena, 0, version);
        require(version >= 0 && again != NULL && slice_equal(slice_of(again), text));
    }
    const struct slice secret = auth_bearer(text);
    require(secret.data == NULL || secret.len < text.len);
    if (auth_secret_mode(text) != AUTH_NONE)
        require(text.len == AUTH_SECRET_MAX - 1);
    api_reply_etag_listed(text, "\"12-0badcafe\"");
    if (media_of_body("application/json text/csv", text, &media))
        require(media.len == 16 || media.len == 8);
    if (media_accepted("application/json text/csv", text, &media))
        require(media.len == 16 || media.len == 8);
    media_word_listed("limit cursor", text);
    arena_free(arena);
    return 0;
}
