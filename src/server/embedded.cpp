#include "server/embedded.h"

#include <stdexcept>

#include "crypto/digest.h"
#include "releases/archive.h"
#include "server/data_directory.h"

// Made by renga_embed (cmake/embed.cmake).
extern "C" {
extern const char renga_embedded_init[];
extern const char renga_embedded_init_end[];
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

}  // namespace

std::string_view embedded_init() { return between(renga_embedded_init, renga_embedded_init_end); }
std::string_view embedded_buildpacks() {
  return between(renga_embedded_buildpacks, renga_embedded_buildpacks_end);
}

std::string_view embedded_stacks() {
  return between(renga_embedded_stacks, renga_embedded_stacks_end);
}

fs::path unpack_embedded(const fs::path& data_directory) {
  const auto init = data_directory / "bin/renga-init";
  if (read_file(init) != embedded_init()) write_file(init, embedded_init(), 0755);

  // Each version has a folder of its own, so that a build that runs keeps the buildpacks it began
  // with.
  const auto buildpacks = data_directory / "buildpacks";
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

}  // namespace renga::server
