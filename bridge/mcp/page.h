/* Pages of lists: a cursor is the sealed place where the next page begins, so a caller can neither read nor forge it.
 */
#ifndef AB_MCP_PAGE_H
#define AB_MCP_PAGE_H

#include "mcp/request.h"

/* The place that `cursor` (or no value: the beginning, "") stands for; the caller frees it. False: the cursor is not
 * one of ours for this caller and `purpose`. */
AB_MUST bool ab_mcp_read_page(const struct ab_mcp_request *request, struct ab_json cursor, const char *purpose,
                              char **place);
/* Writes the cursor of the page that begins behind `place`. */
void ab_mcp_put_page(const struct ab_mcp_request *request, struct ab_json_writer *writer, const char *key,
                     const char *purpose, const char *place);
/* A place in a list of tasks is "<created_at> <id>": sets where the filter begins. `place` must outlive the filter. */
void ab_mcp_page_filter(const char *place, struct ab_store_filter *filter);

#endif
