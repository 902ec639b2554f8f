#include "server/server.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include "accounts/migrations.h"
#include "addons/migrations.h"
#include "api/api.h"
#include "apps/migrations.h"
#include "apps/uid_ranges.h"
#include "base/fault.h"
#include "base/locked.h"
#include "base/report.h"
#include "base/text.h"
#include "builds/migrations.h"
#include "crypto/private_ca.h"
#include "dynos/engines/engines.h"
#include "dynos/migrations.h"
#include "dynos/rollout.h"
#include "git/migrations.h"
#include "logs/migrations.h"
#include "os/descriptor_limit.h"
#include "os/machine.h"
#include "pipelines/migrations.h"
#include "releases/migrations.h"
#include "sandbox/stacks.h"
#include "scheduler/migrations.h"
#include "scheduler/scheduler.h"
#include "server/data_directory.h"
#include "server/drain_options.h"
#include "server/embedded.h"
#include "server/first_start.h"
#include "server/listening.h"
#include "server/metrics_endpoint.h"
#include "server/options.h"
#include "server/providers.h"
#include "server/route_feeder.h"
#include "server/sandboxes.h"
#include "setups/cron_jobs.h"
#include "setups/migrations.h"
#include "store/upgrade.h"
#include "webhooks/courier.h"
#include "webhooks/migrations.h"

namespace renga::server {
namespace {

constexpr std::size_t most_descriptors = 65'536;

std::pair<std::string, std::string> host_and_port(const std::string& endpoint) {
  const auto colon = endpoint.rfind(':');
  return {endpoint.substr(0, colon), endpoint.substr(colon + 1)};
}

void migrate(store::Database& database, Clock& clock, const std::filesystem::path& copies) {
  store::upgrade(database, clock,
                 {accounts::migrations(), apps::migrations(), logs::migrations(),
                  releases::migrations(), addons::migrations(), builds::migrations(),
                  git::migrations(), dynos::migrations(), pipelines::migrations(),
                  setups::migrations(), scheduler::migrations(), webhooks::migrations()},
                 copies);
}

// The names that the control endpoint's certificate is good for.
std::vector<std::string> certificate_names(const Options& options) {
  std::vector<std::string> names{"localhost", "127.0.0.1", "::1"};
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) == 0 && *host) names.emplace_back(host);
  for (const auto& name : {options.domain, host_and_port(options.listen).first})
    if (name != "0.0.0.0" && name != "[::]" && std::ranges::find(names, name) == names.end())
      names.push_back(name);
  return names;
}

std::string web_url_format(const std::string& http) {
  const auto port = host_and_port(http).second;
  return port == "80" ? "http://{host}/" : "http://{host}:" + port + "/";
}

// The same word that lets builds and dynos reach the private network lets control fetch from there.
http::Reach fetch_reach() {
  const char* allowed = std::getenv("RENGA_ALLOW_PRIVATE");
  return allowed != nullptr && std::string_view(allowed) == "1" ? http::Reach::anywhere
                                                                : http::Reach::public_addresses;
}

