/* Places for streams: so many for each caller, free again once left. */
#include "auth/streams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void so_many_for_each(void **state)
{
    struct ab_streams *streams = ab_streams_new(2);
    struct ab_stream_place *places[4];
    char text[AB_STREAMS_TEXT_SIZE];

    (void)state;
    assert_true(ab_streams_enter(streams, "ann", &places[0], text));
    assert_true(ab_streams_enter(streams, "ann", &places[1], text));
    assert_true(ab_streams_enter(streams, "bob", &places[2], text));
    assert_false(ab_streams_enter(streams, "ann", &places[3], text));
    assert_null(places[3]);
    assert_non_null(strstr(text, "2 streams of yours are open"));
    ab_stream_leave(places[0]);
    assert_true(ab_streams_enter(streams, "ann", &places[0], text));
    assert_false(ab_streams_enter(streams, "ann", &places[3], text));
    for (size_t i = 0; i < 3; i++)
        ab_stream_leave(places[i]);
    ab_stream_leave(NULL);
    ab_streams_free(streams);
    ab_streams_free(NULL);
}

static void nobody_counts(void **state)
{
    struct ab_stream_place *place;
    char text[AB_STREAMS_TEXT_SIZE];

    (void)state;
    assert_true(ab_streams_enter(NULL, "ann", &place, text));
    assert_null(place);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(so_many_for_each), cmocka_unit_test(nobody_counts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
