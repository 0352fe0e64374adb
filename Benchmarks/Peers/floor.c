/* The floor: what epoll and OpenSSL alone cost. It parses nothing but the nine bytes in front of each frame, and answers each
 * HEADERS frame with the same two frames. No server that speaks HTTP/2 can be cheaper; a real one checks what this one ignores.
 *
 *   floor PORT CERTIFICATE KEY
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT = 64 * 1024, OUTPUT = 256 * 1024, ANSWER = 9 + 24 + 9 + 13 };

struct connection {
  int descriptor;
  SSL *tls;
  int skip;          /* bytes to pass over: the preface, then payloads */
  unsigned char head[9];
  int have;          /* bytes of a cut frame header */
  unsigned char *unsent;
  int unsent_length;
};

static unsigned char input[INPUT], output[OUTPUT];
static int length, poller;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* SETTINGS (many streams, wide windows), a connection window of 2^30, and the answer to the peer's SETTINGS. */
static const unsigned char greeting[] = {
    0, 0, 12, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 3, 0xe8, 0, 4, 0x3f, 0xff, 0, 0,
    0, 0, 4, 8, 0, 0, 0, 0, 0, 0x3f, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0};

/* :status 200, content-type text/plain, content-length 13: literals that need no table. */
static const unsigned char fields[24] = {
    0x88, 0x0f, 0x10, 10, 't', 'e', 'x', 't', '/', 'p', 'l', 'a', 'i', 'n', 0x0f, 0x0d, 2, '1', '3',
    0x0f, 0x27, 2, 'f', 'l'};

static void answer(const unsigned char *stream) {
  unsigned char *to = output + length;
  const unsigned char head[5] = {0, 0, sizeof fields, 1, 4};
  const unsigned char body[5] = {0, 0, 13, 0, 1};
  memcpy(to, head, 5);
  memcpy(to + 5, stream, 4);
  memcpy(to + 9, fields, sizeof fields);
  memcpy(to + 9 + sizeof fields, body, 5);
  memcpy(to + 14 + sizeof fields, stream, 4);
  memcpy(to + 18 + sizeof fields, "Hello, World!", 13);
  length += ANSWER;
}

static void take(struct connection *c, const unsigned char *bytes, int count) {
  int at = 0;
  while (at < count) {
    if (c->skip > 0) {
      int step = c->skip < count - at ? c->skip : count - at;
      c->skip -= step;
      at += step;
      continue;
    }
    while (c->have < 9 && at < count) c->head[c->have++] = bytes[at++];
    if (c->have < 9) return;
    c->have = 0;
    c->skip = c->head[0] << 16 | c->head[1] << 8 | c->head[2];
    if (c->head[3] == 1 && length + ANSWER <= OUTPUT) answer(c->head + 5);
  }
}

static void drop(struct connection *c) {
  SSL_free(c->tls);
  close(c->descriptor);
  free(c->unsent);
  free(c);
}

static void watch(struct connection *c, int operation) {
  struct epoll_event event = {.events = EPOLLIN | (c->unsent_length > 0 ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(poller, operation, c->descriptor, &event);
}

/* Keeps what the socket does not take; answers 1. */
static int keep(struct connection *c, int sent) {
  int was = c->unsent_length;
  c->unsent = realloc(c->unsent, was + length - sent);
  if (!c->unsent) fail("realloc");
  memcpy(c->unsent + was, output + sent, length - sent);
  c->unsent_length = was + length - sent;
  if (was == 0) watch(c, EPOLL_CTL_MOD);
  return 1;
}

/* Answers 0 when the connection is over. */
static int give(struct connection *c) {
  if (length == 0) return 1;
  if (c->unsent_length > 0) return keep(c, 0);
  int sent = SSL_write(c->tls, output, length);
  if (sent == length) return 1;
  if (sent <= 0 && SSL_get_error(c->tls, sent) != SSL_ERROR_WANT_WRITE) return 0;
  return keep(c, sent < 0 ? 0 : sent);
}

static int ready(struct connection *c) {
  length = 0;
  ERR_clear_error();
  if (!SSL_is_init_finished(c->tls)) {
    int done = SSL_do_handshake(c->tls);
    if (done != 1) {
      int why = SSL_get_error(c->tls, done);
      return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
    }
    memcpy(output, greeting, sizeof greeting);
    length = sizeof greeting;
  }
  if (c->unsent_length > 0) {
    int sent = SSL_write(c->tls, c->unsent, c->unsent_length);
    if (sent <= 0) return SSL_get_error(c->tls, sent) == SSL_ERROR_WANT_WRITE;
    memmove(c->unsent, c->unsent + sent, c->unsent_length - sent);
    c->unsent_length -= sent;
    if (c->unsent_length == 0) watch(c, EPOLL_CTL_MOD);
  }
  for (;;) {
    int count = SSL_read(c->tls, input, sizeof input);
    if (count <= 0) {
      int why = SSL_get_error(c->tls, count);
      if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return 0;
      break;
    }
    take(c, input, count);
    if (!SSL_has_pending(c->tls)) break;
  }
  return give(c);
}

static int choose(SSL *tls, const unsigned char **out, unsigned char *out_length, const unsigned char *in,
                  unsigned int in_length, void *nothing) {
  (void)tls, (void)nothing;
  static const unsigned char h2[] = {2, 'h', '2'};
  return SSL_select_next_proto((unsigned char **)out, out_length, h2, sizeof h2, in, in_length) ==
                 OPENSSL_NPN_NEGOTIATED
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_ALERT_FATAL;
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: floor PORT CERTIFICATE KEY\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, arguments[2]) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, arguments[3], SSL_FILETYPE_PEM) != 1) {
    ERR_print_errors_fp(stderr);
    return 1;
  }
  SSL_CTX_set_alpn_select_cb(context, choose, NULL);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, 64 * 1024);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1]))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0) fail("bind");
  if (listen(listener, 4096) < 0) fail("listen");
  poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[256];
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int n = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < n; i++) {
      struct connection *c = events[i].data.ptr;
      if (c) {
        if (!ready(c)) drop(c);
        continue;
      }
      int descriptor;
      while ((descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c = calloc(1, sizeof *c);
        c->descriptor = descriptor;
        c->skip = 24;
        c->tls = SSL_new(context);
        SSL_set_fd(c->tls, descriptor);
        SSL_set_accept_state(c->tls);
        watch(c, EPOLL_CTL_ADD);
      }
    }
  }
}
