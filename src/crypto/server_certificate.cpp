#include "crypto/server_certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "base/text.h"
#include "crypto/x509.h"

namespace renga::crypto {
namespace {

constexpr std::size_t longest = 1024 * 1024;  // characters of either text
constexpr std::size_t most_certificates = 20;
constexpr int least_rsa_bits = 2048;

struct FreeMore {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
  void operator()(STACK_OF(X509) * stack) const { sk_X509_free(stack); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeMore>;

Owned<BIO> reader(std::string_view text) {
  return Owned<BIO>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Remembers that somebody asked: then the key is encrypted.
int passphrase(char*, int, int, void* asked) {
  if (asked != nullptr) *static_cast<bool*>(asked) = true;
  return 0;
}

Result<std::vector<x509::Cert>> read_chain(std::string_view text) {
  if (text.size() > longest)
    return fail(Kind::invalid, "The certificate chain is longer than 1 MiB.");
  std::vector<x509::Cert> all;
  const auto bio = reader(text);
  while (auto* next = PEM_read_bio_X509(bio.get(), nullptr, passphrase, nullptr)) {
    all.emplace_back(next);
    if (all.size() > most_certificates)
      return fail(Kind::invalid, "The certificate chain has more than 20 certificates.");
  }
  const auto why = ERR_GET_REASON(ERR_peek_last_error());
  ERR_clear_error();
  if (why != PEM_R_NO_START_LINE)
    return fail(Kind::invalid,
                "The certificate chain is damaged: certificate " + std::to_string(all.size() + 1) +
                    " of it is not readable PEM. Copy the file again, whole and unchanged.");
  if (all.empty())
    return fail(Kind::invalid,
                "There is no certificate in the certificate chain. Give it as PEM: text that "
                "begins with -----BEGIN CERTIFICATE-----.");
  return all;
}

Result<x509::Key> read_private_key(std::string_view text) {
  if (text.size() > longest) return fail(Kind::invalid, "The private key is longer than 1 MiB.");
  bool asked = false;
  x509::Key key(PEM_read_bio_PrivateKey(reader(text).get(), nullptr, passphrase, &asked));
  ERR_clear_error();
  if (asked)
    return fail(Kind::invalid,
                "The private key is encrypted with a passphrase. Remove it first: openssl pkey -in "
                "KEY -out NEW.");
  if (!key)
    return fail(Kind::invalid,
                "There is no readable private key. Give it as PEM: text that begins with "
                "-----BEGIN PRIVATE KEY-----, RSA PRIVATE KEY or EC PRIVATE KEY.");
  const int kind = EVP_PKEY_get_base_id(key.get());
  if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC && kind != EVP_PKEY_ED25519)
    return fail(Kind::invalid,
                "The private key is of a kind that clients do not accept. Use RSA "
                "with 2048 bits or more, or an elliptic curve.");
  if (kind == EVP_PKEY_RSA && EVP_PKEY_get_bits(key.get()) < least_rsa_bits)
    return fail(Kind::invalid, "The private key is too weak: RSA needs 2048 bits or more.");
  return key;
}

std::string line_of(const X509_NAME* name) {
  char text[1024] = "";
  X509_NAME_oneline(name, text, sizeof text);
  return text::printable(text);
}

Time time_of(const ASN1_TIME* field) {
  std::tm broken{};
  if (ASN1_TIME_to_tm(field, &broken) != 1) return Time();
  return Time(std::chrono::seconds(timegm(&broken)));
}

bool issued(X509* issuer, X509* certificate) {
  const bool is = X509_check_issued(issuer, certificate) == X509_V_OK &&
                  x509::is_signed_by(certificate, issuer);
  ERR_clear_error();
  return is;
}

bool is_self_signed(X509* certificate) { return issued(certificate, certificate); }

// The system's authorities are read anew each time: rare, and they change with its packages.
bool trusted_by_system(const std::vector<x509::Cert>& chain) {
  const Owned<X509_STORE> store(X509_STORE_new());
  const Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
  const Owned<STACK_OF(X509)> rest(sk_X509_new_null());
  bool trusted = false;
  if (store && context && rest && X509_STORE_set_default_paths(store.get()) == 1) {
    for (std::size_t i = 1; i < chain.size(); ++i) sk_X509_push(rest.get(), chain[i].get());
    trusted = X509_STORE_CTX_init(context.get(), store.get(), chain[0].get(), rest.get()) == 1 &&
              X509_verify_cert(context.get()) == 1;
  }
  ERR_clear_error();
  return trusted;
}

std::vector<std::string> host_names(X509* certificate) {
  std::vector<std::string> names;
  for (auto& name : x509::names(certificate)) names.push_back(text::lower(name));
  if (!names.empty()) return names;
  char common[256] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common,
                            sizeof common);
  if (*common) names.push_back(text::lower(text::printable(common)));
  return names;
}

}  // namespace

Result<ServerCertificate> check_server_certificate(std::string_view chain_text,
                                                   std::string_view key_text, Time now) {
  ERR_clear_error();
  auto all = TRY(read_chain(chain_text));
  const auto key = TRY(read_private_key(key_text));

  const auto own = std::ranges::find_if(
      all, [&](const x509::Cert& one) { return x509::belongs_to(one.get(), key.get()); });
  ERR_clear_error();
  if (own == all.end())
    return fail(Kind::invalid,
                "The private key does not belong to " +
                    std::string(all.size() == 1 ? "the certificate"
                                                : "any of the certificates in the chain") +
                    " (" + line_of(X509_get_subject_name(all[0].get())) +
                    "). Give the key that it was requested with.");
  if (x509::valid_until(own->get()) <= now)
    return fail(Kind::invalid, "The certificate expired on " +
                                   rfc3339(x509::valid_until(own->get())) +
                                   ". Give one that is still valid.");
  if (host_names(own->get()).empty())
    return fail(Kind::invalid,
                "The certificate names no host: it has neither a subjectAltName nor "
                "a common name.");

  std::vector<x509::Cert> chain;
  chain.push_back(std::move(*own));
  all.erase(own);
  while (true) {
    const auto next = std::ranges::find_if(
        all, [&](const x509::Cert& one) { return issued(one.get(), chain.back().get()); });
    if (next == all.end()) break;
    chain.push_back(std::move(*next));
    all.erase(next);
  }
  // The same certificate twice does no harm.
  std::erase_if(all, [&](const x509::Cert& one) {
    return std::ranges::any_of(
        chain, [&](const x509::Cert& taken) { return X509_cmp(one.get(), taken.get()) == 0; });
  });
  if (!all.empty())
    return fail(Kind::invalid,
                "The certificate chain has a certificate that signs none of the "
                "others: " +
                    line_of(X509_get_subject_name(all[0].get())) +
                    ". Leave it out, or add those between it and the server's own.");

  ServerCertificate checked{.chain = {}, .key = x509::pem(key.get())};
  for (const auto& one : chain) checked.chain += x509::pem(one.get());
  return checked;
}

CertificateFacts facts_of(const std::string& text) {
  const auto chain = read_chain(text);
  if (!chain) throw std::runtime_error("a stored certificate cannot be read any more");
  auto* own = chain->front().get();
  return {.names = host_names(own),
          .subject = line_of(X509_get_subject_name(own)),
          .issuer = line_of(X509_get_issuer_name(own)),
          .starts_at = time_of(X509_get0_notBefore(own)),
          .expires_at = time_of(X509_get0_notAfter(own)),
          .self_signed = is_self_signed(own),
          .ca_signed = trusted_by_system(*chain)};
}

bool covers(const std::vector<std::string>& names, std::string_view hostname) {
  const auto dot = hostname.find('.');
  return std::ranges::any_of(names, [&](const std::string& name) {
    if (name == hostname) return true;
    return name.starts_with("*.") && dot != std::string_view::npos &&
           name.substr(1) == hostname.substr(dot);
  });
}

}  // namespace renga::crypto
