#include "mcp/dialogue.h"

#include "mcp/core_tasks.h"
#include "mcp/input.h"

#include "base/mem.h"

#include <string.h>

/* One question on its way to the client and back. */
struct asked {
    struct ab_link link;
    struct ab_mcp_dialogue *dialogue;
    char *key;      /* the task's own name of the question */
    char *question; /* as it was put: a changed one (a misfit answer) is put again */
    char *id;       /* of our request, as JSON */
    bool answered;  /* the client did; the engine has not said yet what it thinks of it */
};

struct ab_mcp_dialogue {
    struct ab_mcp *mcp;
    struct ab_mcp_request *request; /* NULL once gone */
    char session_id[AB_MCP_SESSION_ID_SIZE];
    char *owner;
    char task_id[AB_TASK_ID_SIZE];
    bool related; /* what is put names its task: the request is not the one that made it */
    struct ab_list asked;
};

struct ab_mcp_dialogue *ab_mcp_dialogue_new(struct ab_mcp_request *request, const char *task_id, bool related)
{
    struct ab_mcp_dialogue *dialogue;

    if (request->version->era != AB_MCP_LEGACY || !request->channel->can_stream || request->channel->batch ||
        request->capabilities == 0)
        return NULL;
    dialogue = ab_alloc(1, sizeof(*dialogue));
    dialogue->mcp = request->mcp;
    dialogue->related = related;
    dialogue->request = request;
    dialogue->owner = ab_strdup(request->channel->owner);
    memcpy(dialogue->session_id, request->session_id, sizeof(dialogue->session_id));
    memcpy(dialogue->task_id, task_id, sizeof(dialogue->task_id));
    ab_list_init(&dialogue->asked);
    return dialogue;
}

static char *map_key(const char *session_id, struct ab_str id)
{
    return ab_format("%s %.*s", session_id, AB_STR_ARGS(id));
}

static void withdraw(struct asked *asked)
{
    struct ab_mcp_dialogue *dialogue = asked->dialogue;
    AB_CLEANUP(ab_free_string) char *key = map_key(dialogue->session_id, ab_str(asked->id));

    if (dialogue->request != NULL && !asked->answered) {
        AB_CLEANUP(ab_free_string)
        char *params = ab_format("{\"requestId\":%s,\"reason\":\"no longer needed\"}", asked->id);
        ab_mcp_notify(dialogue->request, "notifications/cancelled", ab_str(params));
    }
    ab_map_remove(&dialogue->mcp->dialogues, ab_str(key));
    ab_link_remove(&asked->link);
    free(asked->key);
    free(asked->question);
    free(asked->id);
    free(asked);
}

void ab_mcp_dialogue_free(struct ab_mcp_dialogue *dialogue)
{
    struct ab_link *link;

    if (dialogue == NULL)
        return;
    while ((link = ab_list_first(&dialogue->asked)) != NULL)
        withdraw(AB_OWNER(link, struct asked, link));
    free(dialogue->owner);
    free(dialogue);
}

void ab_mcp_dialogue_detach(struct ab_mcp_dialogue *dialogue)
{
    if (dialogue != NULL)
        dialogue->request = NULL;
}

static struct asked *find(struct ab_mcp_dialogue *dialogue, const char *key)
{
    struct ab_link *link = ab_list_first(&dialogue->asked);

    for (; link != NULL; link = ab_list_next(&dialogue->asked, link))
        if (strcmp(AB_OWNER(link, struct asked, link)->key, key) == 0)
            return AB_OWNER(link, struct asked, link);
    return NULL;
}

/* The params as this version has them: a page to visit has an id of its own (2025-11-25, client/elicitation), before
 * there were pages there was no mode, and what belongs to another request's task says to which
 * (basic/utilities/tasks). */
static char *dress(const struct asked *asked, struct ab_json params)
{
    const struct ab_mcp_dialogue *dialogue = asked->dialogue;
    const struct ab_mcp_version *version = dialogue->request->version;
    bool page = ab_json_string_is(ab_json_member(params, "mode"), "url");
    struct ab_json_iterator members = ab_json_iterate(params);
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    struct ab_json key;
    struct ab_json value;

    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    while (ab_json_next(&members, &key, &value)) {
        if ((dialogue->related && ab_json_string_is(key, "_meta")) ||
            (!version->elicits_pages && ab_json_string_is(key, "mode")))
            continue;
        ab_json_put_member(&writer, key, value);
    }
    if (page) {
        AB_CLEANUP(ab_free_string) char *id = ab_format("%s/%s", dialogue->task_id, asked->key);
        ab_json_put_text(&writer, "elicitationId", id);
    }
    if (dialogue->related) {
        AB_CLEANUP(ab_free_string) char *related = ab_mcp_related_task(dialogue->task_id);
        ab_json_write_key(&writer, "_meta");
        ab_json_object_begin(&writer);
        ab_json_put_raw(&writer, AB_MCP_RELATED_TASK, related);
        ab_json_object_end(&writer);
    }
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}

/* `question` is how it stands in the task; `input_request` is how it is put, which may say more. */
static void put(struct ab_mcp_dialogue *dialogue, const char *key, struct ab_json question,
                struct ab_json input_request)
{
    struct asked *asked = ab_alloc(1, sizeof(*asked));
    AB_CLEANUP(ab_free_string) char *method = ab_json_string_dup(ab_json_member(input_request, "method"));
    AB_CLEANUP(ab_free_string) char *params = NULL;
    AB_CLEANUP(ab_free_string) char *place = NULL;

