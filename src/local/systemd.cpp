#include "local/systemd.h"

#include <fmt/format.h>

#include "base/text.h"
#include "local/slot.h"

namespace renga::local {
namespace {

// In double quotes, where '%' and '\' and '"' mean something to systemd (systemd.syntax(7)).
std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (c == '%') result += '%';
    if (c == '\n')
      result += "\\n";
    else if (c == '\r')
      result += "\\r";
    else if (c == '\t')
      result += "\\t";
    else
      result += c;
  }
  return result + '"';
}

}  // namespace

std::map<std::string, std::string> systemd_units(const std::vector<Instance>& instances,
                                                 const Service& service) {
  std::map<std::string, std::string> units;
  std::string wants;
  for (const auto& instance : instances) {
    const auto unit = fmt::format("{}-{}.service", service.app, instance.name);
    wants += (wants.empty() ? "" : " ") + unit;
    auto& text = units[unit];
    text = fmt::format(
        "[Unit]\nPartOf={}.target\nStopWhenUnneeded=yes\nAfter=network.target\n\n"
        "[Service]\nUser={}\nWorkingDirectory={}\n",
        service.app, service.user, text::replace_all(service.directory.string(), "%", "%%"));
    for (const auto& [name, value] : environment_of(instance, service.environment))
      text += fmt::format("Environment={}\n", in_quotes(name + "=" + value));
    // Environment variables are the shell's to expand: systemd must not, hence "$$".
    text += fmt::format(
        "ExecStart=/bin/sh -c {}\nRestart=always\nRestartSec=1\nTimeoutStopSec=30\n"
        "KillMode=mixed\nSyslogIdentifier={}-{}\n",
        text::replace_all(in_quotes(instance.command), "$", "$$"), service.app, instance.name);
  }
  units[service.app + ".target"] =
      fmt::format("[Unit]\nWants={}\n\n[Install]\nWantedBy=multi-user.target\n", wants);
  return units;
}

}  // namespace renga::local
