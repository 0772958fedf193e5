// Plays many clients of one server, from several processes, since each may have 20,000 descriptors only. Run by
// scripts/bench; prints figures, one `name value` a line.
//   crowd park ADDRESS:PORT PATH      every client waits for news of one feed; when all do, an entry is published, and
//   the
//                                     time is taken until each has the answer. --hold: says "parked N" before that, and
//                                     goes on when a line comes from standard input
//   crowd headline ADDRESS:PORT PATH  clients wait for news that do not come, of --feeds feeds (PATH-0, PATH-1, ...);
//                                     conditional requests come in beside them for --seconds, --rate a second, over
//                                     --requesters connections
//   crowd connect ADDRESS:PORT PATH   for --seconds, each client connects, makes one conditional request, closes and
//   begins
//                                     again; --resume: with a TLS session of before
// Also: --tls, --clients N, --processes N, --pace N (connections in the making at once, of each process), --addresses N
// (source addresses 127.0.0.1 and following, where the server is on loopback). A feed that is not there is made.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/crowd_worker.h"

namespace courant::bench {
namespace {

constexpr Nanoseconds kProgress = 3 * kSecond;
constexpr Nanoseconds kSettle = 2 * kSecond;  // until the server has read what was sent last
constexpr Nanoseconds kConnectPatience = 600 * kSecond;
constexpr Nanoseconds kPatience = 10 * kSecond;
constexpr int kErrandPatienceMs = 30'000;

struct Options {
  std::string mode, at, path;
  std::map<std::string, double> numbers = {{"--clients", 1'000}, {"--processes", 1}, {"--pace", 64},
                                           {"--addresses", 16},  {"--feeds", 70},    {"--requesters", 400},
                                           {"--rate", 8'333},    {"--seconds", 10}};
  std::map<std::string, bool> switches = {{"--tls", false}, {"--hold", false}, {"--resume", false}};

  int number(const std::string& name) const { return static_cast<int>(numbers.at(name)); }
};

std::optional<Options> read_options(const std::vector<std::string>& arguments) {
  Options options;
  std::vector<std::string*> places = {&options.mode, &options.at, &options.path};
  std::size_t place = 0;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (options.numbers.contains(argument) && i + 1 < arguments.size()) {
      options.numbers[argument] = std::atof(arguments[++i].c_str());
      if (options.numbers[argument] < 1) return std::nullopt;
    } else if (options.switches.contains(argument)) {
      options.switches[argument] = true;
    } else if (place < places.size() && !argument.starts_with("--")) {
      *places[place++] = argument;
    } else {
      return std::nullopt;
    }
  }
  if (place < places.size() || options.at.find(':') == std::string::npos) return std::nullopt;
  return options;
}

SSL_SESSION* session_of_before = nullptr;

int keep_session(SSL*, SSL_SESSION* session) {
  if (session_of_before != nullptr) SSL_SESSION_free(session_of_before);
  session_of_before = session;
  return 1;
}

// A connection of the first process, which waits for its answers.
class Errand {
 public:
  explicit Errand(const Target& target) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    client_.keep_head(&head_);
    if (!client_.open(target, 0, epoll_, 0)) throw std::runtime_error("the server cannot be connected to");
    wait_for(Client::Event::kOpened);
  }
  ~Errand() { ::close(epoll_); }
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;

  // The status.
  int ask(const std::string& request) {
    if (!client_.ask(request)) throw std::runtime_error("the server closes a connection");
    wait_for(Client::Event::kAnswered);
    return client_.status();
  }

  std::string etag() const {
    for (const char* name : {"\r\nETag: ", "\r\netag: "}) {
      const std::size_t begin = head_.find(name);
      if (begin != std::string::npos) return head_.substr(begin + 8, head_.find("\r\n", begin + 8) - begin - 8);
    }
    throw std::runtime_error("an answer has no entity tag");
  }

 private:
  void wait_for(Client::Event wanted) {
    for (Client::Event event = Client::Event::kNone; event != wanted; event = client_.advance()) {
      epoll_event ready{};
      if (event == Client::Event::kLost) throw std::runtime_error("the server closes a connection");
      if (::epoll_wait(epoll_, &ready, 1, kErrandPatienceMs) == 0) throw std::runtime_error("no answer comes");
    }
  }

  const int epoll_;
  std::string head_;
  Client client_;
};

class Run {
 public:
  explicit Run(Options options) : options_(std::move(options)), clients_(options_.number("--clients")) {
    raise_limit();
    void* const memory =
        ::mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("there is no memory for the figures");
    board_ = static_cast<Board*>(memory);
    const std::size_t colon = options_.at.rfind(':');
    sockaddr_in& address = plan_.target.address;
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(options_.at.substr(colon + 1))));
    if (::inet_pton(AF_INET, options_.at.substr(0, colon).c_str(), &address.sin_addr) != 1) {
      throw std::runtime_error("the server's address must be one of IPv4");
    }
    if (options_.switches["--tls"]) plan_.target.tls = client_tls();
    plan_.pace = options_.number("--pace");
    plan_.addresses = options_.number("--addresses");
  }

