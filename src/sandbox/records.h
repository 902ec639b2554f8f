// Records: how the spawner's messages and renga-init's plan are written: one byte that says what it
// is, four bytes of length in the machine's order, the bytes. Binary safe, with nothing to escape,
// and small enough to be read by renga-init, which has neither exceptions nor JSON. A reader must
// expect anything.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace renga::sandbox {

struct Record {
  char tag = 0;
  std::string_view bytes;  // into the text that is read
};

inline void add_record(std::string& to, char tag, std::string_view bytes) {
  const auto length = static_cast<std::uint32_t>(bytes.size());
  char head[5] = {tag};
  std::memcpy(head + 1, &length, sizeof length);
  to.append(head, sizeof head);
  to.append(bytes);
}

// Takes the first record off `text`. False when there is none, or only a part of one: then `text`
// is not empty, which is how a damaged message is told from one that is over.
inline bool next_record(std::string_view& text, Record& record) {
  if (text.size() < 5) return false;
  std::uint32_t length = 0;
  std::memcpy(&length, text.data() + 1, sizeof length);
  if (text.size() - 5 < length) return false;
  record = {text[0], text.substr(5, length)};
  text.remove_prefix(5 + std::size_t{length});
  return true;
}

}  // namespace renga::sandbox
