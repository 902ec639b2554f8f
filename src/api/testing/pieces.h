// Pieces: the body of a request that comes bit by bit.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "http/message.h"

namespace renga::api {

class Pieces final : public http::BodyReader {
 public:
  explicit Pieces(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}
  std::string read() override { return at_ < pieces_.size() ? pieces_[at_++] : std::string(); }

 private:
  std::vector<std::string> pieces_;
  std::size_t at_ = 0;
};

}  // namespace renga::api
