/* Counts what a process and its children allocate, as LD_PRELOAD: malloc's family in all, and Swift's objects among them. The
 * counts stand in the file that HELIOGRAPH_ALLOCATIONS names, two numbers of 64 bits, which may be read at any time.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static _Atomic uint64_t none[2], *counts = none;
static void *(*allocate_object)(void *, size_t, size_t);
static void *(*next_malloc)(size_t), *(*next_calloc)(size_t, size_t), *(*next_realloc)(void *, size_t),
    *(*next_aligned_alloc)(size_t, size_t), *(*next_memalign)(size_t, size_t);
static int (*next_posix_memalign)(void **, size_t, size_t);
static void (*next_free)(void *);

/* What dlsym itself allocates while the others are looked up. */
static _Alignas(16) char early[16 * 1024];
static size_t early_used;

static void *from_early(size_t size) {
  void *block = early + early_used;
  early_used += (size + 15) & ~(size_t)15;
  if (early_used > sizeof early) abort();
  return block;
}

static int is_early(void *block) { return (char *)block >= early && (char *)block < early + sizeof early; }

static void look_up(void) {
  static int began;
  if (began) return;
  began = 1;
  next_free = dlsym(RTLD_NEXT, "free");
  next_calloc = dlsym(RTLD_NEXT, "calloc");
  next_realloc = dlsym(RTLD_NEXT, "realloc");
  next_aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
  next_memalign = dlsym(RTLD_NEXT, "memalign");
  next_posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
  allocate_object = dlsym(RTLD_NEXT, "swift_allocObject");
  next_malloc = dlsym(RTLD_NEXT, "malloc");
}

__attribute__((constructor)) static void start(void) {
  look_up();
  const char *name = getenv("HELIOGRAPH_ALLOCATIONS");
  int file = name ? open(name, O_RDWR) : -1;
  if (file < 0) return;
  void *shared = mmap(NULL, sizeof none, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (shared != MAP_FAILED) counts = shared;
  close(file);
}

static void count(int which) { atomic_fetch_add_explicit(&counts[which], 1, memory_order_relaxed); }

void *malloc(size_t size) {
  look_up();
  return count(0), next_malloc ? next_malloc(size) : from_early(size);
}

void *calloc(size_t number, size_t size) {
  look_up();
  return count(0), next_calloc ? next_calloc(number, size) : from_early(number * size);
}

void *realloc(void *old, size_t size) {
  look_up();
  return count(0), next_realloc ? next_realloc(is_early(old) ? NULL : old, size) : from_early(size);
}

void free(void *block) {
  if (block && !is_early(block) && next_free) next_free(block);
}

void *aligned_alloc(size_t alignment, size_t size) { return count(0), next_aligned_alloc(alignment, size); }
void *memalign(size_t alignment, size_t size) { return count(0), next_memalign(alignment, size); }
int posix_memalign(void **out, size_t alignment, size_t size) {
  return count(0), next_posix_memalign(out, alignment, size);
}

void *swift_allocObject(void *type, size_t size, size_t alignment) {
  return count(1), allocate_object(type, size, alignment);
}
