#include "router/certificate_list.h"

#include <boost/json.hpp>

namespace renga::router {

namespace json = boost::json;

std::string to_json(const std::vector<net::NamedCertificate>& certificates) {
  json::array list;
  for (const auto& one : certificates) {
    json::array names;
    for (const auto& name : one.names) names.push_back(json::string(name));
    list.push_back(
        json::object{{"names", std::move(names)}, {"chain", one.chain}, {"key", one.key}});
  }
  return json::serialize(list);
}

// What is wrong is said without a word of the text: there are keys in it.
Result<std::vector<net::NamedCertificate>> parse_certificates(std::string_view text) {
  try {
    std::vector<net::NamedCertificate> certificates;
    const auto value = json::parse(text);
    for (const auto& one : value.as_array()) {
      const auto& object = one.as_object();
      net::NamedCertificate certificate{.names = {},
                                        .chain = std::string(object.at("chain").as_string()),
                                        .key = std::string(object.at("key").as_string())};
      for (const auto& name : object.at("names").as_array()) {
        certificate.names.emplace_back(name.as_string());
      }
      certificates.push_back(std::move(certificate));
    }
    return certificates;
  } catch (const std::exception& wrong) {
    return fail(Kind::invalid,
                std::string("The certificates were refused: they are not the JSON of a list (") +
                    wrong.what() + ").");
  }
}

}  // namespace renga::router
