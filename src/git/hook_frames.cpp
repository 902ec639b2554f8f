#include "git/hook_frames.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <climits>
#include <cstring>

#include "base/fault.h"

namespace renga::git {
namespace {

constexpr auto patience = std::chrono::minutes(1);

bool ready(int socket, short event, std::optional<std::chrono::milliseconds> limit) {
  pollfd wait{socket, event, 0};
  int result = 0;
  do result = poll(&wait, 1, limit ? static_cast<int>(limit->count()) : -1);
  while (result < 0 && errno == EINTR);
  return result > 0;
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    if (!ready(socket, POLLOUT, patience)) return false;
    const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_all(int socket, char* into, std::size_t size,
                 std::optional<std::chrono::milliseconds> limit) {
  while (size > 0) {
    if (!ready(socket, POLLIN, limit)) return false;
    const auto got = ::recv(socket, into, size, MSG_DONTWAIT);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) return false;
    into += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

// Calls `use` with an address for `path`: its directory by descriptor, so that only the name
// counts.
template <class Use>
void with_address(const std::filesystem::path& path, Use use) {
  const os::Fd directory(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) fault("open " + path.parent_path().string());
  const auto name = fmt::format("/proc/self/fd/{}/{}", directory.get(), path.filename().string());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path)
    fault(ENAMETOOLONG, "use the socket " + path.string());
  std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
  use(reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(sizeof address));
}

os::Fd make_socket() {
  os::Fd made(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!made) fault("make a unix socket");
  return made;
}

}  // namespace

bool send(int socket, const Frame& frame) {
  const auto size = frame.bytes.size();
  if (size > Frame::most) return false;
  std::string head{frame.kind};
  for (int shift = 24; shift >= 0; shift -= 8) head += static_cast<char>((size >> shift) & 0xff);
  return send_all(socket, head + frame.bytes);
}

std::optional<Frame> receive(int socket, std::optional<std::chrono::milliseconds> limit) {
  char head[5];
  if (!receive_all(socket, head, sizeof head, limit)) return std::nullopt;
  std::size_t size = 0;
  for (int i = 1; i < 5; ++i) size = size << 8 | static_cast<unsigned char>(head[i]);
  if (size > Frame::most) return std::nullopt;
  Frame frame{head[0], std::string(size, '\0')};
  if (!receive_all(socket, frame.bytes.data(), size, limit.value_or(patience))) return std::nullopt;
  return frame;
}

os::Fd listen_at(const std::filesystem::path& path) {
  std::filesystem::create_directories(path.parent_path());
  std::filesystem::remove(path);
  auto made = make_socket();
  with_address(path, [&](const sockaddr* address, socklen_t size) {
    // Of the descriptor's mode less the umask comes the file's: private from its first instant.
    if (fchmod(made.get(), 0600) != 0 || bind(made.get(), address, size) != 0 ||
        listen(made.get(), 64) != 0)
      fault("listen at " + path.string());
  });
  std::filesystem::permissions(path, std::filesystem::perms(0600));
  return made;
}

os::Fd connect_to(const std::filesystem::path& path) {
  auto made = make_socket();
  with_address(path, [&](const sockaddr* address, socklen_t size) {
    if (connect(made.get(), address, size) != 0) fault("connect to " + path.string());
  });
  return made;
}

}  // namespace renga::git
