#include <malloc.h>

/// Bytes that the heap has given out, in all arenas (mallinfo(3)).
static inline size_t helio_heap_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
