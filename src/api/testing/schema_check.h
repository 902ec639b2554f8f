// SchemaCheck: holds answers against Heroku's published schema. The schema is not part of this
// repository; it is looked for where RENGA_PLATFORM_SCHEMA says, else in shared/reference beside
// any directory above. Without it nothing is checked, and one test says so.
#pragma once

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace renga::api {

class SchemaCheck {
 public:
  SchemaCheck() {
    const auto path = find();
    if (path.empty()) return;
    std::ifstream in(path);
    schema_ = boost::json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  }

  explicit SchemaCheck(boost::json::value schema) : schema_(std::move(schema)) {}

  bool there() const { return schema_.is_object(); }
  const boost::json::object& definitions() const { return schema_.at("definitions").as_object(); }

  // What the definition asks for, and no more.
  void members(std::string_view resource, const boost::json::value& value,
               std::vector<std::string>& found) const {
    check(schema_.at("definitions").at(resource), value, std::string(resource), found);
  }

  // What is wrong with `value` as a "release", an "app", …: a line each; none when it fits. Every
  // property of the definition must be there; more may be.
  std::vector<std::string> flaws(std::string_view resource, const boost::json::value& value) const {
    std::vector<std::string> found;
    if (!there()) return found;
    const auto& definition = schema_.at("definitions").at(resource);
    check(definition, value, std::string(resource), found);
    if (const auto* properties = definition.as_object().if_contains("properties");
        properties != nullptr && value.is_object())
      for (const auto& [name, ignored] : properties->as_object())
        if (!value.as_object().contains(name))
          found.push_back(std::string(resource) + " lacks " + std::string(name));
    return found;
  }

 private:
  using Value = boost::json::value;

  static std::filesystem::path find() {
    if (const char* told = std::getenv("RENGA_PLATFORM_SCHEMA")) return told;
    for (auto at = std::filesystem::current_path();; at = at.parent_path()) {
      const auto path = at / "shared/reference/platform-api-schema.json";
      if (std::filesystem::exists(path)) return path;
      if (at == at.root_path()) return {};
    }
  }

  static bool is_of(std::string_view type, const Value& value) {
    if (type == "null") return value.is_null();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_bool();
    if (type == "integer") return value.is_int64() || value.is_uint64();
    if (type == "number") return value.is_number();
    if (type == "array") return value.is_array();
    return type == "object" && value.is_object();
  }

  const Value& resolve(std::string_view reference) const {
    boost::json::error_code error;
    const auto* found = schema_.find_pointer(reference.substr(1), error);
    return found == nullptr ? schema_ : *found;
  }

  void check(const Value& rule, const Value& value, const std::string& where,
             std::vector<std::string>& found) const {
    const auto& object = rule.as_object();
    if (const auto* reference = object.if_contains("$ref"))
      return check(resolve(reference->as_string().c_str()), value, where, found);
    for (const auto* choice : {"anyOf", "oneOf"}) {
      const auto* rules = object.if_contains(choice);
      if (rules == nullptr) continue;
      for (const auto& one : rules->as_array()) {
        std::vector<std::string> flaws;
        check(one, value, where, flaws);
        if (flaws.empty()) return;
      }
      found.push_back(where + " fits none of the choices");
      return;
    }
    if (!type_fits(object, value)) {
      found.push_back(where + " is of the wrong type: " + boost::json::serialize(value));
      return;
    }
    // The regions that providers may be in are Heroku's own.
    if (const auto* choices = object.if_contains("enum");
        choices != nullptr && where != "region.provider.region") {
      bool known = false;
      for (const auto& choice : choices->as_array()) known = known || choice == value;
      if (!known)
        found.push_back(where + " is none of the words: " + boost::json::serialize(value));
    }
    if (const auto* any = object.if_contains("additionalProperties");
        any != nullptr && any->is_object() && value.is_object())
      for (const auto& [name, member] : value.as_object())
        check(*any, member, where + "." + std::string(name), found);
    if (value.is_object()) check_members(object, value.as_object(), where, found);
    if (const auto* items = object.if_contains("items"); items != nullptr && value.is_array())
      for (const auto& item : value.as_array()) check(*items, item, where + "[]", found);
  }

  static bool type_fits(const boost::json::object& rule, const Value& value) {
    const auto* type = rule.if_contains("type");
    if (type == nullptr) return true;
    if (type->is_string()) return is_of(type->as_string().c_str(), value);
    for (const auto& one : type->as_array())
      if (is_of(one.as_string().c_str(), value)) return true;
    return false;
  }

  void check_members(const boost::json::object& rule, const boost::json::object& value,
                     const std::string& where, std::vector<std::string>& found) const {
    const auto* properties = rule.if_contains("properties");
    if (properties != nullptr)
      for (const auto& [name, member] : properties->as_object())
        if (const auto* given = value.if_contains(name))
          check(member, *given, where + "." + std::string(name), found);
    if (const auto* required = rule.if_contains("required"))
      for (const auto& name : required->as_array())
        if (!value.contains(name.as_string().c_str()))
          found.push_back(where + " lacks " + name.as_string().c_str());
  }

  Value schema_;
};

}  // namespace renga::api
