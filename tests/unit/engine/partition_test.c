// SPDX-License-Identifier: Apache-2.0
/* partition_test.c — watermark over partitions, and the offset to read from again. */
#include "engine/partition.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/clock.h"
#include "kafka/kafka.h"

#define HOUR CM_MS_PER_H

static void the_slowest_partition_holds_the_watermark(void **state)
{
    (void)state;
    struct cm_partition p[2];
    cm_partition_init(&p[0], 0, 0);
    cm_partition_init(&p[1], 1, 0);
    assert_int_equal(cm_partitions_watermark(p, 0, 10, 5, 0), INT64_MAX);
    cm_partition_note(&p[0], 7, 5000, 0);
    assert_int_equal(cm_partitions_watermark(p, 2, 10, 5, 0), INT64_MIN); /* one has not begun */
    cm_partition_note(&p[1], 3, 4000, 0);
    cm_partition_note(&p[1], 4, 3000, 0); /* disorder takes nothing back */
    cm_partition_note(&p[1], 5, INT64_MIN, 0);
    assert_int_equal(p[1].next_offset, 6);
    assert_int_equal(cm_partitions_watermark(p, 2, 10, 5, 0), 3990);
    /* Silent, but not at its end: it may have more. */
    assert_int_equal(cm_partitions_watermark(p, 2, 10, 5, 5 * CM_NS_PER_MS), 3990);
    p[1].at_end = true;
    assert_int_equal(cm_partitions_watermark(p, 2, 10, 5, 5 * CM_NS_PER_MS - 1), 3990);
    assert_int_equal(cm_partitions_watermark(p, 2, 10, 5, 5 * CM_NS_PER_MS), 4990);
    cm_partition_note(&p[1], 6, 3500, 9 * CM_NS_PER_MS); /* it is back */
    assert_false(p[1].at_end);
    assert_int_equal(cm_partitions_watermark(p, 2, 10, 5, 90 * CM_NS_PER_MS), 3990);
    cm_partition_free(&p[0]);
    cm_partition_free(&p[1]);
}

/* What has come is not late while others have yet to come: however long the first fetch takes. */
static void a_partition_that_has_not_begun_holds_the_clock(void **state)
{
    (void)state;
    struct cm_partition p[2];
    cm_partition_init(&p[0], 0, 0);
    cm_partition_init(&p[1], 1, 0);
    cm_partition_note(&p[0], 7, 5000, 0);
    assert_int_equal(cm_partitions_slowest(p, 1, 5, 0), INT64_MAX);
    assert_int_equal(cm_partitions_slowest(p, 2, 5, 0), INT64_MIN);
    assert_int_equal(cm_partitions_slowest(p, 2, 5, 90 * CM_NS_PER_MS), INT64_MIN);
    p[1].at_end = true; /* it holds nothing */
    assert_int_equal(cm_partitions_slowest(p, 2, 5, 4 * CM_NS_PER_MS), INT64_MIN);
    assert_int_equal(cm_partitions_slowest(p, 2, 5, 90 * CM_NS_PER_MS), 5000);
    cm_partition_note(&p[1], 0, 4000, 90 * CM_NS_PER_MS);
    assert_int_equal(cm_partitions_slowest(p, 2, 5, 200 * CM_NS_PER_MS), 4000);
    cm_partition_free(&p[0]);
    cm_partition_free(&p[1]);
}

static void reads_again_from_the_first_record_of_the_oldest_hour(void **state)
{
    (void)state;
    struct cm_partition p;
    cm_partition_init(&p, 0, 0);
    assert_int_equal(cm_partition_rebuild_offset(&p, 0), CM_OFFSET_NONE);
    cm_partition_note(&p, 10, 5 * HOUR, 0);
    cm_partition_note(&p, 11, 6 * HOUR, 0);
    cm_partition_note(&p, 12, 5 * HOUR + 1, 0);
    cm_partition_note(&p, 13, 8 * HOUR, 0);
    cm_partition_note(&p, 14, 7 * HOUR, 0); /* late: its offset is behind that of hour 8 */
    assert_int_equal(p.hours_count, 4);
    for (uint32_t i = 1; i < p.hours_count; i++) {
        assert_true(p.hours[i - 1].hour < p.hours[i].hour);
    }
    assert_int_equal(cm_partition_rebuild_offset(&p, 5 * HOUR + 5), 10);
    assert_int_equal(cm_partition_rebuild_offset(&p, 6 * HOUR), 11);
    assert_int_equal(cm_partition_rebuild_offset(&p, 7 * HOUR - 1), 11);
    assert_int_equal(cm_partition_rebuild_offset(&p, 7 * HOUR), 13); /* not 14 */
    assert_int_equal(cm_partition_rebuild_offset(&p, 9 * HOUR), 15);
    assert_int_equal(p.hours_count, 0);
    cm_partition_free(&p);
}

static void many_hours_in_any_order(void **state)
{
    (void)state;
    struct cm_partition p;
    cm_partition_init(&p, 0, 0);
    for (int64_t i = 0; i < 101; i++) {
        cm_partition_note(&p, i, i * 37 % 101 * HOUR + i, 0);
    }
    assert_int_equal(p.hours_count, 101);
    for (int64_t hour = 0; hour < 101; hour++) {
        int64_t least = INT64_MAX;
        for (int64_t i = 0; i < 101; i++) {
            least = i * 37 % 101 >= hour && i < least ? i : least;
        }
        assert_int_equal(cm_partition_rebuild_offset(&p, hour * HOUR), least);
    }
    cm_partition_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slowest_partition_holds_the_watermark),
        cmocka_unit_test(a_partition_that_has_not_begun_holds_the_clock),
        cmocka_unit_test(reads_again_from_the_first_record_of_the_oldest_hour),
        cmocka_unit_test(many_hours_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
