#include "router/listeners.h"

namespace renga::router {

std::vector<os::Fd> open_listeners(const std::string& host_port, std::size_t count) {
  // SO_REUSEPORT lets any process of the same user bind beside us and take its share of our
  // clients. So the address is taken once for ourselves, to see that nobody is there.
  if (!host_port.ends_with(":0")) net::listen_tcp(host_port, net::Port::exclusive);
  std::vector<os::Fd> sockets;
  sockets.push_back(net::listen_tcp(host_port, net::Port::shared));
  const auto same = net::local_address(sockets[0].get()).text();
  while (sockets.size() < count) sockets.push_back(net::listen_tcp(same, net::Port::shared));
  // Accepted sockets inherit it. A head and its body go out in one write, so there is nothing that
  // the kernel should wait for.
  for (const auto& socket : sockets) net::set_no_delay(socket.get());
  return sockets;
}

std::string client_ip(const net::Address& peer) {
  auto host = peer.host();
  constexpr std::string_view mapped = "::ffff:";
  if (host.starts_with(mapped) && host.find('.') != std::string::npos) host.erase(0, mapped.size());
  return host;
}

}  // namespace renga::router
