// Drains: where apps' logs are delivered to: syslog over TCP or TLS, or HTTP(S) as Heroku's Logplex
// posts. Rows in the store; delivery begins with start() and goes on where it stood after a restart
// of control: what was under way when control was killed (5 s at most) may come twice, nothing is
// lost but what the app's log has let go of, which the drain is told (L10). Calls block on the
// store and are safe from any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/app.h"
#include "crypto/secret_box.h"
#include "logs/drain_courier.h"
#include "logs/drain_url.h"
#include "store/database.h"

namespace renga::logs {

struct Drain {
  Id<Drain> id;
  Id<apps::App> app;
  std::string token;                 // "d.<uuid>": the lines say from which drain they come
  std::string url;                   // with its password: see shown() in drain_url.h
  std::optional<std::string> addon;  // the add-on's id, which alone may change or remove it
  Time created_at;
  Time updated_at;
};

// By id, token, URL, or the URL as it is shown. Kind::not_found; Kind::invalid: two look like it.
Result<Drain> choose_drain(const std::vector<Drain>& drains, std::string_view identity);

class Drains {
 public:
  static constexpr std::size_t most = 5;  // of one app, add-ons' not counted

  Drains(store::Database& database, Clock& clock, const crypto::SecretBox& box, LogStore& store,
         DrainCourierOptions options);
  // Notes how far each drain has got.
  ~Drains();
  Drains(const Drains&) = delete;
  Drains& operator=(const Drains&) = delete;

  void start();

  // It gets lines from now on. Kind::invalid: no such kind of URL, the app has this one already, or
  // too many.
  Result<Drain> add(const Id<apps::App>& app, std::string_view url);
  std::vector<Drain> all(const Id<apps::App>& app);
  Result<Drain> find(const Id<apps::App>& app, std::string_view identity);
  // Kind::forbidden: it is an add-on's.
  Result<Drain> remove(const Id<apps::App>& app, std::string_view identity);

  // Add-ons' drains: rows alone, for a transaction of the caller's; what is delivered follows with
  // follow(), behind its commit, or else with the next start.
  std::vector<Drain> of_addon(std::string_view addon);
  // Makes it, or leads the one with this token to `url`. Kind::invalid: no such kind of URL.
  Result<Drain> put_of_addon(const Id<apps::App>& app, std::string_view addon,
                             std::string_view token, std::string_view url);
  void remove_of_addon(std::string_view addon, std::string_view token);
  void remove_all_of_addon(std::string_view addon);
  void follow();

  // The app is gone, and its rows with it.
  void app_destroyed(const Id<apps::App>& app);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace renga::logs
