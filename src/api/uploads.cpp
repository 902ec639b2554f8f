#include "api/uploads.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <system_error>
#include <thread>

#include "base/fault.h"
#include "base/id.h"
#include "base/text.h"
#include "os/fd.h"

namespace renga::api {
namespace {

namespace fs = std::filesystem;
constexpr int tries = 3;  // a server that fails once may answer then
constexpr std::chrono::seconds pause{1};

std::unexpected<Error> too_large() {
  return fail(Kind::too_large,
              fmt::format("The archive is larger than {} MiB and was refused. Leave out "
                          "what the app does not need.",
                          Uploads::size_limit >> 20));
}

// A file that appears under its name whole or not at all.
class File {
 public:
  File(const fs::path& directory, std::string_view id)
      : target_(directory / id), part_(directory / fmt::format("{}.{}.part", id, new_uuid())) {
    fd_ = os::Fd(::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd_) fault("creating " + part_.string());
  }
  ~File() {
    std::error_code ignored;
    if (!kept_) fs::remove(part_, ignored);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  // False past the limit.
  bool append(std::string_view bytes) {
    size_ += static_cast<std::int64_t>(bytes.size());
    if (size_ > Uploads::size_limit) return false;
    while (!bytes.empty()) {
      const auto written = ::write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fault("writing " + part_.string());
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  // Empties it, for another try.
  void restart() {
    if (::ftruncate(fd_.get(), 0) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) != 0)
      fault("truncating " + part_.string());
    size_ = 0;
  }

  fs::path keep() {
    if (::fsync(fd_.get()) != 0) fault("syncing " + part_.string());
    fs::rename(part_, target_);
    kept_ = true;
    return target_;
  }

 private:
  fs::path target_;
  fs::path part_;
  os::Fd fd_;
  std::int64_t size_ = 0;
  bool kept_ = false;
};

}  // namespace

Result<fs::path> Uploads::receive(std::string_view id, const Read& read) {
  sweep();
  File file(directory_, id);
  for (auto piece = read(); !piece.empty(); piece = read())
    if (!file.append(piece)) return too_large();
  return file.keep();
}

Result<fs::path> Uploads::fetch(std::string_view id, const std::string& address) {
  sweep();
  const auto shown = http::without_credentials(text::printable(address));
  if (!address.starts_with("http://") && !address.starts_with("https://"))
    return fail(Kind::invalid,
                fmt::format("The source's address `{}` is not an http or https URL.", shown));
  File file(directory_, id);
  http::Client client;
  std::string why;
  for (int attempt = 0; attempt < tries; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(pause * attempt);
    file.restart();
    bool fits = true;
    http::ClientRequest request;
    request.url = address;
    request.timeout = std::chrono::minutes(5);
    request.reach = reach_;
    request.on_body = [&](std::string_view bytes) { return fits = file.append(bytes); };
    const auto answer = client.send(request);
    if (!fits) return too_large();
    if (answer && answer->status == 200) return file.keep();
    why = answer ? fmt::format("{} answered with {}.", shown, answer->status)
                 : answer.error().message;
    // What the other side refuses it refuses again.
    if (answer ? answer->status < 500 && answer->status != 429
               : answer.error().kind != Kind::unavailable)
      break;
  }
  return fail(Kind::invalid, "The source could not be fetched: " + why);
}

Result<fs::path> Uploads::find(std::string_view id) const {
  const auto path = directory_ / id;
  if (!is_uuid(id) || !fs::exists(path))
    return fail(Kind::not_found,
                "Nothing was uploaded there, or it is older than a day and gone. "
                "Create another source and PUT the archive to its put_url.");
  return path;
}

void Uploads::remove(std::string_view id) {
  std::error_code ignored;
  fs::remove(directory_ / id, ignored);
}

void Uploads::sweep() {
  fs::create_directories(directory_);
  const auto oldest = fs::file_time_type::clock::now() - kept;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory_, ignored))
    if (entry.last_write_time(ignored) < oldest) fs::remove(entry.path(), ignored);
}

}  // namespace renga::api
