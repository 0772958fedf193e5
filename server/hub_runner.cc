#include "server/hub_runner.h"

#include <algorithm>
#include <thread>

#include "hub/foreign_topics.h"
#include "hub/hub.h"
#include "hub/routes.h"
#include "kernel/digest.h"
#include "kernel/log.h"
#include "server/all_topics.h"
#include "server/delivered.h"
#include "server/feed_insight.h"
#include "server/feed_topics.h"
#include "server/open_database.h"
#include "server/secrets.h"
#include "sql/executor.h"

namespace courant::server {
namespace {

constexpr int kDatabaseThreads = 4;
constexpr int kForeignThreads = 2;  // what other servers send is taken apart there: however long, it delays no delivery
constexpr std::size_t kDatabaseQueue = 16'384;

std::shared_ptr<const http::AddressGuard> make_guard(const Config& config) {
  std::vector<http::Network> allowed;
  for (const std::string& text : config.hub.callback_allow) {
    if (const Result<http::Network> network = http::Network::parse(text)) allowed.push_back(*network);
  }
  std::vector<std::string> own = config.server.listen;
  own.insert(own.end(), config.server.listen_tls.begin(), config.server.listen_tls.end());
  if (const std::optional<Uri> url = parse_uri(config.server.public_url)) {
    own.push_back(url->host + ":" + std::to_string(url->effective_port()));
  }
  own.insert(own.end(), config.server.hosts.begin(), config.server.hosts.end());
  if (!config.server.operations.empty()) own.push_back(config.server.operations);
  return std::make_shared<const http::AddressGuard>(std::move(allowed), std::move(own));
}

HmacAlgorithm signature_named(std::string_view name) {
  for (const HmacAlgorithm algorithm : {HmacAlgorithm::kSha1, HmacAlgorithm::kSha384, HmacAlgorithm::kSha512}) {
    if (name_of(algorithm) == name) return algorithm;
  }
  return HmacAlgorithm::kSha256;
}

std::chrono::seconds seconds_of(std::chrono::milliseconds duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration);
}

hub::HubOptions hub_options(const Config& config, bool delivers) {
  const Config::Hub& from = config.hub;
  hub::HubOptions options;
  options.delivers = delivers;
  options.hub_url = config.server.public_url + "/hub";
  options.process = to_hex(random_bytes(8));
  options.lease_default = seconds_of(from.lease_default);
  options.lease_min = seconds_of(from.lease_min);
  options.lease_max = seconds_of(from.lease_max);
  options.delivery_timeout = from.delivery_timeout;
  options.document = {from.document_entries, from.document_bytes};
  options.allow_http = from.allow_http;
  options.in_flight = static_cast<int>(from.in_flight);
  options.in_flight_per_host = static_cast<int>(from.in_flight_per_host);
  options.limits.pending_of_client = from.max_pending_per_client;
  options.limits.pending = from.max_pending;
  options.limits.of_topic = from.max_subscriptions_per_topic;
  options.limits.of_host = from.max_subscriptions_per_host;
  options.limits.of_domain = from.max_subscriptions_per_domain;
  options.limits.of_client = from.max_subscriptions_per_client;
  options.verifications = {from.verifications_per_host, from.verifications_per_domain, from.verifications_per_network,
                           from.verifications_per_client};
  options.max_waiting = static_cast<std::size_t>(config.limits.max_waiting);
  options.signature = signature_named(from.signature);
  options.retry = from.retry;
  return options;
}

hub::ForeignOptions foreign_options(const Config::Hub& from, bool delivers) {
  hub::ForeignOptions options;
  options.is_on = from.foreign_topics;
  options.fetches = delivers;
  options.fetch.timeout = from.foreign_timeout;
  options.fetch.max_bytes = from.foreign_bytes;
  options.fetch.per_host = from.foreign_fetches_per_host;
  options.fetch.per_network = from.verifications_per_network;
  options.interval = from.foreign_interval;
  options.max_topics = from.max_foreign_topics;
  options.retry = from.retry;
  return options;
}

http::ClientOptions client_options(const Config& config, const std::shared_ptr<const http::AddressGuard>& guard) {
  http::ClientOptions options;
  options.guard = guard;
  options.niceness = hub::HubOptions().niceness;
  options.threads = static_cast<int>(std::max(1U, std::thread::hardware_concurrency() / 2));
  // Verifications and fetches go beside the deliveries, and the dispatcher counts its own.
  options.in_flight = static_cast<int>(config.hub.in_flight) + 64 + (config.hub.foreign_topics ? 32 : 0);
  options.per_host = static_cast<int>(config.hub.in_flight_per_host) + 64;
  options.egress_proxy = config.hub.egress_proxy;
  options.ca_file = config.hub.ca_file;
  options.user_agent = "Courant (+" + config.server.public_url + "/hub)";
  return options;
}

}  // namespace

