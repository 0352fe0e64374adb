#ifndef HELIOGRAPH_CRANDOM_H
#define HELIOGRAPH_CRANDOM_H

#include <openssl/rand.h>

// The way to replace OpenSSL's random numbers that needs no provider. It is deprecated, and this is what it is kept for.
static inline int helio_set_random(const RAND_METHOD *method) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    return RAND_set_rand_method(method);
#pragma GCC diagnostic pop
}

#endif
