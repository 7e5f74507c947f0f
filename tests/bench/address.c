/* SPDX-License-Identifier: Apache-2.0 OR MIT
 * The floor of an address's monitor: one process that asks the kernel whether an interface has exactly this
 * address, with this prefix. Arguments: INTERFACE ADDRESS PREFIX. */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static uint32_t asked(int fd, unsigned long question, struct ifreq *request)
{
    if (ioctl(fd, question, request))
        return 0;
    return ((struct sockaddr_in *)&request->ifr_addr)->sin_addr.s_addr;
}

/* The kernel looks for the address that the request carries, and answers with another one if it has none. */
static int has_ipv4(const char *interface, struct in_addr address, int prefix)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in wanted = { .sin_family = AF_INET, .sin_addr = address };
    struct ifreq request = { 0 };

    strncpy(request.ifr_name, interface, IFNAMSIZ - 1);
    memcpy(&request.ifr_addr, &wanted, sizeof wanted);
    if (fd < 0 || asked(fd, SIOCGIFADDR, &request) != address.s_addr)
        return 0;
    memcpy(&request.ifr_addr, &wanted, sizeof wanted);
    return asked(fd, SIOCGIFNETMASK, &request) == htonl(prefix ? ~0u << (32 - prefix) : 0);
}

static int has_ipv6(const char *interface, struct in6_addr address, int prefix)
{
    struct {
        struct nlmsghdr header;
        struct ifaddrmsg message;
        struct rtattr attribute;
        struct in6_addr address;
    } question = {
        .header = { sizeof question, RTM_GETADDR, NLM_F_REQUEST, 1, 0 },
        .message = { .ifa_family = AF_INET6, .ifa_index = if_nametoindex(interface) },
        .attribute = { sizeof(struct rtattr) + sizeof address, IFA_ADDRESS },
        .address = address,
    };
    struct {
        struct nlmsghdr header;
        struct ifaddrmsg message;
        char rest[1024];
    } answer;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd < 0 || write(fd, &question, sizeof question) != sizeof question)
        return 0;
    if (read(fd, &answer, sizeof answer) < (ssize_t)(sizeof answer.header + sizeof answer.message))
        return 0;
    return answer.header.nlmsg_type == RTM_NEWADDR && answer.message.ifa_prefixlen == prefix;
}

int main(int argc, char **argv)
{
    struct in6_addr ipv6;
    struct in_addr ipv4;
    int prefix;

    if (argc < 4)
        return 2;
    prefix = atoi(argv[3]);
    if (inet_pton(AF_INET, argv[2], &ipv4) == 1)
        return has_ipv4(argv[1], ipv4, prefix) ? 0 : 7;
    if (inet_pton(AF_INET6, argv[2], &ipv6) == 1)
        return has_ipv6(argv[1], ipv6, prefix) ? 0 : 7;
    return 2;
}
