#include "dynos/engines/local/attach_ends.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fault.h"
#include "os/pty.h"

namespace renga::dynos {
namespace {

os::Fd again(const os::Fd& fd) {
  os::Fd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) fault("F_DUPFD_CLOEXEC");
  return copy;
}

struct Pipe {
  os::Fd reads, writes;
};

Pipe make_pipe() {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) fault("pipe2");
  return {os::Fd(fds[0]), os::Fd(fds[1])};
}

void unblock(const os::Fd& fd) {
  if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) fault("O_NONBLOCK");
}

}  // namespace

AttachEnds terminal_ends(const Window& window) {
  auto pty = os::open_pty(window.columns, window.rows);
  AttachEnds ends;
  ends.near.input = again(pty.master);
  ends.near.output = std::move(pty.master);
  ends.far.input = again(pty.slave);
  ends.far.output = std::move(pty.slave);
  return ends;
}

AttachEnds pipe_ends() {
  auto in = make_pipe();
  auto out = make_pipe();
  unblock(in.writes);
  unblock(out.reads);
  return {{std::move(in.writes), std::move(out.reads)},
          {std::move(in.reads), std::move(out.writes)}};
}

}  // namespace renga::dynos
