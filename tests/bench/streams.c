/* Opens many streams and keeps them open:
 *   streams ADDRESS PORT COUNT SECONDS < REQUEST
 * Each connection sends the request that stands on standard input. "open" is printed once all of them have got the
 * first bytes of their answer. Then, for SECONDS, each "at N" in what arrives (nanoseconds of the monotonic clock) is
 * a notification, and its age is noted; with 0 it waits until standard output is closed at the other end. At the end
 * the number of notifications and their ages in microseconds are printed, as JSON. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_REQUEST 8192
#define MAX_AGES 1000000

struct streams {
    int epoll;
    int *fds;
    bool *answered;
    size_t count;
    size_t n_answered;
    size_t n_lost;
    int64_t *ages_us;
    size_t n_ages;
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void open_stream(struct streams *streams, size_t which, const struct sockaddr_in *address, const char *request,
                        size_t size)
{
    struct epoll_event event = { .events = EPOLLIN, .data.u64 = which };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        fail("connect");
    if (write(fd, request, size) != (ssize_t)size)
        fail("write");
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || epoll_ctl(streams->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        fail("epoll_ctl");
    streams->fds[which] = fd;
}

/* A notification is never cut in two here: it is small, and the peer writes it in one go. */
static void note_ages(struct streams *streams, char *text, int64_t now)
{
    while ((text = strstr(text, "\"at ")) != NULL && streams->n_ages < MAX_AGES) {
        text += 4;
        streams->ages_us[streams->n_ages++] = (now - strtoll(text, NULL, 10)) / 1000;
    }
}

static void read_stream(struct streams *streams, size_t which, bool measuring)
{
    char bytes[16384];
    ssize_t size = read(streams->fds[which], bytes, sizeof bytes - 1);
    int64_t now = now_ns();

    if (size <= 0 && errno != EAGAIN) {
        close(streams->fds[which]);
        streams->n_lost++;
        return;
    }
    if (!streams->answered[which])
        streams->n_answered++;
    streams->answered[which] = true;
    bytes[size > 0 ? size : 0] = '\0';
    if (measuring)
        note_ages(streams, bytes, now);
}

static void wait_for_bytes(struct streams *streams, int ms, bool measuring)
{
    struct epoll_event events[256];
    int n = epoll_wait(streams->epoll, events, 256, ms);

    for (int i = 0; i < n; i++)
        read_stream(streams, events[i].data.u64, measuring);
}

/* Not too many requests at once: it is open streams that are wanted, not a rush. */
static void open_all(struct streams *streams, const struct sockaddr_in *address, const char *request, size_t size)
{
    for (size_t i = 0; i < streams->count; i++) {
        open_stream(streams, i, address, request, size);
        while (i + 1 - streams->n_answered - streams->n_lost > 64)
            wait_for_bytes(streams, 1000, false);
    }
    while (streams->n_answered + streams->n_lost < streams->count)
        wait_for_bytes(streams, 1000, false);
}

static bool is_reader_gone(void)
{
    struct pollfd out = { .fd = STDOUT_FILENO };

    return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;

    return a < b ? -1 : a > b;
}

static void tell_ages(struct streams *streams)
{
    size_t n = streams->n_ages;

    qsort(streams->ages_us, n, sizeof *streams->ages_us, compare);
    printf("{\"count\":%zu,\"lost\":%zu", n, streams->n_lost);
    if (n > 0)
        printf(",\"p50_us\":%lld,\"p99_us\":%lld,\"max_us\":%lld", (long long)streams->ages_us[n / 2],
               (long long)streams->ages_us[n * 99 / 100], (long long)streams->ages_us[n - 1]);
    puts("}");
}

int main(int argc, char **argv)
{
    struct rlimit limit = { 65536, 65536 };
    struct sockaddr_in address = { .sin_family = AF_INET };
    struct streams streams = { .epoll = epoll_create1(EPOLL_CLOEXEC) };
    char request[MAX_REQUEST];
    size_t size = fread(request, 1, sizeof request, stdin);
    int64_t end;

    if (argc != 5 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1)
        return 2;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    address.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10));
    streams.count = strtoul(argv[3], NULL, 10);
    streams.fds = calloc(streams.count + 1, sizeof *streams.fds);
    streams.answered = calloc(streams.count + 1, sizeof *streams.answered);
    streams.ages_us = calloc(MAX_AGES, sizeof *streams.ages_us);
    if (streams.fds == NULL || streams.answered == NULL || streams.ages_us == NULL)
        fail("calloc");
    open_all(&streams, &address, request, size);
    puts("open");
    (void)fflush(stdout);
    end = now_ns() + strtoll(argv[4], NULL, 10) * INT64_C(1000000000);
    while (argv[4][0] == '0' ? !is_reader_gone() : now_ns() < end)
        wait_for_bytes(&streams, 100, true);
    tell_ages(&streams);
    return 0;
}
