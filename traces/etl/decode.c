#include "traces/etl/layouts.h"

#include "traces/etl/bytes.h"

#include <assert.h>
#include <stdlib.h>

static_assert(ETL_FIELDS <= 64, "one bit per field");

static int compare_layouts(const void *left, const void *right)
{
    const struct etl_layout *a = left, *b = right;
    return a->id != b->id ? a->id - b->id : a->version - b->version;
}

static uint64_t number_at(const unsigned char *bytes, size_t width)
{
    switch (width) {
    case 1:
        return bytes[0];
    case 2:
        return etl_u16(bytes);
    case 4:
        return etl_u32(bytes);
    default:
        return etl_u64(bytes);
    }
}

bool etl_decode(uint16_t id, uint8_t version, const unsigned char *payload, size_t length,
                uint8_t pointer_size, struct etl_values *values)
{
    const struct etl_layout wanted = {.id = id, .version = version};
    const struct etl_layout *layout =
        bsearch(&wanted, etl_layouts, etl_layout_count, sizeof wanted, compare_layouts);
    values->payload = payload;
    values->present = 0;
    if (layout == NULL)
        return false;
    size_t at = 0;
    for (unsigned i = 0; i < layout->items; i++) {
        const struct etl_item *item = &etl_items[layout->first + i];
        if (item->field == ETL_NO_FIELD) {
            at += item->bytes + (size_t)item->count * pointer_size;
            continue;
        }
        size_t width = item->bytes != 0 ? item->bytes : pointer_size;
        uint64_t count = item->count != 0 ? etl_get(values, item->count) : 1;
        if (at > length || count > (length - at) / width)
            break;
        values->of[item->field].number = item->count != 0 ? at : number_at(payload + at, width);
        values->of[item->field].count = (uint32_t)count;
        values->of[item->field].width = (uint8_t)width;
        values->present |= UINT64_C(1) << item->field;
        at += width * count;
    }
    return true;
}

uint64_t etl_element(const struct etl_values *values, enum etl_field field, uint32_t index)
{
    assert(index < etl_count(values, field));
    size_t width = values->of[field].width;
    return number_at(values->payload + values->of[field].number + index * width, width);
}
