// Linux calls that `import Glibc` does not bring, and macros as functions.
#ifndef HELIOGRAPH_CLINUX_H
#define HELIOGRAPH_CLINUX_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/// errno is a macro over a function call.
static inline int helio_errno(void) { return errno; }

/// CLOCK_MONOTONIC in nanoseconds (a vDSO call).
static inline uint64_t helio_monotonic_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// struct epoll_event is packed, and its data a union: both are awkward in Swift.
static inline int helio_epoll_ctl(int epfd, int op, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epfd, op, fd, &event);
}

static inline uint64_t helio_epoll_token(const struct epoll_event *event) { return event->data.u64; }

/// Names the calling thread (at most 15 characters), as ps and perf show it.
static inline void helio_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

/// Pins the calling thread to one CPU; 0 or an error number.
static inline int helio_pin_thread(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (cpu < 0 || cpu >= CPU_SETSIZE) return EINVAL;
    CPU_SET(cpu, &set);
    return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/// The CPUs that this process may run on.
static inline int helio_cpu_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

// The socket calls take a transparent union under _GNU_SOURCE, which Swift does not see through.
static inline int helio_bind(int fd, const struct sockaddr *address, socklen_t length) {
    return bind(fd, address, length);
}
static inline int helio_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return connect(fd, address, length);
}
static inline int helio_getsockname(int fd, struct sockaddr *address, socklen_t *length) {
    return getsockname(fd, address, length);
}
static inline int helio_getpeername(int fd, struct sockaddr *address, socklen_t *length) {
    return getpeername(fd, address, length);
}
/// accept4(2), nonblocking and closed on exec.
static inline int helio_accept(int fd, struct sockaddr *address, socklen_t *length) {
    return accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}
/// socket(2) for a stream, nonblocking and closed on exec.
static inline int helio_stream_socket(int family) {
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

// fcntl(2) is variadic.
static inline int helio_get_flags(int fd) { return fcntl(fd, F_GETFL); }
static inline int helio_set_flags(int fd, int flags) { return fcntl(fd, F_SETFL, flags); }

#endif
