#include "http/client.h"

#include <curl/curl.h>

#include <array>
#include <optional>
#include <stdexcept>

#include "base/text.h"
#include "net/destinations.h"
#include "net/public_address.h"

namespace renga::http {

namespace {

constexpr long most_redirects = 10;

struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using List = std::unique_ptr<curl_slist, ListFree>;

void append(List& list, const std::string& text) {
  auto* longer = curl_slist_append(list.get(), text.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  (void)list.release();
  list.reset(longer);
}

// What libcurl's callbacks fill while a call runs.
struct Call {
  const ClientRequest& request;
  CURL* curl;
  ClientResponse response;
  bool stopped = false;  // on_body said so
  std::string refused;   // the last address that was out of reach
  std::exception_ptr thrown;
};

// libcurl is C: nothing may be thrown through it.
template <class Work>
std::size_t guarded(Call& call, std::size_t size, Work work) {
  try {
    return work() ? size : 0;
  } catch (...) {
    call.thrown = std::current_exception();
    return 0;
  }
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& call = *static_cast<Call*>(user);
  return guarded(call, size, [&] {
    const auto line = text::trim(std::string_view(data, size));
    if (line.starts_with("HTTP/")) {
      call.response.headers = {};  // of a redirect or a 100 before
      return true;
    }
    const auto [name, value] = text::split_once(line, ':');
    if (!name.empty()) {
      call.response.headers.add(std::string(name), std::string(text::trim(value)));
    }
    return true;
  });
}

std::size_t on_data(char* data, std::size_t, std::size_t size, void* user) {
  auto& call = *static_cast<Call*>(user);
  return guarded(call, size, [&] {
    const std::string_view bytes(data, size);
    long status = 0;
    curl_easy_getinfo(call.curl, CURLINFO_RESPONSE_CODE, &status);
    if (call.request.method == "GET" && status / 100 == 3 &&
        call.response.headers.has("location")) {
      return true;  // send() goes on there
    }
    if (!call.request.on_body) {
      call.response.body += bytes;
      return true;
    }
    call.stopped = !call.request.on_body(bytes);
    return !call.stopped;
  });
}

// Instead of libcurl's own socket(): the one place that sees each address it is about to connect
// to.
curl_socket_t open_public(void* user, curlsocktype, curl_sockaddr* address) {
  auto& call = *static_cast<Call*>(user);
  const auto* more = call.request.destinations;
  if (more != nullptr ? !more->refusal(&address->addr).empty() : !net::is_public(&address->addr)) {
    (void)guarded(call, 1, [&] {
      call.refused = net::address_text(&address->addr);
      return true;
    });
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Call*>(user)->request.stop->load() ? 1 : 0;
}

void check(CURLcode code, const char* what) {
  if (code != CURLE_OK) {
    throw std::runtime_error(std::string("libcurl refuses ") + what + ": " +
                             curl_easy_strerror(code) + ".");
  }
}

template <class Value>
void set(CURL* curl, CURLoption option, Value value, const char* what) {
  check(curl_easy_setopt(curl, option, value), what);
}

// A header that must not follow a redirect to somebody else. libcurl drops Authorization and Cookie
// by itself when the host, the port or the scheme changes, but not others' names for a token.
bool carries_secret(std::string_view name) {
  for (const auto* part : {"authorization", "cookie", "token", "secret", "api-key", "apikey"}) {
    if (text::lower(name).find(part) != std::string::npos) return true;
  }
  return false;
}

// "https://host:port", as far as it tells origins apart.
std::optional<std::string> origin_of(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parts(curl_url(), &curl_url_cleanup);
  if (!parts || curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return std::nullopt;
  }
  std::string origin;
  for (const auto part : {CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT}) {
    char* text = nullptr;
    if (curl_url_get(parts.get(), part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) {
      return std::nullopt;
    }
    origin += text::lower(text) + "|";
    curl_free(text);
  }
  return origin;
}

}  // namespace

std::string without_credentials(const std::string& url) {
  const auto start = url.find("://");
  const auto end = start == std::string::npos ? start : url.find_first_of("/?#", start + 3);
  const auto at = url.substr(0, end).rfind('@');
  if (start == std::string::npos || at == std::string::npos) return url;
  return url.substr(0, start + 3) + url.substr(at + 1);
}

struct Client::State {
  CURL* curl = curl_easy_init();
  ~State() { curl_easy_cleanup(curl); }
};

Client::Client() : state_(std::make_unique<State>()) {
  // curl_easy_init() does curl_global_init() the first time; since 7.84 that is thread-safe.
  if (state_->curl == nullptr) throw std::runtime_error("libcurl cannot be started.");
}

Client::~Client() = default;

namespace {

void set_up(CURL* curl, Call& call, const ClientRequest& request, const std::string& url,
            const List& headers, std::array<char, CURL_ERROR_SIZE>& reason) {
  curl_easy_reset(curl);  // keeps the connections
  set(curl, CURLOPT_URL, url.c_str(), "the URL");
  set(curl, CURLOPT_PROTOCOLS_STR, "http,https", "its protocols");
  set(curl, CURLOPT_NOSIGNAL, 1L, "to leave signals alone");
  set(curl, CURLOPT_ERRORBUFFER, reason.data(), "an error buffer");
  set(curl, CURLOPT_HTTPHEADER, headers.get(), "headers");
  set(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1), "HTTP/1.1");
  set(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L, "to hide a proxy's headers");
  set(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()),
      "a time-out");
  set(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()), "a time-out");
  set(curl, CURLOPT_TCP_KEEPALIVE, 1L, "keep-alive");
  set(curl, CURLOPT_HEADERFUNCTION, &on_header, "a callback");
  set(curl, CURLOPT_HEADERDATA, static_cast<void*>(&call), "a callback");
  set(curl, CURLOPT_WRITEFUNCTION, &on_data, "a callback");
  set(curl, CURLOPT_WRITEDATA, static_cast<void*>(&call), "a callback");
  if (request.reach == Reach::public_addresses) {
    set(curl, CURLOPT_OPENSOCKETFUNCTION, &open_public, "a callback");
    set(curl, CURLOPT_OPENSOCKETDATA, static_cast<void*>(&call), "a callback");
    set(curl, CURLOPT_PROXY, "", "to use no proxy");
    // A connection that was made without the check is none to use.
    set(curl, CURLOPT_FRESH_CONNECT, 1L, "a connection of its own");
    set(curl, CURLOPT_FORBID_REUSE, 1L, "a connection of its own");
  }
  if (request.stop != nullptr) {
    set(curl, CURLOPT_NOPROGRESS, 0L, "to look up now and then");
    set(curl, CURLOPT_XFERINFOFUNCTION, &on_progress, "a callback");
    set(curl, CURLOPT_XFERINFODATA, static_cast<void*>(&call), "a callback");
  }
  if (request.direct) set(curl, CURLOPT_NOPROXY, "*", "to use no proxy");
  if (!request.ca_file.empty()) set(curl, CURLOPT_CAINFO, request.ca_file.c_str(), "a CA file");

  if (request.method == "HEAD") {
    set(curl, CURLOPT_NOBODY, 1L, "HEAD");
  } else if (request.method != "GET" || !request.body.empty()) {
    if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
        request.method == "PATCH") {
      set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()),
          "a body");
      set(curl, CURLOPT_POSTFIELDS, request.body.data(), "a body");
    }
    set(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str(), "the method");
  }
}

