/* The small readers: members of a checked value, kept by the configuration. */
#include "app/config_parts.h"
#include "app/secret.h"
#include "base/mem.h"

#include <math.h>

char *ab_config_keep(struct ab_config *config, void *memory)
{
    if (memory == NULL)
        return NULL;
    config->kept = ab_realloc(config->kept, (config->n_kept + 1) * sizeof *config->kept);
    config->kept[config->n_kept++] = memory;
    return memory;
}

const char *ab_config_text(struct ab_config *config, struct ab_json object, const char *key)
{
    return ab_config_keep(config, ab_json_string_dup(ab_json_member(object, key)));
}

const char *ab_config_raw(struct ab_config *config, struct ab_json object, const char *key)
{
    return ab_config_keep(config, ab_json_dup(ab_json_member(object, key)));
}

const char *const *ab_config_texts(struct ab_config *config, struct ab_json array, const char *extra)
{
    const char **texts = ab_alloc(ab_json_count(array) + 2, sizeof *texts);
    struct ab_json_iterator iterator = ab_json_iterate(array);
    struct ab_json element;
    size_t n = 0;

    (void)ab_config_keep(config, texts);
    while (ab_json_next(&iterator, NULL, &element)) {
        const char *text = ab_config_keep(config, ab_json_string_dup(element));

        if (text != NULL)
            texts[n++] = text;
    }
    texts[n] = extra;
    return texts;
}

int64_t ab_config_int(struct ab_json object, const char *key)
{
    int64_t number;

    return ab_json_int(ab_json_member(object, key), &number) ? number : 0;
}

int64_t ab_config_ms(struct ab_json object, const char *key, int64_t maximum)
{
    double seconds;
    double ms;

    if (!ab_json_double(ab_json_member(object, key), &seconds) || !(seconds > 0))
        return 0;
    ms = ceil(seconds * 1000.0);
    return ms < (double)maximum ? (int64_t)ms : maximum;
}

const char *ab_config_path(struct ab_config_reader *reader, const char *path)
{
    if (path == NULL || path[0] == '/')
        return path;
    if (path[0] == '.' && path[1] == '/')
        path += 2;
    return ab_config_keep(reader->config, ab_format("%s/%s", reader->directory, path));
}

void ab_config_agent_problem(struct ab_config_reader *reader, const struct ab_config_agent *agent, const char *key,
                             const char *text)
{
    AB_CLEANUP(ab_free_string) char *where = ab_format("agents.%s%s", agent->settings.id, key);

    ab_problem_error(reader->problems, where, "%s", text);
}

enum ab_on_disconnect ab_config_on_disconnect(struct ab_json object, enum ab_on_disconnect fallback)
{
    struct ab_json value = ab_json_member(object, "on_disconnect");

    if (ab_json_string_is(value, "grace"))
        return AB_DISCONNECT_GRACE;
    if (ab_json_string_is(value, "cancel"))
        return AB_DISCONNECT_CANCEL;
    return ab_json_string_is(value, "keep") ? AB_DISCONNECT_KEEP : fallback;
}

const char *ab_config_reference(struct ab_config_reader *reader, struct ab_json reference)
{
    const char *path = ab_config_path(reader, ab_config_text(reader->config, reference, "file"));
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    ab_json_put_optional_text(&writer, "env", ab_config_text(reader->config, reference, "env"));
    ab_json_put_optional_text(&writer, "file", path);
    ab_json_object_end(&writer);
    return ab_config_keep(reader->config, ab_buf_steal(&text));
}

bool ab_config_secret(struct ab_config_reader *reader, struct ab_json reference, const char *where, struct ab_buf *out)
{
    char reason[512] = "";

    if (!ab_json_is(reference, AB_JSON_OBJECT))
        return false;
    if (ab_secret_read(NULL, ab_json_trusted(ab_config_reference(reader, reference)), out, reason, sizeof reason))
        return true;
    ab_problem_error(reader->problems, where, "%s", reason);
    return false;
}
