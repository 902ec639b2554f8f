// HTTP messages as values: what handlers get and give. No I/O here.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace renga::http {

// Fields in the order they came; names compare without case.
class Headers {
 public:
  void add(std::string name, std::string value) {
    fields_.emplace_back(std::move(name), std::move(value));
  }
  void set(std::string_view name, std::string value);  // replaces all of that name
  void remove(std::string_view name);
  // The first of that name, or nothing. Valid until the headers change.
  std::optional<std::string_view> find(std::string_view name) const;
  std::string_view value_or(std::string_view name, std::string_view otherwise) const {
    return find(name).value_or(otherwise);
  }
  bool has(std::string_view name) const { return find(name).has_value(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }
  std::size_t size() const { return fields_.size(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// The body of a request that is read while it arrives. Used by one worker thread.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Waits for the next piece; empty at the end. Throws std::runtime_error when the client is gone.
  virtual std::string read() = 0;
};

// The body of an answer that is written over time. Safe from any thread. When the last reference
// goes, or finish() is called, the answer ends.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  // Waits while more than 256 KiB are unsent; false once the client is gone. Not on a loop's
  // thread.
  virtual bool write(std::string_view bytes) = 0;
  // Never waits: false, and nothing queued, when more than 1 MiB are unsent or the client is gone.
  virtual bool try_write(std::string_view bytes) = 0;
  virtual bool open() const = 0;
  // Called once, on the loop's thread, when the client leaves before the end. Replaces the earlier
  // one.
  virtual void on_closed(std::function<void()> callback) = 0;
  virtual void finish() = 0;
};

struct Request {
  std::string method;
  std::string target;  // as sent: path and query
  std::string path;    // without the query, still percent-encoded
  std::string query;   // behind the '?', or empty
  Headers headers;
  std::map<std::string, std::string> params;  // the route's {name}s, decoded
  std::string body;                           // whole, unless the route streams
  std::shared_ptr<BodyReader> stream;         // only for routes that stream
  std::string peer;                           // "127.0.0.1:51234"
  bool tls = false;
  std::string id;  // a UUID made by the server

  const std::string& param(const std::string& name) const { return params.at(name); }
};

struct Response {
  int status = 200;
  Headers headers;
  std::string body;
  // When set, `body` is ignored and the answer is chunked: called once on a worker thread after the
  // head was sent, it may keep the stream and return at once.
  std::function<void(std::shared_ptr<ResponseStream>)> stream;
};

std::string_view reason_phrase(int status);

}  // namespace renga::http
