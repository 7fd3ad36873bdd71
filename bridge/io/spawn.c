#include "io/spawn.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM_DESCRIPTORS 1024

/* What the child needs, all prepared: between vfork and exec it may do next to nothing. */
struct child {
    const struct ab_process_settings *settings;
    char *program; /* with a slash in it */
    int ends[3];   /* its stdin, stdout, stderr */
    pid_t parent;
    sigset_t no_signals;
    volatile int failure;
};

/* --- which program --- */

static const char *path_of(const struct ab_process_settings *settings)
{
    for (size_t i = 0; settings->environment != NULL && settings->environment[i] != NULL; i++)
        if (strncmp(settings->environment[i], "PATH=", 5) == 0)
            return settings->environment[i] + 5;
    return "/usr/local/bin:/usr/bin:/bin";
}

/* A name without a slash is looked up in the PATH that the program itself will have. */
static char *find_program(const struct ab_process_settings *settings)
{
    const char *name = settings->arguments[0];
    const char *at = path_of(settings);

    if (strchr(name, '/') != NULL)
        return ab_strdup(name);
    for (;;) {
        size_t size = strcspn(at, ":");
        char *candidate = ab_format("%.*s/%s", size > 0 ? (int)size : 1, size > 0 ? at : ".", name);
        if (access(candidate, X_OK) == 0)
            return candidate;
        free(candidate);
        if (at[size] == '\0')
            return NULL;
        at += size + 1;
    }
}

/* --- pipes --- */

static void close_end(int *end)
{
    if (*end >= 0)
        close(*end);
    *end = -1;
}

/* Both ends above 2, so that none is overwritten while the child puts its own in place. */
static bool open_pipe(int *reads, int *writes)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    *reads = ends[0] > 2 ? ends[0] : fcntl(ends[0], F_DUPFD_CLOEXEC, 3);
    *writes = ends[1] > 2 ? ends[1] : fcntl(ends[1], F_DUPFD_CLOEXEC, 3);
    if (*reads != ends[0])
        close(ends[0]);
    if (*writes != ends[1])
        close(ends[1]);
    return *reads >= 0 && *writes >= 0;
}

static bool open_pipes(struct child *child, struct ab_spawned *out)
{
    bool good = open_pipe(&child->ends[0], &out->input) && open_pipe(&out->output, &child->ends[1]) &&
                open_pipe(&out->error_output, &child->ends[2]);

    return good && fcntl(out->input, F_SETFL, O_NONBLOCK) == 0 && fcntl(out->output, F_SETFL, O_NONBLOCK) == 0 &&
           fcntl(out->error_output, F_SETFL, O_NONBLOCK) == 0;
}

/* --- the child, which still shares our memory --- */

static void default_signals(void)
{
    struct sigaction action = { .sa_handler = SIG_DFL };

    for (int number = 1; number < NSIG; number++)
        if (number != SIGKILL && number != SIGSTOP)
            (void)sigaction(number, &action, NULL);
}

/* We hold many descriptors; programs that walk through all they might have are not to pay for that. */
static void limit_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur > PROGRAM_DESCRIPTORS) {
        limit.rlim_cur = PROGRAM_DESCRIPTORS;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static _Noreturn void become(struct child *child)
{
    const struct ab_process_settings *settings = child->settings;
    char *const *arguments = (char *const *)(uintptr_t)settings->arguments;
    char *const *environment = (char *const *)(uintptr_t)settings->environment;

    default_signals();
    (void)setsid();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != child->parent) /* it died before it could be watched */
        _exit(127);
    for (int i = 0; i < 3; i++)
        if (dup2(child->ends[i], i) < 0)
            child->failure = errno;
    (void)close_range(3, ~0U, 0);
    limit_descriptors();
    if (settings->directory != NULL && chdir(settings->directory) != 0)
        child->failure = errno;
    (void)sigprocmask(SIG_SETMASK, &child->no_signals, NULL);
    if (child->failure == 0) {
        (void)execvpe(child->program, arguments, environment);
        child->failure = errno;
    }
    _exit(127);
}

/* --- starting --- */

static pid_t start(struct child *child)
{
    sigset_t all;
    sigset_t before;
    pid_t pid;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* no handler of ours may run in the child */
    pid = vfork();
    if (pid == 0)
        become(child);
    if (pid < 0)
        child->failure = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pid;
}

int ab_spawn(const struct ab_process_settings *settings, struct ab_spawned *out)
{
    struct child child = { .settings = settings, .ends = { -1, -1, -1 }, .parent = getpid() };

    *out = (struct ab_spawned){ .input = -1, .output = -1, .error_output = -1 };
    (void)sigemptyset(&child.no_signals);
    child.program = find_program(settings);
    if (child.program == NULL)
        child.failure = ENOENT;
    else if (!open_pipes(&child, out))
        child.failure = errno;
    else
        out->pid = start(&child);
    for (int i = 0; i < 3; i++)
        close_end(&child.ends[i]);
    free(child.program);
    if (child.failure == 0)
        return 0;
    if (out->pid > 0)
        (void)waitpid(out->pid, NULL, 0);
    close_end(&out->input);
    close_end(&out->output);
    close_end(&out->error_output);
    return child.failure;
}
