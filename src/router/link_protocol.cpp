#include "router/link_protocol.h"

#include <boost/json.hpp>

namespace renga::router {

namespace json = boost::json;

std::string to_json(const Hello& hello) {
  return json::serialize(json::object{{"version", hello.version},
                                      {"pid", hello.pid},
                                      {"http", hello.http},
                                      {"address", hello.address},
                                      {"generation", hello.generation}});
}

Result<Hello> parse_hello(std::string_view text) {
  try {
    const auto value = json::parse(text);
    const auto& object = value.as_object();
    return Hello{.version = object.at("version").to_number<int>(),
                 .pid = object.at("pid").to_number<int>(),
                 .http = std::string(object.at("http").as_string()),
                 .address = std::string(object.at("address").as_string()),
                 .generation = object.at("generation").to_number<std::uint64_t>()};
  } catch (const std::exception& wrong) {
    return fail(Kind::invalid,
                std::string("The router's greeting was not understood (") + wrong.what() + ").");
  }
}

}  // namespace renga::router
