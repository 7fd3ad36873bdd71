/* Small values inside HTTP messages: slices stay inside the value, what is decoded is UTF-8. */
#include "support/fuzz.h"

#include "wire/guard.h"
#include "wire/http_values.h"

#include <string.h>

static bool is_inside(struct ab_str part, struct ab_str whole)
{
    return part.data >= whole.data && part.data + part.size <= whole.data + whole.size;
}

static void split(struct ab_str value)
{
    struct ab_str scheme;
    struct ab_str host;
    uint16_t port;

    if (ab_http_split_host(value, &host, &port)) {
        HOLDS(host.size > 0 && is_inside(host, value));
        (void)ab_http_is_loopback_host(host);
    }
    if (ab_http_split_origin(value, &scheme, &host, &port)) {
        HOLDS(scheme.size > 0 && is_inside(scheme, value));
        HOLDS(host.size > 0 && is_inside(host, value) && host.data > scheme.data);
    }
}

static void decode(struct ab_str value)
{
    struct ab_buf out = AB_BUF_INIT(AB_BUF_UNBOUNDED);

    if (ab_http_decode_segment(value, &out))
        HOLDS(out.size <= value.size && ab_utf8_valid(ab_buf_str(&out)));
    ab_buf_clear(&out);
    if (ab_http_query_value(value, "name", &out))
        HOLDS(out.size < value.size && ab_utf8_valid(ab_buf_str(&out)));
    ab_buf_clear(&out);
    if (ab_http_decode_mcp_value(value, &out))
        HOLDS(out.size <= value.size);
    ab_buf_deinit(&out);
}

/* An IPv4 address is allowed whatever it is once it lies in an allowed network. (One of IPv6 that leads to an IPv4 one
 * is judged as that.) */
static void guard(struct ab_str value)
{
    static const unsigned char v4[12] = { [10] = 0xff, [11] = 0xff };
    struct ab_guard_network network;
    const struct ab_guard guard = { .networks = &network, .n_networks = 1 };

    if (!ab_guard_network_parse(value, &network))
        return;
    HOLDS(network.bits <= 128);
    if (memcmp(network.address, v4, sizeof v4) == 0)
        HOLDS(ab_guard_allows(&guard, network.address + sizeof v4, 4));
    else
        (void)ab_guard_allows(&guard, network.address, sizeof network.address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ab_str value = fuzz_text(data, size);

    if (ab_http_is_media_type(value, "application/json"))
        HOLDS(ab_http_accepts(AB_STR("application/json"), "application/json"));
    (void)ab_http_accepts(value, "text/event-stream");
    split(value);
    decode(value);
    guard(value);
    return 0;
}
