/*
 * The least that an HTTP answer costs with libmicrohttpd: one thread, one answer made once.
 *
 *   answer PORT STATUS BODY_FILE ["Name: value"...]
 *
 * Bodies of requests are read to their end and passed over.
 */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct answer {
    unsigned status;
    struct MHD_Response *response;
};

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **seen)
{
    static int mark;
    const struct answer *answer = context;
    (void)url;
    (void)method;
    (void)version;
    (void)upload;
    if (*seen == NULL) {
        *seen = &mark;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        *upload_size = 0;
        return MHD_YES;
    }
    return MHD_queue_response(connection, answer->status, answer->response);
}

static struct MHD_Response *response_of(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *body = NULL;
    size_t len = 0;
    FILE *copy = open_memstream(&body, &len);
    if (file == NULL || copy == NULL)
        return NULL;
    for (int c = getc(file); c != EOF; c = getc(file))
        putc(c, copy);
    fclose(file);
    fclose(copy);
    return MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    struct answer answer = {.status = (unsigned)strtoul(argv[2], NULL, 10),
                            .response = response_of(argv[3])};
    if (answer.response == NULL) {
        perror(argv[3]);
        return 1;
    }
    for (int i = 4; i < argc; i++) {
        char *colon = strstr(argv[i], ": ");
        if (colon == NULL)
            return 2;
        *colon = '\0';
        MHD_add_response_header(answer.response, argv[i], colon + 2);
    }
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct MHD_Daemon *daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, &answer,
                         MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "cannot listen on port %s\n", argv[1]);
        return 1;
    }
    for (;;)
        pause();
}
