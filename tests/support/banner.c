// SPDX-License-Identifier: Apache-2.0
// Stands for the sshd of a base container: greets whoever connects to $PRIVATE_IP:$BANNER_PORT (22) with an ssh banner
// and hangs up. Ends on SIGTERM. Linked statically, so that it runs in an image without a C library.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void leave(int signal_number) {
  (void)signal_number;
  _exit(0);
}

int main(void) {
  const char* address = getenv("PRIVATE_IP");
  const char* port = getenv("BANNER_PORT");
  struct sockaddr_in where;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  int on = 1;

  /* Process 1 of a container gets no default action for SIGTERM. */
  signal(SIGTERM, leave);
  signal(SIGINT, leave);
  signal(SIGPIPE, SIG_IGN);

  memset(&where, 0, sizeof where);
  where.sin_family = AF_INET;
  where.sin_port = htons((unsigned short)atoi(port ? port : "22"));
  if (!address || inet_pton(AF_INET, address, &where.sin_addr) != 1) {
    fprintf(stderr, "banner: PRIVATE_IP must be an IPv4 address\n");
    return 1;
  }
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr*)&where, sizeof where) != 0 || listen(listener, 64) != 0) {
    perror("banner");
    return 1;
  }
  for (;;) {
    int client = accept(listener, NULL, NULL);
    static const char greeting[] = "SSH-2.0-vcp\r\n";
    if (client < 0) continue;
    if (write(client, greeting, sizeof greeting - 1) < 0) perror("banner");
    close(client);
  }
}
