#include "mcp/skills.h"

#include "mcp/core_tasks.h"
#include "mcp/methods.h"
#include "mcp/tools.h"

#include "base/hash.h"
#include "base/mem.h"

#include <stdio.h>
#include <string.h>

#define NAME_BYTES 64
#define HASH_DIGITS 8
/* Of all agents together; a server that lists without end must not fill every client's context. */
#define SKILLS_MAX 2000

/* What an agent understands that says nothing of its arguments. */
static const char text_input[] =
    "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\",\"description\":\"What to do.\"}},"
    "\"required\":[\"text\"]}";

/* --- names --- */

static void append_clean(struct ab_buf *out, const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";

    for (; *text != '\0'; text++)
        ab_buf_append_char(out, strchr(allowed, *text) != NULL ? *text : '_');
}

/* The same after a restart: clients remember tools by their names. */
static void append_hash(struct ab_buf *out, const char *agent, const char *skill, unsigned round)
{
    static const struct ab_hash_seed fixed = { 0, 0 };
    AB_CLEANUP(ab_free_string) char *whole = ab_format("%s\n%s\n%u", agent, skill, round);
    size_t room = NAME_BYTES - HASH_DIGITS - 1;

    if (out->size > room) {
        out->size = room;
        out->data[room] = '\0';
    }
    ab_buf_printf(out, "_%08x", (unsigned)(ab_hash(fixed, ab_str(whole)) & 0xFFFFFFFFU));
}

char *ab_mcp_skill_name(const char *agent, const char *skill, bool (*taken)(void *arg, const char *name), void *arg)
{
    struct ab_buf name = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    size_t own;

    append_clean(&name, agent);
    ab_buf_append_char(&name, '_');
    append_clean(&name, skill);
    own = name.size;
    if (own > NAME_BYTES)
        append_hash(&name, agent, skill, 0);
    for (unsigned round = 1; taken(arg, name.data); round++) {
        name.size = name.size > own ? own : name.size;
        append_hash(&name, agent, skill, round);
    }
    return ab_buf_steal(&name);
}

/* --- the list --- */

struct listing {
    struct ab_mcp *mcp;
    struct ab_mcp_published **tools; /* the configured ones, and the skills so far */
    size_t n;
    bool changed;
};

static bool is_taken(void *arg, const char *name)
{
    const struct listing *listing = arg;

    for (size_t i = 0; i < AB_MCP_BUILTINS; i++)
        if (strcmp(listing->mcp->builtin[i].name, name) == 0)
            return true;
    for (size_t i = 0; i < listing->n; i++)
        if (strcmp(listing->tools[i]->settings.name, name) == 0)
            return true;
    return false;
}

/* The tool of before, when nothing about it has changed. */
static struct ab_mcp_published *find_same(const struct ab_mcp *mcp, const char *agent, const char *name,
                                          struct ab_json skill)
{
    for (size_t i = mcp->n_configured; i < mcp->n_published; i++) {
        struct ab_mcp_published *tool = mcp->published[i];
        if (strcmp(tool->settings.agent, agent) == 0 && strcmp(tool->settings.name, name) == 0 &&
            ab_str_is(skill.text, tool->skill_json))
            return tool;
    }
    return NULL;
}

static struct ab_mcp_published *make(const struct ab_mcp_skills *from, const char *name, const char *id,
                                     struct ab_json skill)
{
    struct ab_json input = ab_json_member(skill, "input_schema");
    AB_CLEANUP(ab_free_string) char *title = ab_json_string_dup(ab_json_member(skill, "name"));
    AB_CLEANUP(ab_free_string) char *description = ab_json_string_dup(ab_json_member(skill, "description"));
    AB_CLEANUP(ab_free_string)
    char *schema = ab_json_is(input, AB_JSON_OBJECT) ? ab_json_dup(input) : ab_strdup(text_input);
    AB_CLEANUP(ab_free_string) char *output = ab_json_dup(ab_json_member(skill, "output_schema"));
    AB_CLEANUP(ab_free_string) char *annotations = ab_json_dup(ab_json_member(skill, "annotations"));
    struct ab_mcp_tool settings = {
        .agent = from->agent,
        .name = name,
        .title = title,
        .description = description,
        .input_schema_json = schema,
        .output_schema_json = output,
        .annotations_json = annotations,
        .can_ask = true,
        .on_disconnect = from->on_disconnect,
    };
    struct ab_mcp_published *tool = ab_mcp_published_new(&settings);
    struct ab_schema_error error;

