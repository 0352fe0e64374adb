// OpenSSL's macros as functions, so that Swift can call them.
#ifndef HELIOGRAPH_COPENSSL_H
#define HELIOGRAPH_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#endif
