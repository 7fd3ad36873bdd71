/* Records an answer, and holds whoever answers to the port's contract. */
#include "support/fake_exchange.h"

#include "base/mem.h"
#include "support/fake_loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

static struct fake_exchange *fake_of(struct ab_http_exchange *exchange)
{
    return (struct fake_exchange *)(void *)exchange;
}

static void check_valid(const struct fake_exchange *fake)
{
    if (fake->told) {
        fail_msg("an exchange was used after its `closed` event");
    }
}

static const struct ab_http_request *request(struct ab_http_exchange *exchange)
{
    check_valid(fake_of(exchange));
    return &fake_of(exchange)->request;
}

static bool header(struct ab_http_exchange *exchange, const char *name, size_t nth, struct ab_str *value)
{
    const struct fake_exchange *fake = fake_of(exchange);
    check_valid(fake);
    for (size_t i = 0; i < fake->n_headers; i++) {
        if (strcmp(fake->header_names[i], name) == 0 && nth-- == 0) {
            *value = ab_str(fake->header_values[i]);
            return true;
        }
    }
    return false;
}

static void listen_for(struct ab_http_exchange *exchange, const struct ab_http_events *events, void *arg)
{
    check_valid(fake_of(exchange));
    fake_of(exchange)->events = events;
    fake_of(exchange)->arg = arg;
}

static void give_finished(void *arg)
{
    struct fake_exchange *fake = arg;
    fake->told = true;
    if (fake->events != NULL) {
        fake->events->closed(fake->arg, true);
    }
}

static void give_left(void *arg)
{
    struct fake_exchange *fake = arg;
    fake->told = true;
    if (fake->events != NULL) {
        fake->events->closed(fake->arg, false);
    }
}

static void give_writable(void *arg)
{
    struct fake_exchange *fake = arg;
    if (fake->waits && !fake->behind && !fake->over) {
        fake->waits = false;
        if (fake->events != NULL && fake->events->writable != NULL) {
            fake->events->writable(fake->arg);
        }
    }
}

static void finish(struct fake_exchange *fake)
{
    fake->ended = true;
    if (!fake->over) {
        fake->over = true;
        ab_loop_defer(fake->loop, give_finished, fake);
    }
}

static void keep_head(struct fake_exchange *fake, const struct ab_http_head *head)
{
    check_valid(fake);
    if (fake->answered) {
        fail_msg("an exchange was answered twice");
    }
    fake->answered = true;
    fake->status = head->status;
    fake->content_type = ab_strdup(head->content_type);
    fake->answer_names = ab_alloc(head->n_headers, sizeof(char *));
    fake->answer_values = ab_alloc(head->n_headers, sizeof(char *));
    fake->n_answer_headers = head->n_headers;
    for (size_t i = 0; i < head->n_headers; i++) {
        fake->answer_names[i] = ab_strdup(head->headers[i].name);
        fake->answer_values[i] = ab_strdup(head->headers[i].value);
        if (strpbrk(head->headers[i].value, "\r\n") != NULL) {
            fail_msg("the header %s holds a line break", head->headers[i].name);
        }
    }
}

static void respond(struct ab_http_exchange *exchange, const struct ab_http_head *head, struct ab_str body)
{
    struct fake_exchange *fake = fake_of(exchange);
    keep_head(fake, head);
    if (head->content_type == NULL && body.size > 0) {
        fail_msg("a body without content type");
    }
    ab_buf_append_str(&fake->answer, body);
    finish(fake);
}

static void begin(struct ab_http_exchange *exchange, const struct ab_http_head *head)
{
    keep_head(fake_of(exchange), head);
    fake_of(exchange)->streamed = true;
}

static int write_piece(struct ab_http_exchange *exchange, struct ab_str data)
{
    struct fake_exchange *fake = fake_of(exchange);
    check_valid(fake);
    if (!fake->streamed || fake->ended) {
        fail_msg("a write outside of a stream");
    }
    if (fake->over) {
        return AB_OK;
    }
    if (fake->waits) {
        fail_msg("a write after AB_HTTP_BEHIND and before `writable`");
    }
    ab_buf_append_str(&fake->answer, data);
    fake->writes++;
    fake->waits = fake->behind;
    return fake->behind ? AB_HTTP_BEHIND : AB_OK;
}

