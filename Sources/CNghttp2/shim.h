#ifndef HELIOGRAPH_CNGHTTP2_H
#define HELIOGRAPH_CNGHTTP2_H

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

// Of the C library, where _GNU_SOURCE is set: it changes types that other modules see without it.
extern void *memmem(const void *text, size_t length, const void *needle, size_t needle_length);

/// The first place of the needle in the text; NULL when there is none.
static inline const void *heliograph_find(const void *text, size_t length, const void *needle, size_t needle_length) {
    return memmem(text, length, needle, needle_length);
}

#endif
