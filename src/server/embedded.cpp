#include "server/embedded.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <stdexcept>

#include "crypto/digest.h"
#include "releases/archive.h"
#include "server/data_directory.h"

// Made by renga_embed (cmake/embed.cmake).
extern "C" {
extern const char renga_embedded_init[];
extern const char renga_embedded_init_end[];
extern const char renga_embedded_spawner[];
extern const char renga_embedded_spawner_end[];
extern const char renga_embedded_buildpacks[];
extern const char renga_embedded_buildpacks_end[];
extern const char renga_embedded_stacks[];
extern const char renga_embedded_stacks_end[];
}

namespace renga::server {
namespace fs = std::filesystem;

namespace {

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

// Nobody looks at it again: the pages it lies on need not stay in memory. They come from the file
// when somebody does.
void let_go(std::string_view carried) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(carried.data());
  const auto first = (begin + page - 1) / page * page;
  const auto last = (begin + carried.size()) / page * page;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

void unpack_program(const fs::path& program, std::string_view carried) {
  if (read_file(program) != carried) write_file(program, carried, 0755);
  let_go(carried);
}

// Each version has a folder of its own, so that a build that runs keeps the buildpacks it began
// with.
fs::path unpack_buildpacks(const fs::path& buildpacks) {
  const auto version = crypto::sha256(embedded_buildpacks()).substr(0, 16);
  if (fs::exists(buildpacks / version)) return buildpacks / version;

  fs::create_directories(buildpacks);
  const auto beside = buildpacks / (version + ".new");
  const auto archive = buildpacks / (version + ".tar");
  fs::remove_all(beside);
  fs::create_directories(beside);
  write_file(archive, embedded_buildpacks(), 0600);
  const auto unpacked = releases::unpack(archive, beside);
  if (!unpacked) throw std::runtime_error("embedded buildpacks: " + unpacked.error().message);
  fs::remove(archive);
  fs::rename(beside, buildpacks / version);
  return buildpacks / version;
}

}  // namespace

std::string_view embedded_init() { return between(renga_embedded_init, renga_embedded_init_end); }
std::string_view embedded_spawner() {
  return between(renga_embedded_spawner, renga_embedded_spawner_end);
}
std::string_view embedded_buildpacks() {
  return between(renga_embedded_buildpacks, renga_embedded_buildpacks_end);
}

std::string_view embedded_stacks() {
  return between(renga_embedded_stacks, renga_embedded_stacks_end);
}

fs::path unpack_embedded(const fs::path& data_directory) {
  unpack_program(data_directory / "bin/renga-init", embedded_init());
  unpack_program(data_directory / "bin/renga-spawner", embedded_spawner());
  auto buildpacks = unpack_buildpacks(data_directory / "buildpacks");
  let_go(embedded_buildpacks());
  return buildpacks;
}

}  // namespace renga::server
