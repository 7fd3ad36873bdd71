/* Where a transfer may go; see curl_guard.h. */
#include "io/curl_guard.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

static bool allows_socket(const struct ab_curl_guard *guard, const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        return ab_guard_allows(guard->guard, (const unsigned char *)&v4.sin_addr, 4);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof(v6));
        return ab_guard_allows(guard->guard, (const unsigned char *)&v6.sin6_addr, 16);
    }
    return false;
}

/* curl's own sockets would stay open in child processes. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct ab_curl_guard *guard = arg;

    (void)purpose;
    if (guard->guarded && !allows_socket(guard, &address->addr)) {
        guard->forbidden = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A connection may be one that an unguarded call opened: it is looked at once more before anything is sent. */
static int before_request(void *arg, char *peer, char *own, int peer_port, int own_port)
{
    struct ab_curl_guard *guard = arg;
    unsigned char address[16];

    (void)own;
    (void)peer_port;
    (void)own_port;
    if ((inet_pton(AF_INET, peer, address) == 1 && ab_guard_allows(guard->guard, address, 4)) ||
        (inet_pton(AF_INET6, peer, address) == 1 && ab_guard_allows(guard->guard, address, 16)))
        return CURL_PREREQFUNC_OK;
    guard->forbidden = true;
    return CURL_PREREQFUNC_ABORT;
}

/* Without a proxy: what is connected to must be what was asked for. */
void ab_curl_guard_set(CURL *easy, struct ab_curl_guard *guard)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, guard);
    if (!guard->guarded)
        return;
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, guard);
}
