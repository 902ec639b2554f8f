// Sizes: what dynos come in: Heroku's names and shapes, or an operator's own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sandbox/spec.h"

namespace renga::dynos {

struct Size {
  std::string id;    // a UUID that stays with the name
  std::string name;  // "Standard-1X"
  double memory_gb = 0.5;
  int compute = 1;  // CPU share, relative to Standard-1X
  bool dedicated = false;
  int pids = 256;  // processes and threads
  std::int64_t memory_bytes() const;
  sandbox::Limits limits() const;
};

// A value; safe from any thread, since nothing changes it.
class Sizes {
 public:
  // Heroku's.
  static const Sizes& usual();
  // An operator's: a line each, "NAME MEMORY COMPUTE PROCESSES" ("Small 256MB 1 128"); what begins
  // with # is not read. They take the place of the usual ones. Kind::invalid: a line that cannot
  // be, with its number.
  static Result<Sizes> parse(std::string_view text);

  const std::vector<Size>& all() const { return all_; }
  // By id or name, whatever the case.
  const Size* find(std::string_view identity) const;
  // What new process types and one-off dynos have: Standard-1X, or where there is none the first.
  const Size& standard() const;
  // What a dyno of this size gets: the standard one's where its size is not there any more.
  const Size& of(std::string_view identity) const;

 private:
  explicit Sizes(std::vector<Size> all) : all_(std::move(all)) {}
  std::vector<Size> all_;  // at least one
};

}  // namespace renga::dynos
