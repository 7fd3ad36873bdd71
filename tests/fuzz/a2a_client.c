/* What a remote agent sends: cards, replies however they are cut, and news. What is taken is JSON in the form of this
 * house; what is not has a reason. */
#include "support/fuzz.h"

#include "a2a/client_card.h"
#include "a2a/client_news.h"
#include "a2a/client_reply.h"

#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 2000

static void look_at_text(const char *json)
{
    struct ab_json value;

    HOLDS(json == NULL || fuzz_json(ab_str(json), &value));
}

/* In capitals or not, and with nothing behind that would make it another one. */
static bool is_at_home(const char *url)
{
    static const char home[] = "https://a.example";

    return strncasecmp(url, home, sizeof home - 1) == 0 && strchr("/:?#", url[sizeof home - 1]) != NULL;
}

static void read_card(struct ab_str text)
{
    const struct ab_a2a_card_wish wish = { .url = "https://a.example/card", .keys_json = NULL };
    struct ab_a2a_client_card card;
    char reason[AB_A2A_REASON_SIZE] = "";

    if (!ab_a2a_client_card_read(text, &wish, &card, reason, sizeof reason)) {
        HOLDS(reason[0] != '\0');
        return;
    }
    HOLDS(is_at_home(card.peer.url));
    look_at_text(card.skills_json);
    ab_a2a_client_card_deinit(&card);
}

static void read_news(const struct ab_a2a_version *version, struct ab_json result)
{
    struct ab_a2a_news news;
    char reason[AB_A2A_REASON_SIZE] = "";

    if (!ab_a2a_news_read(version, result, &news, reason, sizeof reason)) {
        HOLDS(reason[0] != '\0');
        return;
    }
    HOLDS(news.kind == AB_A2A_NEWS_MESSAGE || news.task_id != NULL);
    HOLDS(news.kind != AB_A2A_NEWS_ARTIFACT || news.artifacts_json != NULL);
    look_at_text(news.parts_json);
    look_at_text(news.artifacts_json);
    ab_a2a_news_deinit(&news);
}

static void read_notification(struct ab_json body)
{
    char *task_id;

    HOLDS(ab_a2a_news_task(body, &task_id) || task_id == NULL);
    free(task_id);
}

/* --- replies --- */

struct heard {
    struct ab_buf *told;
    bool over;
};

static void on_result(void *arg, struct ab_json result)
{
    struct heard *heard = arg;

    HOLDS(!heard->over);
    ab_buf_printf(heard->told, "result %.*s\n", AB_STR_ARGS(result.text));
    read_news(&ab_a2a_v1_0, result);
    read_news(&ab_a2a_v0_3, result);
}

static void on_refused(void *arg, const struct ab_a2a_client_refusal *refusal)
{
    struct heard *heard = arg;

    HOLDS(!heard->over && refusal->text != NULL);
    heard->over = true;
    ab_buf_printf(heard->told, "refused %d %s\n", refusal->known ? (int)refusal->error : -1, refusal->text);
}

static void on_broken(void *arg, const char *reason)
{
    struct heard *heard = arg;

    HOLDS(!heard->over && reason[0] != '\0');
    heard->over = true;
    ab_buf_append_text(heard->told, "broken\n");
}

static void feed(struct fuzz_pieces *pieces, struct ab_buf *told, bool rpc, unsigned status, const char *type)
{
    static const struct ab_a2a_reply_events events = { on_result, on_refused, on_broken };
    struct heard heard = { .told = told };
    struct ab_a2a_reply *reply = ab_a2a_reply_new(rpc, MAX_BYTES, (size_t)2 * MAX_BYTES, &events, &heard);
    char *data;
    size_t size;

    ab_a2a_reply_head(reply, status, ab_str(type));
    while (fuzz_next_piece(pieces, &data, &size)) {
        ab_a2a_reply_feed(reply, (struct ab_str){ data, size });
        free(data);
    }
    ab_a2a_reply_end(reply);
    ab_a2a_reply_free(reply);
}

static void rpc_stream(struct fuzz_pieces *pieces, struct ab_buf *told)
{
    feed(pieces, told, true, 200, "text/event-stream");
}

static void bare_stream(struct fuzz_pieces *pieces, struct ab_buf *told)
{
    feed(pieces, told, false, 200, "text/event-stream");
}

static void rpc_answer(struct fuzz_pieces *pieces, struct ab_buf *told)
{
    feed(pieces, told, true, 200, "application/json");
}

static void bare_refusal(struct fuzz_pieces *pieces, struct ab_buf *told)
{
    feed(pieces, told, false, 404, "application/json");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ab_str text = fuzz_text(data, size);
    struct ab_json value;

    read_card(text);
    if (fuzz_json(text, &value)) {
        read_news(&ab_a2a_v1_0, value);
        read_news(&ab_a2a_v0_3, value);
        read_notification(value);
    }
    fuzz_in_pieces(text, rpc_stream);
    fuzz_in_pieces(text, bare_stream);
    fuzz_in_pieces(text, rpc_answer);
    fuzz_in_pieces(text, bare_refusal);
    return 0;
}