List header_list(const ClientRequest& request, bool with_secrets) {
  List list;
  bool has_type = false;
  for (const auto& [name, value] : request.headers) {
    if (!with_secrets && carries_secret(name)) continue;
    if ((name + value).find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      throw std::invalid_argument("The header " + text::printable(name) + " has a line break.");
    }
    has_type = has_type || text::equals_ignoring_case(name, "content-type");
    // libcurl's way to say that a header is empty, and not to be left out.
    append(list, value.empty() ? name + ";" : name + ": " + value);
  }
  append(list, "Expect:");  // a second's wait for a 100 that many servers never send
  if (!has_type) append(list, "Content-Type:");
  return list;
}

}  // namespace

Result<ClientResponse> Client::send(const ClientRequest& request) {
  auto* curl = state_->curl;
  auto url = request.url;
  const auto first_origin = origin_of(url);
  if (!first_origin)
    return fail(Kind::invalid, "\"" + without_credentials(url) + "\" is not an http or https URL.");
  // The limit is of the whole call, redirects and all.
  auto limited = request;
  const auto until = std::chrono::steady_clock::now() + request.timeout;

  for (long redirects = 0;; ++redirects) {
    Call call{request, curl, {}, false, {}, {}};
    std::array<char, CURL_ERROR_SIZE> reason{};
    const auto headers = header_list(request, origin_of(url) == first_origin);
    set_up(curl, call, limited, url, headers, reason);
    const auto code = curl_easy_perform(curl);
    // Nothing of this call may be pointed to from the handle when it is gone.
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
    if (call.thrown) std::rethrow_exception(call.thrown);
    if (code != CURLE_OK && !call.refused.empty()) {
      return fail(
          Kind::forbidden,
          without_credentials(url) + " leads to " + call.refused +
              ", an address of this machine or its network, which is not asked. An operator "
              "who wants that starts the server with RENGA_ALLOW_PRIVATE=1.");
    }
    if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && call.stopped)) {
      const std::string why = reason[0] != '\0' ? reason.data() : curl_easy_strerror(code);
      return fail(Kind::unavailable,
                  "No answer from " + without_credentials(url) + ": " + why + ".");
    }
    long status = 0;
    check(curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status), "to tell the status");
    call.response.status = static_cast<int>(status);

    char* next = nullptr;
    check(curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &next), "to tell a redirect");
    if (next == nullptr || request.method != "GET" || redirects == most_redirects) {
      return std::move(call.response);
    }
    url = next;
    if (request.timeout.count() > 0) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          until - std::chrono::steady_clock::now());
      if (left.count() <= 0) {
        return fail(Kind::unavailable,
                    "No answer from " + without_credentials(url) + ": too late after redirects.");
      }
      limited.timeout = left;
    }
  }
}

}  // namespace renga::http
