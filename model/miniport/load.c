#include "model/miniport/miniport.h"

#include "model/status.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static bool fill(const char *path, void *library, struct dxgkddi *ddi, char *error,
                 size_t error_size)
{
    dxgk_driver_entry *entry;
    void *symbol = dlsym(library, "driver_entry");
    if (!symbol) {
        snprintf(error, error_size, "%s: expected a miniport, found no function driver_entry",
                 path);
        return false;
    }
    memcpy(&entry, &symbol, sizeof entry); /* POSIX: a function's address fits */
    *ddi = (struct dxgkddi){0};
    uint32_t status = entry(ddi);
    if (status != STATUS_SUCCESS) {
        char room[STATUS_TEXT_SIZE];
        snprintf(error, error_size, "%s: driver_entry failed with %s", path,
                 status_text(status, room));
        return false;
    }
    if (ddi->version != DXGK_DDI_VERSION) {
        snprintf(error, error_size, "%s: expected version %d of the interface, found %u", path,
                 DXGK_DDI_VERSION, ddi->version);
        return false;
    }
    if (!ddi->create_allocation) {
        snprintf(error, error_size, "%s: expected create_allocation in its table, found NULL",
                 path);
        return false;
    }
    return true;
}

bool miniport_load(const char *path, struct dxgkddi *ddi, char *error, size_t error_size)
{
    /* A name without a slash would be looked for elsewhere. */
    char here[4096];
    snprintf(here, sizeof here, "%s%s", strchr(path, '/') ? "" : "./", path);
    void *library = dlopen(here, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(error, error_size, "%s: not a shared object: %s", path, dlerror());
        return false;
    }
    if (fill(path, library, ddi, error, error_size))
        return true;
    dlclose(library);
    return false;
}