static void end(struct ab_http_exchange *exchange)
{
    struct fake_exchange *fake = fake_of(exchange);
    check_valid(fake);
    if (!fake->streamed || fake->ended) {
        fail_msg("the end of a stream that is none, or has ended");
    }
    finish(fake);
}

static const struct ab_http_exchange_ops fake_ops = {
    .request = request,
    .header = header,
    .listen = listen_for,
    .respond = respond,
    .begin = begin,
    .write = write_piece,
    .end = end,
};

static void keep_headers(struct fake_exchange *fake, const char *const *headers)
{
    size_t count = 0;
    while (headers != NULL && headers[count * 2] != NULL) {
        count++;
    }
    fake->header_names = ab_alloc(count, sizeof(char *));
    fake->header_values = ab_alloc(count, sizeof(char *));
    fake->n_headers = count;
    for (size_t i = 0; i < count; i++) {
        fake->header_names[i] = ab_strdup(headers[i * 2]);
        fake->header_values[i] = ab_strdup(headers[i * 2 + 1]);
        for (char *at = fake->header_names[i]; *at != '\0'; at++) {
            *at = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;
        }
    }
}

struct fake_exchange *fake_exchange_new(struct ab_loop *loop, const char *method, const char *target,
                                        const char *const *headers, const char *body)
{
    struct fake_exchange *fake = ab_alloc(1, sizeof(*fake));
    const char *mark = strchr(target, '?');
    fake->base.ops = &fake_ops;
    fake->loop = loop;
    fake->method = ab_strdup(method);
    fake->path = ab_strndup(target, mark == NULL ? strlen(target) : (size_t)(mark - target));
    fake->query = ab_strdup(mark == NULL ? "" : mark + 1);
    fake->body = ab_strdup(body == NULL ? "" : body);
    fake->request = (struct ab_http_request){
        .method = ab_str(fake->method),
        .path = ab_str(fake->path),
        .query = ab_str(fake->query),
        .body = ab_str(fake->body),
        .peer = AB_STR("127.0.0.1"),
    };
    fake->answer = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    keep_headers(fake, headers);
    return fake;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(texts[i]);
    }
    free(texts);
}

void fake_exchange_free(struct fake_exchange *fake)
{
    if (fake == NULL) {
        return;
    }
    if ((fake->over && !fake->told) || fake->waits) {
        fake_loop_run_ready(fake->loop);
    }
    free_texts(fake->header_names, fake->n_headers);
    free_texts(fake->header_values, fake->n_headers);
    free_texts(fake->answer_names, fake->n_answer_headers);
    free_texts(fake->answer_values, fake->n_answer_headers);
    ab_buf_deinit(&fake->answer);
    free(fake->content_type);
    free(fake->method);
    free(fake->path);
    free(fake->query);
    free(fake->body);
    free(fake);
}

void fake_exchange_behind(struct fake_exchange *fake, bool behind)
{
    fake->behind = behind;
    if (!behind && fake->waits) {
        ab_loop_defer(fake->loop, give_writable, fake);
    }
}

void fake_exchange_leave(struct fake_exchange *fake)
{
    if (!fake->over) {
        fake->over = true;
        ab_loop_defer(fake->loop, give_left, fake);
    }
}

const char *fake_exchange_header(const struct fake_exchange *fake, const char *name)
{
    for (size_t i = 0; i < fake->n_answer_headers; i++) {
        if (strcasecmp(fake->answer_names[i], name) == 0) {
            return fake->answer_values[i];
        }
    }
    return NULL;
}

const char *fake_exchange_body(const struct fake_exchange *fake)
{
    return fake->answer.data == NULL ? "" : fake->answer.data;
}

void fake_exchange_forget(struct fake_exchange *fake)
{
    ab_buf_clear(&fake->answer);
}
