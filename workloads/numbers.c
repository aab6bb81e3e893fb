#include "workloads/numbers.h"

#include <stdlib.h>

uint32_t numbers_take(struct numbers *numbers)
{
    return numbers->unused_count > 0 ? numbers->unused[--numbers->unused_count] : ++numbers->given;
}

void numbers_give(struct numbers *numbers, uint32_t number)
{
    if (numbers->unused_count == numbers->unused_room) {
        size_t room = numbers->unused_room != 0 ? 2 * numbers->unused_room : 64;
        uint32_t *unused = realloc(numbers->unused, room * sizeof *unused);
        if (unused == NULL)
            return;
        numbers->unused = unused;
        numbers->unused_room = room;
    }
    numbers->unused[numbers->unused_count++] = number;
}

void numbers_fini(struct numbers *numbers)
{
    free(numbers->unused);
}
