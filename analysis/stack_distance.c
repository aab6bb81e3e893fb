#include "analysis/stack_distance.h"

#include "analysis/heap.h"

#include <assert.h>

enum { FIRST_PLACES = 1024 };
#define HOLE UINT32_MAX

static void add(struct stack_distance *stack, uint32_t place, uint64_t bytes)
{
    for (uint32_t i = place + 1; i <= stack->places; i += i & -i)
        stack->sums[i - 1] += bytes; /* wraps when it takes away */
}

static void set(struct stack_distance *stack, uint32_t place, uint32_t owner, uint64_t bytes)
{
    add(stack, place, bytes - stack->bytes[place]);
    stack->total += bytes - stack->bytes[place];
    stack->bytes[place] = bytes;
    stack->owner[place] = owner;
}

static uint64_t below(const struct stack_distance *stack, uint32_t place)
{
    uint64_t sum = 0;
    for (uint32_t i = place; i > 0; i -= i & -i)
        sum += stack->sums[i - 1];
    return sum;
}

/* The heap of holes. */

static void push_hole(struct stack_distance *stack, uint32_t place)
{
    if (stack->hole_count == stack->hole_room) {
        stack->hole_room = stack->hole_room ? 2 * stack->hole_room : 64;
        stack->holes = heap_resize(stack->holes, stack->hole_room, sizeof *stack->holes);
    }
    uint32_t at = stack->hole_count++;
    for (; at > 0 && stack->holes[(at - 1) / 2] < place; at = (at - 1) / 2)
        stack->holes[at] = stack->holes[(at - 1) / 2];
    stack->holes[at] = place;
}

static void pop_hole(struct stack_distance *stack)
{
    uint32_t last = stack->holes[--stack->hole_count], at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child + 1 < stack->hole_count && stack->holes[child + 1] > stack->holes[child])
            child++;
        if (child >= stack->hole_count || stack->holes[child] <= last)
            break;
        stack->holes[at] = stack->holes[child];
        at = child;
    }
    if (stack->hole_count)
        stack->holes[at] = last;
}

/* Fills the holes above `place` with up to so many bytes, from the top; how many. */
static uint64_t fill_holes(struct stack_distance *stack, uint32_t place, uint64_t bytes)
{
    uint64_t filled = 0;
    while (filled < bytes && stack->hole_count && stack->holes[0] >= place) {
        uint32_t hole = stack->holes[0];
        uint64_t room = stack->bytes[hole], left = bytes - filled;
        uint64_t part = room < left ? room : left;
        set(stack, hole, HOLE, room - part);
        filled += part;
        if (part == room)
            pop_hole(stack);
    }
    return filled;
}

/* Every place is used up: those in use move together, in order. The bytes of a place are taken
 * along and the tree is built anew, in linear time. */
static void deal_anew(struct stack_distance *stack)
{
    uint32_t used = 0;
    for (uint32_t from = 0; from < stack->top; from++) {
        if (stack->bytes[from] == 0)
            continue;
        stack->bytes[used] = stack->bytes[from];
        stack->owner[used++] = stack->owner[from];
    }
    uint32_t places = stack->places;
    if (places == 0 || used > places / 2)
        places = places ? 2 * places : FIRST_PLACES;
    if (places != stack->places) {
        stack->bytes = heap_resize(stack->bytes, places, sizeof *stack->bytes);
        stack->sums = heap_resize(stack->sums, places, sizeof *stack->sums);
        stack->owner = heap_resize(stack->owner, places, sizeof *stack->owner);
        stack->places = places;
    }
    stack->top = used;
    stack->hole_count = 0;
    for (uint32_t i = 0; i < places; i++)
        stack->sums[i] = i < used ? stack->bytes[i] : (stack->bytes[i] = 0);
    for (uint32_t i = 1; i <= places; i++)
        if (i + (i & -i) <= places)
            stack->sums[i + (i & -i) - 1] += stack->sums[i - 1];
    for (uint32_t i = used; i-- > 0;) /* the highest first: each goes to the end of the heap */
        if (stack->owner[i] == HOLE)
            push_hole(stack, i);
        else
            stack->place[stack->owner[i]] = i + 1;
}

static void make_room_for(struct stack_distance *stack, uint32_t object)
{
    if (object < stack->objects)
        return;
    uint32_t objects = stack->objects ? stack->objects : 256;
    while (objects <= object)
        objects *= 2;
    stack->place = heap_resize(stack->place, objects, sizeof *stack->place);
    for (uint32_t i = stack->objects; i < objects; i++)
        stack->place[i] = 0;
    stack->objects = objects;
}

uint64_t stack_distance_use(struct stack_distance *stack, uint32_t object, uint64_t bytes)
{
    assert(bytes > 0 && object != HOLE);
    make_room_for(stack, object);
    if (stack->top == stack->places)
        deal_anew(stack);
    uint64_t distance = UINT64_MAX;
    uint32_t old = stack->place[object];
    if (old) {
        uint32_t place = old - 1;
        distance = stack->total - below(stack, place);
        uint64_t filled = fill_holes(stack, place, bytes);
        set(stack, place, HOLE, filled);
        if (filled)
            push_hole(stack, place);
    } else {
        fill_holes(stack, 0, bytes);
    }
    set(stack, stack->top, object, bytes);
    stack->place[object] = ++stack->top;
    return distance;
}

void stack_distance_remove(struct stack_distance *stack, uint32_t object)
{
    if (object >= stack->objects || !stack->place[object])
        return;
    uint32_t place = stack->place[object] - 1;
    stack->place[object] = 0;
    stack->owner[place] = HOLE;
    push_hole(stack, place);
}

void stack_distance_fini(struct stack_distance *stack)
{
    free(stack->bytes);
    free(stack->sums);
    free(stack->owner);
    free(stack->place);
    free(stack->holes);
}
