/* Deliveries as values; see agentbridge/delivery.h. */
#include "agentbridge/delivery.h"

#include "base/mem.h"

#include <string.h>

static const char *const state_names[AB_DELIVERY_STATE_COUNT] = {
    [AB_DELIVERY_DUE] = "due",
    [AB_DELIVERY_QUEUED] = "queued",
    [AB_DELIVERY_DEAD] = "dead",
};

const char *ab_delivery_state_name(enum ab_delivery_state state)
{
    return state < AB_DELIVERY_STATE_COUNT ? state_names[state] : "";
}

bool ab_delivery_state_parse(const char *name, enum ab_delivery_state *out)
{
    for (size_t i = 0; i < AB_DELIVERY_STATE_COUNT; i++) {
        if (strcmp(name, state_names[i]) == 0) {
            *out = (enum ab_delivery_state)i;
            return true;
        }
    }
    return false;
}

void ab_delivery_copy(struct ab_delivery *out, const struct ab_delivery *delivery)
{
    struct ab_delivery copy = *delivery;

    copy.kind = ab_strdup(delivery->kind);
    copy.receiver = ab_strdup(delivery->receiver);
    copy.target_json = ab_strdup(delivery->target_json);
    copy.last_error = ab_strdup(delivery->last_error);
    *out = copy;
}

void ab_delivery_deinit(struct ab_delivery *delivery)
{
    char **const texts[] = { &delivery->kind, &delivery->receiver, &delivery->target_json, &delivery->last_error };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        free(*texts[i]);
        *texts[i] = NULL;
    }
}
