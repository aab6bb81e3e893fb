#!/bin/sh
# A miniport of one's own: the example is built against the header as it is installed, loaded, and
# decides; what is no miniport is refused with one line.
. "$SOURCE/tests/common.sh"

# compile NAME: $scratch/NAME.c becomes $scratch/NAME.so
compile() {
    # shellcheck disable=SC2086 # CC may be several words
    $CC -std=c17 -Wall -Wextra -Wshadow -Wconversion -Werror -shared -fPIC \
        -I"$scratch/usr/include" -o "$scratch/$1.so" "$scratch/$1.c" ||
        fail "$1.c does not compile against the installed header"
}

# replay WHAT-IT-SHOULD-EXIT-WITH ARGUMENT...
replay() {
    wanted=$1
    shift
    rm -rf "$scratch/out"
    "$WDDMSIM" replay "$scratch/trace.jsonl" -H ideal "$@" --no-report --check -q \
        -o "$scratch/out" >"$scratch/stdout" 2>"$scratch/all"
    status=$?
    without_sanitizer "$scratch/all" >"$scratch/stderr"
    [ "$status" -eq "$wanted" ] || fail "$*: exit status $status, not $wanted: $(cat "$scratch/stderr")"
}

# summary TEXT: summary.json, its white space squeezed, has it
summary() {
    tr -s ' \n' ' ' <"$scratch/out/summary.json" | grep -qF -- "$1" ||
        fail "summary.json lacks $1"
}

# says TEXT: the one line on standard error has it
says() {
    grep -qF -- "$1" "$scratch/stderr" || fail "no message \"$1\": $(cat "$scratch/stderr")"
    [ "$(wc -l <"$scratch/stderr")" -eq 1 ] || fail "not one line: $(cat "$scratch/stderr")"
}

"$MAKE" -s -C "$BUILD" install-pkgincludeHEADERS DESTDIR="$scratch" prefix=/usr \
    includedir=/usr/include >"$scratch/install" 2>&1 || fail "$(cat "$scratch/install")"

# A page, a MiB, and work that reads both.
cat >"$scratch/trace.jsonl" <<'END'
{"wddmsim": 1}
{"t": 0, "pid": 1, "tid": 1, "op": "CreateDevice", "device": "d"}
{"t": 0, "pid": 1, "tid": 1, "op": "CreateContext", "context": "c", "device": "d", "node": "3d"}
{"t": 0, "pid": 1, "tid": 1, "op": "CreateAllocation", "device": "d", "allocations": [{"allocation": "small", "size": 4096, "usage": "texture"}, {"allocation": "large", "size": 1048576, "usage": "texture"}]}
{"t": 0, "pid": 1, "tid": 1, "op": "Submit", "context": "c", "gpu": 10, "allocations": ["small", "large"]}
{"t": 9000000, "pid": 1, "tid": 1, "op": "DestroyAllocation", "device": "d", "allocations": ["small"]}
END

# The built-in one: both in local memory, 1,048,576 + 4,096 bytes.
replay 0
summary '"local": { "id": 1, "kind": "memory", "size_bytes": 1073741824, "peak_resident_bytes": 1052672'
summary '"aperture": { "id": 2, "kind": "aperture", "size_bytes": 1073741824, "peak_resident_bytes": 0'

# The example: the page in the aperture, the MiB in local memory beside 2 MiB of page tables.
cp "$SOURCE/model/miniport/examples/small-in-system-memory.c" "$scratch/example.c"
compile example
replay 0 --miniport "$scratch/example.so"
summary '"local": { "id": 1, "kind": "memory", "size_bytes": 1073741824, "peak_resident_bytes": 3145728'
summary '"aperture": { "id": 2, "kind": "aperture", "size_bytes": 1073741824, "peak_resident_bytes": 4096'
summary '"context_allocations": { "created": 1,'
summary "\"miniport\": \"$scratch/example.so\", \"miniport_sha256\": \"$(sha256sum "$scratch/example.so" | cut -d' ' -f1)\""

# A name without a folder is one in this folder.
(cd "$scratch" && "$WDDMSIM" replay trace.jsonl -H ideal --miniport example.so --no-report -q -o here) ||
    fail "a name without a slash is not found"

# driver NAME BODY-OF-DRIVER-ENTRY
driver() {
    cat >"$scratch/$1.c" <<END
#include <wddmsim/ddi.h>
static uint32_t refuse(void *miniport, const struct dxgk_start_info *info)
{
    (void)miniport, (void)info;
    return STATUS_UNSUCCESSFUL;
}
static uint32_t create(void *miniport, struct dxgkarg_create_allocation *arg)
{
    (void)miniport;
    for (uint32_t i = 0; i < arg->count; i++)
        arg->allocations[i].supported_write_segment_set = 0x40000000; /* there is no such segment */
    return STATUS_SUCCESS;
}
uint32_t driver_entry(struct dxgkddi *ddi)
{
    *ddi = (struct dxgkddi){.version = DXGK_DDI_VERSION, .create_allocation = create};
    (void)refuse;
    $2
}
END
    compile "$1"
}

