// Linux calls that `import Glibc` does not bring, and macros as functions.
#ifndef HELIOGRAPH_CLINUX_H
#define HELIOGRAPH_CLINUX_H

// Without _GNU_SOURCE: it changes types that other modules see without it, and the compiler refuses to mix the two. The few
// GNU functions that are needed are declared here.
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
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

static inline uint64_t helio_epoll_token(const struct epoll_event *events, int index) { return events[index].data.u64; }
static inline uint32_t helio_epoll_readiness(const struct epoll_event *events, int index) { return events[index].events; }

extern int pthread_setname_np(pthread_t thread, const char *name);
extern int sched_getaffinity(pid_t pid, size_t size, void *mask);
extern int sched_setaffinity(pid_t pid, size_t size, const void *mask);
extern int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
extern ssize_t preadv2(int fd, const struct iovec *vector, int count, off_t offset, int flags);

/// Names the calling thread (at most 15 characters), as ps and perf show it.
static inline void helio_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

/// Pins the calling thread to one of the CPUs that it may use: the nth, counted round; -1 when it cannot.
static inline int helio_pin_thread(int nth) {
    unsigned char allowed[128] = {0}, one[128] = {0};
    int count = 0;
    if (nth < 0 || sched_getaffinity(0, sizeof allowed, allowed) < 0) return -1;
    for (size_t i = 0; i < sizeof allowed; i++) count += __builtin_popcount(allowed[i]);
    if (count == 0) return -1;
    nth %= count;
    for (size_t cpu = 0; cpu < sizeof allowed * 8; cpu++) {
        if (!(allowed[cpu / 8] >> (cpu % 8) & 1) || nth-- > 0) continue;
        one[cpu / 8] = (unsigned char)(1u << (cpu % 8));
        return sched_setaffinity(0, sizeof one, one);
    }
    return -1;
}

/// The CPUs that this process may run on.
static inline int helio_cpu_count(void) {
    unsigned char mask[128] = {0};
    int count = 0;
    if (sched_getaffinity(0, sizeof mask, mask) < 0) return 1;
    for (size_t i = 0; i < sizeof mask; i++) count += __builtin_popcount(mask[i]);
    return count > 0 ? count : 1;
}

// The socket calls, without the transparent union that stands for `struct sockaddr *` in some of their declarations.
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
static inline int helio_set_close_on_exec(int fd) { return fcntl(fd, F_SETFD, FD_CLOEXEC); }

/// A socket in the file system, itself and not what a link points to: its device and inode; -1 when it is none.
static inline int helio_socket_file(const char *path, uint64_t *device, uint64_t *inode) {
    struct stat status;
    if (lstat(path, &status) != 0 || !S_ISSOCK(status.st_mode)) return -1;
    *device = status.st_dev;
    *inode = status.st_ino;
    return 0;
}

/// What a descriptor stands for. Times are nanoseconds since 1970, as far as 64 bits reach.
struct helio_file_status {
    uint64_t device, inode;
    int64_t size, modified, changed;
    uint32_t format;
};

static inline int64_t helio_nanoseconds(struct timespec time) {
    int64_t total;
    if (__builtin_mul_overflow((int64_t)time.tv_sec, 1000000000, &total)) return time.tv_sec < 0 ? INT64_MIN : INT64_MAX;
    if (__builtin_add_overflow(total, (int64_t)time.tv_nsec, &total)) return INT64_MAX;
    return total;
}

static inline int helio_fstat(int fd, struct helio_file_status *status) {
    struct stat found;
    if (fstat(fd, &found) != 0) return -1;
    status->device = found.st_dev;
    status->inode = found.st_ino;
    status->size = found.st_size;
    status->modified = helio_nanoseconds(found.st_mtim);
    status->changed = helio_nanoseconds(found.st_ctim);
    status->format = found.st_mode & S_IFMT;
    return 0;
}

/// Whether a file's contents are never anywhere but in memory (tmpfs, ramfs).
static inline int helio_is_in_memory(int fd) {
    struct statfs found;
    return fstatfs(fd, &found) == 0 && (found.f_type == 0x01021994 || found.f_type == 0x858458f6);
}

/// pread(2) of what the page cache has: EAGAIN when that is nothing, EOPNOTSUPP where the file system cannot tell.
static inline ssize_t helio_read_cached(int fd, void *target, size_t count, off_t offset) {
    struct iovec vector = {.iov_base = target, .iov_len = count};
    return preadv2(fd, &vector, 1, offset, 0x8 /* RWF_NOWAIT */);
}

/// Keeps the calling thread from being sent SIGPIPE: sendfile(2) has no MSG_NOSIGNAL.
static inline void helio_block_pipe_signal(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

// openat(2) is variadic, O_PATH is a GNU flag.
static inline int helio_openat(int directory, const char *path, int flags) { return openat(directory, path, flags); }
static inline int helio_open_path(int directory, const char *path, int flags) {
    return openat(directory, path, flags | __O_PATH | O_CLOEXEC);
}

/// openat2(2). `resolve`: bits of linux/openat2.h.
static inline int helio_openat2(int directory, const char *path, int flags, uint64_t resolve) {
    struct { uint64_t flags, mode, resolve; } how = {(uint64_t)flags, 0, resolve};
    return (int)syscall(437 /* SYS_openat2, on every architecture */, directory, path, &how, sizeof how);
}
static const uint64_t HELIO_RESOLVE_NO_MAGICLINKS = 0x02;
static const uint64_t HELIO_RESOLVE_NO_SYMLINKS = 0x04;
static const uint64_t HELIO_RESOLVE_BENEATH = 0x08;

extern int mkostemp(char *template, int flags);

/// open(2) of a file in a directory that has no name.
static inline int helio_unnamed_file(const char *directory) {
    return open(directory, __O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}
/// mkostemp(3), closed on exec.
static inline int helio_named_file(char *template) { return mkostemp(template, O_CLOEXEC); }
/// The size of an open file; -1 when it cannot be known.
static inline int64_t helio_file_size(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 ? status.st_size : -1;
}
/// Gives an open file another name.
static inline int helio_link(int fd, const char *path) {
    char self[32];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

/// Two connected sockets, nonblocking and closed on exec.
static inline int helio_socket_pair(int ends[2]) {
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}

/// Sets a signal's handler; calls that it interrupts go on.
static inline int helio_handle_signal(int signal, void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    return sigaction(signal, &action, NULL);
}

#endif
