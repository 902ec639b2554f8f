#include "store/text_map.h"

#include <boost/json.hpp>

namespace renga::store {

namespace json = boost::json;

std::string to_json(const std::map<std::string, std::string>& map) {
  json::object object;
  for (const auto& [name, value] : map) object.emplace(name, value);
  return json::serialize(object);
}

std::map<std::string, std::string> from_json(std::string_view text) {
  std::map<std::string, std::string> map;
  const auto value = json::parse(text);
  for (const auto& member : value.as_object())
    map.emplace(member.key(), std::string_view(member.value().as_string()));
  return map;
}

}  // namespace renga::store
