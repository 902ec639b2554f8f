#include "logs/segments.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/fault.h"
#include "base/report.h"
#include "os/fd.h"

namespace renga::logs {
namespace {

namespace fs = std::filesystem;

constexpr int parts = 16;  // segments that a full log has, so that a sixteenth goes at a time
constexpr std::int64_t block = 64 << 10;

// Up to `size` bytes from `offset`; fewer at the end of the file. Nothing when it fails.
std::string read_at(int file, std::int64_t offset, std::int64_t size) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto got = pread(file, bytes.data() + done, bytes.size() - done,
                           offset + static_cast<std::int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace

Segments::Segments(fs::path directory, std::int64_t most_bytes)
    : directory_(std::move(directory)), most_bytes_(most_bytes) {
  std::error_code missing;
  for (const auto& file : fs::directory_iterator(directory_, missing)) {
    const auto name = file.path().filename().string();
    Segment segment;
    const auto [end, error] =
        std::from_chars(name.data(), name.data() + name.size(), segment.first);
    if (error != std::errc() || std::string_view(end) != ".log") continue;
    segment.bytes = static_cast<std::int64_t>(file.file_size());
    segments_.push_back(segment);
  }
  if (segments_.empty()) return;
  std::ranges::sort(segments_, {}, &Segment::first);

  auto& last = segments_.back();
  const os::Fd file(::open(path_of(last).c_str(), O_RDWR | O_CLOEXEC));
  if (!file) fault("open " + path_of(last).string());
  next_ = last.first;
  std::int64_t whole = 0;  // bytes of lines that have their end
  for (std::int64_t at = 0; at < last.bytes;) {
    const auto bytes = read_at(file.get(), at, std::min(block, last.bytes - at));
    if (bytes.empty()) break;
    next_ += static_cast<std::uint64_t>(std::ranges::count(bytes, '\n'));
    if (const auto end = bytes.rfind('\n'); end != std::string::npos)
      whole = at + static_cast<std::int64_t>(end) + 1;
    at += static_cast<std::int64_t>(bytes.size());
  }
  if (whole < last.bytes && ftruncate(file.get(), whole) != 0)
    fault("cut " + path_of(last).string());
  last.bytes = whole;
}

fs::path Segments::path_of(const Segment& segment) const {
  // Twenty digits, so that names sort as places do.
  return directory_ / fmt::format("{:020}.log", segment.first);
}

void Segments::begin_segment() {
  if (segments_.empty()) {
    fs::create_directories(directory_);
    fs::permissions(directory_, fs::perms::owner_all);
  }
  std::int64_t total = 0;
  for (const auto& segment : segments_) total += segment.bytes;
  while (!segments_.empty() && total > most_bytes_ - most_bytes_ / parts) {
    total -= segments_.front().bytes;
    std::error_code error;
    fs::remove(path_of(segments_.front()), error);
    if (error)
      report("logs",
             "cannot remove " + path_of(segments_.front()).string() + ": " + error.message());
    segments_.erase(segments_.begin());
  }
  segments_.push_back({.first = next_});
}

void Segments::append(std::string_view lines, std::size_t count) {
  if (segments_.empty() || segments_.back().bytes >= most_bytes_ / parts) begin_segment();
  auto& last = segments_.back();
  const auto path = path_of(last);
  const os::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!file) fault("open " + path.string());
  auto offset = last.bytes;
  for (auto left = lines; !left.empty();) {
    const auto done = pwrite(file.get(), left.data(), left.size(), offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      const int error = errno;
      // Half a line would shift the places of all that follow.
      if (ftruncate(file.get(), last.bytes) != 0) report("logs", "cannot cut " + path.string());
      fault(error, "write " + path.string());
    }
    left.remove_prefix(static_cast<std::size_t>(done));
    offset += done;
  }
  last.bytes = offset;
  next_ += count;
}

void Segments::backward(const Each& each) const {
  auto place = next_;
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    const os::Fd file(::open(path_of(*segment).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return;
    // `tail` holds bytes whose line begins in a block that was not read yet.
    std::string tail;
    for (auto end = segment->bytes; end > 0;) {
      const auto start = std::max<std::int64_t>(0, end - block);
      auto bytes = read_at(file.get(), start, end - start);
      if (static_cast<std::int64_t>(bytes.size()) != end - start) return;
      tail.insert(0, bytes);
      end = start;
      // Every line ends with '\n': what stands between two of them is whole.
      while (!tail.empty()) {
        const auto before = tail.size() < 2 ? std::string::npos : tail.rfind('\n', tail.size() - 2);
        if (before == std::string::npos && end > 0) break;
        const auto from = before == std::string::npos ? 0 : before + 1;
        if (!each(--place, std::string_view(tail).substr(from, tail.size() - from - 1))) return;
        tail.resize(from);
      }
    }
    place = segment->first;
  }
}

void Segments::forward(std::uint64_t place, const Each& each) const {
  for (std::size_t i = 0; i < segments_.size(); ++i) {
    const auto& segment = segments_[i];
    const auto beyond = i + 1 < segments_.size() ? segments_[i + 1].first : next_;
    if (beyond <= place + 1) continue;
    const os::Fd file(::open(path_of(segment).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) continue;
    auto at_place = segment.first;
    std::string rest;
    for (std::int64_t at = 0; at < segment.bytes;) {
      const auto bytes = read_at(file.get(), at, std::min(block, segment.bytes - at));
      if (bytes.empty()) break;
      at += static_cast<std::int64_t>(bytes.size());
      rest += bytes;
      std::size_t from = 0;
      for (std::size_t end; (end = rest.find('\n', from)) != std::string::npos;
           from = end + 1, ++at_place)
        if (at_place > place && !each(at_place, std::string_view(rest).substr(from, end - from)))
          return;
      rest.erase(0, from);
    }
  }
}

}  // namespace renga::logs
