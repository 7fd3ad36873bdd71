#include "rest/names.h"

static const char *const output_formats[] = { "text", "markdown", "json", "voice", "html", NULL };
static const char *const think_modes[] = { "default", "harder", NULL };
static const char *const efforts[] = { "low", "medium", "high", "xhigh", NULL };

const struct ab_rest_field ab_rest_fields[] = {
    { "title", AB_REST_TEXT, NULL, "title", "null" },
    { "output_format", AB_REST_TEXT, output_formats, "output_format", "\"text\"" },
    { "output_schema", AB_REST_OBJECT, NULL, "output_schema", "null" },
    { "expected_output", AB_REST_TEXT, NULL, "expected_output", "null" },
    { "instructions_override", AB_REST_TEXT, NULL, "instructions_override", "null" },
    { "additional_context", AB_REST_TEXT, NULL, "additional_context", "null" },
    { "think_mode", AB_REST_TEXT, think_modes, "think_mode", "\"default\"" },
    { "disable_attachment_injection", AB_REST_FLAG, NULL, "disable_attachment_injection", "false" },
    { "events_streaming", AB_REST_FLAG, NULL, "events_streaming", "false" },
    { "llm_model_provider", AB_REST_TEXT, NULL, "llm_model_provider", "null" },
    { "llm_model_name", AB_REST_TEXT, NULL, "llm_model_name", "null" },
    { "llm_reasoning_effort", AB_REST_TEXT, efforts, "llm_reasoning_effort", "null" },
    { "source", AB_REST_TEXT, NULL, NULL, NULL },
    { "source_node_type", AB_REST_TEXT, NULL, NULL, NULL },
    { "payload_extension", AB_REST_OBJECT, NULL, "payload_extension", "null" },
    { "parent_execution_id", AB_REST_TEXT, NULL, "parent_execution", "null" },
    { "triggering_agent_id", AB_REST_TEXT, NULL, "triggering_agent_id", "null" },
    { "worker_id", AB_REST_TEXT, NULL, "worker_id", "null" },
    { "run_locally", AB_REST_FLAG, NULL, NULL, NULL },
    { "test_run_node_id", AB_REST_TEXT, NULL, "test_run_node_id", "null" },
    { "return_metrics", AB_REST_FLAG, NULL, "return_metrics", "false" },
    { NULL, AB_REST_TEXT, NULL, NULL, NULL },
};

const char *ab_rest_type_name(enum ab_rest_type type)
{
    switch (type) {
    case AB_REST_TEXT:
        return "a string";
    case AB_REST_FLAG:
        return "true or false";
    case AB_REST_OBJECT:
        return "an object";
    case AB_REST_OBJECTS:
        return "an array of objects";
    }
    return "";
}
