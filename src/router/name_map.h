// NameMap: values by name, made so that a copy with a few changes costs a few changes. It is cut
// into parts that copies share; whoever changes one part gets a part of its own. Immutable but
// through an Edit, so any number of threads may read one.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace renga::router {

template <class Value>
class NameMap {
  struct Key {
    explicit Key(std::string_view text) : name(text), hash(std::hash<std::string_view>()(text)) {}
    bool operator==(const Key& other) const { return hash == other.hash && name == other.name; }
    std::string_view name;
    std::size_t hash;  // the upper bits choose the part, the lower ones the place in it
  };
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept { return key.hash; }
  };
  using Part = std::unordered_map<Key, Value, Hash>;

  // Of a hundred thousand names a hundred are in a part: little to copy, and few parts to point at.
  static constexpr int part_bits = 10;
  using Parts = std::array<std::shared_ptr<const Part>, std::size_t{1} << part_bits>;
  static std::size_t part_of(const Key& key) {
    return key.hash >> (8 * sizeof key.hash - part_bits);
  }

 public:
  const Value* find(std::string_view name) const {
    if (!parts_) return nullptr;
    const Key key(name);
    const auto* part = (*parts_)[part_of(key)].get();
    if (part == nullptr) return nullptr;
    const auto found = part->find(key);
    return found == part->end() ? nullptr : &found->second;
  }

  template <class Visit>
  void for_each(Visit visit) const {
    if (!parts_) return;
    for (const auto& part : *parts_) {
      if (!part) continue;
      for (const auto& [key, value] : *part) visit(value);
    }
  }

  // Makes another map of one.
  class Edit {
   public:
    explicit Edit(const NameMap& from)
        : parts_(from.parts_ ? std::make_shared<Parts>(*from.parts_) : std::make_shared<Parts>()) {}

    // The name is not copied: it must be the value's own, and go with it.
    void set(std::string_view name, Value value) {
      const Key key(name);
      auto& part = own(key);
      part.erase(key);  // with the name, which was the old value's
      part.emplace(key, std::move(value));
    }
    void erase(std::string_view name) {
      const Key key(name);
      if ((*parts_)[part_of(key)]) own(key).erase(key);
    }
    const Value* find(std::string_view name) const {
      const Key key(name);
      const auto* part = (*parts_)[part_of(key)].get();
      if (part == nullptr) return nullptr;
      const auto found = part->find(key);
      return found == part->end() ? nullptr : &found->second;
    }
    NameMap done() && { return NameMap(std::move(parts_)); }

   private:
    Part& own(const Key& key) {
      const auto place = part_of(key);
      auto& own = own_[place];
      if (own == nullptr) {
        auto& shared = (*parts_)[place];
        auto copy = shared ? std::make_shared<Part>(*shared) : std::make_shared<Part>();
        own = copy.get();
        shared = std::move(copy);
      }
      return *own;
    }

    std::shared_ptr<Parts> parts_;
    std::array<Part*, std::size_t{1} << part_bits> own_{};  // those that nobody shares yet
  };

  NameMap() = default;

 private:
  explicit NameMap(std::shared_ptr<const Parts> parts) : parts_(std::move(parts)) {}

  std::shared_ptr<const Parts> parts_;
};

}  // namespace renga::router
