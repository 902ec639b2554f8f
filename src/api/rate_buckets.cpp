#include "api/rate_buckets.h"

#include <algorithm>

namespace renga::api {
namespace {
// Past this many, those that are full again are dropped: a full bucket and none are the same.
constexpr std::size_t many = 10'000;
}  // namespace

std::optional<int> RateBuckets::take(const std::string& caller) {
  auto buckets = buckets_.lock();
  auto& bucket = filled(*buckets, caller);
  if (bucket.tokens < 1) return std::nullopt;
  bucket.tokens -= 1;
  return static_cast<int>(bucket.tokens);
}

int RateBuckets::remaining(const std::string& caller) {
  auto buckets = buckets_.lock();
  return static_cast<int>(filled(*buckets, caller).tokens);
}

RateBuckets::Bucket& RateBuckets::filled(std::unordered_map<std::string, Bucket>& buckets,
                                         const std::string& caller) {
  const auto now = clock_.steady();
  const auto level = [&](const Bucket& bucket) {
    const std::chrono::duration<double, std::ratio<60>> minutes = now - bucket.at;
    return std::min(capacity_, bucket.tokens + minutes.count() * refill_per_minute_);
  };
  if (buckets.size() > many && !buckets.contains(caller))
    std::erase_if(buckets, [&](const auto& entry) { return level(entry.second) >= capacity_; });
  const auto [found, fresh] = buckets.try_emplace(caller, Bucket{capacity_, now});
  if (!fresh) found->second = Bucket{level(found->second), now};
  return found->second;
}

}  // namespace renga::api
