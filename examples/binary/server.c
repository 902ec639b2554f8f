// Answers every request on $PORT with one line.
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void) {
  const char* port = getenv("PORT");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port ? port : "5000"))};
  const int yes = 1, server = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(server, (struct sockaddr*)&address, sizeof address) != 0 || listen(server, 128) != 0) return perror("listen"), 1;
  for (;;) {
    const int client = accept(server, NULL, NULL);
    if (client < 0) continue;
    char request[8192];
    const char* answer = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: close\r\n\r\nHello from a binary\n";
    if (read(client, request, sizeof request) > 0 && write(client, answer, strlen(answer)) < 0) perror("write");
    close(client);
  }
}