// Every object of control, in the order they are built; they go in the reverse order. What is
// needed before it exists is wired by callbacks, which nothing calls before run().
class Control {
 public:
  Control(const Options& options, DataDirectory directory,
          std::map<std::string, std::string> build_environment,
          logs::DrainCourierOptions drain_options)
      : directory_(std::move(directory)),
        buildpacks_(unpack_embedded(directory_.root())),
        box_(directory_ / "secret.key"),
        ca_(directory_.root()),
        database_(directory_ / "renga.db"),
        tables_((migrate(database_, clock_, directory_ / "upgrades"), true)),
        apps_(database_, clock_, sandbox::Stacks(directory_ / "stacks").names()),
        domains_(database_, clock_, options.domain),
        logs_({.directory = directory_ / "logs"}),
        outputs_(directory_ / "output"),
        sizes_(options.dyno_sizes),
        usage_(directory_ / "usage", clock_),
        webhook_sender_(webhooks::http_sender(
            {.destinations = drain_options.destinations, .ca_file = drain_options.ca_file})),
        drains_(database_, clock_, box_, logs_, std::move(drain_options)),
        slugs_(database_, clock_, directory_ / "slugs"),
        releases_(database_, clock_, apps_, slugs_, box_),
        spawner_(spawner_options(directory_)),
        freezer_(spawner_options(directory_)),
        engine_(dynos::local_engine(
            database_, clock_, uids_, slugs_, spawner_, logs_, outputs_,
            {.log_socket = directory_ / "run/dynos/log.sock",
             .sizes = &sizes_,
             .sleep_after = options.sleep_after,
             .put_away_after = options.put_away_after,
             .cycle_after = options.cycle_after,
             .cycle_from = options.cycle_from,
             .freezer = &freezer_,
             .logs_metrics =
                 [this](const Id<apps::App>& app) {
                   return features_.enabled_for("log-runtime-metrics").contains(app.value);
                 },
             .on_usage = [this](const Id<apps::App>& app,
                                const dynos::UsagePoint& point) { usage_.add(app, point); }})),
        formation_(database_, clock_, sizes_, {os::machine_memory(), options.overcommit}),
        reconciler_(database_, clock_, apps_, domains_, releases_, slugs_, formation_, *engine_,
                    logs_, outputs_),
        link_({.program = "/proc/self/exe",
               .directory = directory_ / "router",
               .http = options.http,
               .https = options.https,
               .secret_key = directory_ / "secret.key",
               .user = apps::UidRanges::router},
              router_events()),
        addresses_(link_.start()),
        builds_(database_, clock_, apps_, domains_, buildpack_installations_, slugs_, releases_,
                outputs_, logs_, spawner_,
                {.directory = directory_ / "builds",
                 .buildpacks_directory = buildpacks_,
                 .local_buildpacks = options.local_buildpacks,
                 .environment = std::move(build_environment),
                 .web_url_format = web_url_format(addresses_.http)}),
        repositories_(database_, clock_, apps_, builds_, outputs_,
                      {.directory = directory_ / "repositories",
                       .hook_socket = directory_ / "run/hook.sock",
                       .program = "/proc/self/exe",
                       .watch =
                           [this](const apps::App& app, const Id<releases::Release>& release,
                                  const std::function<bool()>& goes_on) {
                             return dynos::watch_rollout([&] { return engine_->dynos(app.id); },
                                                         release, goes_on);
                           }}),
        certificates_(ca_, sni_endpoints_, clock_, options.domain),
        feeder_(apps_, domains_, features_, releases_, reconciler_, *engine_, link_,
                options.https.empty() ? nullptr : &certificates_) {
    listen(options);
    if (!options.metrics.empty()) metrics_.emplace(options.metrics, link_);
    wire();
  }

  ~Control() { listening_.end(); }
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  enum class Ending { stop, restart };
  // Serves until SIGTERM or SIGINT, or until SIGUSR2, which leaves the router to the next of us.
  // The caller has blocked all three.
  Ending run(const sigset_t& ends) {
    const auto admin = ensure_admin(accounts_, authorizations_, directory_.root());
    slugs_.collect_garbage();
    reconciler_.start();
    builds_.resume();
    promotions_.resume();
    cron_jobs_.start();
    repositories_.start();
    drains_.start();
    webhook_courier_.start();
    scheduler_.start();
    feeder_.start();
    http_->start();
    providers_->start();
    app_setups_->start();
    announce();

    int signal = 0;
    ::sigwait(&ends, &signal);
    const auto ending = signal == SIGUSR2 ? Ending::restart : Ending::stop;
    report("server", signal == SIGUSR2  ? "restarting on SIGUSR2"
                     : signal == SIGINT ? "stopping on SIGINT"
                                        : "stopping on SIGTERM");
    http_->drain(std::chrono::seconds(5));
    providers_->stop();
    if (ending == Ending::stop) link_.stop();
    return ending;
  }

  // Options that have the next of us listen where we do, when the kernel chose that: callers have
  // the address. The router's ports are the router's, which goes on or hands them over.
  std::vector<std::string> chosen_ports(const Options& options) const {
    std::vector<std::string> more;
    const auto keep = [&](const char* option, const std::string& asked, const std::string& got) {
      const auto [host, port] = host_and_port(asked);
      if (port != "0") return;
      more.insert(more.end(), {option, host + ":" + host_and_port(got).second});
    };
    keep("--listen", options.listen, http_->address());
    if (metrics_) keep("--metrics", options.metrics, metrics_->address());
    return more;
  }

 private:
  router::RouterEvents router_events() {
    return {
        .on_request =
            [this](const router::RequestLogLine& line) {
              logs_.append(Id<apps::App>{line.app},
                           {from_micros(line.at), "heroku", "router", line.message});
              if (auto* sleep = dynos::sleep_of(*engine_))
                sleep->requested(Id<apps::App>{line.app});
            },
        .on_retired = [this](const std::string& dyno) { engine_->retired(Id<dynos::Dyno>{dyno}); },
        .on_wake =
            [this](const std::string& app) {
              if (auto* sleep = dynos::sleep_of(*engine_)) sleep->wake(Id<apps::App>{app});
            }};
  }

