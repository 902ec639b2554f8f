#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "net/tls_table.h"

namespace renga::net {

namespace {

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

std::unique_ptr<BIO, FreeBio> reader(const std::string& pem) {
  return std::unique_ptr<BIO, FreeBio>(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

// OpenSSL would ask for one on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

std::string reason() {
  char text[256] = "no reason given";
  if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

}  // namespace

std::shared_ptr<const UsableCertificate> UsableCertificate::read(const NamedCertificate& from,
                                                                 std::string& problem) {
  ERR_clear_error();
  auto usable = std::make_shared<UsableCertificate>();
  const auto chain = reader(from.chain);
  const auto key = reader(from.key);
  usable->own = PEM_read_bio_X509(chain.get(), nullptr, no_passphrase, nullptr);
  usable->key = PEM_read_bio_PrivateKey(key.get(), nullptr, no_passphrase, nullptr);
  usable->rest = sk_X509_new_null();
  if (usable->own == nullptr || usable->key == nullptr || usable->rest == nullptr ||
      X509_check_private_key(usable->own, usable->key) != 1) {
    problem = reason();
    return nullptr;
  }
  while (auto* next = PEM_read_bio_X509(chain.get(), nullptr, no_passphrase, nullptr)) {
    sk_X509_push(usable->rest, next);
  }
  ERR_clear_error();  // the end of the text is an error to PEM_read_bio
  return usable;
}

UsableCertificate::~UsableCertificate() {
  X509_free(own);
  EVP_PKEY_free(key);
  sk_X509_pop_free(rest, X509_free);
}

TlsCertificates::TlsCertificates(const std::vector<NamedCertificate>& certificates,
                                 std::vector<std::string>& refused)
    : state_(std::make_unique<State>()) {
  for (const auto& one : certificates) {
    std::string problem;
    const auto usable = UsableCertificate::read(one, problem);
    if (!usable) {
      refused.push_back("the certificate for " +
                        (one.names.empty() ? "any other host" : one.names.front()) +
                        " cannot be used: " + problem);
      continue;
    }
    for (const auto& name : one.names) state_->by_name.emplace(name, usable);
    if (!state_->fallback) state_->fallback = usable;
  }
}

TlsCertificates::~TlsCertificates() = default;

const UsableCertificate* TlsCertificates::State::find(std::string_view host) const {
  std::string name(host.substr(0, 253));
  for (auto& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  if (name.ends_with('.')) name.pop_back();
  if (const auto exact = by_name.find(name); exact != by_name.end()) return exact->second.get();
  // RFC 6125 6.4.3: the star stands for the left-most label alone.
  if (const auto dot = name.find('.'); dot != std::string::npos) {
    const auto wildcard = by_name.find("*" + name.substr(dot));
    if (wildcard != by_name.end()) return wildcard->second.get();
  }
  return fallback.get();
}

}  // namespace renga::net
