#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "cli/answers.h"
#include "cli/commands/commands.h"
#include "os/process.h"

namespace renga::cli {
namespace {

// "/" parts a subject's members from each other.
std::string member(std::string_view name, const std::string& value) {
  if (value.empty()) return {};
  std::string escaped;
  for (const char c : value) {
    if (c == '/' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return fmt::format("/{}={}", name, escaped);
}

bool is_host(std::string_view name) {
  return !name.empty() && name.size() <= 253 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '*';
  });
}

Result<int> run(Context& context) {
  if (context.arguments.empty() || !is_host(context.arguments[0]))
    return fail(Kind::invalid, "Which host name? `renga certs:generate www.example.com`.");
  const auto& host = context.arguments[0];
  const bool self_signed = context.has("selfsigned");
  auto subject = context.flag("subject");
  if (subject.empty())
    subject = member("C", context.flag("country")) + member("ST", context.flag("area")) +
              member("L", context.flag("city")) + member("O", context.flag("owner")) +
              member("CN", host);

  const auto key_file = host + ".key";
  const auto result_file = host + (self_signed ? ".crt" : ".csr");
  std::vector<std::string> arguments{
      "openssl",   "req",     "-new",    "-newkey", "rsa:2048",
      "-nodes",    "-sha256", "-keyout", key_file,  "-out",
      result_file, "-subj",   subject,   "-addext", "subjectAltName=DNS:" + host};
  if (context.has("keysize")) arguments[4] = "rsa:" + context.flag("keysize");
  if (self_signed) arguments.insert(arguments.end(), {"-x509", "-days", "365"});
  const auto done = os::run({.argv = arguments, .directory = context.surroundings.directory});
  if (done.status != 0)
    return fail(Kind::invalid, fmt::format("openssl could not make it:\n{}", done.err));

  std::string verb = "add";
  const auto endpoints = TRY(TRY(context.platform())->get(TRY(context.path("/sni-endpoints"))));
  for (const auto& one : endpoints.as_array())
    for (const auto& name : one.at("ssl_cert").at("cert_domains").as_array())
      if (name.as_string() == host) verb = "update";
  if (self_signed) {
    context.terminal.say("Your key and self-signed certificate have been generated.\nNext, run:");
    context.terminal.say(fmt::format("$ renga certs:{} {} {}", verb, result_file, key_file));
  } else {
    context.terminal.say("Your key and certificate signing request have been generated.");
    context.terminal.say(fmt::format(
        "Submit the CSR in '{}' to your preferred certificate authority.\nWhen you've received "
        "your certificate, run:\n$ renga certs:{} CERTFILE {}",
        result_file, verb, key_file));
  }
  return 0;
}

}  // namespace

Command certs_generate() {
  return {
      .name = "certs:generate",
      .usage = "HOSTNAME",
      .summary = "make a key and a CSR, or a self-signed certificate",
      .help = R"(Writes HOSTNAME.key and HOSTNAME.csr (or .crt) into this directory, with openssl.
Nothing is sent anywhere.)",
      .flags = {app_flag,
                {"selfsigned", 0, "", "a self-signed certificate instead of a CSR"},
                {"keysize", 0, "BITS", "of the RSA key (default 2048)"},
                {"owner", 0, "NAME", "the organization"},
                {"country", 0, "CODE", "of the owner, two letters"},
                {"area", 0, "NAME", "the state or province"},
                {"city", 0, "NAME", "of the owner"},
                {"subject", 0, "TEXT", "the whole subject, instead of all these"},
                {"now", 0, "", "ask nothing; nothing is asked anyway"}},
      .run = run};
}

}  // namespace renga::cli
