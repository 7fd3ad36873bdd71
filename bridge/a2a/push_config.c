#include "a2a/push_config.h"

#include "a2a/push.h"
#include "base/mem.h"
#include "wire/receiver.h"

#include <stdio.h>
#include <string.h>

#define SECRET_BYTES 8192
#define PATH_SIZE 128

/* Where things stand in the request, for its errors. */
struct reading {
    struct ab_a2a_call *call;
    struct ab_json object;
    const char *path;
};

static void place_of(const struct reading *reading, const char *name, char out[PATH_SIZE])
{
    snprintf(out, PATH_SIZE, "%s%s%s", reading->path, reading->path[0] != '\0' ? "." : "", name);
}

static bool read_text(const struct reading *reading, struct ab_json object, const char *name, size_t most, char **out)
{
    char place[PATH_SIZE];

    place_of(reading, name, place);
    if (!ab_a2a_read_text(reading->call, object, place, out))
        return false;
    if (*out != NULL && (strlen(*out) > most || !ab_a2a_push_is_plain(*out))) {
        ab_a2a_refuse_field(reading->call, place, "%s must be at most %zu characters, without line breaks and the like",
                            place, most);
        return false;
    }
    return true;
}

static bool refuse_authentication(const struct reading *reading, const char *what)
{
    char place[PATH_SIZE];

    place_of(reading, "authentication", place);
    ab_a2a_refuse_field(reading->call, place, "%s %s", place, what);
    return false;
}

/* {"scheme","credentials"?}, and in 0.3 {"schemes":[...],"credentials"?}, of which the first is taken. */
static bool read_authentication(const struct reading *reading, struct ab_a2a_push_target *target)
{
    struct ab_json authentication = ab_a2a_member(reading->object, "authentication");
    struct ab_json schemes = ab_a2a_member(authentication, "schemes");
    struct ab_json_iterator each = ab_json_iterate(schemes);
    struct ab_json first;

    if (!ab_json_exists(authentication))
        return true;
    if (!ab_json_is(authentication, AB_JSON_OBJECT))
        return refuse_authentication(reading, "must be an object");
    if (!read_text(reading, authentication, "authentication.scheme", 64, &target->scheme) ||
        !read_text(reading, authentication, "authentication.credentials", SECRET_BYTES, &target->credentials))
        return false;
    if (target->scheme == NULL && ab_json_is(schemes, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &first))
        target->scheme = ab_json_string_dup(first);
    if (target->scheme == NULL && target->credentials == NULL && reading->call->form->push_nested != NULL)
        return true; /* in 0.3 nothing of it had to be there */
    if (target->scheme == NULL)
        return refuse_authentication(reading, "must name a scheme, like \"Bearer\"");
    if (strlen(target->scheme) > 64 || !ab_a2a_push_is_plain(target->scheme) || strchr(target->scheme, ' ') != NULL)
        return refuse_authentication(reading, "must name one scheme, like \"Bearer\"");
    return true;
}

static bool read_target(const struct reading *reading, struct ab_a2a_push_target *target,
                        char receiver[AB_RECEIVER_SIZE])
{
    char place[PATH_SIZE];
    char reason[256];

    target->version = ab_strdup(reading->call->version->name);
    place_of(reading, "url", place);
    if (!ab_a2a_read_text(reading->call, reading->object, place, &target->url))
        return false;
    if (!ab_receiver_read(target->url != NULL ? target->url : "", reading->call->a2a->settings.guard, receiver, reason,
                          sizeof reason)) {
        ab_a2a_refuse_field(reading->call, place, "%s %s", place, reason);
        return false;
    }
    return read_text(reading, reading->object, "token", SECRET_BYTES, &target->token) &&
           read_authentication(reading, target);
}

/* Every change of the status, and every artifact; pieces of the answer are told with the whole of it. */
static const char told[] = "[\"executing\",\"paused\",\"completed\",\"failed\",\"error\",\"stopped\",\"artifact\"]";

