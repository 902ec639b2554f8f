#include "cli/follow_build.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "base/text.h"
#include "cli/answers.h"

namespace renga::cli {
namespace json = boost::json;

namespace {

using namespace std::chrono_literals;

constexpr int most_tries = 60;  // in a row, of a server that is away
constexpr auto pause = 1s;

}  // namespace

Result<std::string> upload_source(Context& context, const SourceArchive& archive) {
  auto* platform = TRY(context.platform());
  const auto source = TRY(platform->post(TRY(context.path("/sources")), json::object()));
  TRY(platform->upload(text_at(source, "source_blob.put_url"), archive.bytes));
  return text_at(source, "source_blob.get_url");
}

Result<void> show_output(Context& context, const json::value& build) {
  auto* platform = TRY(context.platform());
  const auto url = text_at(build, "output_stream_url");
  const auto path = TRY(context.path("/builds/" + text::url_encode(text_at(build, "id"))));
  std::uint64_t shown = 0;
  for (int tries = 0;;) {
    http::Headers headers;
    if (shown > 0) headers.set("Range", fmt::format("bytes={}-", shown));
    const auto before = shown;
    const auto streamed = platform->stream(url, headers, [&](std::string_view piece) {
      shown += piece.size();
      context.terminal.out(piece);
      return true;
    });
    // A stream ends with its build, or with the server; then it goes on when that is back.
    if (streamed) {
      const auto now = platform->get(path);
      if (now && text_at(*now, "status") != "pending") return {};
    }
    tries = shown > before ? 0 : tries + 1;
    if (tries == most_tries)
      return streamed ? fail(Kind::unavailable,
                             "The build goes on, but its output does not come. "
                             "Look again with: renga builds:output")
                      : streamed;
    std::this_thread::sleep_for(pause);
  }
}

Result<int> build_and_follow(Context& context, const json::object& wanted) {
  auto* platform = TRY(context.platform());
  const auto build = TRY(platform->post(TRY(context.path("/builds")), wanted));
  const auto path = TRY(context.path("/builds/" + text::url_encode(text_at(build, "id"))));
  TRY(show_output(context, build));
  const auto ended = TRY(platform->get(path));
  return text_at(ended, "status") == "succeeded" ? 0 : 1;
}

Result<json::value> build_named(Context& context) {
  auto* platform = TRY(context.platform());
  if (!context.arguments.empty())
    return platform->get(TRY(context.path("/builds/" + text::url_encode(context.arguments[0]))));
  const auto newest =
      TRY(platform->get(TRY(context.path("/builds")), "created_at ..; order=desc, max=1"));
  if (!newest.is_array() || newest.as_array().empty())
    return fail(Kind::not_found, fmt::format("{} has no builds.", TRY(context.app())));
  return newest.as_array().front();
}

}  // namespace renga::cli
