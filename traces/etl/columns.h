/* What tools of Windows print of each record: the names of its columns in the manifest's order. The
 * table of columns.c is generated. */
#ifndef WDDMSIM_TRACES_ETL_COLUMNS_H
#define WDDMSIM_TRACES_ETL_COLUMNS_H

#include <stddef.h>
#include <stdint.h>

struct etl_columns {
    uint16_t id;
    uint8_t version;
    const char *name;   /* task and opcode: "DmaPacket/Start" */
    const char *fields; /* each "name:x" or "name[counted by]:x", x what it is: p pointer; numbers
                           c, w, u, U of 1, 2, 4, 8 bytes, i, I of 4, 8 with a sign; b yes or no,
                           4 bytes; s anything else */
};

extern const struct etl_columns etl_columns[]; /* sorted as etl_layouts, and as many */
extern const size_t etl_columns_count;

#endif
