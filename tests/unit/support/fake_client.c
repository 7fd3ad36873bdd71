#include "support/fake_client.h"

#include "base/mem.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct ab_http_call {
    struct fake_client *client;
    size_t at;
    struct ab_http_call_events events;
    void *arg;
    unsigned status; /* of a head still to be told; 0: none */
    char *headers;   /* of the answer, lines; or NULL */
    enum ab_http_call_outcome outcome;
    const char *text;
};

static struct fake_client *fake(struct ab_http_client *client)
{
    return (struct fake_client *)(void *)client;
}

static void tell_end(void *arg)
{
    struct ab_http_call *call = arg;

    if (call->status != 0 && call->events.head != NULL)
        call->events.head(call->arg, call, call->status);
    call->events.done(call->arg, call->outcome, call->text);
    free(call->headers);
    free(call);
}

static void end(struct ab_http_call *call)
{
    struct fake_client *client = call->client;

    client->calls[call->at].over = true;
    client->open[call->at] = NULL;
    ab_loop_defer(client->loop, tell_end, call);
}

static char *join_headers(const char *const *headers)
{
    struct ab_buf text = AB_BUF_INIT(65536);

    for (; headers != NULL && *headers != NULL; headers++)
        ab_buf_printf(&text, "%s\n", *headers);
    return ab_buf_steal(&text);
}

static struct ab_http_call *start(struct ab_http_client *port, const struct ab_http_call_settings *settings,
                                  const struct ab_http_call_events *events, void *arg)
{
    struct fake_client *client = fake(port);
    struct ab_http_call *call = ab_alloc(1, sizeof *call);

    assert_true(client->n_calls < FAKE_CALLS);
    call->client = client;
    call->at = client->n_calls++;
    call->events = *events;
    call->arg = arg;
    client->calls[call->at] = (struct fake_call){
        .method = ab_strdup(settings->method),
        .url = ab_strdup(settings->url),
        .body = ab_strndup(settings->body.size > 0 ? settings->body.data : "", settings->body.size),
        .headers = join_headers(settings->headers),
        .guarded = settings->guarded,
        .alone = settings->alone,
        .listed_only = settings->guard != NULL && settings->guard->listed_only,
    };
    client->open[call->at] = call;
    if (client->answers != 0)
        fake_client_answer(client, call->at, client->answers, NULL);
    return call;
}

static void cancel(struct ab_http_call *call)
{
    if (call->client->calls[call->at].over)
        return;
    call->client->calls[call->at].cancelled = true;
    call->outcome = AB_HTTP_CALL_BROKEN;
    call->text = "cancelled";
    end(call);
}

static void pause_call(struct ab_http_call *call, bool paused)
{
    call->client->calls[call->at].paused = paused;
}

static bool header(struct ab_http_call *call, const char *name, struct ab_str *value)
{
    size_t size = strlen(name);

    for (const char *line = call->headers; line != NULL && *line != '\0'; line += strcspn(line, "\n") + 1) {
        if (strncmp(line, name, size) == 0 && line[size] == ':') {
            *value = ab_str_trim((struct ab_str){ line + size + 1, strcspn(line + size + 1, "\n") });
            return true;
        }
    }
    return false;
}

static void free_client(struct ab_http_client *port)
{
    struct fake_client *client = fake(port);

    for (size_t i = 0; i < client->n_calls; i++) {
        assert_true(client->calls[i].over);
        free(client->calls[i].method);
        free(client->calls[i].url);
        free(client->calls[i].body);
        free(client->calls[i].headers);
    }
    free(client);
}

struct fake_client *fake_client_new(struct ab_loop *loop)
{
    static const struct ab_http_client_ops ops = {
        .start = start, .cancel = cancel, .pause = pause_call, .header = header, .free = free_client
    };
    struct fake_client *client = ab_alloc(1, sizeof *client);

    client->client.ops = &ops;
    client->loop = loop;
    return client;
}

size_t fake_client_open(const struct fake_client *client)
{
    size_t count = 0;

    for (size_t i = 0; i < client->n_calls; i++)
        count += client->calls[i].over ? 0 : 1;
    return count;
}

void fake_client_answer(struct fake_client *client, size_t at, unsigned status, const char *retry_after)
{
    struct ab_http_call *call = client->open[at];

    assert_non_null(call);
    call->status = status;
    call->headers = retry_after != NULL ? ab_format("retry-after: %s\n", retry_after) : NULL;
    call->outcome = AB_HTTP_CALL_DONE;
    end(call);
}

static struct ab_http_call *open_call(struct fake_client *client, size_t at)
{
    assert_true(at < client->n_calls);
    assert_non_null(client->open[at]);
    return client->open[at];
}

void fake_client_head(struct fake_client *client, size_t at, unsigned status, const char *headers)
{
    struct ab_http_call *call = open_call(client, at);

    call->headers = ab_strdup(headers);
    call->events.head(call->arg, call, status);
}

void fake_client_body(struct fake_client *client, size_t at, const char *text)
{
    struct ab_http_call *call = open_call(client, at);

    assert_false(client->calls[at].paused);
    call->events.body(call->arg, call, ab_str(text));
}

void fake_client_end(struct fake_client *client, size_t at)
{
    struct ab_http_call *call = open_call(client, at);

    call->outcome = AB_HTTP_CALL_DONE;
    end(call);
}

void fake_client_fail(struct fake_client *client, size_t at, enum ab_http_call_outcome outcome, const char *text)
{
    struct ab_http_call *call = client->open[at];

    assert_non_null(call);
    call->outcome = outcome;
    call->text = text;
    end(call);
}
