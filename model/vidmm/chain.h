/* The extents of one owner, in a row.
 *
 * Scattered memory changes hands by the thousand pieces: where memory is full, all that one owner
 * gives back goes to the next. So a chain is a tree (a treap: balanced by chance) in which each
 * subtree knows its bytes: two chains are joined, or one is split after so many bytes, in O(log n).
 * A chain is named by the root of its tree; NULL is an empty one. */
#ifndef WDDMSIM_VIDMM_CHAIN_H
#define WDDMSIM_VIDMM_CHAIN_H

#include "model/vidmm/extent.h"

/* Makes a chain of an extent that is in none, or alone in one and has another size now. */
struct range_extent *chain_of(struct range_extent *extent);

uint64_t chain_bytes(const struct range_extent *chain);

/* The first extent; `more` leads to the others. NULL: there is none. */
struct range_extent *chain_first(const struct range_extent *chain);

struct range_extent *chain_join(struct range_extent *front, struct range_extent *rest);

/* What of the chain lies within its first `bytes`, and what lies behind them. The extent in which
 * that is, is in neither: it is the answer, or NULL. */
struct range_extent *chain_split(struct range_extent *chain, uint64_t bytes,
                                 struct range_extent **front, struct range_extent **rest);

#endif
