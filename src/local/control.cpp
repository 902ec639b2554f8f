#include "local/control.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <optional>

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

// Every `renga local` of the directory that takes a call.
std::vector<os::Fd> callees(const std::filesystem::path& sockets,
                            const std::filesystem::path& directory) {
  std::vector<os::Fd> all;
  if (!is_ours(sockets)) return all;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(sockets, none)) {
    if (!entry.path().filename().native().starts_with(prefix_of(directory))) continue;
    auto fd = make_socket(0);
    const timeval limit{answer_limit, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    const auto address = address_of(entry.path());
    if (::connect(fd.get(), plain(address), sizeof address) == 0)
      all.push_back(std::move(fd));
    else if (errno == ECONNREFUSED)
      ::unlink(entry.path().c_str());  // its owner was killed
  }
  return all;
}

std::unexpected<Error> none_runs(const std::filesystem::path& directory) {
  return fail(Kind::not_found,
              fmt::format("No `renga local` runs in {}. Start one there.", directory.string()));
}

// A packet, and a descriptor with it (unix(7), SCM_RIGHTS).
struct Packet {
  iovec bytes{};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};

  Packet(char* data, std::size_t size, bool with_room) : bytes{data, size} {
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (!with_room) return;
    message.msg_control = room;
    message.msg_controllen = sizeof room;
  }
};

void send_with(int fd, std::string text, int descriptor) {
  Packet packet(text.data(), std::min(text.size(), Control::longest_packet), descriptor >= 0);
  if (descriptor >= 0) {
    auto* part = CMSG_FIRSTHDR(&packet.message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
  }
  (void)::sendmsg(fd, &packet.message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

std::optional<Handed> receive(int fd) {
  std::string text(Control::longest_packet, '\0');
  Packet packet(text.data(), text.size(), true);
  const auto count = ::recvmsg(fd, &packet.message, MSG_CMSG_CLOEXEC);
  if (count <= 0) return std::nullopt;
  Handed handed;
  text.resize(static_cast<std::size_t>(count));
  handed.text = std::move(text);
  const auto* part = CMSG_FIRSTHDR(&packet.message);
  if (part != nullptr && part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_RIGHTS) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(part), sizeof descriptor);
    handed.descriptor = os::Fd(descriptor);
  }
  return handed;
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
  for (const auto& caller : callers_) all.push_back(caller.fd.get());
  return all;
}

void Control::serve(const std::function<Answer(std::string_view, int)>& answer,
                    const std::function<void(int)>& left) {
  while (callers_.size() < most_callers) {
    os::Fd caller(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!caller) break;
    callers_.push_back({std::move(caller)});
  }
  std::erase_if(callers_, [&](Caller& caller) { return is_done(caller, answer, left); });
}

bool Control::is_done(Caller& caller, const std::function<Answer(std::string_view, int)>& answer,
                      const std::function<void(int)>& left) {
  char request[512];
  const auto count = ::recv(caller.fd.get(), request, sizeof request, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (caller.holder != 0) {
    if (count > 0) return false;
    left(caller.holder);
    return true;
  }
  if (count <= 0) return true;
  const auto said = answer(std::string_view(request, static_cast<std::size_t>(count)), ++holders_);
  send_with(caller.fd.get(), said.text, said.descriptor);
  if (said.descriptor >= 0) caller.holder = holders_;
  return caller.holder == 0;
}

Result<std::vector<std::string>> ask(const std::filesystem::path& sockets,
                                     const std::filesystem::path& directory,
                                     std::string_view request) {
  std::vector<std::string> answers;
  for (const auto& fd : callees(sockets, directory)) {
    if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) continue;
    if (auto answer = receive(fd.get())) answers.push_back(std::move(answer->text));
  }
  if (answers.empty()) return none_runs(directory);
  return answers;
}

Result<Handed> ask_for_descriptor(const std::filesystem::path& sockets,
                                  const std::filesystem::path& directory,
                                  std::string_view request) {
  auto all = callees(sockets, directory);
  if (all.empty()) return none_runs(directory);
  std::string refusal;
  for (auto& fd : all) {
    if (::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) continue;
    auto answer = receive(fd.get());
    if (answer && answer->descriptor) {
      answer->caller = std::move(fd);
      return std::move(*answer);
    }
    if (answer && !answer->text.starts_with("none")) refusal = answer->text;
  }
  if (!refusal.empty()) return fail(Kind::conflict, refusal);
  return fail(Kind::not_found, "No such process runs here. `renga local:ps` lists what does.");
}

}  // namespace renga::local
