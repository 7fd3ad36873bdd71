/* Which addresses are public, after the registries of special-purpose addresses (RFC 6890 and what followed it). */
#include "wire/guard.h"

#include <arpa/inet.h>
#include <string.h>

static const unsigned char mapped_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct v4_network {
    unsigned char address[4];
    unsigned bits;
};

/* Everything that is not one host somewhere on the public network. */
static const struct v4_network special_v4[] = {
    { { 0, 0, 0, 0 }, 8 },       /* "this" network; 0.0.0.0 reaches the host itself */
    { { 10, 0, 0, 0 }, 8 },      /* private */
    { { 100, 64, 0, 0 }, 10 },   /* carrier-grade NAT */
    { { 127, 0, 0, 0 }, 8 },     /* loopback */
    { { 169, 254, 0, 0 }, 16 },  /* link-local, and the clouds' metadata services */
    { { 172, 16, 0, 0 }, 12 },   /* private */
    { { 192, 0, 0, 0 }, 24 },    /* protocol assignments */
    { { 192, 0, 2, 0 }, 24 },    /* documentation */
    { { 192, 88, 99, 0 }, 24 },  /* 6to4 relays */
    { { 192, 168, 0, 0 }, 16 },  /* private */
    { { 198, 18, 0, 0 }, 15 },   /* benchmarks */
    { { 198, 51, 100, 0 }, 24 }, /* documentation */
    { { 203, 0, 113, 0 }, 24 },  /* documentation */
    { { 224, 0, 0, 0 }, 4 },     /* multicast */
    { { 240, 0, 0, 0 }, 4 },     /* reserved, broadcast */
};

/* Of 2000::/3, outside of which nothing is public. */
static const struct ab_guard_network special_v6[] = {
    { { 0x20, 0x01, 0x00 }, 23 },       /* protocol assignments, Teredo among them */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
    { { 0x20, 0x02 }, 16 },             /* 6to4: judged as its IPv4 address before */
    { { 0x3f, 0xff, 0x00 }, 20 },       /* documentation */
};

static bool has_prefix(const unsigned char *address, const unsigned char *prefix, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;

    if (memcmp(address, prefix, whole) != 0)
        return false;
    return rest == 0 || ((address[whole] ^ prefix[whole]) & (0xffu << (8 - rest)) & 0xffu) == 0;
}

/* The four bytes of the IPv4 address that this IPv6 address leads to, or NULL. */
static const unsigned char *embedded_v4(const unsigned char *address)
{
    static const unsigned char nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
    static const unsigned char six_to_four[2] = { 0x20, 0x02 };

    if (memcmp(address, mapped_prefix, 12) == 0 || memcmp(address, nat64, 12) == 0)
        return address + 12;
    return memcmp(address, six_to_four, 2) == 0 ? address + 2 : NULL;
}

static bool is_public_v4(const unsigned char *address)
{
    for (size_t i = 0; i < sizeof special_v4 / sizeof *special_v4; i++) {
        if (has_prefix(address, special_v4[i].address, special_v4[i].bits))
            return false;
    }
    return true;
}

static bool is_public_v6(const unsigned char *address)
{
    if ((address[0] & 0xe0) != 0x20)
        return false;
    for (size_t i = 0; i < sizeof special_v6 / sizeof *special_v6; i++) {
        if (has_prefix(address, special_v6[i].address, special_v6[i].bits))
            return false;
    }
    return true;
}

static bool is_listed(const struct ab_guard *guard, const unsigned char *address)
{
    for (size_t i = 0; guard != NULL && i < guard->n_networks; i++) {
        if (has_prefix(address, guard->networks[i].address, guard->networks[i].bits))
            return true;
    }
    return false;
}

static bool is_narrow(const struct ab_guard *guard)
{
    return guard != NULL && guard->listed_only;
}

bool ab_guard_allows(const struct ab_guard *guard, const unsigned char *address, size_t size)
{
    unsigned char mapped[16];
    const unsigned char *v4 = size == 4 ? address : NULL;

    if (size != 4 && size != 16)
        return false;
    if (v4 == NULL)
        v4 = embedded_v4(address);
    if (v4 == NULL)
        return (is_public_v6(address) && !is_narrow(guard)) || is_listed(guard, address);
    memcpy(mapped, mapped_prefix, sizeof mapped_prefix);
    memcpy(mapped + 12, v4, 4);
    return (is_public_v4(v4) && !is_narrow(guard)) || is_listed(guard, mapped);
}

/* --- the operator's networks --- */

static bool parse_address(const char *text, struct ab_guard_network *out, unsigned *width)
{
    *width = 32;
    memcpy(out->address, mapped_prefix, sizeof mapped_prefix);
    if (inet_pton(AF_INET, text, out->address + 12) == 1)
        return true;
    *width = 128;
    return inet_pton(AF_INET6, text, out->address) == 1;
}

static bool has_bits_behind(const struct ab_guard_network *network)
{
    for (unsigned bit = network->bits; bit < 128; bit++) {
        if ((network->address[bit / 8] & (0x80u >> (bit % 8))) != 0)
            return true;
    }
    return false;
}

bool ab_guard_network_parse(struct ab_str text, struct ab_guard_network *out)
{
    const char *slash = text.size > 0 ? memchr(text.data, '/', text.size) : NULL;
    size_t size = slash != NULL ? (size_t)(slash - text.data) : text.size;
    char address[64];
    uint64_t bits = 0;
    unsigned width;

    *out = (struct ab_guard_network){ 0 };
    if (size == 0 || size >= sizeof address || memchr(text.data, '\0', size) != NULL)
        return false;
    memcpy(address, text.data, size);
    address[size] = '\0';
    if (!parse_address(address, out, &width))
        return false;
    bits = width;
    if (slash != NULL && !ab_str_to_uint((struct ab_str){ slash + 1, text.size - size - 1 }, width, &bits))
        return false;
    out->bits = 128 - width + (unsigned)bits;
    return !has_bits_behind(out);
}
