/* SPDX-License-Identifier: Apache-2.0 OR MIT
 * The floor: what the kernel charges for a process that asks one question. */
#include <sys/stat.h>

int main(int argc, char **argv)
{
    struct stat st;
    return argc > 1 && stat(argv[1], &st) == 0 ? 0 : 7;
}