  int go() {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes without asking for none
    if (options_.mode == "park") return park();
    if (options_.mode == "headline") return headline();
    return connect();
  }

 private:
  // What a process may have open, as far as the system lets it.
  static void raise_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }

  std::string request(const std::string& method, const std::string& path, const std::string& fields) const {
    return method + " " + path + " HTTP/1.1\r\nHost: " + options_.at + "\r\nAccept-Encoding: gzip\r\n" + fields +
           "\r\n";
  }

  int publish(Errand& errand, const std::string& path) const {
    static const std::string entry =
        "<entry xmlns=\"http://www.w3.org/2005/Atom\"><title>Bench</title><content>news</content></entry>";
    const std::string post =
        request("POST", path,
                "Content-Type: application/atom+xml\r\nContent-Length: " + std::to_string(entry.size()) + "\r\n") +
        entry;
    return errand.ask(post);
  }

  // A feed as it is; it is made where it is not there.
  Plan::Feed learn(Errand& errand, const std::string& path) const {
    int status = errand.ask(request("GET", path, {}));
    if (status == 404 && publish(errand, path) == 201) status = errand.ask(request("GET", path, {}));
    if (status != 200) throw std::runtime_error(path + " is answered with " + std::to_string(status));
    const std::string known = "If-None-Match: " + errand.etag() + "\r\n";
    const std::string wait = "Prefer: wait=" + std::to_string(plan_.wait / kSecond) + "\r\n";
    return {request("GET", path, known), request("GET", path, known + wait)};
  }

  template <class Kind, class... More>
  void start(int first, int count, More... more) {
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("no process can be forked");
    if (child > 0) {
      children_.push_back(child);
      return;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() == parent) Kind(plan_, *board_, first, count, more...).run();
    ::_exit(0);
  }

  template <class Kind>
  void start_all() {
    const int processes = options_.number("--processes");
    for (int i = 0; i < processes; ++i) {
      const int first = static_cast<int>(static_cast<std::int64_t>(clients_) * i / processes);
      const int next = static_cast<int>(static_cast<std::int64_t>(clients_) * (i + 1) / processes);
      start<Kind>(first, next - first);
    }
  }

  void end_all() {
    board_->is_over = true;
    for (const pid_t child : children_) ::waitpid(child, nullptr, 0);
  }

