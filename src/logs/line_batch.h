// LineBatch: lines of one app on their way to its log, as its file will have them, and where in
// that text each one is: two pieces of memory for however many lines. A value. Private to this
// room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "logs/line.h"
#include "logs/log_store.h"
#include "logs/time_text.h"

namespace renga::logs {

class LineBatch {
 public:
  // Its message is one line. A bracket or a space in its source or process becomes '_', as it would
  // change the line's meaning.
  void add(const LineView& line);
  void add(const LineBatch& others);

  bool empty() const { return marks_.empty(); }
  std::size_t size() const { return marks_.size(); }
  const std::string& text() const { return text_; }  // each line with its end
  Time begins() const { return marks_.front().at; }

  // The lines with their places, the first one's being `first`. Valid while the batch is.
  std::vector<PlacedView> placed(std::uint64_t first) const;

 private:
  struct Mark {
    Time at;
    std::size_t end = 0;                    // in the text, behind the line's own end
    std::uint32_t source = 0, process = 0;  // sizes
  };
  std::string text_;
  std::vector<Mark> marks_;
  TimeText time_;
};

}  // namespace renga::logs
