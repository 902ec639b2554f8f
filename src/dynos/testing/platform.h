// The rooms below dynos, real, over a store in memory and a scratch directory; with one app and one
// slug.
#pragma once

#include "accounts/migrations.h"
#include "apps/apps.h"
#include "apps/domains.h"
#include "apps/migrations.h"
#include "apps/uid_ranges.h"
#include "dynos/formation.h"
#include "dynos/migrations.h"
#include "logs/log_store.h"
#include "logs/output_streams.h"
#include "releases/migrations.h"
#include "releases/releases.h"
#include "releases/slugs.h"
#include "releases/testing/tarball.h"

namespace renga::dynos {

class Platform {
 public:
  explicit Platform(Clock& the_clock) : clock(the_clock) {
    ada = people.create("ada@example.com", "Ada", false).value();
    sushi = apps.create(ada, {"sushi", ""}).value();
    releases.append_first(sushi.id, ada.id);
  }

  releases::Slug slug(releases::ProcessTypes types, const std::string& content = "hello") {
    const auto directory = scratch.path / ("build-" + std::to_string(++builds));
    releases::write_file(directory / "hello.txt", content);
    releases::NewSlug wanted;
    wanted.app = sushi.id;
    wanted.stack = "host";
    wanted.commit = "e6442b7c0a";
    wanted.process_types = std::move(types);
    return slugs.create(wanted, directory).value();
  }
  releases::Release deploy(const releases::Slug& slug) {
    releases::NewRelease wanted;
    wanted.description = "Deploy e6442b7c";
    wanted.user = ada.id;
    wanted.slug = slug.id;
    wanted.deploy = true;
    return releases.append(sushi.id, wanted);
  }
  std::string log() {
    logs.settle();
    std::string text;
    for (const auto& placed : logs.last(sushi.id, {}, 1'500)) text += format(placed.line) + "\n";
    return text;
  }

  Clock& clock;
  releases::Scratch scratch;
  int builds = 0;
  struct Tables : store::Database {
    Tables() : store::Database(":memory:") {
      migrate(accounts::migrations());
      migrate(apps::migrations());
      migrate(releases::migrations());
      migrate(dynos::migrations());
    }
  } database;
  accounts::Accounts people{database, clock};
  apps::Apps apps{database, clock, {"host"}};
  apps::Domains domains{database, clock, "localhost"};
  apps::UidRanges uids{database};
  releases::Slugs slugs{database, clock, scratch.path / "slugs"};
  crypto::SecretBox box;
  releases::Releases releases{database, clock, apps, slugs, box};
  Formation formation{database, clock};
  logs::LogStore logs{{.directory = scratch.path / "logs"}};
  logs::OutputStreams outputs{scratch.path / "outputs"};
  accounts::Account ada;
  apps::App sushi;
};

}  // namespace renga::dynos
