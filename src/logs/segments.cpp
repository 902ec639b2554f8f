#include "logs/segments.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

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
constexpr std::size_t most_segments = 256;  // however well they compress
constexpr std::size_t most_unpacked = 128u << 20;
constexpr int level = 1;  // a segment a second must not cost a core

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

constexpr std::int64_t time_size = 32;
std::optional<Time> time_in(std::string_view text) {
  return parse_rfc3339(text.substr(0, static_cast<std::size_t>(time_size)));
}

std::string whole_file(const os::Fd& file) {
  struct stat info;
  if (fstat(file.get(), &info) != 0) return {};
  return read_at(file.get(), 0, info.st_size);
}

// Empty when it is damaged.
std::string unpacked(const std::string& bytes) {
  const auto size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > most_unpacked)
    return {};
  std::string text(size, '\0');
  const auto done = ZSTD_decompress(text.data(), text.size(), bytes.data(), bytes.size());
  return ZSTD_isError(done) != 0 || done != size ? std::string() : text;
}

}  // namespace

bool OpenSegment::is_unlinked() const {
  struct stat info;
  return file && (fstat(file.get(), &info) != 0 || info.st_nlink == 0);
}

Segments::Segments(fs::path directory, std::int64_t most_bytes)
    : directory_(std::make_shared<const fs::path>(std::move(directory))), most_bytes_(most_bytes) {
  find_segments();
  if (segments_.empty()) return;

  auto& last = segments_.back();
  const auto opened = open(last);
  if (!opened) fault(EIO, "read " + path_of(last).string());
  next_ = last.first;
  std::int64_t whole = 0;  // bytes of lines that have their end
  for (std::int64_t at = 0; at < opened->bytes;) {
    const auto bytes = opened->read(at, block);
    if (bytes.empty()) break;
    next_ += static_cast<std::uint64_t>(std::ranges::count(bytes, '\n'));
    if (const auto end = bytes.rfind('\n'); end != std::string::npos)
      whole = at + static_cast<std::int64_t>(end) + 1;
    at += static_cast<std::int64_t>(bytes.size());
  }
  if (last.packed || whole == last.bytes) return;
  if (truncate(path_of(last).c_str(), whole) != 0) fault("cut " + path_of(last).string());
  last.bytes = whole;
}

// What a killed writer left is taken away: a compressed file that was not complete, and a text
// whose compressed form is.
void Segments::find_segments() {
  std::error_code missing, ignored;
  std::vector<fs::path> files;
  for (const auto& file : fs::directory_iterator(*directory_, missing))
    files.push_back(file.path());
  for (const auto& file : files) {
    const auto name = file.filename().string();
    Segment segment;
    const auto [end, error] =
        std::from_chars(name.data(), name.data() + name.size(), segment.first);
    const std::string_view suffix(end);
    if (error != std::errc()) continue;
    if (suffix == ".log.zst.part") fs::remove(file, ignored);
    segment.packed = suffix == ".log.zst";
    if (suffix != ".log" && !segment.packed) continue;
    segment.bytes = static_cast<std::int64_t>(fs::file_size(file));
    segments_.push_back(segment);
  }
  std::ranges::sort(segments_, [](const Segment& a, const Segment& b) {
    return std::pair(a.first, !a.packed) < std::pair(b.first, !b.packed);
  });
  for (auto next = segments_.begin(); next != segments_.end();) {
    const bool twice = next != segments_.begin() && std::prev(next)->first == next->first;
    if (twice) fs::remove(path_of(*next), ignored);
    next = twice ? segments_.erase(next) : std::next(next);
  }
  for (auto& segment : segments_)
    if (const auto opened = open(segment)) segment.begins = time_in(opened->read(0, time_size));
}

fs::path Segments::path_of(const Segment& segment) const {
  // Twenty digits, so that names sort as places do.
  return *directory_ / fmt::format("{:020}.log{}", segment.first, segment.packed ? ".zst" : "");
}

