/* Time, replaceable in tests. */
#ifndef AB_BASE_CLOCK_H
#define AB_BASE_CLOCK_H

#include "agentbridge/types.h"

struct ab_clock {
    int64_t (*wall_ms)(void *context);      /* ms since 1970-01-01T00:00:00Z; may jump */
    int64_t (*monotonic_us)(void *context); /* us since some start; never goes back */
    void *context;
};

struct ab_clock ab_clock_system(void);
int64_t ab_clock_wall_ms(const struct ab_clock *clock);
int64_t ab_clock_monotonic_us(const struct ab_clock *clock);

/* "2026-07-28T09:30:00.125Z" and the NUL. */
#define AB_TIME_TEXT_SIZE 25
void ab_time_format(int64_t wall_ms, char out[AB_TIME_TEXT_SIZE]);
/* As HTTP's headers have it (RFC 9110, 5.6.7): "Tue, 28 Jul 2026 09:30:00 GMT" and the NUL; in English whatever the
 * locale is. */
#define AB_TIME_HTTP_SIZE 30
void ab_time_format_http(int64_t wall_ms, char out[AB_TIME_HTTP_SIZE]);
/* Reads what ab_time_format writes; false otherwise. */
AB_MUST bool ab_time_parse(struct ab_str text, int64_t *wall_ms);
/* Reads a time as others write it (ISO 8601), into ms since 1970-01-01T00:00:00Z. There may be any number of digits
 * behind the seconds (what is beyond milliseconds is cut off), a zone as "Z", "+02:00", "+0200" or none (then it is
 * UTC), "t" or a space for "T". False: it is none, and `*wall_ms` is as it was. */
AB_MUST bool ab_time_read(const char *text, int64_t *wall_ms);

#endif
