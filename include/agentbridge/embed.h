/* A bridge inside another program: agents written in C, or in whatever calls C, served to everybody as durable tasks.
 *
 *   struct ab_embed *bridge = ab_embed_new(&settings, reason, sizeof(reason));
 *   printf("%s\n", ab_embed_address(bridge));
 *   ab_embed_run(bridge);  // this thread is the bridge's now
 *   ab_embed_free(bridge);
 *
 * An agent is the port of agentbridge/agent.h. Its functions are called on the thread that runs the bridge and must not
 * block; work that does belongs to threads of the program, which report back through ab_embed_post.
 * examples/embed/ is a whole program. Link with libagentbridge.a and the libraries it stands on (see there). */
#ifndef AGENTBRIDGE_EMBED_H
#define AGENTBRIDGE_EMBED_H

#include "agentbridge/agent.h"

#ifdef __cplusplus
extern "C" {
#endif

struct ab_embed;

/* One agent of the embedding program. All texts are copied. */
struct ab_embed_agent {
    const char *id;           /* what `invoke` calls it */
    const char *title;        /* or NULL */
    const char *description;  /* what it is good for, for whoever chooses among tools; or NULL */
    int64_t timeout_ms;       /* working time, pauses do not count; 0: 600 s */
    bool retry_after_restart; /* start it again when the program ended in the middle; else the task ends in error */
    const char *tool_name;    /* also published as a tool of this name; or NULL */
    const char *input_schema_json;  /* the tool's arguments (JSON Schema 2020-12); NULL: {"type":"object"} */
    const char *output_schema_json; /* the tool's structured result; or NULL */
    bool can_ask;                   /* it may pause the task with a question */
    struct ab_agent *agent;         /* the bridge's from ab_embed_new on, also when that fails */
};

/* Borrowed during ab_embed_new. */
struct ab_embed_settings {
    const char *config;    /* what would stand in a configuration file, with or without agents; NULL: {"agents":{}} */
    const char *directory; /* what its relative paths are relative to; NULL: the current one */
    const char *listen;    /* "127.0.0.1:7800", port 0 for a free one; NULL: as `config` says */
    const char *data;      /* the data folder; NULL: as `config` says */
    const struct ab_embed_agent *agents;
    size_t n_agents;
    bool end_on_signals; /* SIGTERM and SIGINT end it */
};

/* Listens at once; requests are answered from ab_embed_run on. NULL when something is wrong: `reason` (at least 2048
 * bytes) says what, where, and what is allowed. SIGPIPE is ignored from here on. */
AB_MUST struct ab_embed *ab_embed_new(const struct ab_embed_settings *settings, char *reason, size_t reason_size);
/* "127.0.0.1:7800", with the real port. */
const char *ab_embed_address(const struct ab_embed *embed);
/* Serves on the calling thread until ab_embed_end was called, or a signal came. */
void ab_embed_run(struct ab_embed *embed);
/* From any thread: open calls are answered, tasks stay to be taken up by the next start, then ab_embed_run returns. */
void ab_embed_end(struct ab_embed *embed);
/* From any thread: has `fn` called on the bridge's thread, in order. Until ab_embed_run has returned. */
void ab_embed_post(struct ab_embed *embed, void (*fn)(void *arg), void *arg);
/* After ab_embed_run has returned, or instead of it. NULL is accepted. */
void ab_embed_free(struct ab_embed *embed);

#ifdef __cplusplus
}
#endif
#endif
