#include "rest/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FAULTS_MAX 32

void ab_rest_faults_init(struct ab_rest_faults *faults)
{
    *faults = (struct ab_rest_faults){ .text = AB_BUF_INIT(AB_BUF_UNBOUNDED) };
}

void ab_rest_faults_deinit(struct ab_rest_faults *faults)
{
    ab_buf_deinit(&faults->text);
}

static void write_where(struct ab_json_writer *writer, const char *where)
{
    ab_json_write_key(writer, "loc");
    ab_json_array_begin(writer);
    while (*where != '\0') {
        struct ab_str step = { where, strcspn(where, ".") };
        uint64_t place;
        if (ab_str_to_uint(step, INT64_MAX, &place))
            ab_json_write_int(writer, (int64_t)place);
        else
            ab_json_write_str(writer, step);
        where += step.size;
        where += *where == '.' ? 1 : 0;
    }
    ab_json_array_end(writer);
}

void ab_rest_fault_add(struct ab_rest_faults *faults, const char *where, const char *type, const char *format, ...)
{
    struct ab_json_writer writer;
    char sentence[1024];
    va_list arguments;

    if (faults->n >= FAULTS_MAX)
        return;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (faults->n++ > 0)
        ab_buf_append_char(&faults->text, ',');
    ab_json_writer_init(&writer, &faults->text);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "type", type);
    write_where(&writer, where);
    ab_json_put_text(&writer, "msg", sentence);
    ab_json_object_end(&writer);
}

void ab_rest_faults_write(const struct ab_rest_faults *faults, struct ab_buf *out)
{
    ab_buf_append_text(out, "{\"detail\":[");
    ab_buf_append_str(out, ab_buf_str(&faults->text));
    ab_buf_append_text(out, "]}");
}
