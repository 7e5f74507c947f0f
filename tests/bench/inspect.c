/* SPDX-License-Identifier: Apache-2.0 OR MIT
 * The floor of a container's monitor: one process that asks an Engine one question over its socket and
 * looks for one word in the answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char request[512], answer[1 << 16];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t got = 0, wanted = sizeof answer - 1;
    ssize_t more;
    char *body, *length;
    int engine;

    if (argc < 3)
        return 2;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[1]);
    engine = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (engine < 0 || connect(engine, (struct sockaddr *)&address, sizeof address))
        return 1;
    snprintf(request, sizeof request,
             "GET /v1.41/containers/%s/json HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n",
             argv[2]);
    if (write(engine, request, strlen(request)) < 0)
        return 1;
    while (got < wanted && (more = read(engine, answer + got, wanted - got)) > 0) {
        got += (size_t)more;
        answer[got] = 0;
        body = strstr(answer, "\r\n\r\n");
        length = body ? strstr(answer, "Content-Length: ") : NULL;
        if (length && length < body && got >= (size_t)(body + 4 - answer) + strtoul(length + 16, NULL, 10))
            break;
    }
    return strstr(answer, "\"Running\":true") ? 0 : 7;
}
