#include "model/dxgkrnl/fault.h"

#include "model/memory.h"
#include "model/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const dxgk_step_names[DXGK_STEP_COUNT] = {
#define DXGK_STEP(name, text) [DXGK_STEP_##name] = (text),
    DXGK_STEPS(DXGK_STEP)
#undef DXGK_STEP
};

static bool find_step(const char *text, size_t length, enum dxgk_step *step)
{
    for (int i = 0; i < DXGK_STEP_COUNT; i++)
        if (strlen(dxgk_step_names[i]) == length &&
            strncmp(dxgk_step_names[i], text, length) == 0) {
            *step = (enum dxgk_step)i;
            return true;
        }
    return false;
}

static void list_steps(char *out, size_t size)
{
    size_t length = 0;
    for (int i = 0; i < DXGK_STEP_COUNT && length < size; i++)
        length += (size_t)snprintf(out + length, size - length, "%s%s", i ? ", " : "",
                                   dxgk_step_names[i]);
}

/* A name of status.h or a number; only failures make sense. */
static bool read_status(const char *text, uint32_t *status)
{
    if (status_from_name(text, status))
        return !status_is_success(*status);
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 0);
    *status = (uint32_t)number;
    return *text && !*end && errno == 0 && number <= UINT32_MAX && !status_is_success(*status);
}

bool dxgk_fault_parse(const char *text, struct dxgk_fault *fault, char *error, size_t error_size)
{
    const char *colon = strchr(text, ':');
    char steps[512];
    if (!colon || !find_step(text, (size_t)(colon - text), &fault->step)) {
        list_steps(steps, sizeof steps);
        snprintf(error, error_size, "expected CALL:N:STATUS with CALL one of %s, got \"%.60s\"",
                 steps, text);
        return false;
    }
    char *end;
    errno = 0;
    fault->nth = strtoull(colon + 1, &end, 10);
    if (end == colon + 1 || *end != ':' || errno || fault->nth == 0 || colon[1] == '-') {
        snprintf(error, error_size, "expected a positive count after %s:, got \"%.60s\"",
                 dxgk_step_names[fault->step], colon + 1);
        return false;
    }
    if (!read_status(end + 1, &fault->status)) {
        snprintf(error, error_size,
                 "expected the name or number of a failure status, got \"%.60s\"", end + 1);
        return false;
    }
    return true;
}

void dxgk_faults_add(struct dxgk_faults *faults, const struct dxgk_fault *fault)
{
    faults->orders = memory_resize(faults->orders, faults->count + 1, sizeof *faults->orders);
    faults->orders[faults->count++] = *fault;
}

void dxgk_faults_fini(struct dxgk_faults *faults)
{
    free(faults->orders);
}

uint32_t dxgk_faults_reach(struct dxgk_faults *faults, enum dxgk_step step)
{
    uint64_t time = ++faults->reached[step];
    for (uint32_t i = 0; i < faults->count; i++)
        if (faults->orders[i].step == step && faults->orders[i].nth == time)
            return faults->orders[i].status;
    return STATUS_SUCCESS;
}
