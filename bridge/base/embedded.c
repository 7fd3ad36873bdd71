/* Finds the files that the build put into the binary. */
#include "base/embedded.h"

#include <string.h>

struct ab_str ab_embedded(const char *name)
{
    for (const struct ab_embedded_file *file = ab_embedded_files; file->name != NULL; file++) {
        if (strcmp(file->name, name) == 0) {
            return (struct ab_str){ file->data, file->size };
        }
    }
    return (struct ab_str){ NULL, 0 };
}
