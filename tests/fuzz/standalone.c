/* Runs a fuzz target without libFuzzer:
 *
 *   TARGET FILE...                    each file once
 *   TARGET --mutate N SEED FILE...    N random changes of them, the same for the same seed
 *
 * Ends normally if the target survived, and took no more memory than MOST_MEMORY_MIB. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* No input is longer than 1 MiB; a sanitizer's own memory counts apart. */
enum { MOST_MEMORY_MIB = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct sample {
    uint8_t *bytes;
    size_t length;
};

static uint64_t random_state;

static size_t below(size_t limit)
{
    random_state ^= random_state << 13; /* xorshift64 */
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state % (limit != 0 ? limit : 1));
}

static struct sample load(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct sample sample = {.bytes = malloc(1 << 20), .length = 0};
    if (file == NULL || sample.bytes == NULL) {
        perror(path);
        exit(2);
    }
    sample.length = fread(sample.bytes, 1, 1 << 20, file);
    fclose(file);
    return sample;
}

/* One change: a byte, a bit, a piece left out, doubled, or taken from another sample. The sample
 * has room to grow by a piece per change. */
static void mutate(struct sample *sample, const struct sample *other)
{
    static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, '"', '{', '}', '[', ',', '\n', '-'};
    size_t at = below(sample->length), size = 1 + below(32);
    if (sample->length == 0 || size > sample->length - at)
        size = sample->length - at;
    switch (below(6)) {
    case 0:
        if (sample->length > 0)
            sample->bytes[at] = (uint8_t)below(256);
        break;
    case 1:
        if (sample->length > 0)
            sample->bytes[at] = (uint8_t)(sample->bytes[at] ^ (1U << below(8)));
        break;
    case 2:
        if (sample->length > 0)
            sample->bytes[at] = telling[below(sizeof telling)];
        break;
    case 3:
        memmove(sample->bytes + at, sample->bytes + at + size, sample->length - at - size);
        sample->length -= size;
        break;
    case 4:
        memmove(sample->bytes + at + size, sample->bytes + at, sample->length - at);
        sample->length += size;
        break;
    default:
        if (other->length >= size && size > 0)
            memcpy(sample->bytes + at, other->bytes + below(other->length - size + 1), size);
        break;
    }
}

static void run(const struct sample *sample)
{
    /* A block of exactly this size, so that a sanitizer sees a read behind it. */
    uint8_t *bytes = malloc(sample->length != 0 ? sample->length : 1);
    if (bytes == NULL)
        exit(2);
    memcpy(bytes, sample->bytes, sample->length);
    LLVMFuzzerTestOneInput(bytes, sample->length);
    free(bytes);
}

#ifdef __has_feature /* clang's way to say so */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

static int memory_is_bounded(void)
{
#ifndef __SANITIZE_ADDRESS__
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    if (usage.ru_maxrss > MOST_MEMORY_MIB * 1024L) {
        fprintf(stderr, "took %ld MiB of memory, more than %d\n", usage.ru_maxrss / 1024,
                MOST_MEMORY_MIB);
        return 0;
    }
#endif
    return 1;
}

int main(int count, char **arguments)
{
    enum { CHANGES = 8, LONGEST = 32 };
    int first = 1;
    unsigned long rounds = 0;
    if (count > 3 && strcmp(arguments[1], "--mutate") == 0) {
        rounds = strtoul(arguments[2], NULL, 0);
        random_state = strtoull(arguments[3], NULL, 0) * 2 + 1; /* xorshift must not be 0 */
        first = 4;
    }
    size_t samples = (size_t)(count - first);
    if (count <= first) {
        fprintf(stderr, "usage: %s [--mutate N SEED] FILE...\n", arguments[0]);
        return 2;
    }
    struct sample *sample = calloc(samples, sizeof *sample);
    struct sample changed = {.bytes = malloc((1 << 20) + CHANGES * LONGEST), .length = 0};
    if (sample == NULL || changed.bytes == NULL)
        return 2;
    for (size_t i = 0; i < samples; i++) {
        sample[i] = load(arguments[(size_t)first + i]);
        run(&sample[i]);
    }
    for (unsigned long round = 0; round < rounds; round++) {
        const struct sample *base = &sample[below(samples)];
        memcpy(changed.bytes, base->bytes, base->length);
        changed.length = base->length;
        for (size_t changes = 1 + below(CHANGES); changes > 0; changes--)
            mutate(&changed, &sample[below(samples)]);
        run(&changed);
    }
    for (size_t i = 0; i < samples; i++)
        free(sample[i].bytes);
    free(sample);
    free(changed.bytes);
    printf("%zu files, %lu mutations: survived\n", samples, rounds);
    return memory_is_bounded() ? 0 : 1;
}
