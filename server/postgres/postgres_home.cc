#include "server/postgres/postgres_home.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kernel/argv.h"
#include "kernel/digest.h"

namespace courant::server {
namespace {

constexpr std::size_t kLongestSocketPath = 107 - sizeof("/.s.PGSQL.5432");

// In a child: gives up root for good, asks to be told when the parent is gone, and becomes the program. Another thread
// of the parent may have held any lock when it forked, that of the memory too: only async-signal-safe calls are made
// here.
[[noreturn]] void become(const std::vector<char*>& argv, const std::optional<PostgresHome::Account>& account,
                         const std::string& log, pid_t parent) {
  if (account && (::setgroups(0, nullptr) != 0 || ::setgid(account->group) != 0 || ::setuid(account->user) != 0))
    ::_exit(126);
  // Changing the user clears this, so it comes after.
  ::prctl(PR_SET_PDEATHSIG, SIGINT);
  if (::getppid() != parent) ::_exit(125);
  ::setpgid(0, 0);  // a Ctrl-C at the terminal is the server's alone to handle
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (file >= 0) {
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
  }
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir("/") != 0) ::_exit(124);
  ::close_range(3, ~0U, 0);  // the server's sockets are not PostgreSQL's
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

// Of a file or folder; nullopt: there is none, or it is root's.
std::optional<PostgresHome::Account> owner_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0 || found.st_uid == 0) return std::nullopt;
  return PostgresHome::Account{found.st_uid, found.st_gid};
}

}  // namespace

PostgresHome PostgresHome::in(const std::string& data) {
  PostgresHome home;
  home.folder = data + "/postgres";
  home.cluster = home.folder + "/cluster";
  home.log = home.folder + "/log";
  home.socket_folder = home.folder;
  if (home.folder.size() > kLongestSocketPath) {
    home.socket_folder = "/tmp/courant-" + to_hex(bytes_of(sha256(home.folder)).substr(0, 6));
  }
  return home;
}

Result<PostgresHome> PostgresHome::find(const EmbeddedPostgresOptions& options) {
  PostgresHome home = in(options.data);
  if (::geteuid() != 0) return home;
  home.account = owner_of(home.cluster);
  if (home.account) return home;
  const passwd* const entry = ::getpwnam(options.user.c_str());
  if (entry == nullptr) {
    return Fault{"there is no user " + options.user + " for PostgreSQL to run as: run scripts/setup"};
  }
  home.account = Account{entry->pw_uid, entry->pw_gid};
  return home;
}

bool PostgresHome::give(const std::string& path) const {
  return !account || ::chown(path.c_str(), account->user, account->group) == 0;
}

pid_t PostgresHome::start(const std::vector<std::string>& arguments) const {
  const std::vector<char*> argv = argv_of(arguments);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(argv, account, log, parent);
  return child;
}

}  // namespace courant::server
