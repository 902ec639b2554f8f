#include "scheduler/wishes.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "base/text.h"
#include "scheduler/app_json_text.h"
#include "scheduler/schedule.h"

namespace renga::scheduler {
namespace json = boost::json;

namespace {

// One entry; what is wrong with it goes to `errors`.
Wish read_wish(const json::object& object, std::size_t place, std::vector<std::string>& errors) {
  Wish wish;
  const auto note = [&](std::string_view what) {
    errors.push_back(fmt::format("cron[{}]: {}", place, what));
  };
  for (const auto& [key, value] : object) {
    std::string* target = key == "command"     ? &wish.command
                          : key == "schedule"  ? &wish.schedule
                          : key == "time_zone" ? &wish.time_zone
                          : key == "size"      ? &wish.size
                                               : nullptr;
    if (target == nullptr && key != "overlap") {
      note(fmt::format("{} is not known; there are: command, schedule, time_zone, size, overlap.",
                       text::printable(std::string_view(key))));
    } else if (!value.is_string()) {
      note(fmt::format("{} must be a string.", std::string_view(key)));
    } else if (target != nullptr) {
      *target = std::string(text::trim(std::string_view(value.get_string())));
    } else if (const auto overlap = overlap_named(value.get_string())) {
      wish.overlap = *overlap;
    } else {
      note(overlap.error().message);
    }
  }
  if (wish.command.empty()) {
    note("it has no command.");
  } else if (wish.command.size() > longest_command || wish.command.contains('\0')) {
    note("a command has at most 4096 bytes, and no zero byte.");
  }
  if (const auto schedule = Schedule::parse(wish.schedule, wish.time_zone); !schedule)
    note(schedule.error().message);
  return wish;
}

}  // namespace

Wishes read_wishes(const json::value& cron) {
  Wishes wishes;
  if (!cron.is_array()) {
    wishes.errors.push_back(
        R"(cron must be an array: [{"command": "./fetch", "schedule": "@daily"}].)");
    return wishes;
  }
  if (cron.get_array().size() > most_wishes) {
    wishes.errors.push_back(fmt::format("cron has at most {} entries.", most_wishes));
    return wishes;
  }
  std::size_t place = 0;
  for (const auto& one : cron.get_array()) {
    if (one.is_object())
      wishes.all.push_back(read_wish(one.get_object(), place, wishes.errors));
    else
      wishes.errors.push_back(fmt::format("cron[{}] must be an object.", place));
    ++place;
  }
  return wishes;
}

Wishes wishes_of(std::string_view app_json, std::string_view environment) {
  const auto file = app_json_object(app_json);
  if (!file) return Wishes{{}, {file.error().message}};
  const auto* cron = file->if_contains("cron");
  if (!environment.empty())
    if (const auto* all = file->if_contains("environments"); all && all->is_object())
      if (const auto* one = all->get_object().if_contains(environment); one && one->is_object())
        if (const auto* its = one->get_object().if_contains("cron")) cron = its;
  return cron == nullptr ? Wishes{} : read_wishes(*cron);
}

}  // namespace renga::scheduler
