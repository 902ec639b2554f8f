#include "local/control.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "base/fault.h"

namespace renga::local {
namespace {

constexpr int answer_limit = 2;  // seconds

// One per directory and process: "3f2a….1234.sock".
std::string prefix_of(const std::filesystem::path& directory) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a: a name, not a secret
  for (const char c : directory.native())
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return fmt::format("{:016x}.", hash);
}

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path) fault(ENAMETOOLONG, "name a control socket");
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  return address;
}

const sockaddr* plain(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

os::Fd make_socket(int flags) {
  os::Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  if (!fd) fault("make a control socket");
  return fd;
}

bool is_ours(const std::filesystem::path& sockets) {
  struct stat about {};
  return lstat(sockets.c_str(), &about) == 0 && S_ISDIR(about.st_mode) &&
         about.st_uid == geteuid() && (about.st_mode & 077) == 0;
}

}  // namespace

std::filesystem::path control_directory(const Environment& environment) {
  const auto runtime = environment.find("XDG_RUNTIME_DIR");
  constexpr std::size_t room_for_names = 60;
  if (runtime != environment.end() && runtime->second.starts_with('/') &&
      runtime->second.size() < room_for_names)
    return std::filesystem::path(runtime->second) / "renga-local";
  return fmt::format("/tmp/renga-local-{}", geteuid());
}

Control::Control(const std::filesystem::path& sockets, const std::filesystem::path& directory)
    : path_(sockets / fmt::format("{}{}.sock", prefix_of(directory), getpid())) {
  if (mkdir(sockets.c_str(), 0700) != 0 && errno != EEXIST) fault("make " + sockets.string());
  if (!is_ours(sockets)) fault(EPERM, "use " + sockets.string() + ", which others may write");
  listener_ = make_socket(SOCK_NONBLOCK);
  ::unlink(path_.c_str());  // a former process had our number
  const auto address = address_of(path_);
  if (::bind(listener_.get(), plain(address), sizeof address) != 0 ||
      ::listen(listener_.get(), static_cast<int>(most_callers)) != 0)
    fault("listen on " + path_.string());
}

Control::~Control() { ::unlink(path_.c_str()); }

std::vector<int> Control::descriptors() const {
  std::vector<int> all;
  if (callers_.size() < most_callers) all.push_back(listener_.get());
  for (const auto& caller : callers_) all.push_back(caller.get());
  return all;
}

void Control::serve(const std::function<std::string(std::string_view)>& answer) {
  while (callers_.size() < most_callers) {
    os::Fd caller(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!caller) break;
    callers_.push_back(std::move(caller));
  }
  std::erase_if(callers_, [&](const os::Fd& caller) {
    char request[512];
    const auto count = ::recv(caller.get(), request, sizeof request, 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
    if (count > 0) {
      const auto said = answer(std::string_view(request, static_cast<std::size_t>(count)));
      (void)::send(caller.get(), said.data(), std::min(said.size(), longest_packet),
                   MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    return true;
  });
}

Result<std::vector<std::string>> ask(const std::filesystem::path& sockets,
                                     const std::filesystem::path& directory,
                                     std::string_view request) {
  std::vector<std::string> answers;
  std::error_code none;
  if (is_ours(sockets)) {
    for (const auto& entry : std::filesystem::directory_iterator(sockets, none)) {
      if (!entry.path().filename().native().starts_with(prefix_of(directory))) continue;
      const auto fd = make_socket(0);
      const timeval limit{answer_limit, 0};
      setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
      const auto address = address_of(entry.path());
      if (::connect(fd.get(), plain(address), sizeof address) != 0) {
        if (errno == ECONNREFUSED) ::unlink(entry.path().c_str());  // its owner was killed
        continue;
      }
      std::string answer(Control::longest_packet, '\0');
      if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) continue;
      const auto count = ::recv(fd.get(), answer.data(), answer.size(), 0);
      if (count <= 0) continue;
      answer.resize(static_cast<std::size_t>(count));
      answers.push_back(std::move(answer));
    }
  }
  if (answers.empty())
    return fail(Kind::not_found,
                fmt::format("No `renga local` runs in {}. Start one there.", directory.string()));
  return answers;
}

}  // namespace renga::local
