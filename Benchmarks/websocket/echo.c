/* What a WebSocket echo costs on epoll and OpenSSL alone: it finds frames, unmasks them and sends them back, and checks next to
 * nothing. Messages are whole in one frame; what comes of one read is answered by one write.
 *
 *   echo PORT CERTIFICATE KEY
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INPUT = 64 * 1024, OUTPUT = 2 * INPUT };

struct connection {
  int descriptor, is_open;
  SSL *tls;
  unsigned char *rest; /* a frame or head that is not whole, in front of the next read */
  int rest_length;
};

static unsigned char input[2 * INPUT], output[OUTPUT];
static int length, poller;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

/* Answers the handshake: 101 with the digest of the key. 0 when there is no key. */
static int shake(struct connection *c, const char *head, int count) {
  static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const char *key = memmem(head, count, "sec-websocket-key: ", 19);
  if (!key) return 0;
  unsigned char joined[60], digest[SHA_DIGEST_LENGTH], text[40];
  memcpy(joined, key + 19, 24);
  memcpy(joined + 24, guid, 36);
  SHA1(joined, sizeof joined, digest);
  EVP_EncodeBlock(text, digest, sizeof digest);
  length = sprintf((char *)output,
                   "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
                   "sec-websocket-accept: %s\r\n\r\n", text);
  c->is_open = 1;
  return 1;
}

/* Sends one frame back, unmasked. Answers its size, 0 when it is not whole, -1 for one that is refused. */
static int echo(const unsigned char *frame, int count) {
  if (count < 6) return 0;
  uint64_t size = frame[1] & 127;
  int head = 2;
  if (size == 126) {
    if (count < 8) return 0;
    size = frame[2] << 8 | frame[3];
    head = 4;
  }
  if (size > 32 * 1024 || !(frame[1] & 128) || (frame[0] & 15) > 2) return -1;
  if ((uint64_t)count < head + 4 + size) return 0;
  const unsigned char *payload = frame + head + 4;
  uint32_t key;
  memcpy(&key, frame + head, 4);
  uint64_t wide = (uint64_t)key << 32 | key;
  unsigned char *to = output + length;
  to[0] = frame[0];
  to[1] = frame[1] & 127;
  if (head == 4) memcpy(to + 2, frame + 2, 2);
  to += head;
  uint64_t at = 0;
  for (; at + 8 <= size; at += 8) {
    uint64_t word;
    memcpy(&word, payload + at, 8);
    word ^= wide;
    memcpy(to + at, &word, 8);
  }
  for (; at < size; at++) to[at] = payload[at] ^ ((unsigned char *)&key)[at & 3];
  length += head + size;
  return head + 4 + size;
}

/* Answers 0 when the connection is over. */
static int take(struct connection *c, int count) {
  int at = 0;
  if (!c->is_open) {
    unsigned char *end = memmem(input, count, "\r\n\r\n", 4);
    if (end) {
      if (!shake(c, (char *)input, end - input)) return 0;
      at = end - input + 4;
    }
  }
  while (c->is_open && at < count) {
    int size = echo(input + at, count - at);
    if (size < 0) return 0;
    if (size == 0) break;
    at += size;
  }
  free(c->rest);
  c->rest = NULL;
  c->rest_length = count - at;
  if (c->rest_length == 0) return 1;
  if (c->rest_length > INPUT) return 0;
  c->rest = malloc(c->rest_length);
  if (!c->rest) fail("malloc");
  memcpy(c->rest, input + at, c->rest_length);
  return 1;
}

static int ready(struct connection *c) {
  ERR_clear_error();
  if (!SSL_is_init_finished(c->tls)) {
    int done = SSL_do_handshake(c->tls);
    if (done != 1) {
      int why = SSL_get_error(c->tls, done);
      return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
    }
  }
  length = 0;
  for (;;) {
    int kept = c->rest_length;
    memcpy(input, c->rest, kept);
    int count = SSL_read(c->tls, input + kept, INPUT - kept);
    if (count <= 0) {
      int why = SSL_get_error(c->tls, count);
      if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return 0;
      break;
    }
    if (!take(c, kept + count)) return 0;
    if (!SSL_has_pending(c->tls)) break;
  }
  /* The load waits for its answers, so they always fit into the socket. */
  return length == 0 || SSL_write(c->tls, output, length) == length;
}

static void drop(struct connection *c) {
  SSL_free(c->tls);
  close(c->descriptor);
  free(c->rest);
  free(c);
}

int main(int count, char **arguments) {
  if (count != 4) {
    fprintf(stderr, "usage: echo PORT CERTIFICATE KEY\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  if (SSL_CTX_use_certificate_chain_file(context, arguments[2]) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, arguments[3], SSL_FILETYPE_PEM) != 1) {
    ERR_print_errors_fp(stderr);
    return 1;
  }
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
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
        if (!c) fail("calloc");
        c->descriptor = descriptor;
        c->tls = SSL_new(context);
        SSL_set_fd(c->tls, descriptor);
        SSL_set_accept_state(c->tls);
        struct epoll_event added = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &added);
      }
    }
  }
}
