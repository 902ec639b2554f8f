// What other commands ask of a `renga local` that runs.
#include <fmt/format.h>

#include "base/text.h"
#include "local/running.h"

namespace renga::local {
namespace {

std::string_view state_of(const Slot& slot) {
  switch (slot.state) {
    case Slot::State::running:
      return slot.holder != 0 ? "attached" : "up";
    case Slot::State::stopping:
      return "stopping";
    case Slot::State::over:
      return "over";
    case Slot::State::waiting:
      return slot.said_waiting ? "waiting" : "down";
  }
  return "down";
}

}  // namespace

Control::Answer Running::answer(std::string_view said, int holder) {
  const auto [verb, name] = text::split_once(said, ' ');
  if (verb == "attach") return lend(name, holder);
  auto text = verb == "ps" ? list() : verb == "restart" && !ending_ ? restart(name) : std::string();
  return {text.empty() ? "none\n" : text};
}

std::string Running::list() const {
  std::string text;
  for (const auto& slot : slots_)
    text += fmt::format(
        "{} {} {} {} {}\n", slot.instance.name, state_of(slot),
        slot.pid > 0 ? std::to_string(slot.pid) : "-",
        slot.instance.port > 0 ? std::to_string(slot.instance.port) : "-",
        std::chrono::duration_cast<std::chrono::seconds>(Steady::now() - slot.since).count());
  return text;
}

std::string Running::restart(std::string_view name) {
  std::string text;
  for (auto& slot : slots_) {
    if (slot.is_job || (slot.instance.name != name && slot.instance.type != name)) continue;
    slot.quick_deaths = 0;
    stop(slot, std::chrono::milliseconds(0));
    text.append(slot.instance.name).append("\n");
  }
  return text;
}

// A terminal goes to whoever attaches, with what stands on its last line: a prompt, most often.
Control::Answer Running::lend(std::string_view name, int holder) {
  for (auto& slot : slots_) {
    if (slot.instance.name != name) continue;
    if (slot.holder != 0) return {fmt::format("Somebody is attached to {} already.", name)};
    if (slot.pid < 0 || !slot.output)
      return {fmt::format("{} does not run now. `renga local:ps` shows what does.", name)};
    if (plan_.streams != Streams::terminal)
      return {
          fmt::format("{} has no terminal, since `renga local` was not started at one. Start "
                      "it with --tty.",
                      name)};
    slot.holder = holder;
    set_echo(slot.output.get(), Echo::on);
    Control::Answer answer{std::string(slot.lines.pending()), slot.output.get()};
    if (answer.text.empty()) answer.text.push_back('\r');  // a packet of nothing is none
    slot.lines = {};
    say(slot, "is attached to");
    return answer;
  }
  return {"none\n"};
}

void Running::take_back(int holder) {
  for (auto& slot : slots_) {
    if (slot.holder != holder) continue;
    slot.holder = 0;
    set_echo(slot.output.get(), Echo::off);
    if (plan_.streams == Streams::terminal) copy_window_size(plan_.out, slot.output.get());
    say(slot, "is no longer attached to");
  }
}

}  // namespace renga::local
