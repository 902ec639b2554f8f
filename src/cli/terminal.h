// Terminal: what a command says and hears. Results go to `out`, talk to `err`, as scripts expect.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace renga::cli {

class Terminal {
 public:
  virtual ~Terminal() = default;
  virtual void out(std::string_view text) = 0;
  virtual void err(std::string_view text) = 0;
  virtual bool interactive() const = 0;  // a person reads what goes to `out`
  // Asks on `err`; empty at the end of input. A secret is not echoed.
  virtual std::string ask(std::string_view question, bool secret) = 0;

  void line(std::string_view text) { out(std::string(text) + "\n"); }
  void say(std::string_view text) { err(std::string(text) + "\n"); }
};

}  // namespace renga::cli
