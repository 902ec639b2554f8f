#include "crypto/x509.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <stdexcept>

namespace renga::crypto::x509 {
namespace {

[[noreturn]] void refuse(const std::string& attempted) {
  char reason[256] = "no reason given";
  if (const auto code = ERR_get_error(); code != 0) ERR_error_string_n(code, reason, sizeof reason);
  ERR_clear_error();
  throw std::runtime_error("OpenSSL could not " + attempted + ": " + reason);
}
void must(bool ok, const char* attempted) {
  if (!ok) refuse(attempted);
}

struct FreeMore {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(ASN1_TIME* time) const { ASN1_TIME_free(time); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeMore>;

void set_time(ASN1_TIME* field, Time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  must(ASN1_TIME_set(field, static_cast<std::time_t>(seconds)) != nullptr, "set a validity");
}

// From OpenSSL's own notation; only ever of constants, since user text could carry its syntax.
void extend(X509* certificate, X509* issuer, int kind, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, kind, value));
  must(extension && X509_add_ext(certificate, extension.get(), -1) == 1, "add an extension");
}

void add_name(GENERAL_NAMES* all, const std::string& name) {
  unsigned char address[16];
  int size = 0;
  if (inet_pton(AF_INET, name.c_str(), address) == 1)
    size = 4;
  else if (inet_pton(AF_INET6, name.c_str(), address) == 1)
    size = 16;

  auto* entry = GENERAL_NAME_new();
  auto* text = size > 0 ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
  must(entry && text && sk_GENERAL_NAME_push(all, entry) > 0, "name a server");
  GENERAL_NAME_set0_value(entry, size > 0 ? GEN_IPADD : GEN_DNS, text);
  must(ASN1_STRING_set(text, size > 0 ? static_cast<const void*>(address) : name.data(),
                       size > 0 ? size : static_cast<int>(name.size())) == 1,
       "name a server");
}

Cert blank(EVP_PKEY* key, const std::string& common_name, Time from, Time until) {
  Cert certificate(X509_new());
  must(certificate && X509_set_version(certificate.get(), X509_VERSION_3) == 1,
       "make a certificate");

  // 159 random bits: positive, and never the same twice under one authority.
  const Owned<BIGNUM> serial(BN_new());
  must(serial && BN_rand(serial.get(), 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate.get())) != nullptr,
       "number a certificate");

  set_time(X509_getm_notBefore(certificate.get()), from);
  set_time(X509_getm_notAfter(certificate.get()), until);
  must(X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate.get()), NID_commonName,
                                  MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(common_name.data()),
                                  static_cast<int>(common_name.size()), -1, 0) == 1,
       "name a certificate");
  must(X509_set_pubkey(certificate.get(), key) == 1, "put a key into a certificate");
  return certificate;
}

Owned<BIO> reader(std::string_view text) {
  Owned<BIO> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  must(bio != nullptr, "read a PEM text");
  return bio;
}

template <class Write>
std::string written(Write write) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  must(bio && write(bio.get()) == 1, "write a PEM text");
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &bytes);
  return std::string(bytes, static_cast<std::size_t>(size));
}

// Whoever runs the server is not there to type one, and OpenSSL would ask on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

}  // namespace

Key make_key() {
  Key key(EVP_EC_gen("P-256"));
  must(key != nullptr, "make a P-256 key");
  return key;
}

