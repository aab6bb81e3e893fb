/* A process's handle table. */
#include "model/dxgkrnl/handles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* wddm.md §0.1: steps of 0x40 in the index, two unique bits on top, which start at 1. */
static void handles_are_one_series(void **state)
{
    (void)state;
    struct handle_table table = {0};
    int objects[3];
    uint32_t first = handle_new(&table, HANDLE_DEVICE, &objects[0]);
    assert_int_equal(first, 0x40000040);
    assert_int_equal(handle_new(&table, HANDLE_CONTEXT, &objects[1]), 0x40000080);
    assert_int_equal(handle_new(&table, HANDLE_ALLOCATION, &objects[2]), 0x400000c0);
    assert_ptr_equal(handle_find(&table, HANDLE_DEVICE, first), &objects[0]);
    assert_ptr_equal(handle_find(&table, HANDLE_CONTEXT, 0x40000080), &objects[1]);
    handle_table_fini(&table);
}

static void what_is_no_handle_is_not_found(void **state)
{
    (void)state;
    struct handle_table table = {0};
    int object;
    assert_null(handle_find(&table, HANDLE_DEVICE, 0x40000040)); /* an empty table */
    uint32_t handle = handle_new(&table, HANDLE_DEVICE, &object);
    assert_null(handle_find(&table, HANDLE_CONTEXT, handle)); /* another kind */
    assert_null(handle_find(&table, HANDLE_DEVICE, 0));
    assert_null(handle_find(&table, HANDLE_DEVICE, UINT32_MAX));
    assert_null(handle_find(&table, HANDLE_DEVICE, handle + 1));          /* between two */
    assert_null(handle_find(&table, HANDLE_DEVICE, handle + 0x40));       /* the next, not given */
    assert_null(handle_find(&table, HANDLE_DEVICE, handle ^ 0xc0000000)); /* other unique bits */
    handle_free(&table, handle);
    assert_null(handle_find(&table, HANDLE_DEVICE, handle));
    assert_null(handle_find(&table, HANDLE_FREE, handle));
    handle_table_fini(&table);
}

/* A freed slot is not used again at once, and then with other unique bits: a stale handle is not
 * taken for the new one, for three lives of the slot. */
static void stale_handles_stay_invalid(void **state)
{
    (void)state;
    struct handle_table table = {0};
    int object;
    uint32_t stale = handle_new(&table, HANDLE_ALLOCATION, &object), index = stale & 0x3fffffff;
    handle_free(&table, stale);
    size_t reused = 0;
    for (int i = 0; i < 100000 && reused < 2; i++) {
        uint32_t handle = handle_new(&table, HANDLE_ALLOCATION, &object);
        if ((handle & 0x3fffffff) == index) {
            assert_true(i > 1);
            assert_int_not_equal(handle, stale);
            reused++;
        }
        assert_null(handle_find(&table, HANDLE_ALLOCATION, stale));
        handle_free(&table, handle);
    }
    assert_int_equal(reused, 2);
    handle_table_fini(&table);
}

static void many_handles_stay_apart(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    struct handle_table table = {0};
    static int objects[COUNT];
    static uint32_t handles[COUNT];
    for (int i = 0; i < COUNT; i++)
        handles[i] = handle_new(&table, HANDLE_RESOURCE, &objects[i]);
    for (int i = 0; i < COUNT; i += 3)
        handle_free(&table, handles[i]);
    for (int i = 0; i < COUNT; i++)
        assert_ptr_equal(handle_find(&table, HANDLE_RESOURCE, handles[i]),
                         i % 3 ? &objects[i] : NULL);
    for (int i = 0; i < COUNT; i += 3)
        handles[i] = handle_new(&table, HANDLE_RESOURCE, &objects[i]);
    for (int i = 0; i < COUNT; i++)
        assert_ptr_equal(handle_find(&table, HANDLE_RESOURCE, handles[i]), &objects[i]);
    handle_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handles_are_one_series),
        cmocka_unit_test(what_is_no_handle_is_not_found),
        cmocka_unit_test(stale_handles_stay_invalid),
        cmocka_unit_test(many_handles_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
