#include "kafka/jars.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include "base/fault.h"
#include "base/locked.h"
#include "base/report.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "http/client.h"
#include "os/file.h"

extern "C" {
extern const char renga_kafka_jars[];
extern const char renga_kafka_jars_end[];
}

namespace renga::kafka {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t largest_jar = 64 << 20;
constexpr int tries = 3;

struct Jar {
  std::string digest;
  std::string path;  // in a Maven repository
  std::string name() const { return path.substr(path.rfind('/') + 1); }
};

std::vector<std::string_view> lines() {
  return text::lines(
      {renga_kafka_jars, static_cast<std::size_t>(renga_kafka_jars_end - renga_kafka_jars)});
}

std::vector<Jar> all_jars() {
  std::vector<Jar> jars;
  for (const auto line : lines()) {
    const auto [digest, path] = text::split_once(line, ' ');
    if (!digest.empty() && digest != "from")
      jars.push_back({std::string(digest), std::string(text::trim(path))});
  }
  return jars;
}

// What the operator says, else what the list's first line does: "from https://…".
std::string repository() {
  const char* told = std::getenv("RENGA_MAVEN_REPOSITORY");
  std::string url = told != nullptr && *told != '\0'
                        ? told
                        : std::string(text::trim(text::split_once(lines().front(), ' ').second));
  while (url.ends_with('/')) url.pop_back();
  return url;
}

bool is(const fs::path& file, const Jar& jar) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return false;
  crypto::Sha256 digest;
  std::vector<char> piece(1 << 16);
  while (in.read(piece.data(), static_cast<std::streamsize>(piece.size())) || in.gcount() > 0)
    digest.update({piece.data(), static_cast<std::size_t>(in.gcount())});
  return digest.finish() == jar.digest;
}

}  // namespace

struct Jars::State {
  explicit State(fs::path where) : directory(std::move(where)) {}

  const fs::path directory;
  std::atomic<bool> stop = false;
  struct Progress {
    bool running = false, complete = false;
    std::string problem;  // of the last attempt
  };
  Locked<Progress> progress;
  std::condition_variable changed;
  std::thread thread;

  // Written down last, so that what is there needs no look at every file.
  fs::path marker() const { return directory / "complete"; }

  void fetch_all() {
    std::string problem;
    try {
      fs::create_directories(directory);
      fs::permissions(directory, fs::perms(0755));
      http::Client client;
      for (const auto& jar : all_jars()) {
        problem = fetch(client, jar);
        if (!problem.empty()) break;
      }
      if (problem.empty()) {
        sync();
        os::replace_file(marker(), Jars::version() + "\n", 0644);
      }
    } catch (const std::exception& error) {
      problem = error.what();
    }
    if (!problem.empty()) report("kafka", "fetching Apache Kafka: " + problem);
    auto now = progress.lock();
    now->running = false;
    now->complete = problem.empty();
    now->problem = problem;
    changed.notify_all();
  }

  // What went wrong, or nothing.
  std::string fetch(http::Client& client, const Jar& jar) const {
    const auto file = directory / jar.name();
    if (is(file, jar)) return {};
    std::string problem;
    for (int attempt = 0; attempt < tries && !stop; ++attempt) {
      http::ClientRequest request;
      request.url = repository() + "/" + jar.path;
      request.connect_timeout = std::chrono::seconds(10);
      request.timeout = std::chrono::minutes(5);
      request.stop = &stop;
      std::string body;
      request.on_body = [&](std::string_view piece) {
        body += piece;
        return body.size() <= largest_jar;
      };
      const auto answer = client.send(request);
      const auto from = http::without_credentials(request.url);
      if (!answer) {
        problem = fmt::format("{}: {}", from, answer.error().message);
      } else if (answer->status != 200) {
        return fmt::format("{} answered with {}", from, answer->status);
      } else if (crypto::sha256(body) != jar.digest) {
        return fmt::format("{} is not the file that it should be: its SHA-256 is another", from);
      } else {
        os::replace_file(file, body, 0644);
        return {};
      }
    }
    return stop ? "it was cut off" : problem;
  }

  void sync() const {
    const auto here = os::open_file(directory, O_RDONLY | O_DIRECTORY);
    if (syncfs(here.get()) != 0) fault("write " + directory.string() + " to the disk");
  }
};

std::string Jars::version() {
  for (const auto& jar : all_jars())
    if (jar.name().starts_with("kafka-server-") && !jar.name().starts_with("kafka-server-common"))
      return jar.name().substr(13, jar.name().size() - 13 - 4);
  return {};
}

Jars::Jars(const fs::path& directory)
    : state_(std::make_unique<State>(directory / ("kafka-" + version()))) {
  state_->progress.lock()->complete = fs::exists(state_->marker());
}

Jars::~Jars() {
  state_->stop = true;
  if (state_->thread.joinable()) state_->thread.join();
}

const fs::path& Jars::directory() const { return state_->directory; }

Result<bool> Jars::ready(std::chrono::milliseconds wait) {
  auto now = state_->progress.lock();
  if (now->complete) return true;
  if (!now->running && !state_->stop) {
    if (state_->thread.joinable()) state_->thread.join();
    now->running = true;
    state_->thread = std::thread([state = state_.get()] { state->fetch_all(); });
  }
  now.wait_for(state_->changed, wait, [&] { return !now->running; });
  if (now->complete) return true;
  if (now->running) return false;
  return fail(Kind::unavailable,
              fmt::format("Apache Kafka {} cannot be installed on this server: {}. "
                          "RENGA_MAVEN_REPOSITORY names another place to fetch it from.",
                          version(), now->problem));
}

}  // namespace renga::kafka
