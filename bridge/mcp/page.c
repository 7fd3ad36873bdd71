#include "mcp/page.h"

#include "base/mem.h"

#include <stdlib.h>

bool ab_mcp_read_page(const struct ab_mcp_request *request, struct ab_json cursor, const char *purpose, char **place)
{
    AB_CLEANUP(ab_free_string) char *token = ab_json_string_dup(cursor);
    struct ab_buf text = AB_BUF_INIT(4096);
    bool good;

    if (!ab_json_exists(cursor)) {
        *place = ab_strdup("");
        return true;
    }
    good = token != NULL &&
           ab_unseal(request->mcp->settings.sealer, purpose, ab_str(request->channel->owner), ab_str(token), &text);
    if (good)
        *place = ab_buf_steal(&text);
    ab_buf_deinit(&text);
    return good;
}

void ab_mcp_put_page(const struct ab_mcp_request *request, struct ab_json_writer *writer, const char *key,
                     const char *purpose, const char *place)
{
    struct ab_buf token = AB_BUF_INIT(4096);

    if (ab_seal(request->mcp->settings.sealer, purpose, ab_str(request->channel->owner), ab_str(place), &token) ==
        AB_OK)
        ab_json_put_text(writer, key, token.data);
    ab_buf_deinit(&token);
}

void ab_mcp_page_filter(const char *place, struct ab_store_filter *filter)
{
    char *id = NULL;

    if (place[0] == '\0')
        return;
    filter->before_at = strtoll(place, &id, 10);
    filter->before_id = *id == ' ' ? id + 1 : id;
}
