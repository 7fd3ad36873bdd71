/* Who may come in by which name (DNS rebinding: MCP, basic/security; a page in a browser must not reach a local server
 * under a name of its own). */
#include "io/httpd_internal.h"

#include "base/mem.h"
#include "wire/http_values.h"

static bool is_listed(char **names, struct ab_str name)
{
    for (; *names != NULL; names++)
        if (ab_str_equal_nocase(ab_str(*names), name))
            return true;
    return false;
}

const char *httpd_check_host(const struct ab_httpd *httpd, struct ab_str value)
{
    struct ab_str host;
    uint16_t port;

    if (!ab_http_split_host(ab_str_trim(value), &host, &port))
        return "the Host header is missing or malformed";
    if (is_listed(httpd->hosts, ab_str_trim(value)) || is_listed(httpd->hosts, host))
        return NULL;
    if (httpd->loopback && ab_http_is_loopback_host(host))
        return NULL;
    return "this Host is not served here; `hosts` in the configuration lists those that are";
}

const char *httpd_check_origin(const struct ab_httpd *httpd, struct ab_str value)
{
    struct ab_str scheme;
    struct ab_str host;
    uint16_t port;

    if (is_listed(httpd->origins, ab_str_trim(value)))
        return NULL;
    if (httpd->loopback && ab_http_split_origin(ab_str_trim(value), &scheme, &host, &port) &&
        (ab_str_equal_nocase(scheme, AB_STR("http")) || ab_str_equal_nocase(scheme, AB_STR("https"))) &&
        ab_http_is_loopback_host(host))
        return NULL;
    return "this Origin may not call; `origins` in the configuration lists those that may";
}