// A reader may hold an older idea of the files: what it knows as text may be compressed by now.
std::optional<Segments::Opened> Segments::open(const Segment& segment) const {
  auto as = segment;
  os::Fd file(::open(path_of(as).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && !as.packed) {
    as.packed = true;
    file = os::Fd(::open(path_of(as).c_str(), O_RDONLY | O_CLOEXEC));
  }
  if (!file) return std::nullopt;
  if (!as.packed) {
    const auto shared = std::make_shared<os::Fd>(std::move(file));
    return Opened{
        segment.bytes, [shared, end = segment.bytes](std::int64_t offset, std::int64_t size) {
          return read_at(shared->get(), offset, std::clamp<std::int64_t>(end - offset, 0, size));
        }};
  }
  const auto text = std::make_shared<const std::string>(unpacked(whole_file(file)));
  const auto bytes = static_cast<std::int64_t>(text->size());
  return Opened{bytes, [text, bytes](std::int64_t offset, std::int64_t size) {
                  if (offset >= bytes) return std::string();
                  return text->substr(static_cast<std::size_t>(offset),
                                      static_cast<std::size_t>(size));
                }};
}

// What cannot be compressed stays as it is.
void Segments::pack(Segment& segment) const {
  const os::Fd file(::open(path_of(segment).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return;
  const auto text = whole_file(file);
  std::string bytes(ZSTD_compressBound(text.size()), '\0');
  const auto size = ZSTD_compress(bytes.data(), bytes.size(), text.data(), text.size(), level);
  if (ZSTD_isError(size) != 0) return;
  bytes.resize(size);
  auto packed = segment;
  packed.packed = true;
  packed.bytes = static_cast<std::int64_t>(size);
  auto part = path_of(packed);
  part += ".part";
  std::error_code error;
  {
    const os::Fd out(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!out || ::write(out.get(), bytes.data(), size) != static_cast<ssize_t>(size)) {
      fs::remove(part, error);
      return;
    }
  }
  fs::rename(part, path_of(packed), error);
  if (error) return;
  fs::remove(path_of(segment), error);
  segment = packed;
}

void Segments::begin_segment() {
  if (fs::create_directories(*directory_) || segments_.empty())
    fs::permissions(*directory_, fs::perms::owner_all);
  if (!segments_.empty() && !segments_.back().packed) pack(segments_.back());
  std::int64_t total = 0;
  for (const auto& segment : segments_) total += segment.bytes;
  while (!segments_.empty() &&
         (total > most_bytes_ - most_bytes_ / parts || segments_.size() >= most_segments)) {
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

void Segments::append(std::string_view lines, std::size_t count, OpenSegment& open) {
  if (segments_.empty() || segments_.back().packed ||
      segments_.back().bytes >= most_bytes_ / parts || open.is_unlinked())
    begin_segment();
  auto& last = segments_.back();
  if (!open.file || open.first != last.first)
    open = {last.first,
            os::Fd(::open(path_of(last).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600))};
  if (!open.file) fault("open " + path_of(last).string());
  auto offset = last.bytes;
  for (auto left = lines; !left.empty();) {
    const auto done = pwrite(open.file.get(), left.data(), left.size(), offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) {
      const int error = errno;
      // Half a line would shift the places of all that follow.
      const auto path = path_of(last).string();
      if (ftruncate(open.file.get(), last.bytes) != 0) report("logs", "cannot cut " + path);
      fault(error, "write " + path);
    }
    left.remove_prefix(static_cast<std::size_t>(done));
    offset += done;
  }
  if (!last.begins) last.begins = time_in(lines);
  last.bytes = offset;
  next_ += count;
}

void Segments::backward(const Each& each) const {
  auto place = next_;
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    const auto opened = open(*segment);
    if (!opened) return;
    // `tail` holds bytes whose line begins in a block that was not read yet.
    std::string tail;
    for (auto end = opened->bytes; end > 0;) {
      const auto start = std::max<std::int64_t>(0, end - block);
      auto bytes = opened->read(start, end - start);
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
    const auto opened = open(segment);
    if (!opened) continue;
    auto at_place = segment.first;
    std::string rest;
    for (std::int64_t at = 0; at < opened->bytes;) {
      const auto bytes = opened->read(at, block);
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

std::uint64_t Segments::place_before(Time time) const {
  std::uint64_t place = segments_.empty() ? 0 : segments_.front().first - 1;
  for (const auto& segment : segments_)
    if (segment.begins && *segment.begins <= time) place = segment.first - 1;
  return place;
}

}  // namespace renga::logs
