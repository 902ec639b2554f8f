// Pending: bytes that wait for a connection to take them. Sent from the front; the room of what was
// sent is taken back when it is half of all, so appending stays cheap.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace renga::router {

class Pending {
 public:
  bool empty() const { return size() == 0; }
  std::size_t size() const { return bytes_.size() - sent_; }
  std::string_view left() const { return std::string_view(bytes_).substr(sent_); }
  std::size_t sent() const { return sent_; }

  // With `keep`, what was sent stays, so that rewind() can have it sent again.
  void append(std::string_view bytes) { bytes_.append(bytes); }
  void take(std::size_t count, bool keep = false) {
    sent_ += count;
    if (!keep) forget_sent();
  }
  void forget_sent() {
    if (sent_ == bytes_.size()) {
      clear();
    } else if (sent_ > bytes_.size() / 2) {
      bytes_.erase(0, sent_);
      sent_ = 0;
    }
  }
  void rewind() { sent_ = 0; }
  // A big buffer is given back, a small one is used again.
  void clear() {
    if (bytes_.capacity() > largest_kept) {
      std::string().swap(bytes_);  // assigned an empty one, it would keep its room
    } else {
      bytes_.clear();
    }
    sent_ = 0;
  }
  std::string& text() { return bytes_; }  // to write into while nothing was sent

 private:
  static constexpr std::size_t largest_kept = 4096;
  std::string bytes_;
  std::size_t sent_ = 0;
};

}  // namespace renga::router
