#include "releases/shared_work.h"

#include <algorithm>

namespace renga::releases {
SharedWork::SharedWork(unsigned helpers, std::size_t most_waiting) : most_waiting_(most_waiting) {
  for (unsigned i = 0; i < helpers; ++i) helpers_.emplace_back([this] { help(); });
}

unsigned SharedWork::for_files() {
  return std::min(3U, std::max(1U, std::thread::hardware_concurrency()) - 1);
}

SharedWork::~SharedWork() {
  queue_.lock()->ending = true;
  changed_.notify_all();
  for (auto& helper : helpers_) helper.join();
}

void SharedWork::help() {
  for (;;) {
    Piece piece;
    {
      auto held = queue_.lock();
      held.wait(changed_, [&] { return held->ending || !held->pieces.empty(); });
      if (held->pieces.empty()) return;
      piece = std::move(held->pieces.front());
      held->pieces.pop_front();
    }
    run(std::move(piece));
  }
}

void SharedWork::run(Piece piece) {
  std::exception_ptr fault;
  try {
    piece.run();
  } catch (...) {
    fault = std::current_exception();
  }
  bool last = false;
  {
    auto held = queue_.lock();
    if (!piece.batch->fault_) piece.batch->fault_ = fault;
    last = --piece.batch->left_ == 0;
  }
  // From here on the batch may be gone.
  if (last) changed_.notify_all();
}

bool SharedWork::run_one() {
  Piece piece;
  {
    auto held = queue_.lock();
    if (held->pieces.empty()) return false;
    // The newest: more likely of the batch that is waited for.
    piece = std::move(held->pieces.back());
    held->pieces.pop_back();
  }
  run(std::move(piece));
  return true;
}

void SharedWork::wait_for(Batch& batch) {
  while (run_one()) {
  }
  auto held = queue_.lock();
  held.wait(changed_, [&] { return batch.left_ == 0; });
}

SharedWork::Batch::~Batch() { work_.wait_for(*this); }

void SharedWork::Batch::add(std::function<void()> piece) {
  bool many = false;
  {
    auto held = work_.queue_.lock();
    ++left_;
    held->pieces.push_back({std::move(piece), this});
    many = held->pieces.size() > work_.most_waiting_;
  }
  work_.changed_.notify_one();
  if (many) work_.run_one();
}

void SharedWork::Batch::finish() {
  work_.wait_for(*this);
  if (fault_) std::rethrow_exception(std::exchange(fault_, nullptr));
}

}  // namespace renga::releases
