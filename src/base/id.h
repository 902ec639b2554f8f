// Id<T>: a UUID that knows what it identifies, so that an app's id cannot be handed over as a
// release's.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

namespace renga {

// A fresh random UUID (version 4, lower case, 36 characters) from the kernel's generator.
std::string new_uuid();

// True for the 36-character form of a UUID, in either case.
bool is_uuid(std::string_view text);

template <class T>
struct Id {
  std::string value;

  static Id create() { return Id{new_uuid()}; }
  bool empty() const { return value.empty(); }
  auto operator<=>(const Id&) const = default;
};

}  // namespace renga

template <class T>
struct std::hash<renga::Id<T>> {
  std::size_t operator()(const renga::Id<T>& id) const {
    return std::hash<std::string>()(id.value);
  }
};
