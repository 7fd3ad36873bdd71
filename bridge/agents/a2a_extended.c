/* What an agent says of itself to those whom it lets in: its extended card, asked for after each fetch of the public
 * one where that offers it and there is a key to show. It counts for what it says, never for where it leads: addresses
 * are those of the public card. */
#include "agents/a2a_run.h"

#include <stdio.h>

static bool is_wanted(const struct a2a_directory *directory)
{
    const char *const *credentials = directory->agent->settings.credentials;

    return directory->card.extended && credentials != NULL && credentials[0] != NULL;
}

/* The public card's words are told again. */
static void forget(struct a2a_directory *directory)
{
    ab_a2a_client_card_deinit(&directory->extended);
    directory->extended_known = false;
    a2a_directory_describe(directory);
}

/* Once, until it is had again. */
static void do_without(struct a2a_directory *directory, const char *reason)
{
    const struct ab_a2a_remote_settings *settings = &directory->agent->settings;

    if (!directory->extended_failed)
        ab_log(settings->log, AB_LOG_WARNING, "a2a", "the agent's extended card is of no use: its public one serves",
               "agent", settings->id, "reason", reason, NULL);
    directory->extended_failed = true;
    forget(directory);
}

static void read_card(struct a2a_directory *directory, struct ab_str text)
{
    const size_t most = directory->agent->settings.card_bytes;
    struct ab_a2a_client_card card;
    char reason[AB_A2A_REASON_SIZE];

    if (text.size > most) {
        snprintf(reason, sizeof reason, "it is larger than %zu bytes", most);
        do_without(directory, reason);
    } else if (!a2a_directory_read(directory, text, &card, reason, sizeof reason)) {
        do_without(directory, reason);
    } else {
        directory->extended_failed = false;
        ab_a2a_client_card_deinit(&directory->extended);
        directory->extended = card;
        directory->extended_known = true;
        a2a_directory_describe(directory);
    }
}

/* --- the call --- */

static void on_alive(void *arg)
{
    (void)arg;
}

static void on_result(void *arg, struct ab_json result)
{
    struct a2a_directory *directory = arg;

    a2a_extended_drop(directory);
    read_card(directory, result.text);
}

static void on_refused(void *arg, const struct ab_a2a_client_refusal *refusal)
{
    struct a2a_directory *directory = arg;

    directory->asking = NULL;
    do_without(directory, refusal->text);
}

static void on_broken(void *arg, const char *reason)
{
    struct a2a_directory *directory = arg;

    directory->asking = NULL;
    do_without(directory, reason);
}

/* The agent is away: what is known stays known, as with the public card. */
static void on_lost(void *arg, bool reached, const char *reason)
{
    struct a2a_directory *directory = arg;

    (void)reached;
    (void)reason;
    directory->asking = NULL;
}

static void on_ended(void *arg)
{
    struct a2a_directory *directory = arg;

    directory->asking = NULL;
}

void a2a_extended_ask(struct a2a_directory *directory)
{
    static const struct a2a_call_events events = {
        .alive = on_alive,
        .result = on_result,
        .refused = on_refused,
        .broken = on_broken,
        .lost = on_lost,
        .ended = on_ended,
    };
    struct a2a_agent *agent = directory->agent;
    struct ab_a2a_client_request request;

    a2a_extended_drop(directory);
    if (is_wanted(directory)) {
        ab_a2a_client_write_extended(&directory->card.peer, agent->settings.extensions, &request);
        directory->asking = a2a_call_new(agent, &request, agent->settings.answer_ms, &events, directory);
    } else if (directory->extended_known) {
        forget(directory);
    }
}

void a2a_extended_drop(struct a2a_directory *directory)
{
    a2a_call_drop(directory->asking);
    directory->asking = NULL;
}