    asked->dialogue = dialogue;
    asked->key = ab_strdup(key);
    asked->question = ab_json_dup(question);
    asked->id = ab_format("\"agentbridge-%llu\"", (unsigned long long)++dialogue->mcp->asked);
    ab_list_append(&dialogue->asked, &asked->link);
    place = map_key(dialogue->session_id, ab_str(asked->id));
    ab_map_set(&dialogue->mcp->dialogues, ab_str(place), asked);
    params = dress(asked, ab_json_member(input_request, "params"));
    ab_mcp_send_request(dialogue->request, asked->id, method, ab_json_trusted(params));
}

/* The open questions as input requests, {"<key>":{"method","params"}}. */
static void open_questions(const struct ab_mcp_dialogue *dialogue, const struct ab_task *task, const char *problem,
                           struct ab_buf *out)
{
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, out);
    ab_mcp_write_input_requests(&writer, task, dialogue->request->capabilities, problem);
}

static void withdraw_closed(struct ab_mcp_dialogue *dialogue, struct ab_json open)
{
    struct ab_link *link = ab_list_first(&dialogue->asked);

    while (link != NULL) {
        struct asked *asked = AB_OWNER(link, struct asked, link);
        struct ab_json now = ab_json_member(open, asked->key);
        link = ab_list_next(&dialogue->asked, link);
        if (!ab_json_exists(now) || !ab_str_is(now.text, asked->question))
            withdraw(asked);
    }
}

bool ab_mcp_dialogue_sync(struct ab_mcp_dialogue *dialogue, const struct ab_task *task)
{
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_iterator each;
    struct ab_json key;
    struct ab_json input_request;
    bool any = false;

    open_questions(dialogue, task, NULL, &text);
    withdraw_closed(dialogue, ab_json_trusted(text.data));
    each = ab_json_iterate(ab_json_trusted(text.data));
    while (ab_json_next(&each, &key, &input_request)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        any = true;
        if (name != NULL && find(dialogue, name) == NULL)
            put(dialogue, name, input_request, input_request);
    }
    ab_buf_deinit(&text);
    return any;
}

/* --- responses --- */

/* An answer on its way to the engine. The dialogue may be gone when it gets there: it is found again by its place. */
struct answering {
    struct ab_mcp *mcp;
    char *place;
};

/* A misfit answer leaves the question open: it is put again, and says what was wrong. */
static void put_again(struct asked *asked, const struct ab_task *task, const char *problem)
{
    struct ab_mcp_dialogue *dialogue = asked->dialogue;
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    AB_CLEANUP(ab_free_string) char *key = ab_strdup(asked->key);
    AB_CLEANUP(ab_free_string) char *question = ab_strdup(asked->question);
    struct ab_json input_request;

    open_questions(dialogue, task, problem, &text);
    input_request = ab_json_member(ab_json_trusted(text.data), key);
    if (ab_json_exists(input_request)) {
        withdraw(asked);
        put(dialogue, key, ab_json_trusted(question), input_request);
    }
    ab_buf_deinit(&text);
}

static void on_answered(void *arg, enum ab_steer_outcome outcome, const struct ab_task *task, const char *text)
{
    struct answering *answering = arg;
    struct asked *asked = ab_map_get(&answering->mcp->dialogues, ab_str(answering->place));

    if (asked != NULL && outcome == AB_STEER_MISFIT && task != NULL && asked->dialogue->request != NULL)
        put_again(asked, task, text);
    free(answering->place);
    free(answering);
}

/* What a client's response means as an answer: an error is a "cancel". */
static char *answers_of(const struct asked *asked, const struct ab_task *task,
                        const struct ab_jsonrpc_message *response)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_buf responses = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    ab_json_writer_init(&writer, &responses);
    ab_json_object_begin(&writer);
    ab_json_write_key_str(&writer, ab_str(asked->key));
    if (ab_json_exists(response->result))
        ab_json_write_value(&writer, response->result);
    else
        ab_json_write_raw(&writer, "{\"action\":\"cancel\"}");
    ab_json_object_end(&writer);
    ab_mcp_answers_from_responses(&out, task, ab_json_trusted(responses.data));
    ab_buf_deinit(&responses);
    return ab_buf_steal(&out);
}

bool ab_mcp_dialogue_respond(struct ab_mcp *mcp, const char *session_id, const struct ab_jsonrpc_message *response)
{
    AB_CLEANUP(ab_free_string) char *place = map_key(session_id, response->id.text);
    struct asked *asked = ab_map_get(&mcp->dialogues, ab_str(place));
    struct answering *answering;
    struct ab_task task = { 0 };

    if (asked == NULL || asked->answered)
        return false;
    if (ab_engine_get(mcp->settings.engine, asked->dialogue->owner, asked->dialogue->task_id, &task) != AB_OK)
        return false;
    AB_CLEANUP(ab_free_string) char *answers = answers_of(asked, &task, response);
    asked->answered = true;
    answering = ab_alloc(1, sizeof(*answering));
    answering->mcp = mcp;
    answering->place = ab_strdup(place);
    ab_engine_answer(mcp->settings.engine, asked->dialogue->owner, task.id, answers, on_answered, answering);
    ab_task_deinit(&task);
    return true;
}
