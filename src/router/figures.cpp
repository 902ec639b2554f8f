#include "router/figures.h"

#include <algorithm>
#include <boost/json.hpp>
#include <numeric>

namespace renga::router {

namespace json = boost::json;

void Durations::count(std::chrono::microseconds took) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0));
  const auto place = std::find_if(bounds.begin(), bounds.end(),
                                  [&](std::uint32_t bound) { return us <= bound * 1000ULL; });
  ++counts[static_cast<std::size_t>(place - bounds.begin())];
  microseconds += us;
}

void Durations::add(const Durations& other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += other.counts[i];
  microseconds += other.microseconds;
}

std::uint64_t Durations::total() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

double Durations::quantile(double share) const {
  const auto wanted = share * static_cast<double>(total());
  double below = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    if (here > 0 && below + here >= wanted) {
      const double from = i == 0 ? 0 : bounds[i - 1];
      return from + (bounds[i] - from) * (wanted - below) / here;
    }
    below += here;
  }
  return counts.back() > 0 ? bounds.back() : 0;
}

void Figures::add(const Figures& other) {
  for (std::size_t i = 0; i < answers.size(); ++i) answers[i] += other.answers[i];
  bytes_in += other.bytes_in;
  bytes_out += other.bytes_out;
  active += other.active;
  for (const auto& [code, count] : other.errors) errors[code] += count;
  took.add(other.took);
}

std::uint64_t Figures::requests() const {
  return std::accumulate(answers.begin(), answers.end(), std::uint64_t{0});
}

void RouterFigures::add(RouterFigures other) {
  accepted += other.accepted;
  http1_clients += other.http1_clients;
  http2_clients += other.http2_clients;
  unrouted += other.unrouted;
  std::map<std::pair<std::string_view, std::string_view>, DynoFigures*> known;
  for (auto& dyno : dynos) known[{dyno.app, dyno.dyno}] = &dyno;
  std::vector<DynoFigures> fresh;
  for (auto& dyno : other.dynos) {
    const auto found = known.find({dyno.app, dyno.dyno});
    if (found == known.end()) {
      fresh.push_back(std::move(dyno));
    } else {
      found->second->figures.add(dyno.figures);
    }
  }
  std::move(fresh.begin(), fresh.end(), std::back_inserter(dynos));
}

namespace {

template <std::size_t Size>
json::array to_array(const std::array<std::uint64_t, Size>& counts) {
  json::array array;
  for (const auto count : counts) array.push_back(count);
  return array;
}

json::object to_object(const DynoFigures& dyno) {
  const auto& figures = dyno.figures;
  json::object errors;
  for (const auto& [code, count] : figures.errors) errors[code] = count;
  return {{"app", dyno.app},
          {"name", dyno.name},
          {"dyno", dyno.dyno},
          {"answers", to_array(figures.answers)},
          {"bytes_in", figures.bytes_in},
          {"bytes_out", figures.bytes_out},
          {"active", figures.active},
          {"errors", std::move(errors)},
          {"took", to_array(figures.took.counts)},
          {"took_us", figures.took.microseconds}};
}

std::uint64_t number(const json::object& object, std::string_view name) {
  return object.at(name).to_number<std::uint64_t>();
}

// Of a router of another version there may be more or fewer: those that both know count.
template <std::size_t Size>
void read_array(const json::value& from, std::array<std::uint64_t, Size>& counts) {
  const auto& array = from.as_array();
  for (std::size_t i = 0; i < std::min(Size, array.size()); ++i) {
    counts[i] = array[i].to_number<std::uint64_t>();
  }
}

DynoFigures to_dyno_figures(const json::object& object) {
  DynoFigures dyno{.app = std::string(object.at("app").as_string()),
                   .name = std::string(object.at("name").as_string()),
                   .dyno = std::string(object.at("dyno").as_string()),
                   .figures = {}};
  auto& figures = dyno.figures;
  read_array(object.at("answers"), figures.answers);
  figures.bytes_in = number(object, "bytes_in");
  figures.bytes_out = number(object, "bytes_out");
  figures.active = object.at("active").to_number<std::int64_t>();
  for (const auto& [code, count] : object.at("errors").as_object()) {
    figures.errors[std::string(code)] = count.to_number<std::uint64_t>();
  }
  read_array(object.at("took"), figures.took.counts);
  figures.took.microseconds = number(object, "took_us");
  return dyno;
}

}  // namespace

std::string to_json(const RouterFigures& figures) {
  json::array dynos;
  for (const auto& dyno : figures.dynos) dynos.push_back(to_object(dyno));
  return json::serialize(json::object{{"dynos", std::move(dynos)},
                                      {"accepted", figures.accepted},
                                      {"http1_clients", figures.http1_clients},
                                      {"http2_clients", figures.http2_clients},
                                      {"unrouted", figures.unrouted}});
}

Result<RouterFigures> parse_figures(std::string_view text) {
  try {
    const auto value = json::parse(text);
    const auto& object = value.as_object();
    RouterFigures figures;
    for (const auto& dyno : object.at("dynos").as_array()) {
      figures.dynos.push_back(to_dyno_figures(dyno.as_object()));
    }
    figures.accepted = number(object, "accepted");
    figures.http1_clients = number(object, "http1_clients");
    figures.http2_clients = number(object, "http2_clients");
    figures.unrouted = number(object, "unrouted");
    return figures;
  } catch (const std::exception& wrong) {
    return fail(Kind::invalid,
                std::string("The router's figures were not understood (") + wrong.what() + ").");
  }
}

}  // namespace renga::router
