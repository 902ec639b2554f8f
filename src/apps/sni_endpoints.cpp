#include "apps/sni_endpoints.h"

#include <algorithm>
#include <map>

#include "apps/names.h"
#include "base/text.h"

namespace renga::apps {
namespace {

constexpr std::size_t most_endpoints = 100;

std::string context_of(const Id<SniEndpoint>& id) { return "sni-endpoint/" + id.value; }

SniEndpoint read(const store::Row& row) {
  return {row.id<SniEndpoint>(0),
          row.id<App>(1),
          row.text(2),
          row.text(3),
          {},
          row.time(4),
          row.time(5)};
}

}  // namespace

std::vector<SniEndpoint> SniEndpoints::all(const Id<App>& app) {
  auto endpoints = database_.all(
      "SELECT id, app, name, certificate_chain, created_at, updated_at FROM sni_endpoints "
      "WHERE app = ? ORDER BY created_at, id",
      read, app);
  database_.query(
      "SELECT id, sni_endpoint FROM domains WHERE app = ? AND sni_endpoint IS NOT NULL "
      "ORDER BY hostname",
      [&](const store::Row& row) {
        for (auto& endpoint : endpoints)
          if (endpoint.id == row.id<SniEndpoint>(1)) endpoint.domains.push_back(row.id<Domain>(0));
      },
      app);
  return endpoints;
}

Result<SniEndpoint> SniEndpoints::find(const Id<App>& app, std::string_view identity) {
  const auto wanted = text::lower(identity);
  for (auto& endpoint : all(app))
    if (endpoint.id.value == wanted || endpoint.name == wanted) return endpoint;
  return fail(Kind::not_found, "Couldn't find that SNI endpoint.");
}

Result<SniEndpoint> SniEndpoints::add(const Id<App>& app, std::string_view chain,
                                      std::string_view key) {
  const auto now = clock_.now();
  const auto checked = TRY(crypto::check_server_certificate(chain, key, now));
  auto transaction = database_.begin();
  const auto others = all(app);
  if (others.size() >= most_endpoints)
    return fail(Kind::invalid,
                "The app has 100 certificates, which is the most it may have. Remove one first.");
  SniEndpoint endpoint{Id<SniEndpoint>::create(), app, {}, checked.chain, {}, now, now};
  do {
    endpoint.name = made_up_name();
  } while (std::ranges::any_of(others, [&](const auto& one) { return one.name == endpoint.name; }));
  database_.run(
      "INSERT INTO sni_endpoints (id, app, name, certificate_chain, private_key, created_at, "
      "updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      endpoint.id, app, endpoint.name, checked.chain,
      store::Blob{box_.seal(checked.key, context_of(endpoint.id))}, now, now);
  transaction.commit();
  return endpoint;
}

Result<SniEndpoint> SniEndpoints::update(const Id<App>& app, std::string_view identity,
                                         std::string_view chain, std::string_view key) {
  const auto now = clock_.now();
  const auto checked = TRY(crypto::check_server_certificate(chain, key, now));
  const auto names = crypto::facts_of(checked.chain).names;
  auto transaction = database_.begin();
  const auto endpoint = TRY(find(app, identity));
  std::string uncovered;
  database_.query(
      "SELECT hostname FROM domains WHERE sni_endpoint = ? ORDER BY hostname",
      [&](const store::Row& row) {
        if (crypto::covers(names, row.text(0))) return;
        uncovered += (uncovered.empty() ? "" : ", ") + row.text(0);
      },
      endpoint.id);
  if (!uncovered.empty())
    return fail(Kind::invalid, "The certificate does not cover " + uncovered + ", which " +
                                   endpoint.name +
                                   " serves. Give one that does, or move the domain to another "
                                   "certificate first.");
  database_.run(
      "UPDATE sni_endpoints SET certificate_chain = ?, private_key = ?, updated_at = ? "
      "WHERE id = ?",
      checked.chain, store::Blob{box_.seal(checked.key, context_of(endpoint.id))}, now,
      endpoint.id);
  auto changed = TRY(find(app, endpoint.id.value));
  transaction.commit();
  return changed;
}

Result<SniEndpoint> SniEndpoints::remove(const Id<App>& app, std::string_view identity) {
  auto transaction = database_.begin();
  const auto endpoint = TRY(find(app, identity));
  database_.run("DELETE FROM sni_endpoints WHERE id = ?", endpoint.id);
  transaction.commit();
  return endpoint;
}

Result<void> SniEndpoints::check(std::string_view hostname, const SniEndpoint& endpoint) {
  const auto names = crypto::facts_of(endpoint.certificate_chain).names;
  if (crypto::covers(names, hostname)) return {};
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return fail(Kind::invalid, endpoint.name + " does not cover " + std::string(hostname) +
                                 ": its certificate is for " + list + ".");
}

Result<Domain> SniEndpoints::assign(const Domain& domain,
                                    const std::optional<SniEndpoint>& endpoint) {
  if (!domain.custom) {
    if (!endpoint) return domain;
    return fail(Kind::invalid, domain.hostname +
                                   " is the app's default domain, which is served with the "
                                   "platform's own certificate.");
  }
  if (endpoint) TRY(check(domain.hostname, *endpoint));
  auto changed = domain;
  changed.sni_endpoint = endpoint ? std::optional(endpoint->id.value) : std::nullopt;
  changed.updated_at = clock_.now();
  database_.run("UPDATE domains SET sni_endpoint = ?, updated_at = ? WHERE id = ?",
                changed.sni_endpoint, changed.updated_at, domain.id);
  return changed;
}

std::vector<SniEndpoints::Served> SniEndpoints::served() {
  struct Row {
    std::string id, hostname, chain, key;
  };
  const auto rows = database_.all(
      "SELECT sni_endpoints.id, hostname, certificate_chain, private_key FROM domains "
      "JOIN sni_endpoints ON sni_endpoints.id = domains.sni_endpoint "
      "ORDER BY sni_endpoints.id, hostname",
      [](const store::Row& row) {
        return Row{row.text(0), row.text(1), row.text(2), row.text(3)};
      });
  std::vector<Served> all;
  std::string last;
  for (const auto& row : rows) {
    if (row.id != last) all.push_back({{}, {row.chain, box_.open(row.key, context_of({row.id}))}});
    all.back().hostnames.push_back(row.hostname);
    last = row.id;
  }
  return all;
}

}  // namespace renga::apps
