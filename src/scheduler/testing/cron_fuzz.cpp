// What a fuzzer feeds: any text as a schedule and as an app.json. What is taken must be due in the
// future, in a minute's first second, and in order. cron_fuzz_test.cpp runs it over mutations of
// its own. For libFuzzer: clang++ -std=c++2b -fsanitize=fuzzer,address,undefined -Isrc, with this
// file and the room's sources.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "scheduler/schedule.h"
#include "scheduler/wishes.h"

namespace {

using namespace renga;

void insist(bool holds) {
  if (!holds) std::abort();
}

constexpr const char* zones[] = {"UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const auto schedule = scheduler::Schedule::parse(input, zones[data[0] % std::size(zones)])) {
    auto at = from_micros(1'774'700'000'000'000 + data[0] * std::int64_t{86'400'000'000});
    for (int i = 0; i < 3; ++i) {
      const auto next = schedule->next(at);
      if (!next) break;
      insist(*next > at && to_micros(*next) % 60'000'000 == 0);
      at = *next;
    }
  } else {
    insist(schedule.error().kind == Kind::invalid && !schedule.error().message.empty());
  }
  const auto wishes = scheduler::wishes_of(input, data[0] % 2 == 0 ? "review" : "");
  if (wishes.errors.empty())
    for (const auto& wish : wishes.all)
      insist(!wish.command.empty() && scheduler::Schedule::parse(wish.schedule, wish.time_zone));
  (void)scheduler::Schedule::parse("@daily", input);
  return 0;
}