  // Until it is so, with a line now and then. False: the time is up, or something went wrong.
  template <class Condition>
  bool wait_until(Condition is_so, Nanoseconds until, bool takes_errors = false) {
    const std::int64_t errors = board_->errors();
    Nanoseconds tell_at = now() + kProgress;
    while (!is_so()) {
      if (now() > until || (!takes_errors && board_->errors() > errors)) return is_so();
      for (const pid_t child : children_) {
        if (::waitpid(child, nullptr, WNOHANG) != 0) throw std::runtime_error("a process has ended by itself");
      }
      if (now() > tell_at) {
        tell_at += kProgress;
        std::fprintf(stderr, "crowd: %lld connected, %lld wait, %lld answered\n",
                     static_cast<long long>(board_->opened), static_cast<long long>(board_->parked),
                     static_cast<long long>(board_->answered));
      }
      ::usleep(2'000);
    }
    return true;
  }

  void print(const char* name, double value) const {
    std::printf("%s %.10g\n", name, value);
    std::fflush(stdout);  // who reads may do something meanwhile
  }

  int print_figures() {
    const Board& board = *board_;
    print("answered", static_cast<double>(board.answered));
    print("errors", static_cast<double>(board.errors()));
    print("first_ms", board.latencies.percentile_ms(0));
    print("p50_ms", board.latencies.percentile_ms(0.5));
    print("p99_ms", board.latencies.percentile_ms(0.99));
    print("max_ms", board.latencies.most_ms());
    if (board.errors() > 0) {
      std::fprintf(stderr,
                   "crowd: %lld connections lost, %lld other answers (the last %d), %lld sessions not resumed\n",
                   static_cast<long long>(board.lost), static_cast<long long>(board.unexpected),
                   static_cast<int>(board.last_unexpected), static_cast<long long>(board.unresumed));
    }
    end_all();
    return board.errors() > 0 ? 1 : 0;
  }

  bool park_all() {
    const Nanoseconds begin = now();
    if (!wait_until([&] { return board_->parked == clients_; }, begin + kConnectPatience)) return false;
    print("connected_per_second", clients_ * static_cast<double>(kSecond) / static_cast<double>(now() - begin));
    return true;
  }

  int park() {
    Errand errand(plan_.target);
    plan_.feeds.push_back(learn(errand, options_.path));
    start_all<Parkers>();
    if (!park_all()) return print_figures();
    if (wait_until([] { return false; }, now() + kSettle); board_->errors() > 0) return print_figures();
    if (options_.switches["--hold"]) {
      std::printf("parked %lld\n", static_cast<long long>(board_->parked));
      std::fflush(stdout);
      std::string line;
      std::getline(std::cin, line);
    }
    Errand publisher(plan_.target);
    const Nanoseconds begin = now();
    board_->published_at = begin;
    const int status = publish(publisher, options_.path);
    print("published_ms", static_cast<double>(now() - begin) / kMillisecond);
    if (status != 201) board_->note_unexpected(status);
    wait_until([&] { return board_->answered == clients_; }, begin + kPatience);
    board_->lost += board_->parked;  // who has no answer now
    return print_figures();
  }

  int headline() {
    Errand errand(plan_.target);
    for (int i = 0; i < options_.number("--feeds"); ++i) {
      plan_.feeds.push_back(learn(errand, options_.path + "-" + std::to_string(i)));
    }
    const int requesters = options_.number("--requesters");
    start_all<Parkers>();
    if (!park_all()) return print_figures();
    start<Requesters>(clients_, requesters, options_.numbers["--rate"]);
    const auto all_stand = [&] { return board_->opened == clients_ + requesters; };
    if (!wait_until(all_stand, now() + kConnectPatience)) return print_figures();
    const Nanoseconds seconds = options_.number("--seconds") * kSecond;
    board_->end_at = now() + kSettle + seconds;
    board_->begin_at = board_->end_at - seconds;
    wait_until([&] { return board_->finished == 1; }, board_->end_at + 2 * kPatience, true);
    print("rate", static_cast<double>(board_->answered) * kSecond / static_cast<double>(seconds));
    print("parked_at_end", static_cast<double>(board_->parked));
    print("parked_anew", static_cast<double>(board_->ended));
    print("sent_late_ms", static_cast<double>(board_->most_late) / kMillisecond);
    return print_figures();
  }

  int connect() {
    if (options_.switches["--resume"]) {
      SSL_CTX_set_session_cache_mode(plan_.target.tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
      SSL_CTX_sess_set_new_cb(plan_.target.tls, keep_session);
    }
    {
      Errand errand(plan_.target);
      plan_.feeds.push_back(learn(errand, options_.path));
    }
    if (options_.switches["--resume"]) {
      if (session_of_before == nullptr) throw std::runtime_error("the server gives no session to go on with");
      plan_.target.session = session_of_before;
      SSL_CTX_set_session_cache_mode(plan_.target.tls, SSL_SESS_CACHE_OFF);
    }
    const Nanoseconds seconds = options_.number("--seconds") * kSecond;
    board_->end_at = now() + seconds;
    start_all<Connectors>();
    wait_until([&] { return board_->finished == options_.number("--processes"); }, board_->end_at + 2 * kPatience);
    print("rate", static_cast<double>(board_->answered) * kSecond / static_cast<double>(seconds));
    return print_figures();
  }

  Options options_;
  const int clients_;
  Plan plan_;
  Board* board_ = nullptr;
  std::vector<pid_t> children_;
};

int run(const std::vector<std::string>& arguments) {
  std::optional<Options> options = read_options(arguments);
  const bool is_known =
      options && (options->mode == "park" || options->mode == "headline" || options->mode == "connect");
  if (!is_known || (options->switches["--resume"] && !options->switches["--tls"])) {
    std::fputs("crowd is run by scripts/bench; see the first lines of its source\n", stderr);
    return 2;
  }
  try {
    return Run(std::move(*options)).go();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "crowd: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace courant::bench

int main(int argc, char** argv) {
  return courant::bench::run({argv + 1, argv + argc});
}
