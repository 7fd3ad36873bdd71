/* Files that the caller named, fetched before the program is started. */
#include "agents/command_run.h"
#include "base/mem.h"
#include "wire/json.h"

enum { REASON_SIZE = 512 };

static struct ab_json urls_of(const struct ab_task_request *request)
{
    return ab_json_member(ab_json_trusted(request->input_json), "files");
}

bool command_files_wanted(const struct command_agent *agent, const struct ab_task_request *request)
{
    struct ab_json urls = urls_of(request);
    return agent->fetch_files && ab_json_is(urls, AB_JSON_ARRAY) && ab_json_count(urls) > 0;
}

/* The input with what has been fetched, which no caller can say himself. */
static char *input_with_files(const char *input_json, const struct ab_fetched_files *files)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_iterator iterator = ab_json_iterate(ab_json_trusted(input_json));
    struct ab_json_writer writer;
    struct ab_json key;
    struct ab_json value;
    ab_json_writer_init(&writer, &out);
    ab_json_object_begin(&writer);
    while (ab_json_next(&iterator, &key, &value)) {
        AB_CLEANUP(ab_free_string) char *name = ab_json_string_dup(key);
        if (name != NULL && !ab_json_string_is(key, "local_files")) {
            ab_json_write_key(&writer, name);
            ab_json_write_value(&writer, value);
        }
    }
    ab_json_write_key(&writer, "local_files");
    ab_fetched_files_write(files, &writer);
    ab_json_object_end(&writer);
    return ab_buf_steal(&out);
}

static void start_free(struct command_start *start)
{
    if (start != NULL) {
        ab_task_deinit(&start->task);
        ab_task_request_deinit(&start->request);
        free(start->history_json);
        free(start);
    }
}

static void on_fetched(void *arg, const char *reason)
{
    struct command_run *run = arg;
    struct command_start *start = run->waiting;
    char problem[REASON_SIZE];
    if (reason != NULL) {
        command_not_begun(run, reason);
        return;
    }
    char *input = input_with_files(start->request.input_json, run->files);
    free(start->request.input_json);
    start->request.input_json = input;
    if (!command_begin(run, &start->task, &start->request, start->history_json, problem, sizeof problem)) {
        AB_CLEANUP(ab_free_string) char *text = ab_format("the program could not be started: %s", problem);
        command_not_begun(run, text);
    }
    run->waiting = NULL;
    start_free(start);
}

void command_files_fetch(struct command_run *run, const struct ab_task *task, const struct ab_task_request *request,
                         const char *history_json)
{
    struct command_start *start = ab_alloc(1, sizeof *start);
    ab_task_copy(&start->task, task);
    ab_task_request_copy(&start->request, request);
    start->history_json = ab_strdup(history_json);
    run->waiting = start;
    run->phase = COMMAND_FETCHING;
    run->files = ab_fetched_files_new(&run->agent->fetch, task->id, urls_of(&start->request), on_fetched, run);
}

void command_files_drop(struct command_run *run)
{
    ab_fetched_files_free(run->files);
    run->files = NULL;
    start_free(run->waiting);
    run->waiting = NULL;
}
