// Routes: which calls there are, and how a method and a path find theirs.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/call.h"

namespace renga::api {

// How a route is spoken to.
enum class Form {
  json,    // the Platform API: versions, tokens, rate limits, ETags
  stream,  // a capability URL; the answer goes out as its room made it
  upload,  // a capability URL whose body is read as it comes
  git,     // as json, but git asks for credentials by a challenge and shows plain text
};

// What answering takes.
enum class Work {
  any,    // it may change something, ask another process or read files: on a worker's thread
  reads,  // it only reads the store: one state of it, and nobody's write is waited for
  quick,  // it reads a few rows of the store: on the connection's own thread (http/server.h)
};

struct RouteRow {
  std::string_view method;  // "ANY": all of them
  // "/apps/{app}/releases/{release}"; "{rest...}" at the end takes whatever follows, or nothing, as
  // the parameter `rest` ("/a/b", encoded).
  std::string_view path;
  Handler handler;
  Needs needs;
  Form form = Form::json;
  Work work = Work::any;

  bool streams_body() const {
    return form == Form::upload || (form == Form::git && method == "POST");
  }
};

// The list: what is not in it is not served.
std::span<const RouteRow> routes();

// routes(), with the paths cut up. Immutable: safe from any thread.
class RouteTable {
 public:
  RouteTable();

  struct Match {
    const RouteRow* row = nullptr;  // none: no such path, or not with this method
    std::map<std::string, std::string> params;
    std::vector<std::string> methods;  // that this path has, when this one is not among them
  };
  // HEAD finds what GET would.
  Match find(std::string_view method, std::string_view path) const;

 private:
  struct Segment {
    bool param = false;
    std::string text;    // literal, or the parameter's name
    std::string suffix;  // behind the parameter: ".git"
  };
  struct Compiled {
    const RouteRow* row;
    std::vector<Segment> segments;
    bool takes_rest;
  };
  std::vector<Compiled> compiled_;
};

}  // namespace renga::api
