/* The least that running a program and reading its answer costs:
 *   spawn_loop IN_FLIGHT SECONDS PROGRAM [ARGUMENT ...]
 * Runs the program again and again, IN_FLIGHT at a time, each with three pipes as a bridge gives them; prints how many
 * ended in a second. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_IN_FLIGHT 256

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

struct child {
    pid_t pid;
    int out;
    int err;
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void start(struct child *child, char **arguments)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int in[2];
    int out[2];
    int err[2];

    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        fail("pipe2");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    errno = posix_spawnp(&child->pid, arguments[0], &actions, &attributes, arguments, environ);
    if (errno != 0)
        fail(arguments[0]);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(in[0]);
    close(in[1]);
    close(out[1]);
    close(err[1]);
    child->out = out[0];
    child->err = err[0];
}

/* Whether this one of its outputs goes on. */
static bool read_on(int *fd)
{
    char bytes[16384];

    if (read(*fd, bytes, sizeof bytes) > 0)
        return true;
    close(*fd);
    *fd = -1;
    return false;
}

/* Whether it has ended. */
static bool look_at(struct child *child, const struct pollfd *out, const struct pollfd *err)
{
    if (out->revents != 0)
        (void)read_on(&child->out);
    if (err->revents != 0)
        (void)read_on(&child->err);
    return child->out < 0 && child->err < 0 && waitpid(child->pid, NULL, 0) == child->pid;
}

int main(int argc, char **argv)
{
    struct child children[MAX_IN_FLIGHT];
    struct pollfd polls[2 * MAX_IN_FLIGHT];
    size_t n = argc > 3 ? strtoul(argv[1], NULL, 10) : 0;
    double begin = now();
    double end = begin + (argc > 3 ? strtod(argv[2], NULL) : 0);
    unsigned long count = 0;

    if (n == 0 || n > MAX_IN_FLIGHT)
        return 2;
    for (size_t i = 0; i < n; i++)
        start(&children[i], argv + 3);
    while (now() < end) {
        for (size_t i = 0; i < n; i++) {
            polls[2 * i] = (struct pollfd){ .fd = children[i].out, .events = POLLIN };
            polls[2 * i + 1] = (struct pollfd){ .fd = children[i].err, .events = POLLIN };
        }
        if (poll(polls, 2 * n, 1000) < 0)
            fail("poll");
        for (size_t i = 0; i < n; i++) {
            if (!look_at(&children[i], &polls[2 * i], &polls[2 * i + 1]))
                continue;
            count++;
            start(&children[i], argv + 3);
        }
    }
    printf("%.1f\n", (double)count / (now() - begin));
    return 0;
}
