// A self-signed certificate for tests, for localhost and 127.0.0.1, made anew for each program run.
#pragma once

#include <string>

namespace renga::net::testing {

struct Certificate {
  std::string certificate;  // PEM; also the CA to trust
  std::string key;          // PEM
};

Certificate make_certificate();

}  // namespace renga::net::testing
