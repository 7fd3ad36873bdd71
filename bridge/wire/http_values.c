/* Small values inside HTTP messages: pure functions over slices. */
#include "wire/http_values.h"

#include "base/base64.h"

#include <arpa/inet.h>
#include <string.h>
#include <time.h>

static bool is_alnum(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z');
}

/* Cuts off what stands before `separator` (all of it when there is none); quoted strings are not looked into. */
static struct ab_str cut(struct ab_str *rest, char separator)
{
    bool quoted = false;
    size_t at = 0;
    for (; at < rest->size; at++) {
        char found = rest->data[at];
        if (quoted && found == '\\') {
            at++;
        } else if (found == '"') {
            quoted = !quoted;
        } else if (!quoted && found == separator) {
            break;
        }
    }
    at = at > rest->size ? rest->size : at;
    struct ab_str part = { rest->data, at };
    size_t used = at < rest->size ? at + 1 : at;
    *rest = (struct ab_str){ rest->data + used, rest->size - used };
    return part;
}

/* --- media types --- */

bool ab_http_is_media_type(struct ab_str content_type, const char *media_type)
{
    struct ab_str type = ab_str_trim(cut(&content_type, ';'));
    return ab_str_equal_nocase(type, ab_str(media_type));
}

/* Whether a weight ("0.8") is above zero. */
static bool is_wanted(struct ab_str weight)
{
    for (size_t i = 0; i < weight.size; i++) {
        if (weight.data[i] >= '1' && weight.data[i] <= '9') {
            return true;
        }
    }
    return false;
}

/* How closely a media range names the type: 3 exactly, 2 by "type" and a star, 1 by two stars, 0 not at all. */
static int closeness(struct ab_str range, struct ab_str media_type)
{
    if (ab_str_equal_nocase(range, media_type)) {
        return 3;
    }
    if (ab_str_is(range, "*/*")) {
        return 1;
    }
    struct ab_str rest = media_type;
    size_t major = cut(&rest, '/').size + 1;
    bool same_major =
        range.size == major + 1 && major < media_type.size && range.data[major] == '*' &&
        ab_str_equal_nocase((struct ab_str){ range.data, major }, (struct ab_str){ media_type.data, major });
    return same_major ? 2 : 0;
}

bool ab_http_accepts(struct ab_str accept, const char *media_type)
{
    if (ab_str_trim(accept).size == 0) {
        return true;
    }
    int best = 0;
    bool wanted = false;
    while (accept.size > 0) {
        struct ab_str element = cut(&accept, ',');
        int close = closeness(ab_str_trim(cut(&element, ';')), ab_str(media_type));
        bool this_wanted = true;
        while (element.size > 0) {
            struct ab_str parameter = ab_str_trim(cut(&element, ';'));
            if (ab_str_starts(parameter, "q=") || ab_str_starts(parameter, "Q=")) {
                this_wanted = is_wanted((struct ab_str){ parameter.data + 2, parameter.size - 2 });
            }
        }
        if (close > best || (close == best && close > 0 && this_wanted)) {
            best = close;
            wanted = this_wanted;
        }
    }
    return wanted;
}

/* --- hosts and origins --- */

static bool is_host_name(struct ab_str host)
{
    for (size_t i = 0; i < host.size; i++) {
        if (!is_alnum(host.data[i]) && host.data[i] != '-' && host.data[i] != '.' && host.data[i] != '_') {
            return false;
        }
    }
    return host.size > 0 && host.size <= 255;
}

