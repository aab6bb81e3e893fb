#include "model/status.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    uint32_t value;
} statuses[] = {
#define STATUS_ROW(name, value) {#name, value},
    STATUS_TABLE(STATUS_ROW)
#undef STATUS_ROW
};

const char *status_name(uint32_t status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].value == status)
            return statuses[i].name;
    return NULL;
}

const char *status_text(uint32_t status, char room[STATUS_TEXT_SIZE])
{
    const char *name = status_name(status);
    if (name)
        return name;
    snprintf(room, STATUS_TEXT_SIZE, "0x%08" PRIX32, status);
    return room;
}

bool status_from_name(const char *name, uint32_t *status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (strcmp(statuses[i].name, name) == 0) {
            *status = statuses[i].value;
            return true;
        }
    return false;
}
