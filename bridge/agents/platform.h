/* The `platform` agent: an agent, or a workflow, behind the agent platform's REST API. */
#ifndef AB_AGENTS_PLATFORM_H
#define AB_AGENTS_PLATFORM_H

#include "agentbridge/agent.h"
#include "base/id.h"
#include "base/log.h"
#include "rest/client_request.h"
#include "wire/http_client.h"
#include "wire/loop.h"

/* Copied, but for the ports, which outlive the agent. Numbers that are 0 take the default in brackets. */
struct ab_platform_settings {
    const char *id; /* the agent's id here */
    struct ab_rest_target target;
    const char *version; /* or NULL: the deployed one; a caller's own goes first */
    enum ab_rest_mode mode;
    const char *api_key;        /* or NULL: none is sent */
    const char *api_key_header; /* [x-api-key]; in "Authorization" it stands behind "Bearer " */
    const char *const *headers; /* "Name: value" of further ones, NULL-terminated; or NULL */
    const char *surface_field;  /* what the member is called that says which face a task came from; NULL: none does */
    const char *approve_route;  /* where an approval's yes and no go, with {task_id} in them; or NULL: it is given */
    const char *reject_route;   /* on the platform */
    bool drop_user_token;       /* the caller's credentials stay here */
    size_t output_bytes;        /* [16 MiB] the largest answer, and the largest event */
    uint32_t poll_ms;           /* [1 s] between questions after the task; grows */
    uint32_t poll_longest_ms;   /* [15 s] to this */
    uint32_t answer_ms;         /* [60 s] until an answer begins */
    uint32_t idle_ms;           /* [120 s] a stream that is silent for so long is given up, and the task asked after */
    uint32_t retries;           /* [5] of an invocation that did not arrive */
    struct ab_loop *loop;
    struct ab_http_client *client;
    struct ab_random random;
    const struct ab_log *log; /* or NULL */
};

AB_MUST struct ab_agent *ab_platform_agent_new(const struct ab_platform_settings *settings);

#endif
