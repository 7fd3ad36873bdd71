/* list-agents and list-tasks. */
#include "mcp/page.h"
#include "mcp/skills.h"
#include "mcp/tool_call.h"
#include "mcp/tools.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_OF_AGENTS 100
#define PAGE_OF_TASKS 20
#define SKILLS_SHOWN 100

/* --- agents --- */

static bool holds(const char *text, const char *query)
{
    return text != NULL && strcasestr(text, query) != NULL;
}

static bool agent_fits(const struct ab_mcp *mcp, const struct ab_agent_settings *agent, const char *query,
                       const char *kind)
{
    const struct ab_agent_profile *profile = ab_engine_profile(mcp->settings.engine, agent->id);

    if (kind != NULL && (agent->kind == NULL || strcmp(agent->kind, kind) != 0))
        return false;
    return query == NULL || holds(agent->id, query) || holds(profile->title, query) ||
           holds(profile->description, query) || holds(profile->skills_json, query);
}

/* What an agent told of its skills, in short; the rest is in tools/list, or on its card. */
static void put_skills(struct ab_json_writer *writer, const struct ab_mcp *mcp, const char *agent,
                       const char *skills_json)
{
    struct ab_json skills = ab_json_trusted(skills_json);
    struct ab_json_iterator each = ab_json_iterate(skills);
    struct ab_json skill;
    size_t n = 0;

    if (ab_json_count(skills) == 0)
        return;
    ab_json_write_key(writer, "skills");
    ab_json_array_begin(writer);
    while (ab_json_next(&each, NULL, &skill) && n++ < SKILLS_SHOWN) {
        struct ab_json id = ab_json_member(skill, "id");
        struct ab_json description = ab_json_member(skill, "description");
        const struct ab_mcp_published *tool = ab_mcp_published_skill(mcp, agent, id);
        ab_json_object_begin(writer);
        ab_json_put_value(writer, "id", id);
        if (ab_json_exists(description))
            ab_json_put_value(writer, "description", description);
        if (tool != NULL)
            ab_json_put_text(writer, "tool", tool->settings.name);
        ab_json_object_end(writer);
    }
    ab_json_array_end(writer);
}

static void write_agent(struct ab_json_writer *writer, const struct ab_mcp *mcp, const struct ab_agent_settings *agent)
{
    const struct ab_mcp_published *tool = ab_mcp_published_of(mcp, agent->id);
    const struct ab_agent_profile *profile = ab_engine_profile(mcp->settings.engine, agent->id);
    const char *preferred = mcp->settings.default_agent;

    ab_json_object_begin(writer);
    ab_json_put_text(writer, "id", agent->id);
    ab_json_put_optional_text(writer, "title", profile->title);
    ab_json_put_optional_text(writer, "description", profile->description);
    ab_json_put_text(writer, "kind", agent->kind != NULL ? agent->kind : "");
    if (tool != NULL)
        ab_json_put_text(writer, "tool", tool->settings.name);
    if (preferred != NULL && strcmp(preferred, agent->id) == 0)
        ab_json_put_bool(writer, "default", true);
    put_skills(writer, mcp, agent->id, profile->skills_json);
    ab_json_object_end(writer);
}

