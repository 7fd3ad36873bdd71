#include "rest/query.h"

#include "rest/client_task.h"

#include "base/mem.h"
#include "wire/http_values.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PER_PAGE 20
#define PAGE_MAX 1000000000u

char *ab_rest_query_text(struct ab_rest_call *call, const char *name)
{
    struct ab_buf value = AB_BUF_INIT(4096);

    if (ab_http_query_value(ab_http_request(call->reply.exchange)->query, name, &value) && value.size > 0 &&
        !value.full && strlen(value.data) == value.size && ab_utf8_valid(ab_buf_str(&value)))
        return ab_buf_steal(&value);
    ab_buf_deinit(&value);
    return NULL;
}

/* A whole number from `least` to `most`; an absent one leaves `out` alone. */
static void read_count(struct ab_rest_call *call, const char *name, uint64_t least, uint64_t most, uint64_t *out,
                       struct ab_rest_faults *faults)
{
    AB_CLEANUP(ab_free_string) char *text = ab_rest_query_text(call, name);
    uint64_t value;
    char where[64];

    if (text == NULL)
        return;
    if (ab_str_to_uint(ab_str(text), most, &value) && value >= least) {
        *out = value;
        return;
    }
    snprintf(where, sizeof where, "query.%s", name);
    ab_rest_fault_add(faults, where, "int_parsing", "Must be a whole number from %" PRIu64 " to %" PRIu64, least, most);
}

void ab_rest_query_page(struct ab_rest_call *call, struct ab_rest_page *out, struct ab_rest_faults *faults)
{
    *out = (struct ab_rest_page){ .page = 1, .per_page = PER_PAGE };
    read_count(call, "page", 1, PAGE_MAX, &out->page, faults);
    read_count(call, "per_page", 1, AB_REST_PER_PAGE_MAX, &out->per_page, faults);
}

bool ab_rest_page_has(const struct ab_rest_page *page, uint64_t number)
{
    return number / page->per_page == page->page - 1;
}

void ab_rest_page_write(struct ab_json_writer *writer, const struct ab_rest_page *page, uint64_t total)
{
    ab_json_put_int(writer, "total", (int64_t)total);
    ab_json_put_int(writer, "page", (int64_t)page->page);
    ab_json_put_int(writer, "per_page", (int64_t)page->per_page);
    ab_json_put_int(writer, "total_pages", (int64_t)((total + page->per_page - 1) / page->per_page));
}

void ab_rest_query_time(struct ab_rest_call *call, const char *name, int64_t *out, struct ab_rest_faults *faults)
{
    AB_CLEANUP(ab_free_string) char *text = ab_rest_query_text(call, name);
    struct ab_buf quoted = AB_BUF_INIT(8192);
    struct ab_json_writer writer;
    char where[64];
    char whole[80];

    if (text == NULL)
        return;
    /* A date alone is its first moment. */
    snprintf(whole, sizeof whole, "%.60s%s", text, strlen(text) == strlen("2026-07-28") ? "T00:00:00Z" : "");
    ab_json_writer_init(&writer, &quoted);
    ab_json_write_text(&writer, whole);
    if (!ab_rest_time_read(ab_json_trusted(quoted.data), out)) {
        snprintf(where, sizeof where, "query.%s", name);
        ab_rest_fault_add(faults, where, "datetime_parsing", "Must be a time like 2026-07-28T09:30:00Z");
    }
    ab_buf_deinit(&quoted);
}
