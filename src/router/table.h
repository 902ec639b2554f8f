// RouteTable: what the router knows: which app answers at a host name and where its dynos listen.
// TableChange: what of it is different from the table before, which is all that control sends as
// long as the router has that one. Values, written as JSON to the router's socket and to its files.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace renga::router {

struct Backend {
  std::string dyno;     // its UUID: identity for draining and quarantine
  std::string name;     // "web.1", for the log line
  std::string address;  // numeric IPv4
  std::uint16_t port = 0;
  bool operator==(const Backend&) const = default;
};

struct Route {
  std::string app;  // its UUID
  std::string name;
  std::vector<Backend> backends;
  bool starting = false;       // hold requests: a dyno is on its way up
  bool crashed = false;        // H10
  bool deployed = true;        // false: H81, nothing was ever released
  bool maintenance = false;    // H80
  bool idle = false;           // asleep: whoever has a request for it has it woken
  int web_quantity = 0;        // 0: H14
  std::string error_page_url;  // ERROR_PAGE_URL, MAINTENANCE_PAGE_URL
  std::string maintenance_page_url;
  bool redirect_to_https = false;  // what comes over http, where there is https
  // The features http-session-affinity, http-disable-keepalive-to-dyno, http-end-to-end-continue.
  bool session_affinity = false;
  bool disable_keepalive = false;
  bool end_to_end_continue = false;
  bool operator==(const Route&) const = default;
};

struct RouteTable {
  std::uint64_t generation = 0;
  std::vector<Route> routes;
  // Lower-case host name without port, or "*.example.com", to its route's place in `routes`.
  std::map<std::string, std::size_t> hosts;
  // Dynos that somebody waits to see retired. Each is answered once the router has taken this table
  // over, also one that it has never heard of; so a control that has just come back can ask.
  std::vector<std::string> retiring;
  // ACME's HTTP-01 (RFC 8555 8.3): what is answered at /.well-known/acme-challenge/TOKEN, by token,
  // whatever the host and before everything else.
  std::map<std::string, std::string> challenges;
};

// One app as the table now has it.
struct AppRoute {
  Route route;
  std::vector<std::string> hosts;  // all of them, in lower case and in order
  bool operator==(const AppRoute&) const = default;
};

struct TableChange {
  std::uint64_t from = 0;  // good for the table of this generation only
  std::uint64_t generation = 0;
  std::vector<AppRoute> apps;     // new or different
  std::vector<std::string> gone;  // UUIDs of apps
  // As in the table: all of them.
  std::vector<std::string> retiring;
  std::map<std::string, std::string> challenges;
};

std::string to_json(const RouteTable& table);
std::string to_json(const TableChange& change);
// Refuses text that is not such a table, hosts of a route that is not there and backends without a
// numeric IPv4 address and port.
Result<RouteTable> parse_table(std::string_view json);
// The same, and an app that is named twice.
Result<TableChange> parse_change(std::string_view json);

// The hosts of each route, by its place.
std::vector<std::vector<std::string>> hosts_by_route(const RouteTable& table);

}  // namespace renga::router
