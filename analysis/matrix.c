#include "analysis/matrix.h"
#include "analysis/histogram.h"

static uint32_t place_of(struct matrix *matrix, uint32_t pid)
{
    for (uint32_t i = 0; i < matrix->processes; i++)
        if (matrix->pid[i] == pid)
            return i;
    if (matrix->processes == MATRIX_PROCESSES) {
        matrix->others = true;
        return MATRIX_PROCESSES - 1;
    }
    matrix->pid[matrix->processes] = pid;
    return matrix->processes++;
}

struct row {
    struct matrix *matrix;
    const struct chains *chains;
    uint64_t ns[MATRIX_PROCESSES];
};

static void add_piece(void *self, const struct chain_piece *piece)
{
    struct row *row = self;
    uint32_t culprit = chain_culprit(row->chains, piece);
    row->ns[place_of(row->matrix, culprit)] += piece->to_ns - piece->from_ns;
}

/* Adds `ns` in the proportions of `like`, which add up to `all`: to the nanosecond. */
static void add_like(struct matrix *matrix, uint32_t victim, const uint64_t *like, uint64_t all,
                     uint64_t ns)
{
    uint64_t given = 0, *row = matrix->ns[victim];
    histogram_sum seen = 0;
    for (uint32_t i = 0; i < matrix->processes; i++) {
        seen += like[i];
        uint64_t until = (uint64_t)(seen * ns / all);
        row[i] += until - given;
        given = until;
    }
}

void matrix_add(struct matrix *matrix, struct chains *chains, uint32_t pid, uint64_t job,
                uint64_t from_ns, uint64_t to_ns)
{
    uint64_t ns = to_ns - from_ns;
    uint32_t victim = place_of(matrix, pid);
    matrix->total_ns += ns;
    if (job == 0) {
        matrix->ns[victim][victim] += ns;
        matrix->followed_ns += ns;
        return;
    }
    if (ns == 0)
        return;
    if (chains->steps > MATRIX_FREE_STEPS + chains->next / MATRIX_RECORDS_PER_STEP) {
        matrix->pending[victim] += ns;
        return;
    }
    struct row row = {.matrix = matrix, .chains = chains};
    chains_follow(chains, job, from_ns, to_ns, add_piece, &row);
    for (uint32_t i = 0; i < matrix->processes; i++)
        matrix->ns[victim][i] += row.ns[i];
    if (matrix->pending[victim] != 0)
        add_like(matrix, victim, row.ns, ns, matrix->pending[victim]);
    matrix->pending[victim] = 0;
    matrix->followed_ns += ns;
}

void matrix_close(struct matrix *matrix)
{
    for (uint32_t i = 0; i < matrix->processes; i++) {
        uint64_t row[MATRIX_PROCESSES], all = 0;
        for (uint32_t j = 0; j < matrix->processes; j++)
            all += row[j] = matrix->ns[i][j];
        if (all != 0)
            add_like(matrix, i, row, all, matrix->pending[i]);
        else
            matrix->ns[i][i] += matrix->pending[i];
        matrix->pending[i] = 0;
    }
}
