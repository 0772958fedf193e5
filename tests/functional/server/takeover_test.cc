// A new version takes over while the old one drains: under load no request fails, and nothing is lost or doubled.
#include <atomic>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sql/schema_tables.h"
#include "tests/support/command.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/http2_client.h"
#include "tests/support/sink.h"
#include "tests/support/test_database.h"
#include "tests/support/tls_client.h"
#include "tests/support/wait_until.h"
#include "tests/support/wire_server.h"

namespace courant::test::takeover_test {
namespace {

using testing::HasSubstr;

std::string entry(int number) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><content>c</content></entry>";
}

// Anybody may publish: what is tested is something else.
const char* const kConfig =
    "[access]\nmode = \"open\"\n[[workspaces]]\nname = \"demo\"\nauto_create = true\n[hub]\n"
    "callback_allow = [\"127.0.0.0/8\"]\nretry = [\"0s\", \"100ms\"]\n";

bool is_alive(pid_t process) {
  return ::kill(process, 0) == 0;
}

// Not one that has ended and that nobody has waited for yet.
bool runs(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  return std::getline(file, line) && line[line.rfind(')') + 2] != 'Z';
}

pid_t parent_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string line;
  std::getline(file, line);
  pid_t parent = 0;
  if (const std::size_t end = line.rfind(')'); end != std::string::npos) {
    std::istringstream(line.substr(end + 4)) >> parent;
  }
  return parent;
}

