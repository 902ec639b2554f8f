// NameMap: values by name, made so that a copy with a few changes costs a few changes. It is a tree
// of two levels above its leaves, which copies share: whoever changes a leaf gets one of its own,
// and the branch above it. Immutable but through an Edit, so any number of threads may read one.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace renga::router {

template <class Value>
class NameMap {
  struct Entry {
    std::size_t hash;
    std::string_view name;  // the value's own
    Value value;
  };
  // Of a hundred thousand names six are in a leaf: little to copy, and few to compare with.
  using Leaf = std::vector<Entry>;
  static constexpr std::size_t width_bits = 7;
  static constexpr std::size_t width = std::size_t{1} << width_bits;
  using Branch = std::array<std::shared_ptr<const Leaf>, width>;
  using Root = std::array<std::shared_ptr<const Branch>, width>;

  struct Place {
    explicit Place(std::string_view name)
        : hash(std::hash<std::string_view>()(name)),
          branch(hash >> (8 * sizeof hash - width_bits)),
          leaf((hash >> (8 * sizeof hash - 2 * width_bits)) % width) {}
    std::size_t hash, branch, leaf;
  };

  static const Value* find_in(const Root& root, std::string_view name) {
    const Place place(name);
    const auto* branch = root[place.branch].get();
    const auto* leaf = branch == nullptr ? nullptr : (*branch)[place.leaf].get();
    if (leaf == nullptr) return nullptr;
    for (const auto& entry : *leaf) {
      if (entry.hash == place.hash && entry.name == name) return &entry.value;
    }
    return nullptr;
  }

 public:
  NameMap() = default;

  const Value* find(std::string_view name) const { return root_ ? find_in(*root_, name) : nullptr; }

  template <class Visit>
  void for_each(Visit visit) const {
    if (!root_) return;
    for (const auto& branch : *root_) {
      if (!branch) continue;
      for (const auto& leaf : *branch) {
        if (!leaf) continue;
        for (const auto& entry : *leaf) visit(entry.value);
      }
    }
  }

  // Makes another map of one.
  class Edit {
   public:
    explicit Edit(const NameMap& from)
        : root_(from.root_ ? std::make_shared<Root>(*from.root_) : std::make_shared<Root>()) {}

    // The name is not copied: it must be the value's own, and go with it.
    void set(std::string_view name, Value value) {
      const Place place(name);
      auto& leaf = own(place);
      // With the name, which was the old value's.
      Entry entry{place.hash, name, std::move(value)};
      const auto known = find_entry(leaf, place, name);
      if (known == leaf.end()) {
        leaf.push_back(std::move(entry));
      } else {
        *known = std::move(entry);
      }
    }
    void erase(std::string_view name) {
      if (find(name) == nullptr) return;
      const Place place(name);
      auto& leaf = own(place);
      leaf.erase(find_entry(leaf, place, name));
    }
    const Value* find(std::string_view name) const { return find_in(*root_, name); }
    NameMap done() && { return NameMap(std::move(root_)); }

   private:
    static auto find_entry(Leaf& leaf, const Place& place, std::string_view name) {
      return std::find_if(leaf.begin(), leaf.end(), [&](const Entry& entry) {
        return entry.hash == place.hash && entry.name == name;
      });
    }

    // What nobody shares yet is only const to the others.
    Leaf& own(const Place& place) {
      auto*& branch = own_branches_[place.branch];
      if (branch == nullptr) {
        auto& shared = (*root_)[place.branch];
        auto copy = shared ? std::make_shared<Branch>(*shared) : std::make_shared<Branch>();
        branch = copy.get();
        shared = std::move(copy);
      }
      auto& shared = (*branch)[place.leaf];
      auto owned = own_leaves_[place.branch * width + place.leaf];
      if (!owned) {
        auto copy = std::make_shared<Leaf>();
        if (shared) {
          copy->reserve(shared->size() + 1);
          *copy = *shared;
        }
        shared = std::move(copy);
        owned = true;
      }
      return const_cast<Leaf&>(*shared);
    }

    std::shared_ptr<Root> root_;
    std::array<Branch*, width> own_branches_{};
    std::bitset<width * width> own_leaves_;
  };

 private:
  explicit NameMap(std::shared_ptr<const Root> root) : root_(std::move(root)) {}

  std::shared_ptr<const Root> root_;
};

}  // namespace renga::router