echo "no miniport" >"$scratch/text.so"
replay 2 --miniport "$scratch/text.so"
says "text.so: not a shared object"
replay 2 --miniport "$scratch/missing.so"
says "missing.so: not a shared object"
echo 'int nothing;' >"$scratch/nothing.c"
compile nothing
replay 2 --miniport "$scratch/nothing.so"
says "nothing.so: expected a miniport, found no function driver_entry"
driver version 'ddi->version = 99; return STATUS_SUCCESS;'
replay 2 --miniport "$scratch/version.so"
says "version.so: expected version 1 of the interface, found 99"
driver unable 'return STATUS_NOT_SUPPORTED;'
replay 2 --miniport "$scratch/unable.so"
says "unable.so: driver_entry failed with STATUS_NOT_SUPPORTED"
driver empty 'ddi->create_allocation = 0; return STATUS_SUCCESS;'
replay 2 --miniport "$scratch/empty.so"
says "empty.so: expected create_allocation in its table, found NULL"
driver refuses 'ddi->start_device = refuse; return STATUS_SUCCESS;'
replay 1 --miniport "$scratch/refuses.so"
says "the miniport did not start: STATUS_UNSUCCESSFUL"

# What it answers is checked like anyone's: the create fails, the run goes on.
driver wrong 'return STATUS_SUCCESS;'
replay 0 --miniport "$scratch/wrong.so"
summary '"CreateAllocation": { "count": 1, "failures": { "STATUS_INVALID_PARAMETER": 1 }'

# Page tables that are written twice while a device is created: each time VidMm's worker takes the
# request (1 us), builds 5 operations (0.1 us each: the scratch area's page table and the area are
# mapped, the driver writes, both are unmapped) and submits them (2 us); the node takes 3 us and 0.5
# us for each flush of what it mapped. CreateDevice: 10 us + 2 * (1 + 0.5 + 2 + 3 + 2 * 0.5) us.
cat >"$scratch/update.c" <<'END'
#include <stdio.h>
#include <wddmsim/ddi.h>
static const struct dxgkrnl_interface *dxgkrnl;
static uint32_t start(void *miniport, const struct dxgk_start_info *info)
{
    (void)miniport;
    dxgkrnl = info->dxgkrnl;
    return STATUS_SUCCESS;
}
static uint32_t create(void *miniport, struct dxgkarg_create_allocation *arg)
{
    (void)miniport;
    for (uint32_t i = 0; i < arg->count; i++)
        arg->allocations[i].supported_write_segment_set = 1;
    return STATUS_SUCCESS;
}
static uint32_t create_device(void *miniport, struct dxgkarg_create_device *arg)
{
    (void)miniport;
    struct dxgkargcb_create_context_allocation tables = {
        .context_allocation_flags = DXGK_SHARED_ACROSS_CONTEXTS,
        .device = arg->device,
        .size = 65536,
        .driver_allocation = (void *)arg,
        .supported_segment_set = 1,
    };
    uint32_t status = dxgkrnl->create_context_allocation(dxgkrnl->dxgkrnl, &tables);
    for (int i = 0; i < 2 && status == STATUS_SUCCESS; i++)
        status = dxgkrnl->update_context_allocation(
            dxgkrnl->dxgkrnl, &(struct dxgkargcb_update_context_allocation){
                                  tables.allocation, i ? "two" : "one", 4});
    if (status != STATUS_SUCCESS)
        dxgkrnl->destroy_context_allocation(dxgkrnl->dxgkrnl, tables.allocation);
    return status;
}
static void update(void *miniport, const struct dxgkarg_update_context_allocation *arg)
{
    (void)miniport;
    fprintf(stderr, "%s %u %lu\n", (const char *)arg->private_driver_data, arg->segment,
            (unsigned long)arg->size);
}
uint32_t driver_entry(struct dxgkddi *ddi)
{
    *ddi = (struct dxgkddi){.version = DXGK_DDI_VERSION,
                            .start_device = start,
                            .create_allocation = create,
                            .create_device = create_device,
                            .update_context_allocation = update};
    return STATUS_SUCCESS;
}
END
compile update
cat >"$scratch/trace.jsonl" <<'END'
{"wddmsim": 1}
{"t": 0, "pid": 1, "tid": 1, "op": "CreateDevice", "device": "d"}
END
updates="--set wddm=2.0 --set vidmm.request=1us --set vidmm.build=100ns --set vidmm.submit=2us
    --set vidmm.packet=3us --set memory.tlb-flush=500ns --set costs.create-device.fixed=10us"
# shellcheck disable=SC2086 # several words
replay 0 --miniport "$scratch/update.so" $updates
[ "$(cat "$scratch/stderr")" = "one 0 65536
two 0 65536" ] || fail "updates: $(cat "$scratch/stderr")"
summary '"CreateDevice": { "count": 1, "failures": {}, "other_successes": {}, "latency_ns": { "min": 25000,'
# shellcheck disable=SC2086
replay 0 --miniport "$scratch/update.so" $updates --fault UpdateContextAllocation:2:STATUS_NO_MEMORY
summary '"CreateDevice": { "count": 1, "failures": { "STATUS_NO_MEMORY": 1 }'
[ -s "$scratch/stderr" ] && fail "an allocation that is gone is written: $(cat "$scratch/stderr")"
# shellcheck disable=SC2086
replay 0 --miniport "$scratch/update.so" $updates --set wddm=1.2
summary '"CreateDevice": { "count": 1, "failures": { "STATUS_NOT_SUPPORTED": 1 }'

conclude
