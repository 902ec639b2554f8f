// Lines of many processes as one text: "10:00:00 web.1  | listening".
#pragma once

#include <ctime>
#include <string>
#include <string_view>

namespace renga::local {

// What stands before each line of one process.
struct Prefix {
  std::string name;        // padded: "web.1   "
  std::string_view begin;  // its colour's escape sequence, or empty
  std::string_view end;
};

enum class Colour { off, on };
// foreman's cycle: cyan, yellow, green, magenta, red, blue, then the bright ones.
Prefix prefix_of(std::string_view name, std::size_t width, std::size_t index, Colour colour);
// What renga itself says.
Prefix system_prefix(std::size_t width, Colour colour);

// "HH:MM:SS" of local time; worked out once a second.
class WallTime {
 public:
  std::string_view now();

 private:
  std::time_t second_ = -1;
  char text_[16] = {};
};

// `time` may be empty: then there is none.
void append_line(std::string& out, const Prefix& prefix, std::string_view time,
                 std::string_view line);

// Cuts one process's bytes into lines. A line beyond the limit comes in pieces, never cut within a
// character of UTF-8.
class Lines {
 public:
  static constexpr std::size_t longest_line = 64u << 10;  // bytes

  // `each` gets whole lines without their end ("\n" or "\r\n").
  template <class Each>
  void add(std::string_view bytes, Each each) {
    while (!bytes.empty()) {
      const auto end = bytes.find('\n');
      const auto part = bytes.substr(0, end);
      if (end == std::string_view::npos) {
        pending_ += part;
        while (pending_.size() > longest_line) {
          const auto cut = before_character(pending_, longest_line);
          each(std::string_view(pending_).substr(0, cut));
          pending_.erase(0, cut);
        }
        return;
      }
      if (pending_.empty()) {
        each(without_return(part));
      } else {
        pending_ += part;
        each(without_return(pending_));
        pending_.clear();
      }
      bytes.remove_prefix(end + 1);
    }
  }

  std::string_view pending() const { return pending_; }

  // What has no end of line yet, once nothing more will come.
  template <class Each>
  void finish(Each each) {
    if (!pending_.empty()) each(without_return(pending_));
    pending_.clear();
  }

 private:
  static std::string_view without_return(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  static std::size_t before_character(std::string_view text, std::size_t limit);

  std::string pending_;
};

}  // namespace renga::local
