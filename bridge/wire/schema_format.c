/* The formats that are asserted: email (RFC 5321), uri (RFC 3986), date and date-time (RFC 3339). */
#include "wire/schema_internal.h"

#include "base/str.h"

#include <string.h>

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* --- dates --- */

static bool read_number(struct ab_str text, size_t at, size_t digits, unsigned *out)
{
    uint64_t value;

    if (at + digits > text.size || !ab_str_to_uint((struct ab_str){ text.data + at, digits }, 9999, &value))
        return false;
    *out = (unsigned)value;
    return true;
}

static bool is_date(struct ab_str text)
{
    static const unsigned char lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    unsigned year;
    unsigned month;
    unsigned day;

    if (text.size != 10 || text.data[4] != '-' || text.data[7] != '-' || !read_number(text, 0, 4, &year) ||
        !read_number(text, 5, 2, &month) || !read_number(text, 8, 2, &day) || month < 1 || month > 12)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day >= 1 && day <= (unsigned)(lengths[month - 1] + (leap && month == 2 ? 1 : 0));
}

/* "Z", "+01:30"; minutes east of UTC. */
static bool read_offset(struct ab_str text, int *minutes)
{
    unsigned hour;
    unsigned minute;

    *minutes = 0;
    if (text.size == 1)
        return text.data[0] == 'Z' || text.data[0] == 'z';
    if (text.size != 6 || (text.data[0] != '+' && text.data[0] != '-') || text.data[3] != ':' ||
        !read_number(text, 1, 2, &hour) || !read_number(text, 4, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *minutes = (int)(hour * 60 + minute) * (text.data[0] == '-' ? -1 : 1);
    return true;
}

static bool is_time(struct ab_str text)
{
    unsigned hour;
    unsigned minute;
    unsigned second;
    int offset;
    size_t at = 8;

    if (text.size < 9 || text.data[2] != ':' || text.data[5] != ':' || !read_number(text, 0, 2, &hour) ||
        !read_number(text, 3, 2, &minute) || !read_number(text, 6, 2, &second) || hour > 23 || minute > 59 ||
        second > 60)
        return false;
    if (text.data[at] == '.') {
        size_t begin = ++at;
        while (at < text.size && is_digit(text.data[at]))
            at++;
        if (at == begin)
            return false;
    }
    if (!read_offset((struct ab_str){ text.data + at, text.size - at }, &offset))
        return false;
    /* A leap second only ends a day, in UTC. */
    int utc = (((int)(hour * 60 + minute) - offset) % 1440 + 1440) % 1440;
    return second < 60 || utc == 23 * 60 + 59;
}

static bool is_date_time(struct ab_str text)
{
    if (text.size < 20 || (text.data[10] != 'T' && text.data[10] != 't'))
        return false;
    return is_date((struct ab_str){ text.data, 10 }) && is_time((struct ab_str){ text.data + 11, text.size - 11 });
}

/* --- email --- */

static bool is_host_name(struct ab_str name)
{
    size_t label = 0;

    if (name.size == 0 || name.size > 253)
        return false;
    for (size_t i = 0; i <= name.size; i++) {
        char c = i < name.size ? name.data[i] : '.';
        if (c == '.') {
            if (label == 0 || label > 63 || name.data[i - 1] == '-')
                return false;
            label = 0;
        } else if (is_alpha(c) || is_digit(c) || (c == '-' && label > 0)) {
            label++;
        } else {
            return false;
        }
    }
    return true;
}

static bool is_ipv4(struct ab_str text)
{
    unsigned parts = 0;
    size_t begin = 0;

    for (size_t i = 0; i <= text.size; i++) {
        uint64_t value;
        if (i < text.size && text.data[i] != '.')
            continue;
        if (!ab_str_to_uint((struct ab_str){ text.data + begin, i - begin }, 255, &value) ||
            (i - begin > 1 && text.data[begin] == '0'))
            return false;
        parts++;
        begin = i + 1;
    }
    return parts == 4;
}

static bool is_ipv6(struct ab_str text)
{
    unsigned groups = 0;
    bool gap = false;
    size_t at = 0;

    if (text.size < 2)
        return false;
    while (at < text.size) {
        size_t begin = at;
        while (at < text.size && is_hex(text.data[at]) && at - begin < 4)
            at++;
        if (at < text.size && text.data[at] == '.')
            return is_ipv4((struct ab_str){ text.data + begin, text.size - begin }) &&
                   (gap ? groups <= 6 : groups == 6);
        if (at > begin)
            groups++;
        if (at == text.size)
            break;
        if (text.data[at] != ':')
            return false;
        at++;
        if (at < text.size && text.data[at] == ':') {
            if (gap)
                return false;
            gap = true;
            at++;
        } else if (begin + 1 == at || at == text.size) {
            return false; /* a lone ":" at either end */
        }
    }
    return gap ? groups <= 7 : groups == 8;
}

static bool is_quoted_local(struct ab_str local)
{
    if (local.size < 2 || local.data[0] != '"' || local.data[local.size - 1] != '"')
        return false;
    for (size_t i = 1; i + 1 < local.size; i++) {
        if (local.data[i] == '\\' && i + 2 < local.size)
            i++;
        else if (local.data[i] == '"' || local.data[i] == '\\' || (unsigned char)local.data[i] < 0x20)
            return false;
    }
    return true;
}

static bool is_dotted_local(struct ab_str local)
{
    for (size_t i = 0; i < local.size; i++) {
        char c = local.data[i];
        bool dot = c == '.' && i > 0 && i + 1 < local.size && local.data[i - 1] != '.';
        if (!dot && !is_alpha(c) && !is_digit(c) && !is_in(c, "!#$%&'*+/=?^_`{|}~-"))
            return false;
    }
    return local.size > 0;
}

static bool is_mail_domain(struct ab_str domain)
{
    if (domain.size < 2 || domain.data[0] != '[' || domain.data[domain.size - 1] != ']')
        return is_host_name(domain);
    domain.data++;
    domain.size -= 2;
    if (ab_str_starts(domain, "IPv6:"))
        return is_ipv6((struct ab_str){ domain.data + 5, domain.size - 5 });
    return is_ipv4(domain);
}

static bool is_email(struct ab_str text)
{
    const char *at = text.size > 0 ? memrchr(text.data, '@', text.size) : NULL;
    struct ab_str local;
    struct ab_str domain;

    if (at == NULL)
        return false;
    local = (struct ab_str){ text.data, (size_t)(at - text.data) };
    domain = (struct ab_str){ at + 1, text.size - local.size - 1 };
    return (is_dotted_local(local) || is_quoted_local(local)) && is_mail_domain(domain);
}

/* --- uri --- */

/* Only unreserved, sub-delimiters, percent-encoded, and what `more` lists. */
static bool has_only(struct ab_str text, const char *more)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        if (c == '%') {
            if (i + 2 >= text.size || !is_hex(text.data[i + 1]) || !is_hex(text.data[i + 2]))
                return false;
        } else if (!is_alpha(c) && !is_digit(c) && !is_in(c, "-._~!$&'()*+,;=") && !is_in(c, more)) {
            return false;
        }
    }
    return true;
}

