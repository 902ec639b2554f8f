// Result<T>: how a refusal travels. A refusal is whatever a user or another program can cause (not
// found, name taken, bad Procfile); it is a value, and its message is shown to that user. What the
// machine causes (disk full, fork failing, a broken invariant) is an exception instead.
// docs/adr/0002-errors.md draws the line.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace renga {

// Why something was refused. Closed: api/errors.cpp maps each kind to a status and an error id,
// and the CLI maps it to an exit code.
enum class Kind {
  bad_request,     // not understood: malformed JSON, an impossible Range
  unauthorized,    // no credentials, or credentials that are not valid
  forbidden,       // valid credentials that do not allow this
  not_found,       // no such thing, or none that the caller may see
  not_acceptable,  // a version of the API that is not served
  conflict,        // another operation stands in the way; trying again later may work
  invalid,         // understood, but its values are refused
  too_large,       // over a stated size limit
  rate_limited,    // too many calls; wait
  unavailable,     // a part of the platform is not there now
  unsupported,     // known to the API, not offered by this server
};

// `message` is one or more sentences for the person who asked: what was refused, whose, what to do.
struct Error {
  Kind kind = Kind::invalid;
  std::string message;
  bool operator==(const Error&) const = default;
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Kind kind, std::string message) {
  return std::unexpected(Error{kind, std::move(message)});
}

}  // namespace renga

// Unwraps a Result, or returns its error from the enclosing function. May be nested.
//   const auto app = TRY(apps.find(name));
#define TRY(expression) RENGA_TRY_AS(RENGA_JOIN(renga_result_, __COUNTER__), expression)
#define RENGA_TRY_AS(name, expression) RENGA_TRY_NAMED(name, expression)
#define RENGA_TRY_NAMED(name, expression)                                                      \
  __extension__({                                                                              \
    auto&& name = (expression);                                                                \
    if (!name.has_value()) return std::unexpected(std::forward<decltype(name)>(name).error()); \
    ::renga::detail::unwrap(std::forward<decltype(name)>(name));                               \
  })
#define RENGA_JOIN(a, b) RENGA_JOIN_NOW(a, b)
#define RENGA_JOIN_NOW(a, b) a##b

namespace renga::detail {
template <class T>
T unwrap(std::expected<T, Error>&& result) {
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}
template <class T>
T unwrap(const std::expected<T, Error>& result) {
  if constexpr (!std::is_void_v<T>) return *result;
}
}  // namespace renga::detail