  void listen(const Options& options) {
    const auto certificate = ca_.server_certificate(certificate_names(options));
    http_.emplace(http::ServerOptions{
        .listen = options.listen,
        .tls = std::make_shared<net::TlsContext>(certificate.chain, certificate.key),
        .router = [this](const http::Request& head) { return api_->route(head); },
        .on_line =
            [this](const std::string& line, std::shared_ptr<http::RawConnection> connection) {
              rendezvous_->on_line(line, std::move(connection));
            },
        .limits = {}});
    const auto address = http_->address();
    const auto api_url = options.public_url.empty() ? "http://" + address : options.public_url;
    providers_.emplace(database_, clock_, box_, accounts_, apps_, releases_, logs_, drains_,
                       directory_ / "providers", api_url, [this](const addons::Addon& addon) {
                         for (const auto& output : declared_jobs_.remove_others(addon.app))
                           outputs_.remove(output);
                       });
    auto& marketplace = providers_->marketplace();
    app_setups_.emplace(setups::AppSetupsParts{database_, clock_, apps_, buildpack_installations_,
                                               releases_, builds_, formation_, *engine_,
                                               reconciler_, outputs_, box_, marketplace.catalog,
                                               marketplace.addons, directory_ / "setups"});
    api_.emplace(api::Services{
        .database = database_,
        .clock = clock_,
        .box = box_,
        .accounts = accounts_,
        .authorizations = authorizations_,
        .apps = apps_,
        .domains = domains_,
        .features = features_,
        .sni_endpoints = sni_endpoints_,
        .buildpack_installations = buildpack_installations_,
        .releases = releases_,
        .slugs = slugs_,
        .builds = builds_,
        .marketplace = marketplace,
        .formation = formation_,
        .engine = *engine_,
        .reconciler = reconciler_,
        .rendezvous = *rendezvous_,
        .usage = usage_,
        .jobs = jobs_,
        .logs = logs_,
        .log_sessions = log_sessions_,
        .drains = drains_,
        .outputs = outputs_,
        .repositories = repositories_,
        .pipelines = pipelines_,
        .promotions = promotions_,
        .app_setups = *app_setups_,
        .webhooks = webhooks_,
        .sources_directory = directory_ / "sources",
        .fetch_reach = fetch_reach(),
        .web_url_format = web_url_format(addresses_.http),
        .url = "http://" + address,
        .tls_url = "https://localhost:" + host_and_port(address).second,
        .on_app_change = [this](const Id<apps::App>& app) { feeder_.app_changed(app); },
        .router_figures = [this] { return link_.figures(); }});
  }

  std::vector<Id<releases::Slug>> slugs_in_use() {
    std::vector<Id<releases::Slug>> slugs;
    for (const auto& id : engine_->releases_in_use())
      if (const auto release = releases_.find(id); release && release->slug)
        slugs.push_back(*release->slug);
    return slugs;
  }

  // News travels upwards: who hears of what. What sends it (builds' and the engine's threads) may
  // outlast what hears it, by a moment at the end: so it goes through `listening_`, which the
  // destructor ends.
  void wire() {
    slugs_.set_in_use([this] { return slugs_in_use(); });
    listening_.begin({reconciler_, feeder_, *rendezvous_, scheduler_, cron_jobs_, *api_});
    webhooks_.on_news([this] { webhook_courier_.poke(); });
    builds_.on_change([this](const builds::Build& build) {
      listening_.news([&](auto& who) { who.api.build_changed(build); });
    });
    jobs_.on_change([this] { listening_.news([](auto& who) { who.scheduler.poke(); }); });
    releases_.on_change([this](const releases::Release& release) {
      promotions_.release_changed(release);
      listening_.news([&](auto& who) {
        who.reconciler.release_changed(release);
        who.cron_jobs.release_changed(release);
        who.api.release_changed(release);
        who.feeder.dynos_changed(release.app);
      });
    });
    formation_.on_change([this](const Id<apps::App>& app) {
      listening_.news([&](auto& who) {
        who.reconciler.formation_changed(app);
        who.feeder.dynos_changed(app);
      });
    });
    engine_->set_events({.on_change =
                             [this](const dynos::Dyno& dyno) {
                               listening_.news([&](auto& who) {
                                 who.reconciler.dyno_changed(dyno);
                                 who.rendezvous.dyno_changed(dyno);
                                 who.scheduler.dyno_changed(dyno);
                                 who.api.dyno_changed(dyno);
                               });
                             },
                         .on_endpoints_change =
                             [this](const Id<apps::App>& app) {
                               listening_.news([&](auto& who) { who.feeder.dynos_changed(app); });
                             }});
  }

  // Tells whoever started it, and `renga env` and the CLI, where it serves.
  void announce() {
    const auto address = http_->address();
    write_file(directory_ / "run/server.json",
               fmt::format("{{\"listen\":\"http://{}\",\"http\":\"http://{}\"}}\n", address,
                           addresses_.http),
               0644);
    const auto https = addresses_.https.empty()
                           ? std::string()
                           : fmt::format(" https=https://{}", addresses_.https);
    const auto metrics =
        metrics_ ? fmt::format(" metrics=http://{}/metrics", metrics_->address()) : std::string();
    fmt::print("renga: ready listen=http://{} http=http://{}{}{} data={}\n", address,
               addresses_.http, https, metrics, directory_.root().string());
    std::fflush(stdout);
  }

