/* XPRESS, the plain LZ77 of [MS-XCA] (not the Huffman variant): what compressed ETL buffers hold.
 */
#ifndef WDDMSIM_TRACES_ETL_XPRESS_H
#define WDDMSIM_TRACES_ETL_XPRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Expands `source` until `target_size` bytes are out or the source ends; *written says how many
 * are. False when the stream is damaged: a distance reaches before the first byte, a length passes
 * the expected size, or the source ends inside an item. What was written before is valid. */
bool etl_xpress_expand(const unsigned char *source, size_t source_size, unsigned char *target,
                       size_t target_size, size_t *written);

#endif
