/* The listening socket: TCP on IPv4 or IPv6, or a Unix socket. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/internal.h"

static bool is_socket(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* A socket file that nobody listens on is what a killed process left behind. */
static void unlink_stale(const char *path, const struct sockaddr_un *address)
{
    if (!is_socket(path))
        return;
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
        errno == ECONNREFUSED)
        unlink(path);
    close(fd);
}

static enum accord_error open_unix(const char *path, int *ret_fd, char ret_unix_path[108])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t len = strlen(path);
    if (len == 0 || len >= sizeof address.sun_path)
        return ACCORD_E_CONFIG_INVALID;
    memcpy(address.sun_path, path, len + 1);
    unlink_stale(path, &address);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return ACCORD_E_IO_ERROR;
    /* Closed to all but the owner from its first moment on; opened to the group before anybody can
     * connect. */
    bool bound = false;
    if (fchmod(fd, 0600) == 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
        bound = true;
        if (chmod(path, 0660) == 0 && listen(fd, SOMAXCONN) == 0) {
            memcpy(ret_unix_path, path, len + 1);
            *ret_fd = fd;
            return ACCORD_OK;
        }
    }
    if (bound)
        unlink(path);
    close(fd);
    return ACCORD_E_IO_ERROR;
}

/* "host:port" or "[v6]:port". */
static bool split(const char *address, char host[64], char port[8])
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL || colon == address)
        return false;
    struct slice name = {address, (size_t)(colon - address)};
    if (name.data[0] == '[') {
        if (name.len < 3 || name.data[name.len - 1] != ']')
            return false;
        name = (struct slice){name.data + 1, name.len - 2};
    } else if (memchr(name.data, ':', name.len) != NULL) {
        return false; /* IPv6 without brackets */
    }
    const size_t port_len = strlen(colon + 1);
    if (name.len >= 64 || port_len == 0 || port_len > 5)
        return false;
    if (strspn(colon + 1, "0123456789") != port_len || strtol(colon + 1, NULL, 10) > 65535)
        return false;
    memcpy(host, name.data, name.len);
    host[name.len] = '\0';
    memcpy(port, colon + 1, port_len + 1);
    return true;
}

static bool bind_tcp(int fd, const struct addrinfo *info)
{
    const int on = 1;
    const int off = 0;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)
        return false;
    if (info->ai_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0)
        return false;
    return bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0;
}

static bool describe(int fd, char ret_address[128])
{
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof bound;
    char host[64];
    char port[8];
    if (getsockname(fd, (struct sockaddr *)&bound, &len) != 0 ||
        getnameinfo((struct sockaddr *)&bound, len, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    snprintf(ret_address, 128, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    return true;
}

static enum accord_error open_tcp(const char *address, int *ret_fd, char ret_address[128])
{
    char host[64];
    char port[8];
    if (!split(address, host, port))
        return ACCORD_E_CONFIG_INVALID;
    const struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                   .ai_socktype = SOCK_STREAM};
    struct addrinfo *info = NULL;
    if (getaddrinfo(host, port, &hints, &info) != 0)
        return ACCORD_E_CONFIG_INVALID;
    const int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const bool ok = fd >= 0 && bind_tcp(fd, info) && describe(fd, ret_address);
    freeaddrinfo(info);
    if (!ok) {
        if (fd >= 0)
            close(fd);
        return ACCORD_E_IO_ERROR;
    }
    *ret_fd = fd;
    return ACCORD_OK;
}

enum accord_error listen_open(const char *address, int *ret_fd, char ret_address[128],
                              char ret_unix_path[108])
{
    ret_unix_path[0] = '\0';
    if (strncmp(address, "unix:", 5) != 0)
        return open_tcp(address, ret_fd, ret_address);
    const enum accord_error error = open_unix(address + 5, ret_fd, ret_unix_path);
    if (error == ACCORD_OK)
        snprintf(ret_address, 128, "%s", address);
    return error;
}

void listen_close(int fd, const char *unix_path)
{
    if (unix_path[0] != '\0')
        unlink(unix_path);
    close(fd);
}
