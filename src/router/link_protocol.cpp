#include "router/link_protocol.h"

#include <boost/json.hpp>
#include <limits>

namespace renga::router {

namespace json = boost::json;

std::string to_json(const Hello& hello) {
  return json::serialize(json::object{{"version", hello.version},
                                      {"pid", hello.pid},
                                      {"http", hello.http},
                                      {"address", hello.address},
                                      {"https", hello.https},
                                      {"https_address", hello.https_address},
                                      {"http_sockets", hello.http_sockets},
                                      {"generation", hello.generation}});
}

Result<Hello> parse_hello(std::string_view text) {
  try {
    const auto value = json::parse(text);
    const auto& object = value.as_object();
    const auto version = object.at("version").to_number<int>();
    // The first version knew nothing of https.
    const auto text_of = [&](const char* name) {
      return version < 2 ? std::string() : std::string(object.at(name).as_string());
    };
    return Hello{.version = version,
                 .pid = object.at("pid").to_number<int>(),
                 .http = std::string(object.at("http").as_string()),
                 .address = std::string(object.at("address").as_string()),
                 .https = text_of("https"),
                 .https_address = text_of("https_address"),
                 .http_sockets = version < 2 ? std::numeric_limits<std::size_t>::max()
                                             : object.at("http_sockets").to_number<std::size_t>(),
                 .generation = object.at("generation").to_number<std::uint64_t>()};
  } catch (const std::exception& wrong) {
    return fail(Kind::invalid,
                std::string("The router's greeting was not understood (") + wrong.what() + ").");
  }
}

}  // namespace renga::router