static char *make_wish(const struct ab_a2a_call *call, const struct ab_a2a_push_target *target, const char *receiver,
                       const char *id)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    int result;

    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    ab_json_put_text(&writer, "id", id);
    ab_json_put_text(&writer, "kind", AB_A2A_PUSH_KIND);
    ab_json_put_text(&writer, "receiver", receiver);
    ab_json_put_raw(&writer, "events", told);
    ab_json_write_key(&writer, "target");
    result = ab_a2a_push_target_write(&writer, call->a2a->settings.sealer, call->owner, target);
    ab_json_object_end(&writer);
    if (result == AB_OK)
        return ab_buf_steal(&text);
    ab_buf_deinit(&text);
    return NULL;
}

/* Its own, or the one beside it, or a new one. */
static bool read_id(const struct reading *reading, const char *beside, char id[AB_A2A_PUSH_ID_SIZE])
{
    AB_CLEANUP(ab_free_string) char *own = NULL;
    char place[PATH_SIZE];

    if (!read_text(reading, reading->object, "id", AB_A2A_PUSH_ID_SIZE - 1, &own))
        return false;
    if (own == NULL && beside != NULL && (strlen(beside) >= AB_A2A_PUSH_ID_SIZE || !ab_a2a_push_is_plain(beside))) {
        place_of(reading, "id", place);
        ab_a2a_refuse_field(reading->call, place, "The configuration's id must be at most %d plain characters",
                            AB_A2A_PUSH_ID_SIZE - 1);
        return false;
    }
    if (own != NULL || beside != NULL)
        snprintf(id, AB_A2A_PUSH_ID_SIZE, "%s", own != NULL ? own : beside);
    else
        ab_id_make(&reading->call->a2a->settings.random, id);
    return true;
}

static bool read_config(const struct reading *reading, const char *beside, char **wish, char id[AB_A2A_PUSH_ID_SIZE])
{
    struct ab_a2a_push_target target = { 0 };
    char receiver[AB_RECEIVER_SIZE];
    bool good = read_id(reading, beside, id) && read_target(reading, &target, receiver);

    if (good) {
        *wish = make_wish(reading->call, &target, receiver, id);
        good = *wish != NULL;
        if (!good)
            ab_a2a_refuse(reading->call, AB_A2A_INTERNAL_ERROR, "The configuration's secrets cannot be sealed");
    }
    ab_a2a_push_target_deinit(&target);
    return good;
}

bool ab_a2a_push_config_read(struct ab_a2a_call *call, const struct ab_a2a_push_given *given, char **wish,
                             char id[AB_A2A_PUSH_ID_SIZE])
{
    const struct reading reading = { call, given->object, given->path };

    *wish = NULL;
    if (ab_json_is(given->object, AB_JSON_OBJECT))
        return read_config(&reading, given->id, wish, id);
    ab_a2a_refuse_field(call, given->path, "%s must be an object, found %s", given->path,
                        ab_json_type_name(given->object));
    return false;
}

bool ab_a2a_is_push_config(struct ab_json wish)
{
    return ab_json_string_is(ab_json_member(wish, "kind"), AB_A2A_PUSH_KIND);
}

bool ab_a2a_push_config_write(struct ab_json_writer *writer, const struct ab_a2a_call *call, const char *task_id,
                              struct ab_json wish)
{
    AB_CLEANUP(ab_free_string) char *id = ab_json_string_dup(ab_json_member(wish, "id"));
    AB_CLEANUP(ab_free_string) char *url = ab_json_string_dup(ab_json_at(wish, "target", "url", NULL));
    AB_CLEANUP(ab_free_string) char *scheme = ab_json_string_dup(ab_json_at(wish, "target", "scheme", NULL));

    if (!ab_a2a_is_push_config(wish) || id == NULL || url == NULL)
        return false;
    call->form->write_push(writer,
                           &(struct ab_a2a_push_view){ .task_id = task_id, .id = id, .url = url, .scheme = scheme });
    return true;
}
