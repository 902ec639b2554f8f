// What a fuzzer feeds: any bytes as what a dyno says. Cut into lines nothing of it is lost, none is
// too long and none ends inside a character; a line written is read back; and a drain's frames have
// the lengths that they say. lines_fuzz_test.cpp runs it over texts of its own. For libFuzzer:
// clang++ -std=c++2b -fsanitize=fuzzer,address,undefined -Isrc, with this file, logs/line.cpp,
// logs/drain_frames.cpp, logs/input_frames.cpp and the base room.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "logs/drain_frames.h"
#include "logs/input_frames.h"
#include "logs/line.h"

namespace {

using namespace renga;

void insist(bool holds) {
  if (!holds) std::abort();
}

// Reads octet-counted frames as a receiver does: every byte belongs to one.
std::size_t frames_in(std::string_view body) {
  std::size_t count = 0;
  for (; !body.empty(); ++count) {
    const auto [length, rest] = text::split_once(body, ' ');
    const auto octets = text::number(length);
    insist(octets && *octets > 0 && static_cast<std::size_t>(*octets) <= rest.size());
    insist(rest.starts_with('<'));
    body = rest.substr(static_cast<std::size_t>(*octets));
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto pieces = logs::cut(input);
  insist(!pieces.empty());
  std::size_t bytes = 0;
  std::string http, syslog;
  logs::TimeText time;
  for (const auto& piece : pieces) {
    bytes += piece.size();
    insist(piece.size() <= 10'000 && piece.find('\n') == std::string_view::npos);
    const logs::LineView line{from_micros(1'767'607'200'123'456), "app", "web.1", piece};
    const auto text = logs::format(line);
    const auto read = logs::parse(text);
    insist(read && *read == line);
    logs::append_message(http, logs::DrainKind::http, "d.1", line, time);
    logs::append_message(syslog, logs::DrainKind::syslog, "d.1", line, time);
  }
  insist(bytes <= size);
  insist(frames_in(http) == pieces.size() && frames_in(syslog) == pieces.size());
  // What a drain sends, an add-on's provider may send back; and it may send anything.
  if (const auto sent = logs::input_frames(syslog)) {
    insist(sent->size() == pieces.size());
    for (std::size_t i = 0; i < pieces.size(); ++i)
      insist((*sent)[i].process == "web.1" &&
             text::trim((*sent)[i].message) == text::trim(pieces[i]));
  } else {
    insist(pieces.size() > logs::most_input_frames);
  }
  if (const auto sent = logs::input_frames(input))
    for (const auto& frame : *sent)
      insist(frame.message.empty() ||
             (frame.message.data() >= input.data() &&
              frame.message.data() + frame.message.size() <= input.data() + input.size()));
  // Anything as a line of a segment's file.
  if (const auto line = logs::parse(input)) {
    const auto text = logs::format(*line);
    insist(logs::parse(text) == line);
  }
  return 0;
}
