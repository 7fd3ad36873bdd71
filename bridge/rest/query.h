/* Parameters of a query string, and headers that steer: read, or told of as faults. */
#ifndef AB_REST_QUERY_H
#define AB_REST_QUERY_H

#include "rest/call.h"

/* A parameter's text, which the caller frees; NULL when it is absent or empty. */
AB_MUST char *ab_rest_query_text(struct ab_rest_call *call, const char *name);
/* Which page of a list; lists have at most AB_REST_PER_PAGE_MAX items on one. */
#define AB_REST_PER_PAGE_MAX 50
struct ab_rest_page {
    uint64_t page; /* from 1 */
    uint64_t per_page;
};
void ab_rest_query_page(struct ab_rest_call *call, struct ab_rest_page *out, struct ab_rest_faults *faults);
/* Whether the item with this number (from 0) stands on the page. */
bool ab_rest_page_has(const struct ab_rest_page *page, uint64_t number);
/* What stands behind the items: how many there are in all, and which page this is. */
void ab_rest_page_write(struct ab_json_writer *writer, const struct ab_rest_page *page, uint64_t total);
/* A time (ISO 8601) in ms since the epoch; an absent one leaves `out` alone. */
void ab_rest_query_time(struct ab_rest_call *call, const char *name, int64_t *out, struct ab_rest_faults *faults);

#endif