  struct Listeners {
    dynos::Reconciler& reconciler;
    RouteFeeder& feeder;
    dynos::Rendezvous& rendezvous;
    scheduler::Scheduler& scheduler;
    setups::CronJobs& cron_jobs;
    api::Api& api;
  };

  Listening<Listeners> listening_;
  SystemClock clock_;
  DataDirectory directory_;
  std::filesystem::path buildpacks_;
  crypto::SecretBox box_;
  crypto::PrivateCa ca_;
  store::Database database_;
  bool tables_;  // made before anything reads them
  accounts::Accounts accounts_{database_, clock_};
  accounts::Authorizations authorizations_{database_, clock_};
  apps::Apps apps_;
  apps::Domains domains_;
  apps::Features features_{database_, clock_};
  apps::SniEndpoints sni_endpoints_{database_, clock_, box_};
  apps::BuildpackInstallations buildpack_installations_{database_};
  apps::UidRanges uids_{database_};
  logs::LogStore logs_;
  logs::OutputStreams outputs_;
  dynos::Sizes sizes_;
  dynos::UsageHistory usage_;
  logs::Sessions log_sessions_{logs_, clock_};
  webhooks::Webhooks webhooks_{database_, clock_, box_};
  std::unique_ptr<webhooks::Sender> webhook_sender_;
  webhooks::Courier webhook_courier_{webhooks_, clock_, *webhook_sender_};
  logs::Drains drains_;
  releases::Slugs slugs_;
  releases::Releases releases_;
  pipelines::Pipelines pipelines_{database_, clock_, apps_, box_};
  pipelines::Promotions promotions_{database_, clock_, apps_, pipelines_, releases_, slugs_};
  sandbox::Spawner spawner_;
  sandbox::Freezer freezer_;
  std::unique_ptr<dynos::Engine> engine_;
  std::unique_ptr<dynos::Rendezvous> rendezvous_ = std::make_unique<dynos::Rendezvous>(*engine_);
  dynos::Formation formation_;
  dynos::Reconciler reconciler_;
  scheduler::Jobs jobs_{database_, clock_, sizes_};
  scheduler::Scheduler scheduler_{jobs_, clock_, apps_, releases_, reconciler_, *engine_, outputs_};
  router::RouterLink link_;
  router::RouterLink::Addresses addresses_;
  builds::Builds builds_;
  scheduler::DeclaredJobs declared_jobs_{database_, jobs_};
  setups::CronJobs cron_jobs_{
      {database_, apps_, releases_, slugs_, declared_jobs_, logs_, outputs_, clock_}};
  git::Repositories repositories_;
  EdgeCertificates certificates_;
  RouteFeeder feeder_;
  std::optional<MetricsEndpoint> metrics_;
  std::optional<Providers> providers_;
  std::optional<setups::AppSetups> app_setups_;
  std::optional<api::Api> api_;
  std::optional<http::Server> http_;
};

int refuse(int status, const std::string& why) {
  fmt::print(stderr, "renga: {}\n", why);
  return status;
}

}  // namespace

int server_main(int argc, char** argv) {
  const auto options = parse_options(std::vector<std::string>(argv + 2, argv + argc));
  if (!options) return refuse(2, options.error().message);
  auto settings = build_environment(*options);
  if (!settings) return refuse(2, settings.error().message);
  auto drains = drain_options();
  if (!drains) return refuse(2, drains.error().message);
  if (const auto why = sandbox::Spawner::unsupported())
    return refuse(1,
                  fmt::format("dynos cannot be isolated here: {} Run the server as root.", *why));

  // A dyno takes two, of its log and its drain, and a client one.
  os::allow_descriptors(most_descriptors);

  // Blocked before any thread is made, so that only the wait in run() takes them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  try {
    auto directory = DataDirectory::open(options->data);
    if (!directory) return refuse(1, directory.error().message);
    // The path that we were started from, whatever is there by the time of a restart.
    const auto program = std::filesystem::read_symlink("/proc/self/exe");
    std::vector<std::string> arguments(argv, argv + argc);
    {
      Control control(*options, std::move(*directory), std::move(*settings), std::move(*drains));
      if (control.run(ends) == Control::Ending::stop) return 0;
      for (auto& word : control.chosen_ports(*options)) arguments.push_back(std::move(word));
    }
    std::vector<char*> words;
    for (auto& argument : arguments) words.push_back(argument.data());
    words.push_back(nullptr);
    ::execv(program.c_str(), words.data());
    fault("run " + program.string());
  } catch (const std::exception& error) {
    return refuse(1, fmt::format("the server cannot go on: {}", error.what()));
  }
}

}  // namespace renga::server