// What systemd is to the servers that this process starts while it lives: they tell it of themselves, and whoever loses
// his parent becomes its child.
class ServiceManager {
 public:
  ServiceManager() {
    const std::string name = "@courant-test-" + std::to_string(::getpid());  // abstract, unix(7)
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path + 1, name.size() - 1, 1);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    const timeval patience{kPatience.count(), 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  ~ServiceManager() {
    do {
      for (const pid_t child : children_of(::getpid())) ::kill(child, SIGKILL);
    } while (::waitpid(-1, nullptr, 0) > 0);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
    ::unsetenv("NOTIFY_SOCKET");
    ::close(socket_);
  }
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  // The next that somebody says is the main process; 0: nobody says anything any more.
  pid_t main_process() const {
    char text[256];
    for (ssize_t length = 0; (length = ::recv(socket_, text, sizeof text, 0)) > 0;) {
      const std::string told(text, static_cast<std::size_t>(length));
      if (const std::size_t at = told.find("MAINPID="); at != std::string::npos) return std::stoi(told.substr(at + 8));
    }
    return 0;
  }

 private:
  const int socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

class TakeoverTest : public testing::Test {
 protected:
  // A server on the same port and data; more: further arguments.
  std::unique_ptr<Process> begin(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {courant_program(), "serve",
                                          "--access",        "open",
                                          "--listen",        "127.0.0.1:" + std::to_string(port_),
                                          "--operations",    "127.0.0.1:" + std::to_string(operations_),
                                          "--data",          data_.path()};
    if (std::find(more.begin(), more.end(), "--config") == more.end()) {
      std::ofstream(scratch("takeover.toml")) << kConfig;
      more.insert(more.end(), {"--config", scratch("takeover.toml")});
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<Process>(arguments, log_);
  }
  bool serves() const {
    return wait_until([&] { return HttpClient(port_).get("/-/health/live").status == 200; });
  }
  // Whom DATA/courant.pid names; 0: nobody.
  pid_t named() const {
    pid_t process = 0;
    std::ifstream(data_.path() + "/courant.pid") >> process;
    return process;
  }
  pid_t postmaster() const {
    pid_t process = 0;
    std::ifstream(data_.path() + "/postgres/cluster/postmaster.pid") >> process;
    return process;
  }
  // A server in the place of another: waits until that has ended, and how.
  std::unique_ptr<Process> take_over(Process& old, std::vector<std::string> more = {}) {
    more.push_back("--take-over");
    std::unique_ptr<Process> successor = begin(more);
    EXPECT_EQ(old.wait(), 0);
    EXPECT_TRUE(wait_until([&] { return named() == successor->id(); }));
    return successor;
  }

  const DataFolder data_;
  const int port_ = free_port();
  const int operations_ = free_port();
  const std::string log_ = scratch("takeover-" + std::to_string(port_) + ".log");
};

// Publishers and readers who count what they are answered.
class Load {
 public:
  explicit Load(int port, int tls_port = 0) : port_(port) {
    if (tls_port != 0) {
      add([this, tls_port](HttpClient&) { read_sealed(tls_port); });
      add([this, tls_port](HttpClient&) { read_sealed(tls_port); });
    }
    for (int i = 0; i < 3; ++i) add([this](HttpClient& kept) { publish(kept); });  // on one connection
    for (int i = 0; i < 3; ++i)
      add([this](HttpClient&) {
        HttpClient own(port_);
        publish(own);
      });  // on ever new ones
    for (int i = 0; i < 2; ++i) add([this](HttpClient& kept) { read(kept, {}); });
    for (int i = 0; i < 2; ++i)
      add([this](HttpClient&) {
        HttpClient own(port_);
        read(own, {});
      });
    add([this](HttpClient& kept) { read(kept, "Prefer: wait=1\r\nIf-None-Match: " + etag(kept) + "\r\n"); });
  }
  ~Load() { stop(); }
  void stop() {
    is_over_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  int published() const { return published_; }
  int read() const { return read_; }
  int failed() const { return failed_; }

 private:
  template <class Act>
  void add(Act act) {
    threads_.emplace_back([this, act] {
      HttpClient kept(port_, false);
      while (!is_over_) act(kept);
    });
  }
  void publish(HttpClient& client) {
    const Reply reply = client.post("/demo/events", entry(next_++));
    ++(reply.status == 201 ? published_ : failed_);
  }
  void read(HttpClient& client, const std::string& headers) {
    const Reply reply = client.get("/demo/events", headers);
    ++(reply.status == 200 || reply.status == 304 ? read_ : failed_);
  }
  void read_sealed(int tls_port) {
    TlsClient client(static_cast<std::uint16_t>(tls_port));
    client.send("GET /demo/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ++(client.read_all().starts_with("HTTP/1.1 200 OK") ? read_ : failed_);
  }
  static std::string etag(HttpClient& client) { return client.get("/demo/events").header("ETag"); }

  const int port_;
  std::atomic<bool> is_over_{false};
  std::atomic<int> next_{1};
  std::atomic<int> published_{0};
  std::atomic<int> read_{0};
  std::atomic<int> failed_{0};
  std::vector<std::thread> threads_;
};

// The positions that a callback has been sent, each as often as it was.
class Positions {
 public:
  Positions()
      : sink_([this](const SinkRequest& request) {
          if (request.method == "GET") {
            const std::size_t at = request.target.find("hub.challenge=") + 14;
            return SinkReply{.status = 200, .body = request.target.substr(at, request.target.find('&', at) - at)};
          }
          const std::lock_guard lock(mutex_);
          for (std::size_t at = request.body.find("<id>urn:x:"); at != std::string::npos;
               at = request.body.find("<id>urn:x:", at + 1)) {
            ids_.insert(std::stoi(request.body.substr(at + 10)));
          }
          return SinkReply{.status = 204};
        }) {}
  void subscribe(int port) {
    const Reply reply = HttpClient(port).post("/hub",
                                              "hub.mode=subscribe&hub.topic=http://127.0.0.1:" + std::to_string(port) +
                                                  "/demo/events&hub.callback=" + sink_.url("/callback"),
                                              "Content-Type: application/x-www-form-urlencoded\r\n");
    EXPECT_EQ(reply.status, 202) << reply.body;
    EXPECT_TRUE(sink_.wait_for(1));
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return ids_.size();
  }

 private:
  std::mutex mutex_;  // guards ids_
  std::set<int> ids_;
  Sink sink_;
};

TEST_F(TakeoverTest, UnderLoadNoRequestFailsAndNothingIsLostOrDoubled) {
  std::unique_ptr<Process> server = begin();
  ASSERT_TRUE(serves());
  ASSERT_EQ(HttpClient(port_).post("/demo/events", entry(0)).status, 201);
  Positions pushed;
  pushed.subscribe(port_);
  const pid_t cluster = postmaster();
  Load load(port_);
  for (int i = 0; i < 3; ++i) {
    const int before = load.published();
    EXPECT_TRUE(wait_until([&] { return load.published() > before + 50; }));
    server = take_over(*server);
  }
  const int before = load.published();
  EXPECT_TRUE(wait_until([&] { return load.published() > before + 50; }));
  load.stop();
  EXPECT_EQ(load.failed(), 0);
  EXPECT_GT(load.read(), 100);
  EXPECT_EQ(HttpClient(port_).get("/demo/events").header("Feed-Position"), std::to_string(load.published() + 1));
  EXPECT_TRUE(wait_until([&] { return std::cmp_greater_equal(pushed.count(), load.published()); }))
      << pushed.count() << " of " << load.published();
  EXPECT_EQ(postmaster(), cluster) << "it has served all of them";
  EXPECT_TRUE(wait_until([&] { return HttpClient(operations_).get("/health").status == 200; }));
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait(), 0);
  EXPECT_FALSE(is_alive(cluster)) << "it ends with the last of them";
  EXPECT_EQ(named(), 0);
}

TEST_F(TakeoverTest, SeveralProcessesTooAndOverTls) {
  const int tls_port = free_port();
  make_certificate(scratch(""));
  const std::string config = scratch("takeover-tls.toml");
  std::ofstream(config) << "[server]\nlisten_tls = \"127.0.0.1:" << tls_port << "\"\n[server.tls]\ncertificate = \""
                        << scratch("tls.crt") << "\"\nkey = \"" << scratch("tls.key") << "\"\n"
                        << kConfig;
  const auto processes = [&](const std::string& count) {
    return std::vector<std::string>{"--config", config, "--processes", count};
  };
  const std::vector<std::string> three = processes("3");
  std::unique_ptr<Process> server = begin(three);
  ASSERT_TRUE(serves());
  ASSERT_EQ(HttpClient(port_).post("/demo/events", entry(0)).status, 201);
  Load load(port_, tls_port);
  for (const std::vector<std::string>& next : {processes("2"), processes("1"), three}) {
    const int before = load.published();
    EXPECT_TRUE(wait_until([&] { return load.published() > before + 50; }));
    server = take_over(*server, next);
  }
  load.stop();
  EXPECT_EQ(load.failed(), 0);
  // The process that is asked need not be the one that stored the last entry, and hears of it in a moment.
  const std::string last = std::to_string(load.published() + 1);
  std::string position;
  wait_until([&] {
    position = HttpClient(port_).get("/demo/events").header("Feed-Position");
    return position == last;
  });
  EXPECT_EQ(position, last);
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait(), 0);
}

// Who is connected and silent may ask once more: a connection that ended while a request is on its way would fail it.
TEST_F(TakeoverTest, WhoIsConnectedIsAnsweredOnceMoreAndGoesElsewhere) {
  std::unique_ptr<Process> server = begin();
  ASSERT_TRUE(serves());
  RawClient idle(static_cast<std::uint16_t>(port_));
  RawClient kept(static_cast<std::uint16_t>(port_));
  const std::string request = "GET /-/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
  kept.send(request);
  EXPECT_THAT(kept.read_response(), HasSubstr("200 OK"));
  std::unique_ptr<Process> successor = begin({"--take-over"});
  EXPECT_TRUE(wait_until([&] { return contents_of(log_).find("stopping signal=10") != std::string::npos; }));
  std::string answer;
  for (RawClient* const client : {&idle, &kept}) {
    // Each io thread hears of it by itself; until then it answers as ever.
    EXPECT_TRUE(wait_until([&] {
      client->send(request);
      answer = client->read_response();
      return answer.find("\r\nConnection: close\r\n") != std::string::npos || answer.empty();
    }));
    EXPECT_THAT(answer, HasSubstr("200 OK"));
    EXPECT_EQ(client->read_all(), "");
    EXPECT_TRUE(client->was_ended());
  }
  EXPECT_EQ(server->wait(), 0);
  EXPECT_TRUE(wait_until([&] { return named() == successor->id(); }));
}

// RFC 9113 section 6.8: a GOAWAY with the highest identifier says that no further requests should be begun here, and
// those that are on their way are answered.
TEST_F(TakeoverTest, ByHttp2RequestsOnTheirWayAreAnswered) {
  std::unique_ptr<Process> server = begin();
  ASSERT_TRUE(serves());
  auto connection = std::make_unique<PlainHttp2>(static_cast<std::uint16_t>(port_));
  PlainHttp2& client = *connection;
  EXPECT_EQ(client.http.get("/-/health/live").status, 200);
  server->signal(SIGUSR1);
  EXPECT_TRUE(client.http.wait_until([&] { return client.http.goaway().has_value(); }));
  EXPECT_EQ(client.http.goaway(), NGHTTP2_NO_ERROR);
  const std::string head = "\x83\x86\x04\x0c/demo/events\x01\x09localhost";  // as a POST, by RFC 7541 appendix A
  client.http.send_bytes(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 101, head) +
                         frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 101, entry(1)));
  EXPECT_TRUE(wait_until([&] { return HttpClient(port_).get("/-/health/live").status == 0; }));
  client.http.wait_until([] { return false; });
  connection.reset();
  EXPECT_EQ(server->wait(), 0);
  server = begin();
  ASSERT_TRUE(serves());
  EXPECT_EQ(HttpClient(port_).get("/demo/events").header("Feed-Position"), "1");
}

TEST_F(TakeoverTest, ASignalStartsWhatIsInstalledNow) {
  std::unique_ptr<Process> server = begin();
  ASSERT_TRUE(serves());
  RawClient connected(static_cast<std::uint16_t>(port_));
  const pid_t before = server->id();
  server->signal(SIGUSR2);
  EXPECT_EQ(server->wait(), 0);
  EXPECT_EQ(connected.read_all(), "") << "its connection is not the successor's";
  pid_t successor = 0;
  EXPECT_TRUE(wait_until([&] { return (successor = named()) != 0 && successor != before; }));
  EXPECT_EQ(HttpClient(port_).post("/demo/events", entry(1)).status, 201);
  ::kill(successor, SIGTERM);
  EXPECT_TRUE(wait_until([&] { return named() == 0; }));
}

// As systemd sees it, which takes orphans as its own and can wait for them alone: a main process that is the old one's
// child, which it cannot wait for, it would kill where it is told to stop.
TEST_F(TakeoverTest, TheSuccessorIsTheServiceManagersOwnBeforeItAnnouncesItself) {
  for (const std::string processes : {"1", "2"}) {
    ServiceManager manager;
    std::unique_ptr<Process> server = begin({"--processes", processes});
    EXPECT_EQ(manager.main_process(), server->id());
    auto connected = std::make_unique<RawClient>(static_cast<std::uint16_t>(port_));
    connected->send("GET /-/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(connected->read_response(), HasSubstr("200 OK"));
    server->signal(SIGUSR2);  // it lives as long as that connection
    const pid_t successor = manager.main_process();
    EXPECT_EQ(parent_of(successor), ::getpid());
    EXPECT_EQ(server->ended(), std::nullopt);
    connected.reset();
    EXPECT_EQ(server->wait(), 0);
    EXPECT_TRUE(wait_until([&] { return named() == successor; }));
    EXPECT_EQ(HttpClient(port_).post("/demo/events", entry(1)).status / 100, 2);
    const pid_t cluster = postmaster();
    ::kill(successor, SIGTERM);
    int status = -1;
    EXPECT_EQ(::waitpid(successor, &status, 0), successor);
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(runs(cluster)) << "what is left when the main process has ended is killed";
  }
}

// systemd kills what is left when the main process has ended: the old one, and the PostgreSQL that it uses.
TEST_F(TakeoverTest, ASuccessorThatIsStoppedMeanwhileEndsAfterTheOneBefore) {
  for (const std::string processes : {"1", "2"}) {
    ServiceManager manager;
    std::unique_ptr<Process> server = begin({"--processes", processes});
    EXPECT_EQ(manager.main_process(), server->id());
    RawClient connected(static_cast<std::uint16_t>(port_));
    connected.send("GET /-/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_THAT(connected.read_response(), HasSubstr("200 OK"));
    server->signal(SIGUSR2);
    const pid_t successor = manager.main_process();
    const pid_t cluster = postmaster();
    EXPECT_EQ(server->ended(), std::nullopt) << "it drains, for somebody is connected";
    ::kill(successor, SIGTERM);
    int status = -1;
    EXPECT_EQ(::waitpid(successor, &status, 0), successor);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(server->ended(), 0);
    EXPECT_FALSE(runs(cluster));
  }
}

TEST_F(TakeoverTest, WithoutTheFlagASecondServerIsRefused) {
  std::unique_ptr<Process> server = begin();
  ASSERT_TRUE(serves());
  EXPECT_EQ(begin()->wait(), 1);
  EXPECT_THAT(contents_of(log_),
              HasSubstr("is in use by another courant: stop it, take over from it with --take-over"));
}

TEST_F(TakeoverTest, ASuccessorThatCannotStartChangesNothing) {
  std::unique_ptr<Process> server = begin({"--take-over"});  // from nobody
  ASSERT_TRUE(serves());
  EXPECT_TRUE(wait_until([&] { return named() == server->id(); }));
  EXPECT_EQ(begin({"--take-over", "--listen", "203.0.113.1:1"})->wait(), 1);
  EXPECT_EQ(HttpClient(port_).post("/demo/events", entry(1)).status, 201);
  EXPECT_EQ(named(), server->id());
}

// The version that serves is the old one here; the next one's migrations come while everybody publishes and reads.
TEST_F(TakeoverTest, MigrationsOfTheNextVersionRunWhileThisOneServes) {
  const TestDatabase database;
  std::unique_ptr<Process> server = begin({"--database", database.url()});
  ASSERT_TRUE(serves());
  ASSERT_EQ(HttpClient(port_).post("/demo/events", entry(0)).status, 201);
  Load load(port_);
  const auto publishes = [&] {
    const int before = load.published();
    return wait_until([&] { return load.published() > before + 50; });
  };
  EXPECT_TRUE(publishes());
  sql::Schema next = sql::kSchema;
  next.migrations.push_back({"9998_next",
                             "alter table entries add column next_version bigint not null default 0;"
                             "alter table feeds add column next_version text;"
                             "alter table subscriptions add column next_version boolean default false;"
                             "create table next_version (x int)"});
  next.migrations.push_back({"9999_after", "alter table journal add column next_version bigint"});
  sql::Session session(database.url());
  EXPECT_EQ(sql::migrate(session, next, [](std::string_view) {}), 2);
  EXPECT_TRUE(publishes());
  load.stop();
  EXPECT_EQ(load.failed(), 0);
  EXPECT_EQ(HttpClient(port_).get("/demo/events").header("Feed-Position"), std::to_string(load.published() + 1));
}

TEST_F(TakeoverTest, TheClusterEndsWithWhoeverIsKilled) {
  std::unique_ptr<Process> server = begin();
  ASSERT_TRUE(serves());
  const pid_t cluster = postmaster();
  server->signal(SIGKILL);
  server->wait();
  EXPECT_TRUE(wait_until([&] { return !is_alive(cluster); })) << "its keeper lives, and nobody uses it";
  server = begin();
  ASSERT_TRUE(serves());
  const pid_t second = postmaster();
  const std::vector<pid_t> keepers = children_of(server->id());
  ASSERT_EQ(keepers.size(), 1U);
  ::kill(keepers.front(), SIGKILL);
  EXPECT_TRUE(wait_until([&] { return !is_alive(second); })) << "whoever runs it is gone";
  EXPECT_TRUE(wait_until([&] { return HttpClient(port_).post("/demo/events", entry(1)).status == 201; }))
      << "another keeper runs it again";
  const pid_t third = postmaster();
  for (const pid_t keeper : children_of(server->id())) ::kill(keeper, SIGKILL);
  server->signal(SIGKILL);
  server->wait();
  EXPECT_TRUE(wait_until([&] { return !is_alive(third); })) << "everything that could run it is gone";
  server = begin();
  ASSERT_TRUE(serves());
  EXPECT_EQ(HttpClient(port_).get("/demo/events").header("Feed-Position"), "1");
}

// What a power cut leaves names a number that another process may have by then.
TEST_F(TakeoverTest, AStalePidFileOfPostgresDoesNotStopTheNextStart) {
  std::unique_ptr<Process> server = begin();
  ASSERT_TRUE(serves());
  const pid_t cluster = postmaster();
  const std::string file = data_.path() + "/postgres/cluster/postmaster.pid";
  std::string lines = contents_of(file);
  ::kill(cluster, SIGKILL);
  server->signal(SIGKILL);
  server->wait();
  ASSERT_TRUE(wait_until([&] { return !is_alive(cluster); }));
  server = begin();
  ASSERT_TRUE(serves());
  server->signal(SIGTERM);
  EXPECT_EQ(server->wait(), 0);
  // A process of PostgreSQL's user, so that PostgreSQL takes it for its own.
  Process other({"/usr/sbin/runuser", "-u", "postgres", "--", "/bin/sleep", "600"}, scratch("sleep.log"));
  pid_t sleeper = 0;
  ASSERT_TRUE(wait_until([&] {
    const std::vector<pid_t> children = children_of(other.id());
    return !children.empty() && (sleeper = children.front()) != 0;
  }));
  lines.replace(0, lines.find('\n'), std::to_string(sleeper));
  std::ofstream(file) << lines;
  server = begin();
  EXPECT_TRUE(serves());
  ::kill(sleeper, SIGKILL);
}

}  // namespace
}  // namespace courant::test::takeover_test
