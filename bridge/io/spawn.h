/* Starting a program, the way libuv does not: it dies with the bridge, has real pipes (a script may open /dev/stderr),
 * no descriptor of ours, and the limits and signals of a program that somebody started by hand. */
#ifndef AB_IO_SPAWN_H
#define AB_IO_SPAWN_H

#include "wire/process.h"

#include <sys/types.h>

/* The program and our ends of its pipes, non-blocking. The caller closes them and waits for `pid`. */
struct ab_spawned {
    pid_t pid; /* also the id of its process group */
    int input;
    int output;
    int error_output;
};

/* 0, or the errno that says why not. Must be called on the thread that outlives the program: when that ends, the
 * program is killed. */
AB_MUST int ab_spawn(const struct ab_process_settings *settings, struct ab_spawned *out);

#endif
