/* The system's clocks, and times as text (RFC 3339, UTC, milliseconds). */
#include "base/clock.h"

#include "base/str.h"

#include <string.h>
#include <time.h>

#define MS_PER_DAY 86400000
#define YEAR_9999_END_MS 253402300799999  /* 9999-12-31T23:59:59.999Z */
#define YEAR_0_START_MS (-62167219200000) /* 0000-01-01T00:00:00.000Z */

static int64_t system_wall_ms(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_monotonic_us(void *context)
{
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct ab_clock ab_clock_system(void)
{
    return (struct ab_clock){ .wall_ms = system_wall_ms, .monotonic_us = system_monotonic_us };
}

int64_t ab_clock_wall_ms(const struct ab_clock *clock)
{
    return clock->wall_ms(clock->context);
}

int64_t ab_clock_monotonic_us(const struct ab_clock *clock)
{
    return clock->monotonic_us(clock->context);
}

/* Days since 1970-01-01 of a date in the Gregorian calendar. Years are counted from March, so that the leap day is
 * the last of its year. */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    int64_t march_year = month <= 2 ? year - 1 : year;
    int64_t era = (march_year >= 0 ? march_year : march_year - 399) / 400;
    int64_t year_of_era = march_year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void date_of_days(int64_t days, int *year, int *month, int *day)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t from_march = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * from_march + 2) / 5 + 1);
    *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2 ? 1 : 0));
}

static void put_digits(char *out, size_t count, unsigned number)
{
    while (count > 0) {
        out[--count] = (char)('0' + number % 10);
        number /= 10;
    }
}

/* Within the years that four digits can tell. */
static int64_t tellable(int64_t wall_ms)
{
    if (wall_ms < YEAR_0_START_MS) {
        return YEAR_0_START_MS;
    }
    return wall_ms > YEAR_9999_END_MS ? YEAR_9999_END_MS : wall_ms;
}

/* Splits off the days since 1970-01-01; what is left is not negative. */
static int64_t take_days(int64_t *wall_ms)
{
    int64_t days = *wall_ms / MS_PER_DAY;
    *wall_ms %= MS_PER_DAY;
    if (*wall_ms < 0) {
        *wall_ms += MS_PER_DAY;
        days--;
    }
    return days;
}

/* By hand: every answer holds some, and printf takes several times as long. */
void ab_time_format(int64_t wall_ms, char out[AB_TIME_TEXT_SIZE])
{
    int64_t rest = tellable(wall_ms);
    int64_t days = take_days(&rest);
    int year, month, day;
    date_of_days(days, &year, &month, &day);
    unsigned ms = (unsigned)rest;
    memcpy(out, "0000-00-00T00:00:00.000Z", AB_TIME_TEXT_SIZE);
    put_digits(out, 4, (unsigned)year);
    put_digits(out + 5, 2, (unsigned)month);
    put_digits(out + 8, 2, (unsigned)day);
    put_digits(out + 11, 2, ms / 3600000);
    put_digits(out + 14, 2, ms / 60000 % 60);
    put_digits(out + 17, 2, ms / 1000 % 60);
    put_digits(out + 20, 3, ms % 1000);
}

void ab_time_format_http(int64_t wall_ms, char out[AB_TIME_HTTP_SIZE])
{
    static const char weekdays[7][4] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" }; /* from 1970-01-01 on */
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    int64_t rest = tellable(wall_ms);
    int64_t days = take_days(&rest);
    char plain[AB_TIME_TEXT_SIZE];
    int year, month, day;
    date_of_days(days, &year, &month, &day);
    ab_time_format(wall_ms, plain);
    memcpy(out, "___, 00 ___ 0000 00:00:00 GMT", AB_TIME_HTTP_SIZE);
    memcpy(out, weekdays[(days % 7 + 7) % 7], 3);
    memcpy(out + 5, plain + 8, 2);
    memcpy(out + 8, months[month - 1], 3);
    memcpy(out + 12, plain, 4);
    memcpy(out + 17, plain + 11, 8);
}

static int64_t digits_at(const char *text, size_t count)
{
    int64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

bool ab_time_parse(struct ab_str text, int64_t *wall_ms)
{
    static const char pattern[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    if (text.size != sizeof(pattern) - 1) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        char found = text.data[i];
        if (pattern[i] == 'd' ? found < '0' || found > '9' : found != pattern[i]) {
            return false;
        }
    }
    int64_t days = days_of_date(digits_at(text.data, 4), digits_at(text.data + 5, 2), digits_at(text.data + 8, 2));
    int64_t seconds =
        digits_at(text.data + 11, 2) * 3600 + digits_at(text.data + 14, 2) * 60 + digits_at(text.data + 17, 2);
    int64_t time = days * MS_PER_DAY + seconds * 1000 + digits_at(text.data + 20, 3);

    /* A day or an hour that does not exist comes out as another one. */
    char again[AB_TIME_TEXT_SIZE];
    ab_time_format(time, again);
    if (memcmp(again, text.data, text.size) != 0) {
        return false;
    }
    *wall_ms = time;
    return true;
}

static bool two_digits(const char *text, int64_t *out)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
        return false;
    }
    *out = digits_at(text, 2);
    return true;
}

/* In milliseconds. */
static bool read_zone(const char *zone, int64_t *out)
{
    int64_t hours;
    int64_t minutes;
    *out = 0;
    if (zone[0] == '\0' || strcmp(zone, "Z") == 0 || strcmp(zone, "z") == 0) {
        return true;
    }
    if ((zone[0] != '+' && zone[0] != '-') || !two_digits(zone + 1, &hours)) {
        return false;
    }
    const char *rest = zone[3] == ':' ? zone + 4 : zone + 3;
    if (!two_digits(rest, &minutes) || rest[2] != '\0') {
        return false;
    }
    *out = (hours * 60 + minutes) * 60000 * (zone[0] == '-' ? -1 : 1);
    return true;
}

bool ab_time_read(const char *text, int64_t *wall_ms)
{
    static const char seconds[] = "0000-00-00T00:00:00";
    char whole[] = "0000-00-00T00:00:00.000Z";
    const size_t end = sizeof(seconds) - 1;
    int64_t zone;
    int64_t time;
    if (strlen(text) < end) {
        return false;
    }
    memcpy(whole, text, end);
    if (whole[10] == ' ' || whole[10] == 't') {
        whole[10] = 'T';
    }
    const char *at = text + end;
    if (*at == '.') {
        at++;
        for (size_t i = 0; *at >= '0' && *at <= '9'; at++, i++) {
            if (i < 3) {
                whole[end + 1 + i] = *at;
            }
        }
    }
    if (!read_zone(at, &zone) || !ab_time_parse(ab_str(whole), &time)) {
        return false;
    }
    *wall_ms = time - zone;
    return true;
}
