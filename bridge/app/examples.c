/* Looks in the source tree first, so that a developer's own changes are what runs. */
#include "app/examples.h"

#include "base/mem.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXAMPLES_FILE "agentbridge.jsonc"

char *ab_examples_find(char *reason, size_t reason_size)
{
    char program[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    const char *directory;
    char *places[4] = { NULL };
    char *found = NULL;

    program[size > 0 ? size : 0] = '\0';
    directory = size > 0 ? dirname(program) : ".";
    places[0] = ab_format("%s/../examples/" EXAMPLES_FILE, directory);
    places[1] = ab_format("%s/../share/agentbridge/examples/" EXAMPLES_FILE, directory);
    places[2] = ab_strdup(AB_PREFIX "/share/agentbridge/examples/" EXAMPLES_FILE);
    places[3] = ab_format("%s/../../examples/" EXAMPLES_FILE, directory); /* build/asan/ and the like */
    for (size_t i = 0; i < 4 && found == NULL; i++) {
        if (access(places[i], R_OK) == 0)
            found = realpath(places[i], NULL);
    }
    if (found == NULL)
        snprintf(reason, reason_size, "no configuration was given, and the example agents are not at %s, %s or %s",
                 places[0], places[1], places[2]);
    for (size_t i = 0; i < 4; i++)
        free(places[i]);
    return found;
}
