/* What happens to a task, as the updates that streams and push notifications tell. */
#include "a2a/write.h"

void ab_a2a_write_status_update(struct ab_json_writer *writer, const struct ab_a2a_form *form,
                                const struct ab_a2a_status *status, bool final, const char *metadata_json)
{
    ab_a2a_begin(writer, form, "statusUpdate", "status-update");
    ab_json_put_text(writer, "taskId", status->task_id);
    ab_json_put_text(writer, "contextId", status->context_id);
    ab_json_write_key(writer, "status");
    ab_a2a_write_status(writer, form, status);
    if (form->final)
        ab_json_put_bool(writer, "final", final);
    ab_json_put_optional_raw(writer, "metadata", metadata_json);
    ab_a2a_end(writer, form);
}

void ab_a2a_begin_artifact_update(struct ab_json_writer *writer, const struct ab_a2a_form *form, const char *task_id,
                                  const char *context_id)
{
    ab_a2a_begin(writer, form, "artifactUpdate", "artifact-update");
    ab_json_put_text(writer, "taskId", task_id);
    ab_json_put_text(writer, "contextId", context_id);
    ab_json_write_key(writer, "artifact");
}

void ab_a2a_end_artifact_update(struct ab_json_writer *writer, const struct ab_a2a_form *form, bool append, bool last)
{
    if (append)
        ab_json_put_bool(writer, "append", true);
    if (last)
        ab_json_put_bool(writer, "lastChunk", true);
    ab_a2a_end(writer, form);
}

void ab_a2a_write_artifact_update(struct ab_json_writer *writer, const struct ab_a2a_form *form, const char *task_id,
                                  const char *context_id, struct ab_json artifact)
{
    ab_a2a_begin_artifact_update(writer, form, task_id, context_id);
    ab_a2a_write_artifact(writer, form, artifact);
    ab_a2a_end_artifact_update(writer, form, ab_json_is_true(ab_json_member(artifact, "append")),
                               ab_json_is_true(ab_json_member(artifact, "last")));
}
