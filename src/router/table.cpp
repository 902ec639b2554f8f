#include "router/table.h"

#include <arpa/inet.h>

#include <boost/json.hpp>
#include <set>
#include <utility>

namespace renga::router {

namespace json = boost::json;

namespace {

json::object to_object(const Backend& backend) {
  return {{"dyno", backend.dyno},
          {"name", backend.name},
          {"address", backend.address},
          {"port", backend.port}};
}

json::object to_object(const Route& route) {
  json::array backends;
  for (const auto& backend : route.backends) backends.push_back(to_object(backend));
  return {{"app", route.app},
          {"name", route.name},
          {"backends", std::move(backends)},
          {"starting", route.starting},
          {"crashed", route.crashed},
          {"deployed", route.deployed},
          {"maintenance", route.maintenance},
          {"idle", route.idle},
          {"web_quantity", route.web_quantity},
          {"error_page_url", route.error_page_url},
          {"maintenance_page_url", route.maintenance_page_url},
          {"redirect_to_https", route.redirect_to_https},
          {"session_affinity", route.session_affinity},
          {"disable_keepalive", route.disable_keepalive},
          {"end_to_end_continue", route.end_to_end_continue}};
}

// Reading throws boost's system_error at the first member that is missing or of another type;
// parse_table() makes one refusal of it.
std::string text(const json::object& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}

// Members that tables of older programs, in a file, do not have.
bool flag(const json::object& object, std::string_view name) {
  const auto* found = object.if_contains(name);
  return found != nullptr && found->as_bool();
}

Result<Backend> to_backend(const json::object& object) {
  Backend backend{.dyno = text(object, "dyno"),
                  .name = text(object, "name"),
                  .address = text(object, "address"),
                  .port = object.at("port").to_number<std::uint16_t>()};
  in_addr numeric{};
  if (::inet_pton(AF_INET, backend.address.c_str(), &numeric) != 1 || backend.port == 0) {
    return fail(Kind::invalid, "The route table was refused: dyno " + backend.dyno +
                                   " has no numeric IPv4 address and port.");
  }
  return backend;
}

Result<Route> to_route(const json::object& object) {
  Route route{.app = text(object, "app"),
              .name = text(object, "name"),
              .backends = {},
              .starting = object.at("starting").as_bool(),
              .crashed = object.at("crashed").as_bool(),
              .deployed = object.at("deployed").as_bool(),
              .maintenance = object.at("maintenance").as_bool(),
              .idle = flag(object, "idle"),
              .web_quantity = object.at("web_quantity").to_number<int>(),
              .error_page_url = text(object, "error_page_url"),
              .maintenance_page_url = text(object, "maintenance_page_url"),
              .redirect_to_https = flag(object, "redirect_to_https"),
              .session_affinity = flag(object, "session_affinity"),
              .disable_keepalive = flag(object, "disable_keepalive"),
              .end_to_end_continue = flag(object, "end_to_end_continue")};
  for (const auto& backend : object.at("backends").as_array()) {
    route.backends.push_back(TRY(to_backend(backend.as_object())));
  }
  return route;
}

json::array to_array(const std::vector<std::string>& texts) {
  json::array array;
  for (const auto& one : texts) array.push_back(json::string(one));
  return array;
}

json::object to_object(const std::map<std::string, std::string>& texts) {
  json::object object;
  for (const auto& [name, value] : texts) object[name] = value;
  return object;
}

std::vector<std::string> texts(const json::value& array) {
  std::vector<std::string> read;
  for (const auto& one : array.as_array()) read.emplace_back(one.as_string());
  return read;
}

std::map<std::string, std::string> texts_by_name(const json::value& object) {
  std::map<std::string, std::string> read;
  for (const auto& [name, value] : object.as_object()) read.emplace(name, value.as_string());
  return read;
}

Result<RouteTable> to_table(const json::object& object) {
  RouteTable table;
  table.generation = object.at("generation").to_number<std::uint64_t>();
  table.routes.reserve(object.at("routes").as_array().size());
  for (const auto& route : object.at("routes").as_array()) {
    table.routes.push_back(TRY(to_route(route.as_object())));
  }
  for (const auto& [host, route] : object.at("hosts").as_object()) {
    const auto place = route.to_number<std::size_t>();
    if (place >= table.routes.size()) {
      return fail(Kind::invalid, "The route table was refused: " + std::string(host) +
                                     " belongs to a route that is not in it.");
    }
    table.hosts.emplace_hint(table.hosts.end(), host, place);  // they come in order
  }
  table.retiring = texts(object.at("retiring"));
  if (const auto* challenges = object.if_contains("challenges")) {
    table.challenges = texts_by_name(*challenges);
  }
  return table;
}

Result<TableChange> to_change(const json::object& object) {
  TableChange change;
  change.from = object.at("from").to_number<std::uint64_t>();
  change.generation = object.at("generation").to_number<std::uint64_t>();
  for (const auto& app : object.at("apps").as_array()) {
    change.apps.push_back({TRY(to_route(app.as_object())), texts(app.as_object().at("hosts"))});
  }
  change.gone = texts(object.at("gone"));
  change.retiring = texts(object.at("retiring"));
  change.challenges = texts_by_name(object.at("challenges"));

  std::set<std::string_view> named(change.gone.begin(), change.gone.end());
  for (const auto& app : change.apps) named.insert(app.route.app);
  if (named.size() != change.apps.size() + change.gone.size()) {
    return fail(Kind::invalid, "The change of the route table was refused: it names an app twice.");
  }
  return change;
}

}  // namespace

std::string to_json(const RouteTable& table) {
  json::array routes;
  for (const auto& route : table.routes) routes.push_back(to_object(route));
  json::object hosts;
  for (const auto& [host, route] : table.hosts) hosts[host] = route;
  return json::serialize(json::object{{"generation", table.generation},
                                      {"routes", std::move(routes)},
                                      {"hosts", std::move(hosts)},
                                      {"retiring", to_array(table.retiring)},
                                      {"challenges", to_object(table.challenges)}});
}

std::string to_json(const TableChange& change) {
  json::array apps;
  for (const auto& app : change.apps) {
    auto object = to_object(app.route);
    object["hosts"] = to_array(app.hosts);
    apps.push_back(std::move(object));
  }
  return json::serialize(json::object{{"from", change.from},
                                      {"generation", change.generation},
                                      {"apps", std::move(apps)},
                                      {"gone", to_array(change.gone)},
                                      {"retiring", to_array(change.retiring)},
                                      {"challenges", to_object(change.challenges)}});
}

Result<RouteTable> parse_table(std::string_view json_text) {
  try {
    // Everything that is parsed goes at once, without a walk through a million small pieces.
    json::monotonic_resource memory;
    return to_table(json::parse(json_text, &memory).as_object());
  } catch (const std::exception& wrong) {
    return fail(Kind::invalid,
                std::string("The route table was refused: it is not the JSON of one (") +
                    wrong.what() + ").");
  }
}

Result<TableChange> parse_change(std::string_view json_text) {
  try {
    json::monotonic_resource memory;
    return to_change(json::parse(json_text, &memory).as_object());
  } catch (const std::exception& wrong) {
    return fail(Kind::invalid,
                std::string("The change of the route table was refused: it is not the JSON of "
                            "one (") +
                    wrong.what() + ").");
  }
}

}  // namespace renga::router