static bool is_port(struct ab_str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!is_digit(text.data[i]))
            return false;
    return true;
}

static bool is_authority(struct ab_str text)
{
    const char *at = text.size > 0 ? memrchr(text.data, '@', text.size) : NULL;
    const char *colon;

    if (at != NULL) {
        struct ab_str user = { text.data, (size_t)(at - text.data) };
        if (!has_only(user, ":"))
            return false;
        text = (struct ab_str){ at + 1, text.size - user.size - 1 };
    }
    if (text.size > 0 && text.data[0] == '[') {
        const char *end = memchr(text.data, ']', text.size);
        if (end == NULL || !is_ipv6((struct ab_str){ text.data + 1, (size_t)(end - text.data) - 1 }))
            return false;
        text = (struct ab_str){ end + 1, text.size - (size_t)(end + 1 - text.data) };
        return text.size == 0 || (text.data[0] == ':' && is_port((struct ab_str){ text.data + 1, text.size - 1 }));
    }
    colon = text.size > 0 ? memchr(text.data, ':', text.size) : NULL;
    if (colon != NULL) {
        size_t host = (size_t)(colon - text.data);
        if (!is_port((struct ab_str){ colon + 1, text.size - host - 1 }))
            return false;
        text.size = host;
    }
    return has_only(text, "");
}

/* Everything behind the scheme's colon. */
static bool is_hierarchy(struct ab_str text)
{
    const char *fragment = text.size > 0 ? memchr(text.data, '#', text.size) : NULL;
    const char *query;

    if (fragment != NULL) {
        size_t before = (size_t)(fragment - text.data);
        if (!has_only((struct ab_str){ fragment + 1, text.size - before - 1 }, ":@/?"))
            return false;
        text.size = before;
    }
    query = text.size > 0 ? memchr(text.data, '?', text.size) : NULL;
    if (query != NULL) {
        size_t before = (size_t)(query - text.data);
        if (!has_only((struct ab_str){ query + 1, text.size - before - 1 }, ":@/?"))
            return false;
        text.size = before;
    }
    if (ab_str_starts(text, "//")) {
        const char *path = text.size > 2 ? memchr(text.data + 2, '/', text.size - 2) : NULL;
        size_t size = path != NULL ? (size_t)(path - text.data) - 2 : text.size - 2;
        if (!is_authority((struct ab_str){ text.data + 2, size }))
            return false;
        text = (struct ab_str){ text.data + 2 + size, text.size - 2 - size };
    }
    return has_only(text, ":@/");
}

static bool is_uri(struct ab_str text)
{
    size_t i = 0;

    if (text.size == 0 || !is_alpha(text.data[0]))
        return false;
    while (i < text.size && (is_alpha(text.data[i]) || is_digit(text.data[i]) || is_in(text.data[i], "+-.")))
        i++;
    if (i == text.size || text.data[i] != ':')
        return false;
    return is_hierarchy((struct ab_str){ text.data + i + 1, text.size - i - 1 });
}

bool schema_format_fits(const char *format, struct ab_str text)
{
    static const struct {
        const char *name;
        bool (*fits)(struct ab_str text);
    } formats[] = {
        { "email", is_email },
        { "uri", is_uri },
        { "date", is_date },
        { "date-time", is_date_time },
    };

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (strcmp(format, formats[i].name) == 0)
            return formats[i].fits(text);
    return true;
}
