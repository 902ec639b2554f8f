#include "logs/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fault.h"

namespace renga::logs {
namespace {

namespace fs = std::filesystem;

// The id becomes a file's name, and comes from a URL.
bool is_stream_id(std::string_view id) {
  return id.size() == 64 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::optional<fs::path> OutputFile::path_of(const fs::path& directory, const std::string& id) {
  if (!is_stream_id(id)) return std::nullopt;
  // A stream that is finished between the two questions is found by the second.
  for (const auto* end : {".open", ".done"}) {
    auto path = directory / (id + end);
    std::error_code error;
    if (fs::exists(path, error)) return path;
  }
  return std::nullopt;
}

OutputFile::OutputFile(fs::path directory, std::string id, std::int64_t most_bytes)
    : directory_(std::move(directory)), id_(std::move(id)), most_bytes_(most_bytes) {
  file_ = os::Fd(::open((directory_ / (id_ + ".open")).c_str(), O_RDWR | O_CLOEXEC));
  if (!file_) {
    if (errno != ENOENT) fault("open the output " + id_);
    file_ = os::Fd(::open((directory_ / (id_ + ".done")).c_str(), O_RDONLY | O_CLOEXEC));
    if (!file_) fault("open the output " + id_);
    ended_ = true;
  }
  struct stat status {};
  if (fstat(file_.get(), &status) != 0) fault("read the output " + id_);
  size_ = status.st_size;
}

void OutputFile::append(std::string_view bytes) {
  {
    const std::lock_guard lock(mutex_);
    // Full already, and said so.
    if (ended_ || bytes.empty() || size_ > most_bytes_) return;
    const auto room = static_cast<std::size_t>(most_bytes_ - size_);
    write(bytes.substr(0, room));
    if (bytes.size() > room)
      write(fmt::format("\n !     The output is longer than {} MB: the rest is left out.\n",
                        most_bytes_ >> 20));
  }
  changed_.notify_all();
}

void OutputFile::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto done = pwrite(file_.get(), bytes.data(), bytes.size(), size_);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fault("write the output " + id_);
    bytes.remove_prefix(static_cast<std::size_t>(done));
    size_ += done;
  }
}

void OutputFile::finish() {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    const os::Fd directory(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || fdatasync(file_.get()) != 0) fault("sync the output " + id_);
    fs::rename(directory_ / (id_ + ".open"), directory_ / (id_ + ".done"));
    if (fsync(directory.get()) != 0) fault("sync " + directory_.string());
    ended_ = true;
  }
  changed_.notify_all();
}

void OutputFile::remove() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    for (const auto* end : {".open", ".done"}) fs::remove(directory_ / (id_ + end));
  }
  changed_.notify_all();
}

OutputFile::Reach OutputFile::reach() {
  const std::lock_guard lock(mutex_);
  return {size_, ended_};
}

OutputFile::Reach OutputFile::wait(std::int64_t size) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::seconds(1), [&] { return ended_ || size_ > size; });
  return {size_, ended_};
}

std::string OutputFile::read(std::int64_t offset, std::size_t size) {
  const auto [end, ended] = reach();
  if (offset < 0 || offset >= end) return {};
  std::string bytes(std::min(size, static_cast<std::size_t>(end - offset)), '\0');
  const auto got = pread(file_.get(), bytes.data(), bytes.size(), offset);
  if (got < 0) fault("read the output " + id_);
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

}  // namespace renga::logs
