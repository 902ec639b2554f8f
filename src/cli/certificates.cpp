#include "cli/certificates.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "cli/answers.h"

namespace renga::cli {

namespace json = boost::json;

namespace {

Result<std::string> read_file(const Context& context, const std::string& name) {
  std::ifstream file(context.surroundings.directory / name, std::ios::binary);
  std::string content(std::istreambuf_iterator<char>(file), {});
  if (!file) return fail(Kind::invalid, fmt::format("The file {} cannot be read.", name));
  return content;
}

std::string joined(const json::value& list) {
  std::string all;
  for (const auto& one : list.as_array()) {
    if (!all.empty()) all += ", ";
    all += one.as_string().c_str();
  }
  return all;
}

}  // namespace

Result<json::value> certificate_of(Context& context) {
  auto* platform = TRY(context.platform());
  const auto path = TRY(context.path("/sni-endpoints"));
  if (context.has("name")) return platform->get(path + "/" + context.flag("name"));
  const auto all = TRY(platform->get(path));
  const auto& list = all.as_array();
  if (list.empty())
    return fail(Kind::not_found,
                fmt::format("{} has no certificates. Add one: `renga certs:add CHAIN KEY`.",
                            TRY(context.app())));
  if (list.size() > 1)
    return fail(Kind::invalid,
                "The app has several certificates: say which one with --name. `renga certs` lists "
                "them.");
  return list[0];
}

void show_certificate(Context& context, const json::value& endpoint) {
  const auto& certificate = endpoint.at("ssl_cert");
  context.terminal.line("=== " + text_at(endpoint, "name"));
  context.terminal.out(columns({{"Common Name(s):", joined(certificate.at("cert_domains"))},
                                {"Expires At:", when(text_at(certificate, "expires_at"))},
                                {"Issuer:", text_at(certificate, "issuer")},
                                {"Starts At:", when(text_at(certificate, "starts_at"))},
                                {"Subject:", text_at(certificate, "subject")}}));
  context.terminal.line(flag_at(certificate, "ca_signed?")
                            ? "SSL certificate is verified by a root authority."
                        : flag_at(certificate, "self_signed?") ? "SSL certificate is self signed."
                                                               : "SSL certificate is not trusted.");
}

Result<json::value> certificate_body(Context& context, const std::string& chain_file,
                                     const std::string& key_file) {
  return json::value(json::object{{"certificate_chain", TRY(read_file(context, chain_file))},
                                  {"private_key", TRY(read_file(context, key_file))}});
}

Result<void> confirm_with_app(Context& context, const std::string& what) {
  const auto name = TRY(context.app());
  auto confirmed = context.flag("confirm");
  if (confirmed.empty())
    confirmed = context.terminal.ask(fmt::format(" !    {} Type {} to go on: ", what, name), false);
  if (confirmed == name) return {};
  return fail(Kind::invalid,
              fmt::format("\"{}\" is not {}. Nothing was changed.", confirmed, name));
}

}  // namespace renga::cli
