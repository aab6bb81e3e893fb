/* A probe that sees nothing: what a replay costs that nobody records. */
#ifndef WDDMSIM_MODEL_BLIND_H
#define WDDMSIM_MODEL_BLIND_H

#include "model/probe.h"

static void blind_machine(void *self, const struct probe_machine *machine)
{
    (void)self, (void)machine;
}

static void blind_context(void *self, uint32_t context, uint32_t pid, uint32_t node,
                          struct probe_label name, bool system)
{
    (void)self, (void)context, (void)pid, (void)node, (void)name, (void)system;
}

static void blind_call(void *self, const struct probe_call *call)
{
    (void)self, (void)call;
}

static void blind_packet(void *self, uint64_t now_ns, const struct probe_packet *packet)
{
    (void)self, (void)now_ns, (void)packet;
}

static void blind_engine(void *self, uint64_t now_ns, uint32_t node, enum probe_engine state,
                         uint32_t depth, uint32_t waiting)
{
    (void)self, (void)now_ns, (void)node, (void)state, (void)depth, (void)waiting;
}

static void blind_switch(void *self, uint64_t now_ns, uint32_t node, uint32_t from, uint32_t to,
                         bool made, uint64_t cost_ns)
{
    (void)self, (void)now_ns, (void)node, (void)from, (void)to, (void)made, (void)cost_ns;
}

static void blind_attempt(void *self, uint64_t now_ns, uint32_t node, uint32_t context,
                          enum probe_attempt result)
{
    (void)self, (void)now_ns, (void)node, (void)context, (void)result;
}

static void blind_paging(void *self, const struct probe_paging *operation)
{
    (void)self, (void)operation;
}

static void blind_bytes(void *self, uint64_t now_ns, uint32_t pid, uint32_t segment, int64_t bytes)
{
    (void)self, (void)now_ns, (void)pid, (void)segment, (void)bytes;
}

static void blind_context_allocation(void *self, uint64_t now_ns, uint32_t context, int created,
                                     int resident)
{
    (void)self, (void)now_ns, (void)context, (void)created, (void)resident;
}

static void blind_present(void *self, uint64_t now_ns, const struct probe_present *present)
{
    (void)self, (void)now_ns, (void)present;
}

static void blind_link(void *self, uint64_t now_ns, uint32_t adapter, bool into_adapter, bool busy)
{
    (void)self, (void)now_ns, (void)adapter, (void)into_adapter, (void)busy;
}

static void blind_assume(void *self, const char *key, uint64_t count)
{
    (void)self, (void)key, (void)count;
}

static void blind_warn(void *self, const char *message)
{
    (void)self, (void)message;
}

static inline struct probe blind_probe(void)
{
    return (struct probe){
        .machine = blind_machine,
        .context = blind_context,
        .call = blind_call,
        .packet = blind_packet,
        .engine = blind_engine,
        .context_switch = blind_switch,
        .attempt = blind_attempt,
        .paging = blind_paging,
        .resident = blind_bytes,
        .committed = blind_bytes,
        .context_allocation = blind_context_allocation,
        .present = blind_present,
        .link = blind_link,
        .assume = blind_assume,
        .warn = blind_warn,
    };
}

#endif
