#include "local/attach.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fault.h"
#include "local/child.h"
#include "local/control.h"
#include "os/file.h"
#include "os/raw_mode.h"

namespace renga::local {
namespace {

constexpr char leave_key = 0x1d;  // Ctrl-]
constexpr std::size_t most_unsent = 64u
                                    << 10;  // bytes; a process that reads nothing loses the rest

}  // namespace

Result<Parting> attach(const std::filesystem::path& sockets, const std::filesystem::path& directory,
                       const std::string& name, const Attached& ends) {
  const auto handed = TRY(ask_for_descriptor(sockets, directory, "attach " + name));
  const int terminal = handed.descriptor.get();
  const bool is_person = ::isatty(ends.input) == 1;
  const os::RawMode raw(ends.input, is_person);
  os::SizeChanges sizes(is_person);
  if (is_person) copy_window_size(ends.input, terminal);
  os::write_all(ends.output, handed.text, "show a process's prompt");

  std::string unsent;
  bool leaves = false;
  char bytes[16 << 10];
  for (;;) {
    const short wanted = unsent.empty() ? POLLIN : POLLIN | POLLOUT;
    pollfd fds[] = {{terminal, wanted, 0}, {ends.input, POLLIN, 0}, {sizes.fd(), POLLIN, 0}};
    if (::poll(fds, 3, -1) < 0 && errno != EINTR) fault("wait for a terminal");
    if (fds[2].revents != 0) {
      sizes.take();
      copy_window_size(ends.input, terminal);
    }
    if (fds[0].revents != 0) {
      const auto got = ::read(terminal, bytes, sizeof bytes);
      // EIO: nobody has the other side any more.
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return Parting::process_ended;
      if (got > 0)
        os::write_all(ends.output, {bytes, static_cast<std::size_t>(got)}, "show its output");
    }
    if (fds[1].revents != 0) {
      const auto got = ::read(ends.input, bytes, sizeof bytes);
      if (got == 0 || (got < 0 && errno != EINTR)) leaves = true;
      const std::string_view typed(bytes, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      const auto end = typed.find(leave_key);
      if (unsent.size() < most_unsent) unsent += typed.substr(0, end);
      leaves = leaves || end != std::string_view::npos;
    }
    if (!unsent.empty()) {
      const auto put = ::write(terminal, unsent.data(), unsent.size());
      if (put > 0) unsent.erase(0, static_cast<std::size_t>(put));
    }
    if (leaves) return Parting::person_left;
  }
}

}  // namespace renga::local
