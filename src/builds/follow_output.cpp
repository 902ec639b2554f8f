#include "builds/follow_output.h"

#include <condition_variable>

#include "base/locked.h"

namespace renga::builds {
namespace {

// Stands where a client's connection would: what the streams' own thread hands over waits here.
class Listener final : public http::ResponseStream {
 public:
  bool write(std::string_view bytes) override { return try_write(bytes); }
  bool try_write(std::string_view bytes) override {
    {
      auto held = held_.lock();
      if (held->ended || held->bytes.size() + bytes.size() > most) return false;
      held->bytes += bytes;
    }
    changed_.notify_one();
    return true;
  }
  bool open() const override { return !held_.lock()->ended; }
  void on_closed(std::function<void()>) override {}  // nobody leaves: follow_output() ends it
  void finish() override {
    held_.lock()->ended = true;
    changed_.notify_one();
  }

  struct Piece {
    std::string bytes;
    bool ended = false;
  };
  // Waits a little for more.
  Piece next() {
    auto held = held_.lock();
    held.wait_for(changed_, std::chrono::milliseconds(200),
                  [&] { return held->ended || !held->bytes.empty(); });
    return {std::exchange(held->bytes, {}), held->ended};
  }

 private:
  static constexpr std::size_t most = 1 << 20;
  struct Held {
    std::string bytes;
    bool ended = false;
  };
  mutable Locked<Held> held_;
  std::condition_variable changed_;
};

}  // namespace

bool follow_output(logs::OutputStreams& outputs, const std::string& id,
                   const std::function<bool(std::string_view)>& each,
                   const std::function<bool()>& wanted) {
  const auto answer = outputs.open(http::Request(), id);
  if (!answer.stream) return false;
  const auto listener = std::make_shared<Listener>();
  answer.stream(listener);
  for (;;) {
    const auto piece = listener->next();
    const bool more = (piece.bytes.empty() || each(piece.bytes)) && wanted();
    if (more && !piece.ended) continue;
    listener->finish();
    return true;
  }
}

}  // namespace renga::builds
