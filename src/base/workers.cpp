#include "base/workers.h"

#include "base/report.h"

namespace renga {
namespace {

constexpr std::chrono::seconds pause_after_trouble{5};

}  // namespace

Workers::~Workers() {
  stop();
  for (auto& thread : threads_) thread.join();
}

void Workers::start(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
}

void Workers::poke() {
  ++*pokes_.lock();
  changed_.notify_one();
}

void Workers::poke_all() {
  ++*pokes_.lock();
  changed_.notify_all();
}

void Workers::stop() {
  {
    // Under the lock, so that no thread is between its look at this and its wait.
    const auto pokes = pokes_.lock();
    stopping_ = true;
  }
  changed_.notify_all();
}

void Workers::serve() {
  while (!stopping_) {
    const auto heard = *pokes_.lock();
    Duration pause = pause_after_trouble;
    try {
      pause = round_();
    } catch (const std::exception& trouble) {
      report(part_, trouble.what());
    }
    auto pokes = pokes_.lock();
    pokes.wait_for(changed_, pause, [&] { return stopping_ || *pokes != heard; });
  }
}

}  // namespace renga
