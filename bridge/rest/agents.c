/* The agents, as the platform lists them. */
#include "rest/names.h"
#include "rest/query.h"

static void write_agent(struct ab_json_writer *writer, const struct ab_engine *engine,
                        const struct ab_agent_settings *agent)
{
    const struct ab_agent_profile *profile = ab_engine_profile(engine, agent->id);

    ab_json_object_begin(writer);
    ab_json_put_text(writer, "id", agent->id);
    ab_json_put_text(writer, "organization_id", AB_REST_ORGANIZATION);
    ab_json_put_text(writer, "name", profile->title != NULL ? profile->title : agent->id);
    ab_json_put_text(writer, "description", profile->description);
    ab_json_put_text(writer, "status", "ACTIVE");
    ab_json_put_text(writer, "version", profile->version);
    ab_json_write_key(writer, "agentbridge");
    ab_json_object_begin(writer);
    ab_json_put_text(writer, "kind", agent->kind);
    ab_json_put_optional_raw(writer, "skills", profile->skills_json);
    ab_json_object_end(writer);
    ab_json_object_end(writer);
}

static void answer_page(struct ab_rest_call *call, const struct ab_rest_page *page)
{
    const struct ab_engine *engine = call->rest->settings.engine;
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    const struct ab_agent_settings *agent;
    struct ab_json_writer writer;
    uint64_t n = 0;

    ab_json_writer_init(&writer, &text);
    ab_json_object_begin(&writer);
    ab_json_write_key(&writer, "items");
    ab_json_array_begin(&writer);
    for (; (agent = ab_engine_agent_at(engine, n)) != NULL; n++) {
        if (ab_rest_page_has(page, n))
            write_agent(&writer, engine, agent);
    }
    ab_json_array_end(&writer);
    ab_rest_page_write(&writer, page, n);
    ab_json_object_end(&writer);
    ab_rest_answer(call, 200, ab_buf_str(&text));
    ab_buf_deinit(&text);
}

void ab_rest_agents(struct ab_rest_call *call)
{
    struct ab_rest_faults faults;
    struct ab_rest_page page;

    ab_rest_faults_init(&faults);
    ab_rest_query_page(call, &page, &faults);
    if (faults.n > 0)
        ab_rest_refuse_faults(call, &faults);
    else
        answer_page(call, &page);
    ab_rest_faults_deinit(&faults);
}

static const struct ab_agent_settings *find_agent(struct ab_rest_call *call)
{
    const struct ab_engine *engine = call->rest->settings.engine;
    const struct ab_agent_settings *agent = ab_engine_agent(engine, call->id);
    struct ab_buf names = AB_BUF_INIT(700);

    if (agent != NULL)
        return agent;
    for (size_t i = 0; (agent = ab_engine_agent_at(engine, i)) != NULL; i++)
        ab_buf_printf(&names, "%s \"%s\"", i > 0 ? "," : "", agent->id);
    ab_rest_refuse(call, 404, "There is no agent \"%.100s\"; there are:%s", call->id,
                   names.size > 0 ? names.data : " none");
    ab_buf_deinit(&names);
    return NULL;
}

void ab_rest_agent(struct ab_rest_call *call)
{
    const struct ab_agent_settings *agent = find_agent(call);
    struct ab_buf text = AB_BUF_INIT(AB_BUF_UNBOUNDED);
    struct ab_json_writer writer;

    if (agent == NULL)
        return;
    ab_json_writer_init(&writer, &text);
    write_agent(&writer, call->rest->settings.engine, agent);
    ab_rest_answer(call, 200, ab_buf_str(&text));
    ab_buf_deinit(&text);
}

void ab_rest_agent_tasks(struct ab_rest_call *call)
{
    if (find_agent(call) != NULL)
        ab_rest_tasks(call);
}
