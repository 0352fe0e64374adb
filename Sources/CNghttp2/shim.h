#ifndef HELIOGRAPH_CNGHTTP2_H
#define HELIOGRAPH_CNGHTTP2_H

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#endif
