/* Sends messages over WebSockets (RFC 6455, TLS) and waits for each to come back.
 *
 *   load PORT PATH CONNECTIONS DEPTH SIZE MESSAGES
 *
 * Each connection has DEPTH messages of SIZE bytes on their way. The last line is JSON: operations, seconds, failed, and the
 * percentiles of the time in which the messages of one write came back, in microseconds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { INPUT = 256 * 1024 };

struct connection {
  SSL *tls;
  int left;     /* bytes of the answers that have not come */
  double sent;  /* when the messages were written */
};

static unsigned char input[INPUT], *batch;
static int depth, batch_size, answer_size, payload_size;
static long to_send, done;
static float *latencies;
static long latency_count;

static void fail(const char *what) {
  fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "failed");
  ERR_print_errors_fp(stderr);
  printf("{\"operations\": %ld, \"seconds\": 1, \"failed\": 1, \"error\": \"%s\"}\n", done, what);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

/* The messages of one write: masked, all alike but for the key of each. */
static void make_batch(int size) {
  int head = size <= 125 ? 2 : 4;
  payload_size = size;
  answer_size = depth * (head + size);
  batch_size = depth * (head + 4 + size);
  batch = malloc(batch_size);
  unsigned char *to = batch;
  for (int i = 0; i < depth; i++) {
    *to++ = 0x82;
    *to++ = 0x80 | (size <= 125 ? size : 126);
    if (head == 4) {
      *to++ = size >> 8;
      *to++ = size & 255;
    }
    unsigned char key[4] = {0x11 + i, 0x57, 0x9b, 0xdf};
    memcpy(to, key, 4);
    to += 4;
    for (int at = 0; at < size; at++) *to++ = (unsigned char)(at * 7) ^ key[at & 3];
  }
}

static void send_batch(struct connection *c) {
  c->sent = now();
  c->left = answer_size;
  to_send -= depth;
  if (SSL_write(c->tls, batch, batch_size) != batch_size) fail("a write");
}

/* Checks what has come: heads and payloads are the same in each batch. */
static void check(struct connection *c, const unsigned char *bytes, int count) {
  int size = answer_size / depth, head = size - payload_size;
  if (count > c->left) fail("more came back than was sent");
  for (int i = 0; i < count; i++) {
    int at = (answer_size - c->left + i) % size;
    unsigned char expected = at >= head          ? (unsigned char)((at - head) * 7)
                             : at == 0           ? 0x82
                             : at == 1           ? (head == 2 ? payload_size : 126)
                             : at == 2           ? payload_size >> 8
                                                 : payload_size & 255;
    if (bytes[i] != expected) fail("a message came back changed");
  }
  c->left -= count;
}

static void open_socket(struct connection *c, SSL_CTX *context, int port, const char *path) {
  int descriptor = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
  setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  c->tls = SSL_new(context);
  SSL_set_fd(c->tls, descriptor);
  if (SSL_connect(c->tls) != 1) fail("the TLS handshake");
  int length = snprintf((char *)input, INPUT,
                        "GET %s HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
                        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n", path, port);
  if (SSL_write(c->tls, input, length) != length) fail("the request");
  int have = 0;
  do {
    int count = SSL_read(c->tls, input + have, 4095 - have);
    if (count <= 0) fail("the answer to the handshake");
    have += count;
    input[have] = 0;
  } while (!strstr((char *)input, "\r\n\r\n"));
  if (strncmp((char *)input, "HTTP/1.1 101 ", 13) || !strstr((char *)input, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    fail("the handshake");
}

static void take(struct connection *c) {
  do {
    int count = SSL_read(c->tls, input, INPUT);
    if (count <= 0) fail("a read");
    check(c, input, count);
    /* What was read ahead is announced by no event; a record that is there in part comes whole soon. */
  } while (c->left > 0 && SSL_has_pending(c->tls));
  if (c->left > 0) return;
  done += depth;
  latencies[latency_count++] = (now() - c->sent) * 1e6;
  if (to_send >= depth) send_batch(c);
}

static int ascending(const void *one, const void *other) {
  float a = *(const float *)one, b = *(const float *)other;
  return a < b ? -1 : a > b;
}

int main(int count, char **arguments) {
  if (count != 7) {
    fprintf(stderr, "usage: load PORT PATH CONNECTIONS DEPTH SIZE MESSAGES\n");
    return 2;
  }
  int connections = atoi(arguments[3]), size = atoi(arguments[5]);
  depth = atoi(arguments[4]);
  if (connections < 1 || depth < 1 || depth > 200 || size < 0 || size > 16384) {
    fprintf(stderr, "load: at least one connection, a depth of 1 to 200, a size of up to 16384\n");
    return 2;
  }
  make_batch(size);
  to_send = atol(arguments[6]) / depth * depth;
  long all = to_send;
  latencies = malloc((all / depth + 1) * sizeof *latencies);
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, 64 * 1024);
  struct connection *open = calloc(connections, sizeof *open);
  int poller = epoll_create1(0);
  struct epoll_event events[256];
  for (int i = 0; i < connections; i++) {
    open_socket(&open[i], context, atoi(arguments[1]), arguments[2]);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &open[i]};
    epoll_ctl(poller, EPOLL_CTL_ADD, SSL_get_fd(open[i].tls), &event);
  }
  double started = now();
  for (int i = 0; i < connections && to_send >= depth; i++) send_batch(&open[i]);
  while (done < all) {
    int n = epoll_wait(poller, events, 256, 10000);
    if (n == 0) fail("nothing came for ten seconds");
    for (int i = 0; i < n; i++) take(events[i].data.ptr);
  }
  double seconds = now() - started;
  qsort(latencies, latency_count, sizeof *latencies, ascending);
  printf("{\"operations\": %ld, \"seconds\": %.6f, \"failed\": 0, \"latency\": {\"50\": %.1f, \"99\": %.1f}}\n", all, seconds,
         latency_count ? latencies[latency_count / 2] : 0.0, latency_count ? latencies[latency_count * 99 / 100] : 0.0);
  return 0;
}
