/* SPDX-License-Identifier: Apache-2.0 OR MIT
 * The floor of a web server's monitor: one process that asks for one page and looks for one word in it.
 * Arguments: IPv4-ADDRESS PORT PATH WORD. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char request[1024], answer[1 << 20];
    struct sockaddr_in address = { .sin_family = AF_INET };
    size_t got = 0, wanted = sizeof answer - 1;
    ssize_t more;
    int server;

    if (argc < 5 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1)
        return 2;
    address.sin_port = htons(atoi(argv[2]));
    server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server < 0 || connect(server, (struct sockaddr *)&address, sizeof address))
        return 1;
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n",
             argv[3], argv[1], argv[2]);
    if (write(server, request, strlen(request)) < 0)
        return 1;
    while (got < wanted && (more = read(server, answer + got, wanted - got)) > 0)
        got += (size_t)more;
    return strncmp(answer, "HTTP/1.1 200", 12) || !strstr(answer, argv[4]);
}