    tool->skill = ab_strdup(id);
    tool->skill_json = ab_json_dup(skill);
    /* What cannot be checked here is for the agent to check. */
    tool->input = ab_schema_new(ab_json_trusted(schema), &error);
    if (output != NULL)
        tool->output = ab_schema_new(ab_json_trusted(output), &error);
    return tool;
}

static void add_skill(struct listing *listing, const struct ab_mcp_skills *from, struct ab_json skill)
{
    AB_CLEANUP(ab_free_string) char *id = ab_json_string_dup(ab_json_member(skill, "id"));
    AB_CLEANUP(ab_free_string) char *name = NULL;
    struct ab_mcp_published *tool;

    if (id == NULL || listing->n - listing->mcp->n_configured >= SKILLS_MAX)
        return;
    name = ab_mcp_skill_name(from->agent, id, is_taken, listing);
    tool = find_same(listing->mcp, from->agent, name, skill);
    if (tool == NULL)
        tool = make(from, name, id, skill);
    else
        ab_mcp_published_hold(tool);
    if (listing->n >= listing->mcp->n_published || listing->mcp->published[listing->n] != tool)
        listing->changed = true;
    listing->tools = ab_realloc(listing->tools, (listing->n + 1) * sizeof(*listing->tools));
    listing->tools[listing->n++] = tool;
}

static void add_agent(struct listing *listing, const struct ab_mcp_skills *from)
{
    const struct ab_agent_profile *profile = ab_engine_profile(listing->mcp->settings.engine, from->agent);
    struct ab_json skills = ab_json_trusted(profile != NULL ? profile->skills_json : NULL);
    struct ab_json_iterator each = ab_json_iterate(skills);
    struct ab_json skill;

    while (ab_json_is(skills, AB_JSON_ARRAY) && ab_json_next(&each, NULL, &skill))
        add_skill(listing, from, skill);
}

/* True when the list is another one than before. */
static bool list(struct ab_mcp *mcp)
{
    struct listing listing = { .mcp = mcp, .n = mcp->n_configured };
    struct ab_mcp_published **before = mcp->published;
    size_t n_before = mcp->n_published;

    listing.tools = ab_alloc(mcp->n_configured + 1, sizeof(*listing.tools));
    for (size_t i = 0; i < mcp->n_configured; i++)
        listing.tools[i] = before[i];
    for (size_t i = 0; i < mcp->settings.n_skills; i++)
        add_agent(&listing, &mcp->settings.skills[i]);
    mcp->published = listing.tools;
    mcp->n_published = listing.n;
    for (size_t i = mcp->n_configured; i < n_before; i++)
        ab_mcp_published_release(before[i]);
    free(before);
    return listing.changed || listing.n != n_before;
}

static void on_agents_changed(void *arg)
{
    struct ab_mcp *mcp = arg;

    if (!list(mcp))
        return;
    ab_mcp_session_streams_tell_tools(mcp);
    ab_mcp_listen_tell_tools(mcp);
}

/* --- life --- */

void ab_mcp_skills_init(struct ab_mcp *mcp)
{
    if (mcp->settings.n_skills == 0)
        return;
    (void)list(mcp);
    mcp->agents_watch = ab_engine_watch(mcp->settings.engine, AB_WATCH_AGENTS, on_agents_changed, mcp);
}

void ab_mcp_skills_deinit(struct ab_mcp *mcp)
{
    ab_watch_free(mcp->agents_watch);
}

const struct ab_mcp_published *ab_mcp_published_skill(const struct ab_mcp *mcp, const char *agent, struct ab_json skill)
{
    for (size_t i = mcp->n_configured; i < mcp->n_published; i++)
        if (strcmp(mcp->published[i]->settings.agent, agent) == 0 && ab_json_string_is(skill, mcp->published[i]->skill))
            return mcp->published[i];
    return NULL;
}