struct HubRunner::State {
  State(const Config& config, Vault vault, const sql::DatabaseOptions& database_options, feeds::Engine& the_engine,
        const access::CurrentRules& rules, Metrics& metrics, bool delivers)
      : engine(the_engine),
        guard(make_guard(config)),
        database(own_pool(database_options, kDatabaseThreads)),
        executor(database, kDatabaseThreads, kDatabaseQueue, &metrics, "hub"),
        foreign_database(own_pool(database_options, kForeignThreads)),
        foreign_executor(foreign_database, kForeignThreads, kDatabaseQueue, &metrics, "foreign_topics"),
        client(client_options(config, guard), metrics),
        transport(client),
        own_topics(
            engine.directory(), engine.clock(), config.server.public_url, config.server.public_url + "/hub", &rules,
            [&the_engine](std::string_view name) {
              const feeds::WorkspaceSettings* const workspace = the_engine.workspace(name);
              return workspace == nullptr ? 0 : workspace->max_subscriptions;
            },
            &engine.further_forms()),
        foreign_topics(foreign_options(config.hub, delivers), foreign_executor, transport, guard, engine.clock(),
                       metrics),
        topics(own_topics, foreign_topics),
        insight(topics, engine.directory(), engine.clock(), config.server.public_url, &engine.further_forms()),
        hub(hub_options(config, delivers), std::move(vault), topics, insight, executor, engine.executor(), transport,
            guard, engine.clock(), metrics) {}

  feeds::Engine& engine;
  const std::shared_ptr<const http::AddressGuard> guard;
  sql::Database database;
  sql::Executor executor;
  sql::Database foreign_database;  // connects where topics of other servers are on
  sql::Executor foreign_executor;
  http::Client client;
  hub::WebhookTransport transport;
  FeedTopics own_topics;
  hub::ForeignTopics foreign_topics;
  AllTopics topics;
  FeedInsight insight;
  hub::Hub hub;
};

HubRunner::HubRunner(std::unique_ptr<State> state) : state_(std::move(state)) {}
HubRunner::~HubRunner() = default;

Result<std::unique_ptr<HubRunner>> HubRunner::make(const Config& config, const std::string& data,
                                                   const sql::DatabaseOptions& database, feeds::Engine& engine,
                                                   const access::CurrentRules& rules, Metrics& metrics, bool delivers) {
  Result<Vault> vault = open_vault(config, data);
  if (!vault) return vault.fault();
  return std::unique_ptr<HubRunner>(
      new HubRunner(std::make_unique<State>(config, *std::move(vault), database, engine, rules, metrics, delivers)));
}

Result<bool> HubRunner::start() {
  Result<bool> started = Fault{};
  state_->database.with_session([&](sql::Session& session) { started = state_->hub.start(session); });
  if (started) {
    state_->foreign_topics.start([this](const std::vector<hub::Moved>& moves) { state_->hub.moved(moves); },
                                 [this] { state_->hub.look_at_requests(); }, [this] { return state_->hub.share(); });
  }
  return started;
}

void HubRunner::moved(const std::vector<feeds::Advance>& advances) {
  state_->hub.moved(moves_of(advances));
}

std::vector<http::Route> HubRunner::routes() {
  std::vector<http::Route> routes = hub::routes(state_->hub);
  routes.push_back(delivered_route(state_->engine, state_->hub));
  return routes;
}

std::shared_ptr<const hub::Overview> HubRunner::overview() const {
  return state_->hub.overview();
}

void HubRunner::change(const Config& config) {
  state_->hub.change(hub_options(config, true));
}

void HubRunner::let_go() {
  state_->hub.let_go();
}

void HubRunner::stop() {
  state_->hub.stop();
  state_->foreign_topics.stop();  // after the hub has stopped the transport that both use
  state_->foreign_executor.stop();
  state_->executor.stop();
}

}  // namespace courant::server
