/* The guard for addresses that a caller chose: whoever may name a URL could otherwise have the bridge knock at doors
 * that only it can reach. It is asked with the bytes of the address that is connected to, never with a name. */
#ifndef AB_WIRE_GUARD_H
#define AB_WIRE_GUARD_H

#include "base/str.h"

/* A network in IPv6 form; an IPv4 one stands in its v4-mapped form. */
struct ab_guard_network {
    unsigned char address[16];
    unsigned bits;
};

/* What is allowed besides the public addresses. `networks` is the owner's. */
struct ab_guard {
    const struct ab_guard_network *networks;
    size_t n_networks;
    bool listed_only; /* nothing but the networks: the public addresses neither */
};

/* "10.1.2.0/24", "fd00:1::/32", or one address. False when malformed, or when bits behind the prefix are set: then
 * something else was meant. */
AB_MUST bool ab_guard_network_parse(struct ab_str text, struct ab_guard_network *out);
/* Whether this IPv4 (4 bytes) or IPv6 (16 bytes) address, in network order, may be connected to for a caller: a public
 * one, or one in an allowed network. IPv4 addresses inside IPv6 ones (v4-mapped, 6to4, NAT64) are judged as what they
 * lead to. A NULL guard allows the public ones only. */
bool ab_guard_allows(const struct ab_guard *guard, const unsigned char *address, size_t size);

#endif