Cert make_authority(EVP_PKEY* key, const std::string& name, Time from, Time until) {
  auto certificate = blank(key, name, from, until);
  auto* raw = certificate.get();
  must(X509_set_issuer_name(raw, X509_get_subject_name(raw)) == 1, "name an issuer");
  extend(raw, raw, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  extend(raw, raw, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(raw, raw, NID_subject_key_identifier, "hash");
  must(X509_sign(raw, key, EVP_sha256()) > 0, "sign a certificate");
  return certificate;
}

namespace {

// What every certificate of an authority's has; `use` is the extended key usage.
Cert issued(EVP_PKEY* key, const std::string& common_name, const char* use, Time from, Time until,
            X509* authority) {
  auto certificate = blank(key, common_name, from, until);
  auto* raw = certificate.get();
  must(X509_set_issuer_name(raw, X509_get_subject_name(authority)) == 1, "name an issuer");
  extend(raw, authority, NID_basic_constraints, "critical,CA:FALSE");
  extend(raw, authority, NID_key_usage, "critical,digitalSignature");
  extend(raw, authority, NID_ext_key_usage, use);
  extend(raw, authority, NID_subject_key_identifier, "hash");
  extend(raw, authority, NID_authority_key_identifier, "keyid:always");
  return certificate;
}

}  // namespace

Cert make_server(EVP_PKEY* key, const std::vector<std::string>& names, Time from, Time until,
                 X509* authority, EVP_PKEY* authority_key) {
  if (names.empty()) throw std::invalid_argument("a server certificate needs at least one name");
  // Clients read subjectAltName only; the common name is for people, and holds 64 characters.
  const auto& first = names.front();
  auto certificate =
      issued(key, first.size() <= 64 ? first : "renga", "serverAuth", from, until, authority);
  auto* raw = certificate.get();

  const Owned<GENERAL_NAMES> all(GENERAL_NAMES_new());
  must(all != nullptr, "name a server");
  for (const auto& name : names) add_name(all.get(), name);
  must(X509_add1_ext_i2d(raw, NID_subject_alt_name, all.get(), 0, X509V3_ADD_DEFAULT) == 1,
       "name a server");
  must(X509_sign(raw, authority_key, EVP_sha256()) > 0, "sign a certificate");
  return certificate;
}

Cert make_client(EVP_PKEY* key, const std::string& common_name, Time from, Time until,
                 X509* authority, EVP_PKEY* authority_key) {
  auto certificate = issued(key, common_name, "clientAuth", from, until, authority);
  must(X509_sign(certificate.get(), authority_key, EVP_sha256()) > 0, "sign a certificate");
  return certificate;
}

std::string pem(X509* certificate) {
  return written([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string pem(EVP_PKEY* key) {
  return written([&](BIO* bio) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

Cert read_certificate(std::string_view text) {
  Cert certificate(PEM_read_bio_X509(reader(text).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return certificate;
}

Key read_key(std::string_view text) {
  Key key(PEM_read_bio_PrivateKey(reader(text).get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  return key;
}

Time valid_until(X509* certificate) {
  std::tm broken{};
  must(ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &broken) == 1, "read a validity");
  return Time(std::chrono::seconds(timegm(&broken)));
}

std::vector<std::string> names(X509* certificate) {
  std::vector<std::string> all;
  const Owned<GENERAL_NAMES> entries(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; entries && i < sk_GENERAL_NAME_num(entries.get()); ++i) {
    int kind = 0;
    const auto* text = static_cast<const ASN1_STRING*>(
        GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(entries.get(), i), &kind));
    const auto* bytes = ASN1_STRING_get0_data(text);
    const auto size = ASN1_STRING_length(text);
    if (kind == GEN_DNS) {
      all.emplace_back(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
    } else if (kind == GEN_IPADD && (size == 4 || size == 16)) {
      char address[INET6_ADDRSTRLEN] = "";
      inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, address, sizeof address);
      all.emplace_back(address);
    }
  }
  std::ranges::sort(all);
  return all;
}

bool is_signed_by(X509* certificate, X509* authority) {
  const bool is = X509_verify(certificate, X509_get0_pubkey(authority)) == 1;
  ERR_clear_error();
  return is;
}

bool belongs_to(X509* certificate, EVP_PKEY* key) {
  return EVP_PKEY_eq(X509_get0_pubkey(certificate), key) == 1;
}

}  // namespace renga::crypto::x509
