#include "wire/receiver.h"

#include "wire/http_values.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_BYTES 253

static bool refuse(char *reason, size_t reason_size, const char *sentence)
{
    snprintf(reason, reason_size, "%s", sentence);
    return false;
}

static bool is_plain(const char *url)
{
    for (; *url != '\0'; url++) {
        if (*url <= ' ' || *url > '~' || *url == '\\')
            return false;
    }
    return true;
}

/* Whether this host is an address that may not be connected to. The old forms of IPv4 ("127.1", "0x7f000001") are
 * addresses, too: the resolver takes them. */
static bool is_forbidden(const char *host, const struct ab_guard *guard)
{
    static const unsigned char loopback_v4[4] = { 127, 0, 0, 1 };
    static const unsigned char loopback_v6[16] = { [15] = 1 };
    size_t size = strlen(host);
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET6, host, &v6) == 1)
        return !ab_guard_allows(guard, (const unsigned char *)&v6, sizeof v6);
    if (inet_aton(host, &v4) != 0)
        return !ab_guard_allows(guard, (const unsigned char *)&v4, sizeof v4);
    if (strcmp(host, "localhost") == 0 || (size > 10 && strcmp(host + size - 10, ".localhost") == 0))
        return !ab_guard_allows(guard, loopback_v4, sizeof loopback_v4) &&
               !ab_guard_allows(guard, loopback_v6, sizeof loopback_v6);
    return false;
}

/* The authority of a URL that is known to be plain; false: refused. */
static bool read_authority(struct ab_str authority, bool secure, const struct ab_guard *guard,
                           char receiver[AB_RECEIVER_SIZE], char *reason, size_t reason_size)
{
    struct ab_guard plain = guard != NULL ? *guard : (struct ab_guard){ NULL, 0, false };
    struct ab_str host;
    uint16_t port;
    char name[HOST_BYTES + 1];

    plain.listed_only = true;

    if (memchr(authority.data, '@', authority.size) != NULL)
        return refuse(reason, reason_size, "must not hold a user or a password");
    if (!ab_http_split_host(authority, &host, &port) || host.size == 0 || host.size > HOST_BYTES)
        return refuse(reason, reason_size, "must be like https://host/path");
    for (size_t i = 0; i < host.size; i++)
        name[i] = (char)tolower((unsigned char)host.data[i]);
    name[host.size] = '\0';
    if (is_forbidden(name, guard)) {
        snprintf(reason, reason_size,
                 "leads to %.80s, which is not a public address; the operator may allow it (outbound.allow)", name);
        return false;
    }
    if (!secure && is_forbidden(name, &plain)) {
        snprintf(reason, reason_size,
                 "leads to %.80s over plain http; take https, or the operator may allow it (outbound.allow)", name);
        return false;
    }
    snprintf(receiver, AB_RECEIVER_SIZE, strchr(name, ':') != NULL ? "%s://[%s]:%u" : "%s://%s:%u",
             secure ? "https" : "http", name,
             (unsigned)(port != 0 ? port
                        : secure  ? 443
                                  : 80));
    return true;
}

bool ab_receiver_read(const char *url, const struct ab_guard *guard, char receiver[AB_RECEIVER_SIZE], char *reason,
                      size_t reason_size)
{
    bool secure = strncasecmp(url, "https://", 8) == 0;
    const char *authority = url + (secure ? 8 : 7);

    if (!secure && strncasecmp(url, "http://", 7) != 0)
        return refuse(reason, reason_size, "must begin with https:// or http://");
    if (strlen(url) > AB_RECEIVER_URL_BYTES)
        return refuse(reason, reason_size, "must not be longer than 2048 bytes");
    if (!is_plain(url))
        return refuse(reason, reason_size, "must be an encoded URL, without blanks and other special characters");
    if (strchr(url, '#') != NULL)
        return refuse(reason, reason_size, "must not have a fragment");
    return read_authority((struct ab_str){ authority, strcspn(authority, "/?") }, secure, guard, receiver, reason,
                          reason_size);
}
