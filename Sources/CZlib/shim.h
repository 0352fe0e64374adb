#ifndef HELIOGRAPH_CZLIB_H
#define HELIOGRAPH_CZLIB_H

// Input pointers are const.
#define ZLIB_CONST
#include <zlib.h>

// The initializers are macros, which Swift does not see.
static inline int heliograph_deflate_init(z_stream *stream, int level, int windowBits, int memoryLevel) {
    return deflateInit2(stream, level, Z_DEFLATED, windowBits, memoryLevel, Z_DEFAULT_STRATEGY);
}

static inline int heliograph_inflate_init(z_stream *stream, int windowBits) {
    return inflateInit2(stream, windowBits);
}

#endif