void ab_mcp_tool_list_agents(struct ab_mcp_request *request, struct ab_json arguments)
{
    static const char purpose[] = "mcp-agents-page";
    const struct ab_mcp *mcp = request->mcp;
    const struct ab_agent_settings *agent;
    AB_CLEANUP(ab_free_string) char *query = ab_json_string_dup(ab_json_member(arguments, "query"));
    AB_CLEANUP(ab_free_string) char *kind = ab_json_string_dup(ab_json_member(arguments, "kind"));
    AB_CLEANUP(ab_free_string) char *place = NULL;
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;
    size_t n = 0;

    if (!ab_mcp_read_page(request, ab_json_member(arguments, "cursor"), purpose, &place)) {
        ab_mcp_answer_tool_error(request, "This cursor is unknown: take next_cursor of the page before");
        return;
    }
    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "agents");
    ab_json_array_begin(&writer);
    size_t index = (size_t)strtoul(place, NULL, 10);
    for (; (agent = ab_engine_agent_at(mcp->settings.engine, index)) != NULL && n < PAGE_OF_AGENTS; index++)
        if (agent_fits(mcp, agent, query, kind)) {
            write_agent(&writer, mcp, agent);
            n++;
        }
    ab_json_array_end(&writer);
    if (agent != NULL) {
        char next[32];
        snprintf(next, sizeof(next), "%zu", index);
        ab_mcp_put_page(request, &writer, "next_cursor", purpose, next);
    }
    ab_json_object_end(&writer);
    ab_mcp_answer_structured(request, text.data);
    ab_buf_deinit(&text);
}

/* --- tasks --- */

struct task_page {
    struct ab_json_writer writer;
    size_t limit;
    size_t n;
    bool more;
    char last[64]; /* created_at and id of the last one shown */
};

static bool add_task(void *arg, const struct ab_task *task)
{
    struct task_page *page = arg;

    if (page->n == page->limit) {
        page->more = true;
        return false;
    }
    ab_mcp_write_task_summary(&page->writer, task);
    snprintf(page->last, sizeof(page->last), "%lld %s", (long long)task->created_at, task->id);
    page->n++;
    return true;
}

static uint32_t read_statuses(struct ab_json names)
{
    struct ab_json_iterator each = ab_json_iterate(names);
    uint32_t statuses = 0;
    struct ab_json name;

    while (ab_json_next(&each, NULL, &name)) {
        AB_CLEANUP(ab_free_string) char *text = ab_json_string_dup(name);
        enum ab_task_status status;
        if (text != NULL && ab_task_status_parse(text, &status))
            statuses |= 1u << (unsigned)status;
    }
    return statuses;
}

void ab_mcp_tool_list_tasks(struct ab_mcp_request *request, struct ab_json arguments)
{
    static const char purpose[] = "mcp-tasks-page";
    AB_CLEANUP(ab_free_string) char *agent = ab_json_string_dup(ab_json_member(arguments, "agent"));
    AB_CLEANUP(ab_free_string) char *thread = ab_json_string_dup(ab_json_member(arguments, "thread_id"));
    AB_CLEANUP(ab_free_string) char *place = NULL;
    struct ab_store_filter filter = { .owner = request->channel->owner, .agent = agent, .thread_id = thread };
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct task_page page = { .limit = PAGE_OF_TASKS };
    int64_t limit;

    if (!ab_mcp_read_page(request, ab_json_member(arguments, "cursor"), purpose, &place)) {
        ab_mcp_answer_tool_error(request, "This cursor is unknown: take next_cursor of the page before");
        return;
    }
    if (ab_json_int(ab_json_member(arguments, "limit"), &limit))
        page.limit = (size_t)limit;
    filter.statuses = read_statuses(ab_json_member(arguments, "status"));
    filter.limit = page.limit + 1;
    ab_mcp_page_filter(place, &filter);
    ab_json_writer_init(&page.writer, &text);
    ab_json_object_begin(&page.writer);
    ab_json_write_key(&page.writer, "tasks");
    ab_json_array_begin(&page.writer);
    int result = ab_engine_list(request->mcp->settings.engine, &filter, add_task, &page);
    ab_json_array_end(&page.writer);
    if (page.more)
        ab_mcp_put_page(request, &page.writer, "next_cursor", purpose, page.last);
    ab_json_object_end(&page.writer);
    if (result < 0)
        ab_mcp_answer_errorf(request, AB_JSONRPC_INTERNAL_ERROR, "The tasks cannot be read");
    else
        ab_mcp_answer_structured(request, text.data);
    ab_buf_deinit(&text);
}
