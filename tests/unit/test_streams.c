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
    struct ab_stream_place *first = ab_streams_enter(streams, "ann");
    struct ab_stream_place *second = ab_streams_enter(streams, "ann");
    struct ab_stream_place *other = ab_streams_enter(streams, "bob");
    char text[200];

    (void)state;
    assert_non_null(first);
    assert_non_null(second);
    assert_non_null(other);
    assert_null(ab_streams_enter(streams, "ann"));
    ab_streams_refusal(streams, text, sizeof text);
    assert_non_null(strstr(text, "2 streams of yours are open"));
    ab_stream_leave(first);
    first = ab_streams_enter(streams, "ann");
    assert_non_null(first);
    assert_null(ab_streams_enter(streams, "ann"));
    ab_stream_leave(first);
    ab_stream_leave(second);
    ab_stream_leave(other);
    ab_stream_leave(NULL);
    ab_streams_free(streams);
    ab_streams_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(so_many_for_each) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
