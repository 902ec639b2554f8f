// Our own output: bounded, and never waited for, so that a reader that stands still does not keep
// us from signals and from processes that end.
#pragma once

#include <string>

#include "os/fd.h"

namespace renga::local {

class Output {
 public:
  static constexpr std::size_t enough = 256u << 10;  // bytes; from here on nothing more is read

  explicit Output(int fd);

  std::string& text() { return text_; }  // append to it
  bool is_full() const { return waiting() >= enough; }
  std::size_t waiting() const { return text_.size() - written_; }
  bool is_closed() const { return closed_; }  // nobody reads any more
  int fd() const { return own_ ? own_.get() : fd_; }

  // Writes what the reader takes now.
  void flush();

 private:
  int fd_;
  os::Fd own_;          // the same pipe, opened again so that our flags are ours alone
  bool whole_ = false;  // a file: takes everything at once
  bool closed_ = false;
  std::string text_;
  std::size_t written_ = 0;
};

}  // namespace renga::local
