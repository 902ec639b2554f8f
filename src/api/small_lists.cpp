#include "api/small_lists.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"

namespace renga::api {
namespace {

// Numbers are told from texts by the first element: a list has elements of one kind. Times are
// written so that they sort as texts do.
Order<json::value> by_member(std::string_view member, const json::array& elements) {
  const bool number = !elements.empty() && elements[0].at(member).is_number();
  if (number)
    return by_number<json::value>(member, [member](const json::value& element) {
      return element.at(member).to_number<std::int64_t>();
    });
  return by_text<json::value>(member, [member](const json::value& element) {
    const auto* text = element.at(member).if_string();
    return text == nullptr ? std::string() : std::string(*text);
  });
}

}  // namespace

Answer small_list(const Call& call, json::array elements,
                  std::initializer_list<std::string_view> members) {
  std::vector<Order<json::value>> orders;
  for (const auto member : members) orders.push_back(by_member(member, elements));
  if (!text::trim(call.request.headers.value_or("Range", "")).empty()) {
    const std::vector<json::value> all(elements.begin(), elements.end());
    return call.page(all, orders, [](const json::value& element) { return element; });
  }
  auto answer = ok(std::move(elements));
  answer.headers.set("Accept-Ranges", text::join({members.begin(), members.end()}, ", "));
  return answer;
}

}  // namespace renga::api
