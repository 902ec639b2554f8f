// A terminal in memory, a server that is a list of answers, and a home directory of its own: what a
// test of commands hands to run().
#pragma once

#include <unistd.h>

#include <boost/json.hpp>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/commands/commands.h"

namespace renga::cli {

class FakeTerminal final : public Terminal {
 public:
  void out(std::string_view text) override { shown += text; }
  void err(std::string_view text) override { said += text; }
  bool interactive() const override { return false; }
  std::string ask(std::string_view question, bool secret) override {
    said += question;
    asked_secret = asked_secret || secret;
    if (answers.empty()) return {};
    auto answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }

  std::string shown;  // standard output
  std::string said;   // standard error
  std::deque<std::string> answers;
  bool asked_secret = false;
};

// Gives the answers that the test wrote down, in their order for each "METHOD /path", the last one
// again and again. What nobody wrote down is a 404.
class FakeServer {
 public:
  struct Sent {
    std::string method, url, token, range, accept;
    boost::json::value body;
    std::string ca;
  };

  void answers(const std::string& what, std::string body, int status = 200) {
    script_[what].push_back({status, std::move(body)});
  }

  TransportMaker transport() {
    return [this](const std::filesystem::path& ca) { return std::make_unique<Line>(*this, ca); };
  }

  // Null where there is none: an upload has bytes that are not JSON.
  static boost::json::value json_of(const std::string& body) {
    boost::system::error_code error;
    auto value = boost::json::parse(body, error);
    return error ? boost::json::value() : value;
  }

  // "PATCH /apps/sushi/formation {...}", one a line.
  std::vector<std::string> calls() const {
    std::vector<std::string> all;
    for (const auto& one : sent)
      all.push_back(one.method + " " + path_of(one.url) +
                    (one.body.is_null() ? "" : " " + boost::json::serialize(one.body)));
    return all;
  }

  std::vector<Sent> sent;

 private:
  class Line final : public client::Transport {
   public:
    Line(FakeServer& server, std::filesystem::path ca) : server_(server), ca_(std::move(ca)) {}
    Result<Answer> send(const std::string& method, const std::string& url,
                        const http::Headers& headers, const std::string& body,
                        const std::function<bool(std::string_view)>& on_body) override {
      server_.sent.push_back({method, url, std::string(headers.value_or("Authorization", "")),
                              std::string(headers.value_or("Range", "")),
                              std::string(headers.value_or("Accept", "")), json_of(body),
                              ca_.string()});
      auto& script = server_.script_[method + " " + path_of(url)];
      if (script.empty()) return Answer{404, {}, R"({"id":"not_found","message":"Not here."})"};
      const auto [status, text] = script.front();
      if (script.size() > 1) script.pop_front();
      if (on_body && status < 300) {
        on_body(text);
        return Answer{status, {}, {}};
      }
      return Answer{status, {}, text};
    }

   private:
    FakeServer& server_;
    std::filesystem::path ca_;
  };

  static std::string path_of(const std::string& url) {
    return url.substr(url.find('/', url.find("://") + 3));
  }

  std::map<std::string, std::deque<std::pair<int, std::string>>> script_;
};

// A directory that goes with its owner.
class Home {
 public:
  Home() : path(std::filesystem::temp_directory_path() / ("renga-cli-" + random_hex(8))) {
    std::filesystem::create_directories(path);
  }
  ~Home() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;

  const std::filesystem::path path;
};

}  // namespace renga::cli