static bool parse_address(int family, struct ab_str text, void *out)
{
    char copy[INET6_ADDRSTRLEN + 1];
    if (text.size >= sizeof(copy) || memchr(text.data, '\0', text.size) != NULL) {
        return false;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return inet_pton(family, copy, out) == 1;
}

/* ":port" or nothing. */
static bool split_port(struct ab_str text, uint16_t *port)
{
    *port = 0;
    if (text.size == 0) {
        return true;
    }
    uint64_t number = 0;
    if (text.data[0] != ':' || !ab_str_to_uint((struct ab_str){ text.data + 1, text.size - 1 }, UINT16_MAX, &number) ||
        number == 0) {
        return false;
    }
    *port = (uint16_t)number;
    return true;
}

bool ab_http_split_host(struct ab_str value, struct ab_str *host, uint16_t *port)
{
    struct ab_str rest = value;
    if (value.size > 0 && value.data[0] == '[') {
        const char *bracket = memchr(value.data, ']', value.size);
        if (bracket == NULL) {
            return false;
        }
        *host = (struct ab_str){ value.data + 1, (size_t)(bracket - value.data) - 1 };
        rest = (struct ab_str){ bracket + 1, value.size - host->size - 2 };
        struct in6_addr address;
        return host->size > 0 && parse_address(AF_INET6, *host, &address) && split_port(rest, port);
    }
    const char *colon = value.size == 0 ? NULL : memchr(value.data, ':', value.size);
    size_t size = colon == NULL ? value.size : (size_t)(colon - value.data);
    *host = (struct ab_str){ value.data, size };
    rest = (struct ab_str){ value.data + size, value.size - size };
    return is_host_name(*host) && split_port(rest, port);
}

bool ab_http_split_origin(struct ab_str value, struct ab_str *scheme, struct ab_str *host, uint16_t *port)
{
    size_t size = 0;
    while (size < value.size && (is_alnum(value.data[size]) ||
                                 (size > 0 && strchr("+-.", value.data[size]) != NULL && value.data[size] != '\0'))) {
        size++;
    }
    struct ab_str rest = { value.data + size, value.size - size };
    if (size == 0 || (value.data[0] >= '0' && value.data[0] <= '9') || !ab_str_starts(rest, "://")) {
        return false;
    }
    *scheme = (struct ab_str){ value.data, size };
    return ab_http_split_host((struct ab_str){ rest.data + 3, rest.size - 3 }, host, port);
}

bool ab_http_is_loopback_host(struct ab_str host)
{
    if (host.size == 0) {
        return false;
    }
    struct in_addr v4;
    struct in6_addr v6;
    if (parse_address(AF_INET, host, &v4)) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    if (parse_address(AF_INET6, host, &v6)) {
        return memcmp(&v6, &in6addr_loopback, sizeof(v6)) == 0;
    }
    return ab_str_equal_nocase(host, AB_STR("localhost"));
}

/* --- encoded values --- */

bool ab_http_decode_mcp_value(struct ab_str value, struct ab_buf *out)
{
    static const char begin[] = "=?base64?";
    static const char end[] = "?=";
    const size_t frame = sizeof(begin) - 1 + sizeof(end) - 1;
    value = ab_str_trim(value);
    if (!ab_str_starts(value, begin) || value.size < frame || memcmp(value.data + value.size - 2, end, 2) != 0) {
        ab_buf_append_str(out, value); /* both marks or none: anything else is meant literally */
        return !out->full;
    }
    size_t before = out->size;
    if (!ab_base64_decode(out, (struct ab_str){ value.data + sizeof(begin) - 1, value.size - frame })) {
        return false;
    }
    return out->size == before || ab_utf8_valid((struct ab_str){ out->data + before, out->size - before });
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* With `form` as forms encode it: "+" is a blank. False when an escape is broken, or the text is no UTF-8 or holds NUL.
 */
static bool decode_percent(struct ab_str text, bool form, struct ab_buf *out)
{
    size_t before = out->size;
    for (size_t i = 0; i < text.size; i++) {
        char found = text.data[i];
        if (found == '%') {
            int high = text.size - i > 2 ? hex_value(text.data[i + 1]) : -1;
            int low = text.size - i > 2 ? hex_value(text.data[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0)) {
                return false;
            }
            found = (char)(high * 16 + low);
            i += 2;
        } else if (form && found == '+') {
            found = ' ';
        }
        ab_buf_append_char(out, found);
    }
    return !out->full &&
           (out->size == before || ab_utf8_valid((struct ab_str){ out->data + before, out->size - before }));
}

/* Whether a parameter's name, percent-decoded, is this one. */
static bool is_named(struct ab_str encoded, const char *name)
{
    struct ab_buf decoded = AB_BUF_INIT(256);
    bool same = decode_percent(encoded, true, &decoded) && ab_str_is(ab_buf_str(&decoded), name);
    ab_buf_deinit(&decoded);
    return same;
}

bool ab_http_decode_segment(struct ab_str segment, struct ab_buf *out)
{
    return decode_percent(segment, false, out);
}

bool ab_http_query_value(struct ab_str query, const char *name, struct ab_buf *out)
{
    while (query.size > 0) {
        const char *ampersand = memchr(query.data, '&', query.size);
        size_t size = ampersand == NULL ? query.size : (size_t)(ampersand - query.data);
        const char *equals = memchr(query.data, '=', size);
        size_t name_size = equals == NULL ? size : (size_t)(equals - query.data);
        if (is_named((struct ab_str){ query.data, name_size }, name)) {
            size_t skipped = equals == NULL ? size : name_size + 1;
            return decode_percent((struct ab_str){ query.data + skipped, size - skipped }, true, out);
        }
        size += ampersand == NULL ? 0 : 1;
        query.data += size;
        query.size -= size;
    }
    return false;
}

bool ab_http_retry_after(struct ab_str value, int64_t now_ms, int64_t *ms)
{
    static const uint64_t longest_s = UINT64_C(10) * 365 * 86400;
    uint64_t seconds;
    value = ab_str_trim(value);
    if (ab_str_to_uint(value, longest_s, &seconds)) {
        *ms = (int64_t)seconds * 1000;
        return true;
    }
    char text[32] = "";
    if (value.size != 29 || memchr(value.data, '\0', value.size) != NULL) {
        return false;
    }
    memcpy(text, value.data, value.size);
    struct tm parts = { 0 };
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (end == NULL || *end != '\0') {
        return false;
    }
    int64_t left = (int64_t)timegm(&parts) * 1000 - now_ms;
    *ms = left > 0 ? left : 0;
    return true;
}

const char *ab_http_reason(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {
        { 100, "Continue" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 417, "Expectation Failed" },
        { 421, "Misdirected Request" },
        { 422, "Unprocessable Content" },
        { 426, "Upgrade Required" },
        { 428, "Precondition Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Unknown";
}
