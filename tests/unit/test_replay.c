/* Names of live objects, and the order between threads. */
#include "workloads/names.h"
#include "workloads/order.h"

#include "traces/vocabulary.h"

#include "tests/unit/child.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct trace_name number(uint64_t value)
{
    return (struct trace_name){.number = value};
}

static struct trace_name text(const char *value)
{
    return (struct trace_name){.text = value};
}

static void names_are_numbers_or_text(void **state)
{
    (void)state;
    struct names names = {0};
    char name[] = "7";
    struct named_object *seven = names_add(&names, number(7));
    struct named_object *word = names_add(&names, text(name));
    struct named_object *zero = names_add(&names, number(0));
    name[0] = 'x'; /* the table keeps its own copy */
    assert_ptr_equal(names_find(&names, number(7)), seven);
    assert_ptr_equal(names_find(&names, text("7")), word);
    assert_ptr_equal(names_find(&names, number(0)), zero);
    assert_null(names_find(&names, number(8)));
    assert_null(names_find(&names, text("x")));
    names_remove(&names, seven);
    assert_null(names_find(&names, number(7)));
    assert_ptr_equal(names_find(&names, text("7")), word);
    assert_string_equal(names_text(number(7)), "7");
    assert_string_equal(names_text(text("seven")), "\"seven\"");
    names_fini(&names);
}

static void count_object(void *self, struct named_object *object)
{
    (void)object;
    ++*(size_t *)self;
}

static void many_names_are_kept_apart(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    struct names names = {0};
    static struct named_object *objects[COUNT];
    for (uint64_t i = 0; i < COUNT; i++)
        objects[i] = names_add(&names, number(i << 32));
    for (uint64_t i = 0; i < COUNT; i += 2)
        names_remove(&names, objects[i]);
    for (uint64_t i = 0; i < COUNT; i++)
        assert_ptr_equal(names_find(&names, number(i << 32)), i % 2 ? objects[i] : NULL);
    size_t count = 0;
    names_each(&names, count_object, &count);
    assert_int_equal(count, COUNT / 2);
    names_fini(&names);
}

static struct trace_event submit(uint64_t context, const struct trace_name *allocation)
{
    struct trace_event event = {.op = TRACE_SUBMIT, .pid = 1, .context = number(context)};
    event.given = TRACE_GIVEN(TRACE_CONTEXT) | TRACE_GIVEN(TRACE_ALLOCATIONS);
    event.allocations = (struct trace_names){allocation, 1};
    return event;
}

static struct trace_event with_allocation(enum trace_op op, const struct trace_name *allocation)
{
    struct trace_event event = {.op = op, .pid = 1, .device = number(1)};
    event.given = TRACE_GIVEN(TRACE_DEVICE) | TRACE_GIVEN(TRACE_ALLOCATIONS);
    event.allocations = (struct trace_names){allocation, 1};
    return event;
}

/* Uses of a living object may overtake each other; nothing overtakes its creation or its end, and
 * its end overtakes nothing that names it. */
static void nobody_overtakes_a_creation_or_an_end(void **state)
{
    (void)state;
    struct order *order = order_create();
    const struct trace_name one = number(1), two = number(2);
    const struct trace_allocation creation = {.allocation = one, .size = 4096};
    struct trace_event create = {.op = TRACE_CREATE_ALLOCATION, .pid = 1, .device = number(1)};
    create.given = TRACE_GIVEN(TRACE_DEVICE);
    create.creations = (struct trace_allocations){&creation, 1};
    struct trace_event use_one = submit(1, &one), use_two = submit(2, &two);
    struct trace_event make = with_allocation(TRACE_MAKE_RESIDENT, &one);
    struct trace_event destroy = with_allocation(TRACE_DESTROY_ALLOCATION, &one);

    assert_true(order_allows(order, 1, &use_one));
    order_put_off(order, 10, &create);
    assert_false(order_allows(order, 11, &use_one));
    assert_false(order_allows(order, 11, &destroy));
    assert_true(order_allows(order, 11, &use_two));
    assert_true(order_allows(order, 9, &use_one)); /* recorded before */
    assert_true(order_allows(order, 10, &create)); /* itself */
    order_made(order, 10, &create);
    assert_true(order_allows(order, 11, &use_one));

    order_put_off(order, 20, &use_one);
    assert_true(order_allows(order, 21, &make)); /* both only use it */
    assert_true(order_allows(order, 21, &use_one));
    assert_false(order_allows(order, 21, &destroy));
    order_put_off(order, 21, &destroy);
    assert_false(order_allows(order, 22, &make));
    order_made(order, 20, &use_one);
    assert_true(order_allows(order, 21, &destroy));
    assert_false(order_allows(order, 22, &make));
    order_made(order, 21, &destroy);
    assert_true(order_allows(order, 22, &make));
    order_destroy(order);
}

/* A process's end waits for everything of the process, and everything later waits for it. */
static void a_process_ends_last(void **state)
{
    (void)state;
    struct order *order = order_create();
    const struct trace_name one = number(1);
    struct trace_event use = submit(1, &one), others = submit(2, &one);
    others.pid = 2;
    others.allocations.count = 0;
    struct trace_event end = {.op = TRACE_EXIT_PROCESS, .pid = 1};
    order_put_off(order, 1, &use);
    assert_false(order_allows(order, 2, &end));
    order_put_off(order, 2, &end);
    assert_true(order_allows(order, 3, &others));
    assert_false(order_allows(order, 3, &use));
    order_made(order, 1, &use);
    assert_true(order_allows(order, 2, &end));
    order_made(order, 2, &end);
    assert_true(order_allows(order, 3, &use));
    order_destroy(order);
}

/* Text names are told apart, and from numbers; a broadcast names all its contexts. */
static void order_goes_by_name(void **state)
{
    (void)state;
    struct order *order = order_create();
    struct trace_event create = {.op = TRACE_CREATE_CONTEXT, .pid = 1, .context = text("render")};
    create.given = TRACE_GIVEN(TRACE_CONTEXT);
    const struct trace_name contexts[] = {text("copy"), text("render")};
    struct trace_event signal = {.op = TRACE_SIGNAL, .pid = 1};
    signal.given = TRACE_GIVEN(TRACE_CONTEXTS);
    signal.contexts = (struct trace_names){contexts, 1};
    order_put_off(order, 1, &create);
    assert_true(order_allows(order, 2, &signal));
    signal.contexts.count = 2;
    assert_false(order_allows(order, 2, &signal));
    order_destroy(order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_numbers_or_text),
        cmocka_unit_test(many_names_are_kept_apart),
        cmocka_unit_test(nobody_overtakes_a_creation_or_an_end),
        cmocka_unit_test(a_process_ends_last),
        cmocka_unit_test(order_goes_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
