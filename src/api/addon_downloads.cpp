// Downloads of what providers keep (backups), by links that are secrets of the providers' own and
// need no token.
#include <algorithm>

#include "api/addon_handlers.h"
#include "base/report.h"
#include "base/text.h"
#include "http/client.h"

namespace renga::api {
namespace {

constexpr std::chrono::hours longest_download{12};

bool is_secret(const std::string& text) {
  return text.size() >= 32 && text.size() <= 1024 && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

Result<Answer> addon_download(Call& call) {
  const auto none = fail(Kind::not_found, "There is no such download, or its time is over.");
  const auto secret = call.param("secret");
  if (!is_secret(secret)) return none;
  for (const auto& service : call.services.marketplace.catalog.services()) {
    if (service.name() != call.param("service") || service.manifest.data_paths.empty()) continue;
    http::ClientRequest request;
    request.url = service.manifest.origin() + "/data/downloads/" + secret;
    request.direct = service.manifest.base_url.starts_with("http://");
    request.headers.add(
        "Authorization",
        "Basic " + text::base64(service.name() + ":" +
                                call.services.marketplace.catalog.secrets(service.id).password));
    auto look = request;
    look.url += "?look=1";
    http::Client client;
    const auto there = client.send(look);
    if (!there || there->status != 204) return none;

    request.timeout = longest_download;
    Answer answer;
    answer.whole.emplace();
    answer.whole->headers.add("Content-Type", "application/octet-stream");
    answer.whole->stream = [request](const std::shared_ptr<http::ResponseStream>& out) mutable {
      request.on_body = [&out](std::string_view piece) { return out->write(piece); };
      http::Client download;
      const auto done = download.send(request);
      // A body that breaks off must not look whole.
      if (!done || done->status != 200)
        throw std::runtime_error("the provider's download broke off");
      out->finish();
    };
    return answer;
  }
  return none;
}

}  // namespace renga::api
