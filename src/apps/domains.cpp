#include "apps/domains.h"

#include <arpa/inet.h>

#include <algorithm>

#include "base/text.h"
#include "crypto/digest.h"

namespace renga::apps {
namespace {

constexpr std::int64_t most_domains = 1000;

std::string select(std::string_view rest) {
  return "SELECT id, app, hostname, sni_endpoint, created_at, updated_at FROM domains " +
         std::string(rest);
}

Domain read(const store::Row& row) {
  return {row.id<Domain>(0), row.id<App>(1), row.text(2), true,
          row.maybe_text(3), row.time(4),    row.time(5)};
}

// The same UUID for the same app, for ever, in the form of a random one.
Id<Domain> default_id(const App& app) {
  auto digits = crypto::sha256("default domain of " + app.id.value).substr(0, 32);
  digits[12] = '4';
  digits[16] = "89ab"[digits[16] % 4];
  for (const auto at : {8, 13, 18, 23}) digits.insert(static_cast<std::size_t>(at), "-");
  return {digits};
}

bool is_address(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

// As it is stored and looked up: lower case, no dot at the end.
std::string normal(std::string_view hostname) {
  auto name = text::lower(text::trim(hostname));
  if (name.ends_with('.')) name.pop_back();
  return name;
}

Result<std::string> check(std::string_view given) {
  const auto refuse = [&](std::string_view why) {
    return fail(Kind::invalid, "'" + text::printable(given.substr(0, 255)) +
                                   "' is not a host name: " + std::string(why));
  };
  const auto name = normal(given);
  if (name.size() > 253) return refuse("it is longer than 253 characters.");
  if (name.contains("://") || name.contains('/') || name.contains(':'))
    return refuse("give the name alone, without a scheme, a port or a path.");
  if (is_address(name)) return refuse("it is an address. Give a name that points there.");
  if (std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    return refuse("give its ASCII form, which starts with xn--.");

  std::string_view rest = name;
  if (rest.starts_with("*.")) rest.remove_prefix(2);
  const auto labels = text::split(rest, '.');
  if (labels.size() < 2) return refuse("it needs a dot, as in www.example.com.");
  if (!std::ranges::all_of(labels, is_label))
    return refuse("its parts may have letters, digits and inner hyphens, up to 63 of them.");
  return name;
}

}  // namespace

std::vector<Domain> Domains::all(const App& app) {
  std::vector<Domain> domains{
      {default_id(app), app.id, default_hostname(app), false, {}, app.created_at, app.created_at}};
  database_.query(
      select("WHERE app = ? ORDER BY hostname"),
      [&](const store::Row& row) { domains.push_back(read(row)); }, app.id);
  return domains;
}

std::vector<Domain> Domains::all_custom() {
  return database_.all(select("ORDER BY hostname"), read);
}

Result<Domain> Domains::find(const App& app, std::string_view identity) {
  const auto wanted = normal(identity);
  for (auto& domain : all(app))
    if (domain.id.value == wanted || domain.hostname == wanted) return domain;
  return fail(Kind::not_found, "Couldn't find that domain name.");
}

Result<Domain> Domains::add(const App& app, std::string_view given) {
  const auto hostname = TRY(check(given));
  const auto platform = text::lower(platform_domain_);
  if (hostname == platform || hostname.ends_with("." + platform))
    return fail(Kind::invalid, hostname + " is under " + platform_domain_ +
                                   ", where every app has its own name. Add a name of your own.");

  auto transaction = database_.begin();
  const auto taken = database_.first(
      "SELECT app FROM domains WHERE hostname = ?",
      [](const store::Row& row) { return row.id<App>(0); }, hostname);
  if (taken)
    return fail(Kind::invalid, *taken == app.id
                                   ? hostname + " is already a domain of " + app.name + "."
                                   : hostname + " is currently in use by another app.");
  if (const auto other = overlapping(app, hostname))
    return fail(Kind::invalid, hostname + " overlaps with " + *other +
                                   ", which is in use by another account's app.");
  const auto count = database_.first(
      "SELECT count(*) FROM domains WHERE app = ?",
      [](const store::Row& row) { return row.integer(0); }, app.id);
  if (count.value_or(0) >= most_domains)
    return fail(Kind::invalid, app.name +
                                   " has 1,000 custom domains, which is the most an app may "
                                   "have. Remove one first.");

  const auto now = clock_.now();
  const Domain domain{Id<Domain>::create(), app.id, hostname, true, {}, now, now};
  database_.run(
      "INSERT INTO domains (id, app, hostname, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
      domain.id, app.id, hostname, now, now);
  transaction.commit();
  return domain;
}

// An exact name beats a wildcard, so that whoever may add one under another's wildcard takes that
// traffic over. Only the owner of both may.
std::optional<std::string> Domains::overlapping(const App& app, const std::string& hostname) {
  const auto hostname_of = [](const store::Row& row) { return row.text(0); };
  if (hostname.starts_with("*.")) {
    auto covered = database_.first(
        "SELECT hostname FROM domains JOIN apps ON apps.id = domains.app "
        "WHERE apps.owner <> ?1 AND substr(hostname, -length(?2)) = ?2",
        hostname_of, app.owner, hostname.substr(1));
    if (covered) return covered;
  }
  for (auto dot = hostname.find('.'); dot != std::string::npos; dot = hostname.find('.', dot + 1)) {
    auto wildcard = database_.first(
        "SELECT hostname FROM domains JOIN apps ON apps.id = domains.app "
        "WHERE apps.owner <> ? AND hostname = ?",
        hostname_of, app.owner, "*" + hostname.substr(dot));
    if (wildcard) return wildcard;
  }
  return std::nullopt;
}

Result<Domain> Domains::remove(const App& app, std::string_view identity) {
  auto transaction = database_.begin();
  const auto domain = TRY(find(app, identity));
  if (!domain.custom)
    return fail(Kind::invalid, domain.hostname +
                                   " is the app's default domain and stays with it. "
                                   "Only custom domains can be removed.");
  database_.run("DELETE FROM domains WHERE id = ?", domain.id);
  transaction.commit();
  return domain;
}

}  // namespace renga::apps
