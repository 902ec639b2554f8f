// The smallest web app there is, static: `byte_server PORT [once]` answers each connection with a
// few bytes. With `once` it ends after the first.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc < 2) return 64;
  signal(SIGTERM, SIG_DFL);
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
  if (bind(listener, (struct sockaddr*)&address, sizeof address) != 0 || listen(listener, 64) != 0) return 1;
  for (;;) {
    const int client = accept(listener, 0, 0);
    if (client < 0) continue;
    static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
    char request[1024];
    if (read(client, request, sizeof request) > 0 && write(client, answer, sizeof answer - 1) < 0) return 1;
    close(client);
    if (argc > 2) return 0;
  }
}
