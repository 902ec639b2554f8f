#include "scheduler/schedule.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include "base/text.h"

namespace renga::scheduler {
namespace {

constexpr std::size_t longest = 200;

struct Field {
  std::string_view name;
  int least, most;
  std::span<const std::string_view> names;  // of `least`, `least` + 1, …
};

constexpr std::string_view month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                            "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
const Field fields[] = {{"minute", 0, 59, {}},
                        {"hour", 0, 23, {}},
                        {"day of the month", 1, 31, {}},
                        {"month", 1, 12, month_names},
                        {"day of the week", 0, 7, day_names}};

struct Word {
  std::string_view word, expression;
};
constexpr Word words[] = {{"@hourly", "0 * * * *"},
                          {"@daily", "0 0 * * *"},
                          {"@midnight", "0 0 * * *"},
                          {"@weekly", "0 0 * * 0"},
                          {"@monthly", "0 0 1 * *"},
                          {"@yearly", "0 0 1 1 *"},
                          {"@annually", "0 0 1 1 *"},
                          {"every 10 minutes", "*/10 * * * *"},
                          {"every ten minutes", "*/10 * * * *"},
                          {"hourly", "0 * * * *"},
                          {"daily", "0 0 * * *"}};

std::optional<int> value_of(const Field& field, std::string_view text) {
  const auto named = std::ranges::find(field.names, text.substr(0, 3));
  if (named != field.names.end() && text.size() == 3)
    return field.least + static_cast<int>(named - field.names.begin());
  if (text.empty() || text.size() > 2 ||
      !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  const auto number = static_cast<int>(*text::number(text));
  if (number < field.least || number > field.most) return std::nullopt;
  return number;
}

Result<std::bitset<60>> read_field(const Field& field, std::string_view text) {
  const auto refuse = [&](std::string_view part) {
    return fail(
        Kind::invalid,
        fmt::format("The schedule's {} cannot be \"{}\": it takes {} to {}, *, ranges (1-5), "
                    "steps (*/10) and lists of these (1,15).",
                    field.name, text::printable(part), field.least, field.most));
  };
  std::bitset<60> set;
  for (const auto part : text::split(text, ',')) {
    const auto [range, step_text] = text::split_once(part, '/');
    int from = field.least, to = field.most == 7 ? 6 : field.most, step = 1;
    if (range != "*") {
      const auto [first, last] = text::split_once(range, '-');
      const auto low = value_of(field, first);
      if (!low) return refuse(part);
      from = *low;
      // "5/10" goes on to the end; "5" is 5 alone.
      if (!part.contains('/') || range.contains('-')) to = from;
      if (range.contains('-')) {
        const auto high = value_of(field, last);
        if (!high || *high < from) return refuse(part);
        to = *high;
      }
    }
    if (part.contains('/')) {
      const auto given = text::number(step_text);
      if (!given || *given < 1 || *given > field.most || step_text.front() == '+')
        return refuse(part);
      step = static_cast<int>(*given);
    }
    for (int value = from; value <= to; value += step)
      set.set(static_cast<std::size_t>(field.most == 7 ? value % 7 : value));
  }
  return set;
}

// "hourly at 20" and "daily at 8:30" as cron has them.
std::optional<std::string> from_words(std::string_view text) {
  for (const auto& [word, expression] : words)
    if (text == word) return std::string(expression);
  constexpr std::string_view hourly = "hourly at ", daily = "daily at ";
  if (text.starts_with(hourly)) {
    auto minute = text.substr(hourly.size());
    if (minute.starts_with(':')) minute.remove_prefix(1);
    return fmt::format("{} * * * *", minute);
  }
  if (text.starts_with(daily)) {
    const auto [hour, minute] = text::split_once(text.substr(daily.size()), ':');
    return fmt::format("{} {} * * *", minute.empty() ? "0" : minute, hour);
  }
  return std::nullopt;
}

}  // namespace

Result<Schedule> Schedule::parse(std::string_view given, std::string_view time_zone) {
  if (given.size() > longest) return fail(Kind::invalid, "A schedule has at most 200 characters.");
  const auto lower = text::lower(text::trim(given));
  const auto expression = from_words(lower).value_or(lower);
  std::vector<std::string_view> parts;
  for (const auto part : text::split(expression, ' '))
    for (const auto word : text::split(part, '\t'))
      if (!word.empty()) parts.push_back(word);
  if (parts.size() != std::size(fields))
    return fail(Kind::invalid,
                fmt::format("\"{}\" is no schedule. Give the five fields of cron (minute hour day "
                            "month weekday, as in 30 8 * * mon-fri), or \"every 10 minutes\", "
                            "\"hourly at 20\", \"daily at 8:30\".",
                            text::printable(given)));
  std::array<std::bitset<60>, std::size(fields)> sets;
  for (std::size_t i = 0; i < std::size(fields); ++i)
    sets[i] = TRY(read_field(fields[i], parts[i]));

  Schedule schedule;
  schedule.minutes_ = sets[0];
  for (std::size_t i = 0; i < 60; ++i) {
    if (i < 24) schedule.hours_[i] = sets[1][i];
    if (i < 32) schedule.days_[i] = sets[2][i];
    if (i < 13) schedule.months_[i] = sets[3][i];
    if (i < 7) schedule.weekdays_[i] = sets[4][i];
  }
  schedule.any_day_ = parts[2].starts_with('*');
  schedule.any_weekday_ = parts[4].starts_with('*');
  schedule.zone_ = std::string(time_zone);
  try {
    // A name becomes the name of a file.
    if (time_zone.empty() || time_zone.size() > 64 || time_zone.contains("..") ||
        time_zone.front() == '/')
      throw std::runtime_error("not a name");
    date::locate_zone(schedule.zone_);
  } catch (const std::runtime_error&) {
    return fail(Kind::invalid,
                fmt::format("There is no time zone \"{}\". Zones are named like UTC or "
                            "Europe/Berlin.",
                            text::printable(time_zone)));
  }
  return schedule;
}

}  // namespace renga::scheduler
