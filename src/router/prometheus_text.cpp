// Every line is one series: an app's name, a dyno's and, where there are several, a class or a
// bound. App names have no character that a label would have to escape; dyno names neither.
#include <fmt/format.h>

#include "router/figures.h"

namespace renga::router {

namespace {

class Text {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    add("# HELP renga_router_{} {}\n# TYPE renga_router_{} {}\n", name, help, name, type);
  }
  template <class Value>
  void value(Value value) {
    add("renga_router_{} {}\n", name_, value);
  }
  template <class Value>
  void value(const DynoFigures& dyno, Value value, std::string_view suffix = {},
             std::string_view more = {}) {
    add("renga_router_{}{}{{app=\"{}\",dyno=\"{}\"{}}} {}\n", name_, suffix, dyno.name, dyno.dyno,
        more, value);
  }
  std::string take() { return std::move(text_); }

 private:
  template <class... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Arguments>(arguments)...);
  }
  std::string text_;
  std::string_view name_;
};

void write_durations(Text& text, const DynoFigures& dyno) {
  const auto& took = dyno.figures.took;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < Durations::bounds.size(); ++i) {
    below += took.counts[i];
    text.value(dyno, below, "_bucket", fmt::format(",le=\"{}\"", Durations::bounds[i] / 1000.0));
  }
  text.value(dyno, took.total(), "_bucket", ",le=\"+Inf\"");
  text.value(dyno, static_cast<double>(took.microseconds) / 1e6, "_sum");
  text.value(dyno, took.total(), "_count");
}

}  // namespace

std::string prometheus_text(const RouterFigures& figures) {
  Text text;
  text.family("requests_total", "counter", "Requests that have ended, by the class of the status.");
  for (const auto& dyno : figures.dynos) {
    for (std::size_t i = 0; i < dyno.figures.answers.size(); ++i) {
      const auto count = dyno.figures.answers[i];
      const auto status = i == 0 ? std::string("none") : fmt::format("{}xx", i);
      if (count > 0) text.value(dyno, count, {}, fmt::format(",status=\"{}\"", status));
    }
  }
  text.family("errors_total", "counter", "Requests that ended with a code of the router's own.");
  for (const auto& dyno : figures.dynos) {
    for (const auto& [code, count] : dyno.figures.errors) {
      text.value(dyno, count, {}, fmt::format(",code=\"{}\"", code));
    }
  }
  text.family("request_bytes_total", "counter", "Bytes of requests' bodies.");
  for (const auto& dyno : figures.dynos) text.value(dyno, dyno.figures.bytes_in);
  text.family("response_bytes_total", "counter", "Bytes of answers' bodies.");
  for (const auto& dyno : figures.dynos) text.value(dyno, dyno.figures.bytes_out);
  text.family("active_requests", "gauge", "Requests and upgraded connections under way.");
  for (const auto& dyno : figures.dynos) text.value(dyno, dyno.figures.active);
  text.family("request_duration_seconds", "histogram",
              "From a request's head to the end of its answer.");
  for (const auto& dyno : figures.dynos) write_durations(text, dyno);

  text.family("clients_accepted_total", "counter", "Client connections.");
  text.value(figures.accepted);
  text.family("http1_clients", "gauge", "Client connections that speak HTTP/1.");
  text.value(figures.http1_clients);
  text.family("http2_clients", "gauge", "Client connections that speak HTTP/2.");
  text.value(figures.http2_clients);
  text.family("unrouted_requests_total", "counter",
              "Requests for a host that no app has, or that were malformed.");
  text.value(figures.unrouted);
  return text.take();
}

}  // namespace renga::router
