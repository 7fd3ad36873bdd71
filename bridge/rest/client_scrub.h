/* What the other end must not tell back: credentials that it was given, and members that hold such. Everything that
 * comes from there passes here before it is reported, stored or logged. */
#ifndef AB_REST_CLIENT_SCRUB_H
#define AB_REST_CLIENT_SCRUB_H

#include "wire/json.h"

struct ab_rest_scrub;
AB_MUST struct ab_rest_scrub *ab_rest_scrub_new(void);
/* Wipes what it knows. NULL is accepted. */
void ab_rest_scrub_free(struct ab_rest_scrub *scrub);
/* A text that must not come back; copied. One of less than 8 bytes is no secret that could be told from a word. */
void ab_rest_scrub_add(struct ab_rest_scrub *scrub, const char *secret);
/* The credentials of an invocation ({"user_oidc_token","user_tokens","mcp_servers"}): every text of the first two, of
 * the servers what is secret of them. Of "Bearer x" it is the x. */
void ab_rest_scrub_add_credentials(struct ab_rest_scrub *scrub, struct ab_json secrets);

/* Appends the text with each secret replaced. */
void ab_rest_scrub_text(const struct ab_rest_scrub *scrub, struct ab_str text, struct ab_buf *out);
/* The same for a text that comes in pieces: what could be a secret's beginning is kept for the next piece, at the
 * `last` one nothing is. */
void ab_rest_scrub_piece(struct ab_rest_scrub *scrub, struct ab_str piece, bool last, struct ab_buf *out);
/* Writes the value with each secret in its texts replaced. `drop_named`: also without members that are named like
 * credentials ("user_oidc_token", "access_token" ...), for what is only told of. */
void ab_rest_scrub_json(const struct ab_rest_scrub *scrub, struct ab_json value, bool drop_named,
                        struct ab_json_writer *writer);

#endif
